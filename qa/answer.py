"""Spans to an answer or an abstention. Calibration and thresholds live here."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qa import text
from qa.records import Abstention, Answer, Bounds, Document, Hit, Quote, Reading, Reason, Reply, Span
from qa.settings import AnswerSettings


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence (or several) that may answer, by its best span, with the evidence for it.

    `reader`: how far the span stands above "no answer". `agreement`: the mean of `reader` over this sentence and those
    of other documents that state the same fact. `similarity`: cosine of question and sentence.
    """

    hit: Hit
    span: Span
    around: Bounds
    reader: float
    agreement: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic model of "this quote is right": ranks candidates and gives the confidence.

    `python -m eval calibrate` fits the numbers on the gold set's dev split.
    """

    bias: float
    reader: float
    agreement: float
    similarity: float

    def probability(self, candidate: Candidate) -> float:
        """0..1"""
        evidence = (
            self.bias
            + self.reader * candidate.reader
            + self.agreement * candidate.agreement
            + self.similarity * candidate.similarity
        )
        return 1 / (1 + math.exp(-evidence))


CALIBRATION = Calibration(bias=-1.663, reader=0.07, agreement=0.083, similarity=4.623)

Documents = Callable[[str], Document | None]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to unit rows, *Shape* (n, d)."""


def candidates(
    question: NDArray[np.float32], hits: Sequence[Hit], reading: Reading, embed: Embed, *, same_fact: float
) -> list[Candidate]:
    """What may answer, each sentence once, best span first.

    `question`: its vector, *Shape* (d,). `same_fact`: cosine from which on two sentences state the same fact. `reading`
    is of the passages of `hits`, in their order. Overlapping passages share sentences. A span that touches a
    boilerplate line is no evidence.
    """
    best: dict[tuple[str, int], tuple[Hit, Span, Bounds]] = {}
    for span in sorted(reading.spans, key=lambda span: -span.score):
        hit = hits[span.passage]
        if around := _sentences_around(hit, span):
            best.setdefault((hit.passage.document_id, hit.passage.start + around.start), (hit, span, around))
    found = list(best.values())
    if not found:
        return []
    scores = np.array([span.score - reading.no_answer for _, span, _ in found])
    owners = np.array([hit.passage.document_id for hit, _, _ in found])
    texts = [hit.passage.text[slice(*around)] for hit, _, around in found]
    vectors = embed(texts)
    alike, similarity = _alike(texts, vectors), vectors @ question
    return [
        Candidate(
            hit,
            span,
            around,
            reader=float(scores[i]),
            agreement=_agreement(i, scores, owners, alike[i], same_fact),
            similarity=float(similarity[i]),
        )
        for i, (hit, span, around) in enumerate(found)
    ]


def _alike(texts: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines of all pairs, *Shape* (n, n); 0 where numbers differ, since that states another fact."""
    numbers = [text.numbers(content) for content in texts]
    agree = np.array([[_agree(mine, theirs) for theirs in numbers] for mine in numbers])
    return np.where(agree, vectors @ vectors.T, np.float32(0))


def _agreement(
    i: int, scores: NDArray[np.float64], owners: NDArray[np.str_], alike: NDArray[np.float32], same_fact: float
) -> float:
    """Mean score of a sentence and of the one most alike in each other document, if it states the same fact."""
    members = [i]
    for owner in set(owners.tolist()) - {owners[i]}:
        theirs = np.flatnonzero(owners == owner)
        nearest = int(theirs[np.argmax(alike[theirs])])
        if alike[nearest] >= same_fact:
            members.append(nearest)
    return float(scores[members].mean())


def answer(
    question: str,
    language: str,
    found: Sequence[Candidate],
    *,
    document: Documents,
    settings: AnswerSettings,
    calibration: Calibration = CALIBRATION,
) -> Reply:
    """An answer of one quote, the best, or the reason why there is none. `corroborate` adds the others."""
    if not found:
        return Abstention(
            question=question, question_language=language, confidence=0.0, reason=Reason.NOTHING_RETRIEVED
        )
    ranked = sorted(found, key=calibration.probability, reverse=True)[: settings.quotes]
    quotes = [
        _quote(candidate.hit, candidate.span, calibration.probability(candidate), document) for candidate in ranked
    ]
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
    embed: Embed,
    document: Documents,
    same_fact: float,
    settings: AnswerSettings,
) -> Answer:
    """The answer with one quote of each other document that states the same fact: those in the question's language
    first, then the others, each in the order in which they were found. The quote that was found leads its language.

    `hits` are passages near to the first quote. `read` reads texts for the question, to mark the answer in each. A
    corroborating quote is as probable as the first one times its likeness to what was found before it (`_same_fact`). A
    sentence with other numbers than the answer's states another fact, however alike.
    """

    def foreign(language: str) -> bool:
        asked = reply.question_language
        return asked == "und" or not text.same_language(language, asked)

    first = reply.quotes[0]
    places = [
        (hit, bounds)
        for hit in hits
        for bounds in hit.passage.sentences
        if _agree(text.numbers(first.answer), text.numbers(hit.passage.text[slice(*bounds)]))
    ]
    vectors = embed([hit.passage.text[slice(*bounds)] for hit, bounds in places] + [first.text])
    owners = np.array([hit.passage.document_id for hit, _ in places] + [first.document.id])
    likeness = dict(_same_fact(len(places), vectors, owners, same_fact))
    others = sorted(likeness, key=lambda i: foreign(places[i][0].passage.language))[: settings.quotes - 1]
    reading = read([places[i][0].passage.text[slice(*places[i][1])] for i in others])
    quotes = [first]
    for number, i in enumerate(others):
        hit, bounds = places[i]
        inside = next(
            (span for span in reading.spans if span.passage == number), Span(number, 0, bounds.end - bounds.start, 0.0)
        )
        span = replace(inside, start=bounds.start + inside.start, end=bounds.start + inside.end)
        quotes.append(_quote(hit, span, first.score * min(1.0, likeness[i]), document))
    return replace(reply, quotes=_numbered(sorted(quotes, key=lambda quote: foreign(quote.language))))


def _same_fact(
    first: int, vectors: NDArray[np.float32], owners: NDArray[np.str_], same_fact: float
) -> Iterator[tuple[int, float]]:
    """Rows that state the same fact as the row `first`, at most one of each other owner, each with its likeness.

    Each time the one nearest to the mean of `first` and all given so far, with that cosine, while it is at least
    `same_fact`: two translations may be less alike than each of them is to what several have in common.

    *Shape* of `vectors` (n, d), of `owners` (n,).
    """
    total, left = vectors[first].copy(), owners != owners[first]
    while left.any():
        likeness = np.where(left, vectors @ (total / np.linalg.norm(total)), -np.inf)
        nearest = int(np.argmax(likeness))
        if likeness[nearest] < same_fact:
            return
        yield nearest, float(likeness[nearest])
        total += vectors[nearest]
        left &= owners != owners[nearest]


def _agree(numbers: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one names all numbers of the other; without any it may have them in words."""
    return numbers <= others or others <= numbers


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
