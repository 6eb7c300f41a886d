"""Measures of one question and its outcome; means over questions are folded in `eval.fold`. Pure functions.

An error counts as a miss everywhere, and is never an abstention: nothing leaves a denominator.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import regex

from eval.gold import GoldQuestion
from qa.records import Abstention, Answer, Document, Hit, Quote, Reply
from qa.text import UNSPACED

_TOKEN = regex.compile(
    rf"(?={UNSPACED.pattern})[\p{{L}}\p{{N}}]\p{{M}}*|(?:(?!{UNSPACED.pattern})[\p{{L}}\p{{M}}\p{{N}}])+"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a system made of a question: a reply, or the message of the error that it raised.

    `seconds` is the reply's wall time; `hits` are the passages that were found for it, best first.
    """

    question: GoldQuestion
    reply: Reply | None
    error: str | None
    seconds: float
    hits: Sequence[Hit] = ()

    @property
    def quotes(self) -> Sequence[Quote]:
        """The quotes given as an answer."""
        return self.reply.quotes if isinstance(self.reply, Answer) else ()

    @property
    def abstained(self) -> bool:
        """Whether it said "not in the corpus"."""
        return isinstance(self.reply, Abstention)

    @property
    def best(self) -> Quote | None:
        """The first quote, or the one that would have come first without the abstention."""
        nearest = self.reply.nearest if isinstance(self.reply, Abstention) else ()
        return next(iter((*self.quotes, *nearest)), None)


def supports(quote: Quote, question: GoldQuestion) -> bool:
    """Whether a quote holds a gold span whole."""
    return any(
        quote.document.id == span.document and quote.start <= span.start and span.end <= quote.end
        for span in question.spans
    )


def hit(outcome: Outcome, count: int | None = 1) -> bool:
    """hit@count: one of the first `count` quotes (all with `None`) holds a gold span."""
    return any(supports(quote, outcome.question) for quote in outcome.quotes[:count])


def best_right(outcome: Outcome) -> bool:
    """hit@1 of a system that never abstains: what abstaining withholds is counted."""
    return outcome.best is not None and supports(outcome.best, outcome.question)


def verbatim(outcome: Outcome, documents: Mapping[str, Document]) -> bool:
    """Every quote is what stands in the document at its offsets, by the documents as they are read from disk now.

    True of an abstention, which quotes nothing, and false of an error.
    """
    return outcome.error is None and all(
        quote.document.id in documents
        and documents[quote.document.id].text[quote.start : quote.end] == quote.text
        and quote.start <= quote.answer_start < quote.answer_end <= quote.end
        for quote in outcome.quotes
    )


def tokens(text: str) -> list[str]:
    """Case-folded words without punctuation; single characters, with their marks, where words are not spaced.

    >>> tokens("Der 3. Tag"), tokens("上海市AI"), tokens("ที่นี่")
    (['der', '3', 'tag'], ['上', '海', '市', 'ai'], ['ที่', 'นี่'])
    """
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def exact_match(outcome: Outcome) -> bool:
    """Whether the first quote's marked answer has the tokens of a gold span, in order."""
    return _best_span(outcome, lambda given, gold: float(given == gold)) == 1.0


def answer_f1(outcome: Outcome) -> float:
    """Best token F1 (Rajpurkar et al. 2016) of the first quote's marked answer with a gold span, 0..1."""
    return _best_span(outcome, token_f1)


def citation_precision(outcome: Outcome) -> float:
    """Share of the quotes that hold a gold span; 0 where there is none."""
    return sum(supports(quote, outcome.question) for quote in outcome.quotes) / max(1, len(outcome.quotes))


def citation_recall(outcome: Outcome) -> float:
    """Share of the documents that hold a gold span which are quoted with one."""
    documents = {span.document for span in outcome.question.spans}
    found = {quote.document.id for quote in outcome.quotes if supports(quote, outcome.question)}
    return len(found) / max(1, len(documents))


def _best_span(outcome: Outcome, compare: Callable[[list[str], list[str]], float]) -> float:
    if not outcome.quotes:
        return 0.0
    given = tokens(outcome.quotes[0].answer)
    return max((compare(given, tokens(span.text)) for span in outcome.question.spans), default=0.0)


def token_f1(given: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of two bags of tokens, 0..1; two empty ones agree."""
    if not given and not gold:
        return 1.0
    common = (Counter(given) & Counter(gold)).total()
    return 2 * common / (len(given) + len(gold)) if common else 0.0
