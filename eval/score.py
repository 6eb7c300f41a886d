"""An outcome to a row: every measure of one question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval import metrics
from eval.gold import GoldSpan
from eval.metrics import Outcome, supports
from eval.ranking import evidence, holds, ranking_scores, relevant
from eval.result import Given, Place, Row, Verdict
from qa.records import Document, Passage, Quote


@dataclass(frozen=True, slots=True)
class Ground:
    """What is true: the documents as they are read from disk now, by id, and all their passages."""

    documents: Mapping[str, Document]
    passages: Sequence[Passage]

    @property
    def languages(self) -> dict[str, str]:
        """Language of each document, by id."""
        return {document.id: document.language for document in self.documents.values()}


def score(outcome: Outcome, ground: Ground) -> Row:
    """The row of one outcome."""
    question = outcome.question
    scores = {"verbatim": float(metrics.verbatim(outcome, ground.documents)), "error": float(outcome.error is not None)}
    if question.answerable:
        scores |= _answer_scores(outcome)
        scores |= ranking_scores(outcome.hits, question, ground.passages)
        scores |= _own_language(outcome, ground)
        scores["false abstention"] = float(outcome.abstained)
    else:
        scores["right abstention"] = float(outcome.abstained)
    return Row(
        question=question,
        verdict=verdict(outcome),
        expected=tuple(_expected(span, ground) for span in question.spans),
        error=outcome.error,
        abstained=outcome.abstained,
        confidence=outcome.reply.confidence if outcome.reply else 1.0,
        best=_given(outcome.best, outcome) if outcome.best else None,
        best_right=metrics.best_right(outcome),
        quotes=tuple(_given(quote, outcome) for quote in outcome.quotes),
        evidence=evidence(outcome.hits, question, ground.languages),
        seconds=outcome.seconds,
        scores=scores,
    )


def verdict(outcome: Outcome) -> Verdict:
    """See `Verdict`."""
    if outcome.error is not None:
        return Verdict.ERROR
    if outcome.abstained:
        return Verdict.WITHHELD if outcome.question.answerable else Verdict.RIGHT
    return Verdict.RIGHT if metrics.hit(outcome) else Verdict.WRONG


def _answer_scores(outcome: Outcome) -> dict[str, float]:
    measures = {
        "hit@1": metrics.hit,
        "hit@n": lambda outcome: metrics.hit(outcome, None),
        "best right": metrics.best_right,
        "exact match": metrics.exact_match,
        "F1": metrics.answer_f1,
        "citation precision": metrics.citation_precision,
        "citation recall": metrics.citation_recall,
    }
    return {name: float(measure(outcome)) for name, measure in measures.items()}


def _own_language(outcome: Outcome, ground: Ground) -> dict[str, float]:
    """Whether the first hit is in the question's language, and whether that is all that speaks for it. Says nothing
    where the corpus does not hold that language."""
    if outcome.question.language not in ground.languages.values():
        return {}
    first = next(iter(outcome.hits), None)
    own = first is not None and ground.languages[first.passage.document_id] == outcome.question.language
    merely = own and first is not None and not relevant(first.passage, outcome.question)
    return {"own language first": float(own), "merely own language": float(merely)}


def _expected(span: GoldSpan, ground: Ground) -> Place:
    """The span in its sentences; alone where no passage holds it."""
    document, start, end = ground.documents[span.document], span.start, span.end
    passage = next((passage for passage in ground.passages if holds(passage, span)), None)
    if passage:
        sentences = [(passage.start + bounds.start, passage.start + bounds.end) for bounds in passage.sentences]
        around = [bounds for bounds in sentences if bounds[0] < span.end and span.start < bounds[1]]
        start, end = min([start, *(first for first, _ in around)]), max([end, *(last for _, last in around)])
    return Place(
        document=document.id,
        title=document.title,
        language=document.language,
        start=start,
        end=end,
        text=document.text[start:end],
        answer_start=span.start,
        answer_end=span.end,
    )


def _given(quote: Quote, outcome: Outcome) -> Given:
    return Given(
        document=quote.document.id,
        title=quote.document.title,
        language=quote.language,
        start=quote.start,
        end=quote.end,
        text=quote.text,
        answer_start=quote.answer_start,
        answer_end=quote.answer_end,
        score=quote.score,
        supports=supports(quote, outcome.question),
    )
