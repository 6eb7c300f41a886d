"""Measures of the passages found for one question. Relevant is a passage that holds a gold span whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ir_measures
from ir_measures import AP, RR, Qrel, R, ScoredDoc, Success, nDCG

from eval.gold import GoldQuestion, GoldSpan
from qa.records import Hit, Passage

MEASURES = {
    "recall@5": R @ 5,
    "recall@20": R @ 20,
    "success@5": Success @ 5,
    "MRR": RR,
    "nDCG@10": nDCG @ 10,
    "mAP": AP,
}
"""Recall counts every passage that answers; success asks for one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A language of the documents that answer, and the rank (from 1) of the first passage in it that does.

    `rank` is `None` if none was found. The language is the document's.
    """

    language: str
    rank: int | None


def holds(passage: Passage, span: GoldSpan) -> bool:
    """Whether the whole span stands in the passage."""
    return passage.document_id == span.document and passage.start <= span.start and span.end <= passage.end


def relevant(passage: Passage, question: GoldQuestion) -> bool:
    """Whether the passage holds a gold span of the question."""
    return any(holds(passage, span) for span in question.spans)


def ranking_scores(hits: Sequence[Hit], question: GoldQuestion, passages: Iterable[Passage]) -> dict[str, float]:
    """Each of `MEASURES` for one question, 0..1.

    `passages` are all that could have been found. A question whose spans no passage holds scores 0.
    """
    answering = [passage for passage in passages if relevant(passage, question)]
    if not answering or not hits:
        return dict.fromkeys(MEASURES, 0.0)
    wanted = [Qrel(question.id, _name(passage), 1) for passage in answering]
    # Measures sort by score and break ties by name; the order of the hits is what counts.
    run = [ScoredDoc(question.id, _name(hit.passage), -rank) for rank, hit in enumerate(hits)]
    values = ir_measures.calc_aggregate(MEASURES.values(), wanted, run)
    return {name: float(values[measure]) for name, measure in MEASURES.items()}


def evidence(hits: Sequence[Hit], question: GoldQuestion, languages: Mapping[str, str]) -> tuple[Evidence, ...]:
    """For each language that answers, where the hits first do so in it. `languages`: of each document, by id."""
    spans: dict[str, list[GoldSpan]] = {}
    for span in question.spans:
        spans.setdefault(languages[span.document], []).append(span)
    return tuple(
        Evidence(language, next((rank for rank, hit in enumerate(hits, 1) if _any(hit, theirs)), None))
        for language, theirs in sorted(spans.items())
    )


def _any(hit: Hit, spans: Sequence[GoldSpan]) -> bool:
    return any(holds(hit.passage, span) for span in spans)


def _name(passage: Passage) -> str:
    return f"{passage.document_id}:{passage.start}-{passage.end}"
