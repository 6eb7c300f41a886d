"""The swap: what was staged becomes live, with vectors that hold it and were verified.

The vectors are two generations at most, one of the corpus and one of what visitors brought, so that an upload need
not derive those of the corpus anew. Each is written once, from nothing.
"""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from qa import text
from qa.errors import IndexBroken, rebuild_command
from qa.records import Filters
from qa.staging import WritableTruth
from qa.tables import SCHEMA_VERSION
from qa.truth import Truth
from qa.vectors import Generation, Generations

_BUILD_SELF_QUERIES, OPEN_SELF_QUERIES = 256, 32
"""How many passages are looked for by their own vectors: in a generation just made, in one that was verified before."""
_BATCH = 1_000


class Joined:
    """Several generations, read as one."""

    def __init__(self, parts: Sequence[Generation]) -> None:
        self._parts = parts

    def count(self) -> int:
        return sum(part.count() for part in self._parts)

    def search(
        self, vector: NDArray[np.float32], *, limit: int, filters: Filters = Filters()
    ) -> list[tuple[int, float]]:
        """Nearest keys with their cosine, best first."""
        found = [hit for part in self._parts for hit in part.search(vector, limit=limit, filters=filters)]
        return sorted(found, key=lambda hit: -hit[1])[:limit]


class Writer:
    """What the holder of the lock may do. Reading and staging is `truth`'s; this is the swap."""

    def __init__(self, truth: WritableTruth, generations: Generations) -> None:
        self.truth = truth
        self._generations = generations

    def publish(
        self,
        *,
        encoder: str,
        removed: Sequence[str],
        state: Mapping[str, str],
        uploaded: Sequence[str] = (),
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        """Makes staged documents live and `removed` ones disappear, with verified generations of vectors: one of the
        corpus, one of the documents in `uploaded`. What holds the same passages as before stays; others are made anew.

        Vectors come from the cache; `embed` is called for those that it lacks. Raises `IndexBroken` if a generation
        does not verify; the published index is then untouched.
        """
        current = self.truth.state.get("generation", "").split()
        for name in self._generations.names():  # left by a killed run, or by the swap before the last
            if name not in current:
                self._generations.drop(name)
        parts = {_digest(encoder, keys): keys for keys in self.truth.coming_keys(removed, uploaded) if keys}
        known: dict[str, str] = json.loads(self.truth.state.get("parts", "{}"))
        names = {
            part: known[part]
            for part, keys in parts.items()
            if part in known and self._holds(known[part], keys, encoder)
        }
        missing = {uuid.uuid4().hex[:12]: part for part in parts if part not in names}
        total = sum(len(parts[part]) for part in missing.values())
        done = 0
        try:
            for name, part in missing.items():
                tell = partial(_tell, progress, done, total)
                self._derive(name, parts[part], encoder=encoder, embed=embed, progress=tell)
                names[part] = name
                done += len(parts[part])
            words = (
                (stored.key, " ".join(text.words(stored.passage.text)))
                for stored in self.truth.stored_passages(self.truth.staged_keys())
            )
            new = {
                "schema": SCHEMA_VERSION, "encoder": encoder, "generation": " ".join(names[part] for part in parts),
                "parts": json.dumps(names), "passages": str(sum(map(len, parts.values()))),
            }  # fmt: skip
            self.truth.publish(removed=removed, words=words, state={**state, **new})
        except Exception:  # above all a full disk: give the room back
            for name in missing:
                self._generations.drop(name)
            raise

    def _holds(self, name: str, keys: Sequence[int], encoder: str) -> bool:
        """Whether a generation is still what it was made to be."""
        try:
            with contextlib.closing(self._generations.open(name)) as generation:
                verify(generation, self.truth, keys, encoder=encoder, sample=OPEN_SELF_QUERIES)
        except IndexBroken:
            return False
        return True

    def _derive(
        self,
        name: str,
        keys: Sequence[int],
        *,
        encoder: str,
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        progress: Callable[[int], None],
    ) -> None:
        """Fills and verifies a generation.

        Always from nothing (1,300 passages a second): copying the one before would keep what was deleted in its graph.
        """
        with contextlib.closing(self._generations.create(name)) as generation:
            for i in range(0, len(keys), _BATCH):
                self.truth.check_room()
                batch = list(self.truth.stored_passages(keys[i : i + _BATCH]))
                vectors, _ = self.truth.vectors(encoder, [stored.passage.text for stored in batch], embed)
                generation.add(
                    [stored.key for stored in batch],
                    np.stack([vectors[stored.passage.text] for stored in batch]),
                    [stored.source for stored in batch],
                    [stored.passage for stored in batch],
                )
                progress(i + len(batch))
        self._generations.seal(name)
        # Opened anew: what is in memory says nothing of what is on disk.
        with contextlib.closing(self._generations.open(name)) as generation:
            verify(generation, self.truth, keys, encoder=encoder, sample=_BUILD_SELF_QUERIES)


def _tell(progress: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _digest(encoder: str, keys: Sequence[int]) -> str:
    """Says what a generation holds: a key means the same text, document and language for ever."""
    return hashlib.sha256(json.dumps([encoder, *sorted(keys)]).encode()).hexdigest()


def verify(generation: Generation | Joined, truth: Truth, keys: Sequence[int], *, encoder: str, sample: int) -> None:
    """Raises `IndexBroken` unless the generation holds as many passages and finds a sample by their own vectors."""
    if (found := generation.count()) != len(keys):
        again = rebuild_command(truth.folder)
        raise IndexBroken(f"the vector index has {found} of {len(keys)} passages; run: {again}")
    probes = list(truth.stored_passages(keys[:: max(1, len(keys) // sample)]))
    vectors = truth.cached_vectors(encoder, [stored.passage.text for stored in probes])
    for stored in probes:
        if (vector := vectors.get(stored.passage.text)) is not None:
            nearest = generation.search(vector, limit=1)
            if not nearest or nearest[0][1] < 0.999:
                raise IndexBroken(
                    f"the vector index does not find passage {stored.key} by its own vector; run: "
                    f"{rebuild_command(truth.folder)}"
                )
