"""The index on disk: its truth, its vectors, its lock; `qa.swap` exchanges them.

A folder holds `truth.sqlite3` (see `qa.truth`), the current generations of vectors (see `qa.vectors`): one of the
corpus and, if there are any, one of what visitors brought; those before them (a question that began before a swap may
still read them); and the writers' lock.

Readers open a snapshot of the truth, which names its generation, and so always see one consistent index, even while
another process publishes the next. One writer at a time; any number of readers.
"""

import contextlib
import errno
import shutil
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from qa.errors import IndexBroken, IndexBusy, IndexMissing, IndexStale, IndexUnwritable, disk_full, rebuild_command
from qa.records import Filters, Passage
from qa.settings import StoreSettings
from qa.staging import WritableTruth
from qa.swap import OPEN_SELF_QUERIES, Joined, Writer, verify
from qa.tables import SCHEMA_VERSION
from qa.truth import Truth
from qa.vectors import Generation, Generations, LocalGenerations, ServerGenerations

T = TypeVar("T")
C = TypeVar("C", bound=Truth)


class Snapshot:
    """One consistent moment of an index, for reading. The surface that retrieval works on."""

    def __init__(self, truth: Truth, vectors: Callable[[], AbstractContextManager[Joined]]) -> None:
        self._vectors = vectors
        self.state = truth.state
        self.catalogue = truth.catalogue
        self.documents = truth.documents
        self.document = truth.document
        self.count_passages = truth.count_passages
        self.passages = truth.passages
        self.search_words = truth.search_words
        self._truth = truth

    def vectors(self, passages: Sequence[Passage]) -> dict[str, NDArray[np.float32]]:
        """Text to unit row, for those passages whose vector is known."""
        return self._truth.cached_vectors(self.state["encoder"], [passage.text for passage in passages])

    def search_vectors(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[tuple[int, float]]:
        """Keys and cosines of the nearest passages, best first.

        Raises `IndexBroken` if two swaps have deleted this moment's vectors meanwhile; see `Store.read`.
        """
        with self._vectors() as generations:
            return generations.search(vector, limit=limit, filters=filters)


class Store:
    """An index folder. Cheap to make; nothing is opened before it is needed."""

    def __init__(self, folder: Path, settings: StoreSettings) -> None:
        self.folder = folder
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: dict[str, Generation] = {}
        self._users: Counter[str] = Counter()

    @property
    def truth_path(self) -> Path:
        return self.folder / "truth.sqlite3"

    def state(self) -> Mapping[str, str]:
        """What is published: encoder, corpus digest, roots … Empty before the first publication."""
        if not self.truth_path.is_file():
            return {}
        with self._connected(Truth) as truth:
            return truth.state

    def cached_vectors(self, encoder: str, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Text to vector, for those passages and sentences whose vector is known."""
        with self._connected(Truth) as truth:
            return truth.cached_vectors(encoder, texts)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Raises `IndexMissing`, `IndexStale` (other schema) or `IndexBroken`."""
        with self._published() as truth:
            yield Snapshot(truth, partial(self._open, truth.state["generation"]))

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """What `work` makes of a snapshot; begun again as often as swaps delete its vectors under it, and once if they
        were replaced, as a copied or restored index is."""
        reopened = False
        while True:
            with self.snapshot() as snapshot:
                try:
                    return work(snapshot)
                except IndexBroken:
                    if self.state().get("generation") == snapshot.state["generation"]:
                        if reopened:
                            raise
                        self._forget(snapshot.state["generation"])
                        reopened = True

    def verify(self) -> None:
        """Raises `IndexBroken` unless the current vectors are as many as the passages that the truth holds, and some of
        these are found by their own vectors."""
        with self._published() as truth, self._open(truth.state["generation"]) as generations:
            verify(generations, truth, truth.live_keys(), encoder=truth.state["encoder"], sample=OPEN_SELF_QUERIES)

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[Writer]:
        """The one writer. Raises `IndexBusy` if another process writes for longer than `lock_seconds` (or at all,
        without `wait`), `IndexUnwritable` if the disk is full or read-only."""
        lock = FileLock(self.folder / "lock")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=self._settings.lock_seconds if wait else 0)
        except Timeout as error:
            raise IndexBusy(
                f"another process is writing the index in {self.folder}; wait for it, or stop it"
            ) from error
        except OSError as error:
            raise _failure(self.folder, error) from error
        try:
            with self._connected(WritableTruth) as truth:
                yield Writer(truth, self._generations(write=True))
        finally:
            lock.release()

    def close(self) -> None:
        """Releases what Chroma holds. The store can be used again afterwards."""
        with self._lock:
            for generation in self._opened.values():
                generation.close()
            self._opened.clear()

    @contextlib.contextmanager
    def _connected(self, kind: type[C]) -> Iterator[C]:
        try:
            with contextlib.closing(kind(self.truth_path)) as truth:
                yield truth
        except sqlite3.Error as error:
            raise _failure(self.folder, error) from error

    @contextlib.contextmanager
    def _published(self) -> Iterator[Truth]:
        with self._connected(Truth) as truth:
            if "generation" not in truth.state:
                raise IndexMissing(f"the index in {self.folder} was never completed; run: babelquote index PATH")
            if truth.state["schema"] != SCHEMA_VERSION:
                again = rebuild_command(self.folder)
                raise IndexStale(f"the index in {self.folder} was made by another version; run: {again}")
            yield truth

    @contextlib.contextmanager
    def _open(self, names: str) -> Iterator[Joined]:
        """The generations with these names, parted by spaces. Keeps those opened last, and those that another thread is
        still asking."""
        used: dict[str, Generation] = {}
        try:
            with self._lock:
                for name in names.split():
                    generation = self._opened.pop(name, None) or self._generations().open(name)
                    self._opened[name] = used[name] = generation
                    self._users[name] += 1
            yield Joined(list(used.values()))
        finally:
            with self._lock:
                self._users.subtract(used.keys())
                last = list(self._opened)[-len(names.split()) :]
                for old in [old for old in self._opened if old not in last and not self._users[old]]:
                    self._opened.pop(old).close()

    def _forget(self, names: str) -> None:
        """Opens these generations anew when they are needed next. Those that another thread still asks stay open."""
        with self._lock:
            for name in names.split():
                generation = self._opened.pop(name, None)
                if generation and not self._users[name]:
                    generation.close()

    def _generations(self, *, write: bool = False) -> Generations:
        if not self._settings.chroma_url:
            return LocalGenerations(self.folder)
        # One server may hold many indexes; a name that the folder was given by its first writer tells them apart.
        path = self.folder / "mark"
        if write and not path.is_file():
            fresh = path.with_suffix(".new")
            fresh.write_text(uuid.uuid4().hex[:12])
            fresh.rename(path)
        if not path.is_file():
            again = rebuild_command(self.folder)
            raise IndexBroken(f"the index in {self.folder} has no vectors on a server; run: {again}")
        return ServerGenerations(self._settings.chroma_url, prefix=f"babelquote-{path.read_text()}-")


def _failure(folder: Path, error: sqlite3.Error | OSError) -> IndexBroken | IndexBusy | IndexUnwritable:
    """What SQLite or the file system say, in our words."""
    number = getattr(error, "errno", None)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    full = number == errno.ENOSPC or code == sqlite3.SQLITE_FULL
    if full or (code == sqlite3.SQLITE_IOERR and shutil.disk_usage(folder).free < 100_000):
        return disk_full(folder)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexBusy(f"another program holds the index in {folder} ({error}); close it, then try again")
    if number is not None or code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return IndexUnwritable(
            f"{folder} cannot be written, which SQLite needs even to read ({error}); copy the index to a folder of "
            "yours, or choose another place with BABELQUOTE_STORE__HOME=FOLDER"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return IndexBroken(
            f"the index in {folder} cannot be read ({error}); delete that folder, then run: babelquote index PATH"
        )
    return IndexBroken(f"the index in {folder} cannot be read ({error}); try again, or restore it from a backup")
