"""Measures of one question and its outcome; means over questions are folded elsewhere. Pure functions.

An error counts as a miss everywhere, and is never an abstention: nothing leaves a denominator.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.gold import GoldQuestion
from qa import text
from qa.records import Answer, Document, Quote, Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a system made of a question: a reply, or the message of the error that it raised. `seconds` is wall time."""

    question: GoldQuestion
    reply: Reply | None
    error: str | None
    seconds: float

    @property
    def quotes(self) -> Sequence[Quote]:
        """The quotes given as an answer."""
        return self.reply.quotes if isinstance(self.reply, Answer) else ()

    @property
    def abstained(self) -> bool:
        """Whether it said "not in the corpus"."""
        return self.reply is not None and not isinstance(self.reply, Answer)


def supports(quote: Quote, question: GoldQuestion) -> bool:
    """Whether a quote holds a gold span whole."""
    return any(
        quote.document.id == span.document and quote.start <= span.start and span.end <= quote.end
        for span in question.spans
    )


def hit(outcome: Outcome, count: int | None = 1) -> bool:
    """hit@count: one of the first `count` quotes (all with `None`) holds a gold span."""
    return any(supports(quote, outcome.question) for quote in outcome.quotes[:count])


def verbatim(outcome: Outcome, documents: Mapping[str, Document]) -> bool:
    """Every quote is what stands in the document at its offsets, by the documents as they are read from disk now."""
    return all(
        quote.document.id in documents
        and documents[quote.document.id].text[quote.start : quote.end] == quote.text
        and quote.start <= quote.answer_start < quote.answer_end <= quote.end
        for quote in outcome.quotes
    )


def answer_f1(outcome: Outcome) -> float:
    """Best token F1 (Rajpurkar et al. 2016) of the first quote's marked answer with a gold span, 0..1.

    Tokens are `qa.text.words`: words where they are spaced, else single characters and pairs.
    """
    if not outcome.quotes:
        return 0.0
    given = Counter(text.words(outcome.quotes[0].answer))
    scores = []
    for span in outcome.question.spans:
        gold = Counter(text.words(span.text))
        common = (given & gold).total()
        scores.append(2 * common / (given.total() + gold.total()) if common else 0.0)
    return max(scores, default=0.0)


def citation_precision(outcome: Outcome) -> float:
    """Share of the quotes that hold a gold span."""
    return sum(supports(quote, outcome.question) for quote in outcome.quotes) / max(1, len(outcome.quotes))


def citation_recall(outcome: Outcome) -> float:
    """Share of the documents that hold a gold span which are quoted with one."""
    documents = {span.document for span in outcome.question.spans}
    found = {quote.document.id for quote in outcome.quotes if supports(quote, outcome.question)}
    return len(found) / max(1, len(documents))
