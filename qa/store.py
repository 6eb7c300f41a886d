"""The index on disk: its truth, its vectors, its swap, its lock.

A folder holds `truth.sqlite3` (see `qa.truth`), the current generation of vectors (see `qa.vectors`), the one before
it (a question that began before a swap may still read it), and the writers' lock.

Readers open a snapshot of the truth, which names its generation, and so always see one consistent index, even while
another process publishes the next. One writer at a time; any number of readers.
"""

import contextlib
import errno
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from qa import text
from qa.errors import IndexBroken, IndexBusy, IndexStale, IndexUnwritable
from qa.records import Document, Filters, Passage
from qa.settings import StoreSettings
from qa.truth import SCHEMA_VERSION, StoredPassage, Truth
from qa.vectors import Generation, Generations, LocalGenerations, ServerGenerations

_SELF_QUERIES = 256
_BATCH = 1_000


class Snapshot:
    """One consistent moment of an index, for reading. The surface that retrieval works on."""

    def __init__(self, truth: Truth, generation: Generation) -> None:
        self._truth = truth
        self._generation = generation
        self.state = truth.state
        self.documents = truth.documents
        self.document = truth.document
        self.passages = truth.passages
        self.search_words = truth.search_words

    def search_vectors(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[tuple[int, float]]:
        """Keys and cosines of the nearest passages, best first."""
        return self._generation.search(vector, limit=limit, filters=filters)


class Store:
    """An index folder. Cheap to make; nothing is opened before it is needed."""

    def __init__(self, folder: Path, settings: StoreSettings) -> None:
        self.folder = folder
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: dict[str, Generation] = {}

    @property
    def truth_path(self) -> Path:
        return self.folder / "truth.sqlite3"

    def state(self) -> Mapping[str, str]:
        """What is published: encoder, corpus digest, roots … Empty before the first publication."""
        if not self.truth_path.is_file():
            return {}
        truth = Truth(self.truth_path)
        truth.close()
        return truth.state

    def cached_vectors(self, encoder: str, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Text to vector, for those passages and sentences whose vector is known."""
        with _readable(self.folder):
            truth = Truth(self.truth_path)
            try:
                return truth.cached_vectors(encoder, texts)
            finally:
                truth.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Raises `IndexMissing`, `IndexStale` (other schema) or `IndexBroken`."""
        with _readable(self.folder):
            truth = Truth(self.truth_path)
        try:
            if "generation" not in truth.state:
                raise IndexBroken(f"the index in {self.folder} was never completed; run: babelquote index")
            if truth.state["schema"] != SCHEMA_VERSION:
                raise IndexStale(f"the index in {self.folder} was made by another version; run: babelquote index")
            with _readable(self.folder):
                yield Snapshot(truth, self._open(truth.state["generation"]))
        finally:
            truth.close()

    def verify(self) -> None:
        """Raises `IndexBroken` unless the current vectors are as many as the passages that the truth holds."""
        with self.snapshot() as snapshot:
            expected, found = (
                int(snapshot.state["passages"]),
                self._open(snapshot.state["generation"]).count(),
            )
        if found != expected:
            raise IndexBroken(
                f"the vector index in {self.folder} has {found} of {expected} passages; run: babelquote index"
            )

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator["Writer"]:
        """The one writer. Raises `IndexBusy` if another process writes for longer than `lock_seconds` (or at all,
        without `wait`), `IndexUnwritable` if the disk is full or read-only."""
        with _writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=self._settings.lock_seconds if wait else 0)
            except Timeout as error:
                raise IndexBusy(
                    f"another process is writing the index in {self.folder}; wait for it, or stop it"
                ) from error
            try:
                truth = Truth(self.truth_path, write=True)
                try:
                    yield Writer(truth, self._generations())
                finally:
                    truth.close()
            finally:
                lock.release()

    def close(self) -> None:
        """Releases what Chroma holds. The store can be used again afterwards."""
        with self._lock:
            for generation in self._opened.values():
                generation.close()
            self._opened.clear()

    def _open(self, name: str) -> Generation:
        """Keeps the current generation and the one before it open: another thread may still be asking that one."""
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._generations().open(name)
                for old in list(self._opened)[:-2]:
                    self._opened.pop(old).close()
            return self._opened[name]

    def _generations(self) -> Generations:
        if self._settings.chroma_url:
            # One server may hold many indexes; the folder's own mark tells them apart.
            return ServerGenerations(self._settings.chroma_url, prefix=f"babelquote-{self._mark()}-")
        return LocalGenerations(self.folder)

    def _mark(self) -> str:
        path = self.folder / "mark"
        if not path.is_file():
            path.write_text(uuid.uuid4().hex[:12])
        return path.read_text()


class Writer:
    """What the holder of the lock may do. Reading and staging is `truth`'s; this is the swap."""

    def __init__(self, truth: Truth, generations: Generations) -> None:
        self.truth = truth
        self._generations = generations

    def publish(
        self,
        *,
        encoder: str,
        removed: Sequence[str],
        state: Mapping[str, str],
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        """Makes staged documents live and `removed` ones disappear, with a fresh and verified generation of vectors.

        Only passages that are not in the previous generation are written. Vectors come from the cache; `embed` is
        called for those that it lacks. If a copy of the previous generation does not verify, a new one is built from
        nothing. Raises `IndexBroken` if that does not verify either; the published index is then untouched.
        """
        current = self.truth.state.get("generation")
        for name in self._generations.names():  # left by a killed run, or by the swap before the last
            if name != current:
                self._generations.drop(name)
        name = uuid.uuid4().hex[:12]
        try:
            count = self._derive(name, base=current, encoder=encoder, removed=removed, embed=embed, progress=progress)
        except IndexBroken:
            self._generations.drop(name)
            name = uuid.uuid4().hex[:12]
            count = self._derive(name, base=None, encoder=encoder, removed=removed, embed=embed, progress=progress)
        words = (
            (stored.key, " ".join(text.words(stored.passage.text)))
            for stored in self.truth.stored_passages(self.truth.staged_keys())
        )
        self.truth.publish(
            removed=removed,
            words=list(words),  # read before the transaction begins
            state={
                **state,
                "schema": SCHEMA_VERSION,
                "encoder": encoder,
                "generation": name,
                "passages": str(count),
            },
        )

    def _derive(
        self,
        name: str,
        *,
        base: str | None,
        encoder: str,
        removed: Sequence[str],
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        progress: Callable[[int, int], None],
    ) -> int:
        """Fills and verifies a generation; returns how many passages it holds."""
        if base and self.truth.state.get("encoder") != encoder:
            base = None
        coming = self.truth.coming_keys(removed)
        generation = self._generations.create(name, base=base)
        try:
            present = set(generation.keys())
            generation.remove(sorted(present.difference(coming)))
            missing = [key for key in coming if key not in present]
            for i in range(0, len(missing), _BATCH):
                batch = list(self.truth.stored_passages(missing[i : i + _BATCH]))
                generation.add(
                    [stored.key for stored in batch],
                    self._vectors(encoder, batch, embed),
                    [stored.source for stored in batch],
                    [stored.passage for stored in batch],
                )
                progress(i + len(batch), len(missing))
            if (found := generation.count()) != len(coming):
                raise IndexBroken(f"the new vector index holds {found} passages, expected {len(coming)}")
            sample = list(self.truth.stored_passages(coming[:: max(1, len(coming) // _SELF_QUERIES)]))
            for stored, vector in zip(sample, self._vectors(encoder, sample, embed), strict=True):
                nearest = generation.search(vector, limit=1)
                if not nearest or nearest[0][1] < 0.999:
                    raise IndexBroken(f"the new vector index does not find passage {stored.key} by its own vector")
        finally:
            generation.close()
        return len(coming)

    def _vectors(
        self,
        encoder: str,
        batch: Sequence[StoredPassage],
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        texts = [stored.passage.text for stored in batch]
        cached = self.truth.cached_vectors(encoder, texts)
        if unknown := [content for content in dict.fromkeys(texts) if content not in cached]:
            fresh = embed(unknown)
            self.truth.cache_vectors(encoder, unknown, fresh)
            cached.update(zip(unknown, fresh, strict=True))
        return np.stack([cached[content] for content in texts]) if texts else np.empty((0, 0), np.float32)


@contextlib.contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise IndexBroken(
            f"the index in {folder} cannot be read ({error}); check the disk, then run: babelquote index"
        ) from error


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        code = getattr(error, "errno", None)
        if code == errno.ENOSPC or "full" in str(error):
            raise IndexUnwritable(
                f"the disk that holds {folder} is full; make room, then run the same command again: nothing is lost"
            ) from error
        if (
            code in (errno.EROFS, errno.EACCES, errno.EPERM)
            or "readonly" in str(error)
            or "unable to open" in str(error)
        ):
            raise IndexUnwritable(
                f"{folder} cannot be written ({error}); choose another place with BABELQUOTE_STORE__HOME=FOLDER"
            ) from error
        raise IndexBroken(f"writing the index in {folder} failed ({error}); run the same command again") from error
