"""Spans to an answer or an abstention. Thresholds and calibration live here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qa.records import Abstention, Answer, Bounds, Document, Hit, Quote, Reading, Reason, Reply, Span
from qa.settings import AnswerSettings


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic model of "the first quote is right" on the reader's best score and its lead over `no_answer`.

    The numbers below were fitted on the gold set's dev split by `python -m eval calibrate`.
    """

    bias: float
    score: float
    lead: float

    def probability(self, score: float, no_answer: float) -> float:
        """0..1"""
        return 1 / (1 + math.exp(-(self.bias + self.score * score + self.lead * (score - no_answer))))


CALIBRATION = Calibration(bias=-20.0, score=20.0, lead=20.0)
SAME_FACT = 0.9
"""Cosine of two sentences from which on they are taken to state the same fact."""


def answer(
    question: str,
    language: str,
    hits: Sequence[Hit],
    reading: Reading,
    *,
    document: Callable[[str], Document | None],
    settings: AnswerSettings,
    calibration: Calibration = CALIBRATION,
) -> Reply:
    """An answer of one quote, the best, or the reason why there is none. `corroborate` adds the others.

    `reading` is of the passages of `hits`, in their order.
    """
    quotes = _quotes(hits, reading, document=document, calibration=calibration, limit=settings.quotes)
    if not quotes:
        return Abstention(
            question=question, question_language=language, confidence=0.0, reason=Reason.NOTHING_RETRIEVED
        )
    confidence = quotes[0].score
    if confidence < settings.threshold:
        return Abstention(
            question=question,
            question_language=language,
            confidence=confidence,
            reason=Reason.BELOW_THRESHOLD,
            nearest=_numbered(quotes),
        )
    return Answer(question=question, question_language=language, confidence=confidence, quotes=(quotes[0],))


def corroborate(
    reply: Answer,
    hits: Sequence[Hit],
    reading: Reading,
    *,
    document: Callable[[str], Document | None],
    similarity: Callable[[Sequence[str]], NDArray[np.float32]],
    settings: AnswerSettings,
    calibration: Calibration = CALIBRATION,
) -> Answer:
    """The answer with one quote of each other document that states the same fact, in order of likeness.

    `hits` are passages near to the first quote, `reading` is of them. `similarity` gives the cosines of texts with
    each other, *Shape* (n, n).
    """
    first = reply.quotes[0]
    quotes = _quotes(hits, reading, document=document, calibration=calibration)
    near = similarity([first.text, *(quote.text for quote in quotes)])[0, 1:]
    chosen = {first.document.id: first}
    for cosine, quote in sorted(zip(near.tolist(), quotes, strict=True), key=lambda pair: -pair[0]):
        if cosine >= SAME_FACT:
            chosen.setdefault(quote.document.id, quote)
    return replace(reply, quotes=_numbered(list(chosen.values())[: settings.quotes]))


def _quotes(
    hits: Sequence[Hit],
    reading: Reading,
    *,
    document: Callable[[str], Document | None],
    calibration: Calibration,
    limit: int | None = None,
) -> list[Quote]:
    return [
        _quote(hits[span.passage], span, calibration.probability(span.score, reading.no_answer), document)
        for span in _best_of_each_sentence(hits, reading)[:limit]
    ]


def _best_of_each_sentence(hits: Sequence[Hit], reading: Reading) -> list[Span]:
    """Overlapping passages share sentences; each sentence stands once, by its best span, in order of score."""
    best: dict[tuple[str, int], Span] = {}
    for span in sorted(reading.spans, key=lambda span: -span.score):
        passage = hits[span.passage].passage
        best.setdefault((passage.document_id, passage.start + _sentences_around(hits[span.passage], span).start), span)
    return list(best.values())


def _sentences_around(hit: Hit, span: Span) -> Bounds:
    """Bounds, in the passage, of the whole sentences that hold the span."""
    around = [bounds for bounds in hit.passage.sentences if bounds.start < span.end and span.start < bounds.end]
    assert around, "a reader's span lies in no sentence"
    return Bounds(min(around[0].start, span.start), max(around[-1].end, span.end))


def _quote(hit: Hit, span: Span, probability: float, document: Callable[[str], Document | None]) -> Quote:
    passage = hit.passage
    owner = document(passage.document_id)
    assert owner is not None, passage.document_id
    start, end = (passage.start + bound for bound in _sentences_around(hit, span))
    return Quote(
        number=1, document=owner, start=start, end=end, text=owner.text[start:end], language=passage.language,
        answer_start=passage.start + span.start, answer_end=passage.start + span.end, score=probability,
    )  # fmt: skip


def _numbered(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    return tuple(replace(quote, number=number) for number, quote in enumerate(quotes, start=1))
