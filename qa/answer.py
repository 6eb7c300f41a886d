"""Spans to an answer or an abstention. Calibration and thresholds live here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qa.records import Abstention, Answer, Bounds, Document, Hit, Quote, Reading, Reason, Reply, Span
from qa.settings import AnswerSettings


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic model of "the first quote is right" (Platt 1999).

    `score` weighs how far the best span stands above "no answer". `python -m eval calibrate` fits the numbers on
    the gold set's dev split.
    """

    bias: float
    score: float

    def probability(self, score: float, no_answer: float) -> float:
        """0..1"""
        return 1 / (1 + math.exp(-(self.bias + self.score * (score - no_answer))))


CALIBRATION = Calibration(bias=-0.5, score=0.4)
SAME_FACT = 0.9
"""Cosine of two sentences from which on they state the same fact. Translations in the shipped corpus reach 0.91 to
0.96, other sentences on the same topic seldom 0.90."""

Documents = Callable[[str], Document | None]


def answer(
    question: str,
    language: str,
    hits: Sequence[Hit],
    reading: Reading,
    *,
    document: Documents,
    settings: AnswerSettings,
    calibration: Calibration = CALIBRATION,
) -> Reply:
    """An answer of one quote, the best, or the reason why there is none. `corroborate` adds the others.

    `reading` is of the passages of `hits`, in their order.
    """
    quotes = [
        _quote(hits[span.passage], span, calibration.probability(span.score, reading.no_answer), document)
        for span in _best_of_each_sentence(hits, reading)[: settings.quotes]
    ]
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
    *,
    read: Callable[[Sequence[str]], Reading],
    similarity: Callable[[Sequence[str]], NDArray[np.float32]],
    document: Documents,
    settings: AnswerSettings,
    calibration: Calibration = CALIBRATION,
) -> Answer:
    """The answer with one quote of each other document that states the same fact, the most alike first.

    `hits` are passages near to the first quote. `read` reads texts for the question, `similarity` gives the cosines of
    texts with each other, *Shape* (n, n).
    """
    first = reply.quotes[0]
    places = [(hit, bounds) for hit in hits for bounds in hit.passage.sentences]
    near = similarity([first.text, *(hit.passage.text[slice(*bounds)] for hit, bounds in places)])[0, 1:]
    chosen: dict[str, tuple[Hit, Bounds]] = {}
    for i in np.argsort(-near, kind="stable"):
        hit, bounds = places[i]
        if near[i] >= SAME_FACT and hit.passage.document_id != first.document.id:
            chosen.setdefault(hit.passage.document_id, (hit, bounds))
    others = list(chosen.values())[: settings.quotes - 1]
    reading = read([hit.passage.text[slice(*bounds)] for hit, bounds in others])
    quotes = [first]
    for number, (hit, bounds) in enumerate(others):
        inside = next(span for span in reading.spans if span.passage == number)
        span = replace(inside, start=bounds.start + inside.start, end=bounds.start + inside.end)
        quotes.append(_quote(hit, span, calibration.probability(span.score, reading.no_answer), document))
    return replace(reply, quotes=_numbered(quotes))


def _best_of_each_sentence(hits: Sequence[Hit], reading: Reading) -> list[Span]:
    """Overlapping passages share sentences; each sentence stands once, by its best span, in order of score.

    Spans outside all sentences (in a boilerplate line) are no evidence.
    """
    best: dict[tuple[str, int], Span] = {}
    for span in sorted(reading.spans, key=lambda span: -span.score):
        passage = hits[span.passage].passage
        if around := _sentences_around(hits[span.passage], span):
            best.setdefault((passage.document_id, passage.start + around.start), span)
    return list(best.values())


def _sentences_around(hit: Hit, span: Span) -> Bounds | None:
    """Bounds, in the passage, of the whole sentences that hold the span; `None` if part of it lies in none."""
    around = [bounds for bounds in hit.passage.sentences if bounds.start < span.end and span.start < bounds.end]
    if around and around[0].start <= span.start and span.end <= around[-1].end:
        return Bounds(around[0].start, around[-1].end)
    return None


def _quote(hit: Hit, span: Span, probability: float, document: Documents) -> Quote:
    passage, around = hit.passage, _sentences_around(hit, span)
    owner = document(passage.document_id)
    assert owner is not None, passage.document_id
    assert around is not None, span
    start, end = passage.start + around.start, passage.start + around.end
    return Quote(
        number=1,
        document=owner,
        start=start,
        end=end,
        text=owner.text[start:end],
        language=passage.language,
        answer_start=passage.start + span.start,
        answer_end=passage.start + span.end,
        score=probability,
    )


def _numbered(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    return tuple(replace(quote, number=number) for number, quote in enumerate(quotes, start=1))
