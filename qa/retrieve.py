"""Question to ranked passages: a dense leg, a lexical leg, fused, what says the same grouped.

The dense leg finds the meaning in any language; the lexical one finds what meaning blurs: names, numbers, dates,
quoted words. Of passages of several documents that state the same fact, translations of one text above all, the best
stands for all, and the others come after everything else: they corroborate, and must not push a second fact out.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa import text
from qa.records import Filters, Hit, Passage
from qa.settings import RetrieveSettings


class Index(Protocol):
    """What retrieval needs of an index."""

    def search_vectors(
        self, vector: NDArray[np.float32], *, limit: int, filters: Filters
    ) -> list[tuple[int, float]]: ...

    def search_words(self, words: Sequence[str], *, limit: int, filters: Filters) -> list[tuple[int, float]]: ...

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]: ...

    def vectors(self, passages: Sequence[Passage]) -> dict[str, NDArray[np.float32]]:
        """Text to unit row, for those passages whose vector is known."""
        ...


class Retrieve(Protocol):
    """A way to find passages: `retrieve`, or what it is compared with."""

    def __call__(
        self,
        question: str,
        vector: NDArray[np.float32],
        index: Index,
        settings: RetrieveSettings,
        *,
        filters: Filters = Filters(),
    ) -> list[Hit]: ...


def retrieve(
    question: str,
    vector: NDArray[np.float32],
    index: Index,
    settings: RetrieveSettings,
    *,
    filters: Filters = Filters(),
) -> list[Hit]:
    """The best passages for a question, best first, at most `settings.passages`.

    `vector`: the encoded question, *Shape* (d,). Scores are the cosine, plus `lexical_weight` times the BM25 score
    as a share of the best one. The order is that of the scores, but for passages that repeat another document's.
    """
    dense = dict(index.search_vectors(vector, limit=settings.candidates, filters=filters))
    words = text.words(question) if settings.lexical_weight else []
    lexical = dict(index.search_words(words, limit=settings.candidates, filters=filters))
    best = max(lexical.values(), default=0.0)
    # A passage that only the words found is at most as near as the last that the vectors found.
    floor = min(dense.values(), default=0.0)
    scores = {
        key: dense.get(key, floor) + (settings.lexical_weight * lexical.get(key, 0.0) / best if best > 0 else 0.0)
        for key in dense.keys() | lexical.keys()
    }
    ranked = sorted(scores, key=lambda key: (-scores[key], key))
    passages = index.passages(ranked)
    hits = [Hit(passages[key], scores[key], dense.get(key)) for key in ranked if key in passages]
    known = index.vectors([hit.passage for hit in hits])
    vectors = [known.get(hit.passage.text, np.zeros_like(vector)) for hit in hits]
    return repeats_last(hits, np.stack(vectors), settings.same_fact)[: settings.passages] if hits else []


def repeats_last(hits: Sequence[Hit], vectors: NDArray[np.float32], same_fact: float) -> list[Hit]:
    """The hits in their order, but those after all others that state what a better hit of another document states.

    `vectors`: *Shape* (hits, d). `same_fact`: cosine from which on two texts state the same.
    """
    alike = vectors @ vectors.T >= same_fact
    owners = np.array([hit.passage.document_id for hit in hits])
    heads: list[int] = []
    repeats: list[int] = []
    for i in range(len(hits)):
        said = any(alike[i, head] and owners[i] != owners[head] for head in heads)
        (repeats if said else heads).append(i)
    return [hits[i] for i in (*heads, *repeats)]
