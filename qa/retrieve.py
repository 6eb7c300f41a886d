"""Question to ranked passages: a dense leg, a lexical leg, fused.

The dense leg finds the meaning in any language; the lexical one finds what meaning blurs: names, numbers, dates,
quoted words.
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
    as a share of the best one.
    """
    dense = dict(index.search_vectors(vector, limit=settings.candidates, filters=filters))
    lexical = dict(index.search_words(text.words(question), limit=settings.candidates, filters=filters))
    best = max(lexical.values(), default=0.0)
    # A passage that only the words found is at most as near as the last that the vectors found.
    floor = min(dense.values(), default=0.0)
    scores = {
        key: dense.get(key, floor) + (settings.lexical_weight * lexical.get(key, 0.0) / best if best > 0 else 0.0)
        for key in dense.keys() | lexical.keys()
    }
    ranked = sorted(scores, key=lambda key: (-scores[key], key))[: settings.passages]
    passages = index.passages(ranked)
    return [Hit(passages[key], scores[key], dense.get(key)) for key in ranked if key in passages]
