"""Generations of vectors in Chroma; the only file that knows chromadb.

A generation is written once, from nothing, verified, and never changed after that. It is either a folder of its own
below the index (`vectors-<name>`) or, with a server, a collection of its own. Which one is current is not decided
here: the truth names it.

Chroma's own story is why. A second process's writes are not seen by an open client, a killed writer can leave a
collection that no longer opens, and deleted vectors stay in the graph: after 30 updates of a copy that replaced all
of its rows, a vector's own id was missed by up to 125 of 150 queries.
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError
from numpy.typing import NDArray

from qa.disk import sync_folder
from qa.errors import IndexBroken, IndexUnwritable, StoreError, rebuild_command
from qa.records import Filters, Passage

_BATCH = 5_000  # Chroma refuses more than 5,461 at once
# The defaults missed a vector's own id in 3 of 244 queries; these in none. And they leave up to 999 vectors out of
# the graph on disk, for every reader to put in again; a threshold of 2 costs no measurable time.
_HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 400, "ef_search": 400, "sync_threshold": 2,
         "batch_size": 2}  # fmt: skip
_clients = threading.Lock()  # Chroma shares clients of one folder within a process, and counts their users unguarded


class Generation:
    """One collection, opened. Rows are keyed by passage key. Raises `IndexBroken` if it cannot be read (any more)."""

    def __init__(
        self,
        collection: Any,
        guard: Callable[[], AbstractContextManager[None]],
        *,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._collection = collection
        self._guard = guard
        self.close = close

    def count(self) -> int:
        with self._guard():
            return int(self._collection.count())

    def add(
        self,
        keys: Sequence[int],
        vectors: NDArray[np.float32],
        sources: Sequence[str],
        passages: Sequence[Passage],
    ) -> None:
        """Stores vectors, *Shape* (len(keys), d), with what filters need."""
        metadatas = [{"document": passage.document_id, "language": passage.language, "source": source}
                     for source, passage in zip(sources, passages, strict=True)]  # fmt: skip
        for i in range(0, len(keys), _BATCH):
            part = slice(i, i + _BATCH)
            # `upsert`, since `add` ignores an id that exists.
            with self._guard():
                self._collection.upsert(
                    ids=[str(key) for key in keys[part]], embeddings=vectors[part], metadatas=metadatas[part]
                )

    def search(
        self, vector: NDArray[np.float32], *, limit: int, filters: Filters = Filters()
    ) -> list[tuple[int, float]]:
        """Nearest keys with their cosine, best first."""
        clauses: list[Any] = [
            {field: {"$in": list(allowed)}}
            for field, allowed in (
                ("language", filters.languages),
                ("source", filters.sources),
                ("document", filters.documents),
            )
            if allowed
        ]
        where = clauses[0] if len(clauses) == 1 else {"$and": clauses} if clauses else None
        with self._guard():
            result = self._collection.query(
                query_embeddings=[vector], n_results=limit, where=where, include=["distances"]
            )
        return [
            (int(key), 1 - distance) for key, distance in zip(result["ids"][0], result["distances"][0], strict=True)
        ]


class Generations(Protocol):
    """Where generations live."""

    def create(self, name: str) -> Generation:
        """A new, empty generation."""
        ...

    def seal(self, name: str) -> None:
        """Makes a closed generation durable. Nothing is added to it afterwards."""
        ...

    def open(self, name: str) -> Generation:
        """Raises `IndexBroken` if it is missing or unreadable."""
        ...

    def names(self) -> list[str]: ...

    def drop(self, name: str) -> None:
        """Deletes a generation, if it is there."""
        ...


class LocalGenerations:
    """A folder each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str) -> Generation:
        return self._connect(name, _create, partial(self._guard, name))

    def seal(self, name: str) -> None:
        with self._guard(name):
            for path in (*self._path(name).rglob("*"), self._path(name), self._folder):
                sync_folder(path)

    def open(self, name: str) -> Generation:
        identity = _identity(self._path(name))
        if identity is None:
            raise IndexBroken(f"the vector index {self._path(name)} is missing; run: {rebuild_command(self._folder)}")
        return self._connect(name, _get, partial(self._guard, name, identity))

    def names(self) -> list[str]:
        return [path.name.removeprefix("vectors-") for path in self._folder.glob("vectors-*")]

    def drop(self, name: str) -> None:
        shutil.rmtree(self._path(name), ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"vectors-{name}"

    def _connect(
        self,
        name: str,
        collection_of: Callable[[Any], Any],
        guard: Callable[[], AbstractContextManager[None]],
    ) -> Generation:
        with guard():
            client = _local_client(self._path(name))
            close = partial(_close, client)
            try:
                return Generation(collection_of(client), guard, close=close)
            except BaseException:
                close()
                raise

    @contextlib.contextmanager
    def _guard(self, name: str, identity: int | None = None) -> Iterator[None]:
        """Chroma's errors in our words.

        Where the folder is deleted under an open client, Chroma may find nothing or too little without an error, and
        put an empty folder in its place, which the next writer removes: only the file that is no longer the same tells.
        """
        path = self._path(name)
        failure = None
        try:
            yield
        except Exception as error:  # ValueError, Chroma's own, AttributeError from a client that was closed
            failure = error
        if identity is not None and _identity(path) != identity:
            raise IndexBroken(
                f"the vector index {path} was deleted or replaced while it was read; "
                f"run: {rebuild_command(self._folder)}"
            ) from failure
        if failure is None:
            return
        if any(sign in str(failure) for sign in ("(code: 13)", "os error 28", "No space left")):
            raise IndexUnwritable(
                f"the disk that holds {path} is full, and Chroma needs some room even to read; make room"
            ) from failure
        if any(sign in str(failure) for sign in ("(code: 8)", "os error 13", "os error 30")):
            raise IndexUnwritable(
                f"{path} cannot be written, which Chroma needs even to read; copy the index to a folder of yours"
            ) from failure
        raise IndexBroken(
            f"the vector index {path} cannot be read ({failure}); run: {rebuild_command(self._folder)}"
        ) from failure


class ServerGenerations:
    """A collection each, on a Chroma server that may serve other indexes as well: names carry `prefix`."""

    def __init__(self, url: str, *, prefix: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StoreError(f"BABELQUOTE_STORE__CHROMA_URL is {url!r}; expected something like http://127.0.0.1:8000")
        self._url = url
        self._port = parts.port or 8000
        self._client = partial(_server_client, parts.hostname, self._port, ssl=parts.scheme == "https")
        self._prefix = prefix

    def create(self, name: str) -> Generation:
        with self._guard():
            return Generation(_create(self._client(), self._prefix + name), self._guard)

    def seal(self, name: str) -> None:
        """The server's own business."""

    def open(self, name: str) -> Generation:
        with self._guard():
            return Generation(_get(self._client(), self._prefix + name), self._guard)

    def names(self) -> list[str]:
        with self._guard():
            names = [collection.name for collection in self._client().list_collections()]
        return [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]

    def drop(self, name: str) -> None:
        with self._guard(), contextlib.suppress(NotFoundError):
            self._client().delete_collection(self._prefix + name)

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except ChromaError as error:
            raise IndexBroken(
                f"the vector index on {self._url} cannot be read ({error}); run: babelquote index"
            ) from error
        except Exception as error:  # ValueError from a new client, httpx's errors from one in use
            raise StoreError(
                f"no Chroma server answers at {self._url} ({error}); start one with "
                f"`chroma run --path FOLDER --port {self._port}`, or unset BABELQUOTE_STORE__CHROMA_URL"
            ) from error


def _settings() -> ChromaSettings:
    """New ones each time: a client writes its own address into them."""
    return ChromaSettings(anonymized_telemetry=False)


def _local_client(path: Path) -> Any:
    with _clients:
        try:
            return chromadb.PersistentClient(str(path), settings=_settings())
        except Exception:
            # Chroma keeps a client that failed to start, and would hand it out again.
            if str(path) not in SharedSystemClient._identifier_to_refcount:
                SharedSystemClient._identifier_to_system.pop(str(path), None)
            raise


def _close(client: Any) -> None:
    with _clients:
        client.close()


@cache
def _server_client(host: str, port: int, *, ssl: bool) -> Any:
    """One a process: Chroma never closes a client's connections."""
    return chromadb.HttpClient(host, port, ssl=ssl, settings=_settings())


def _create(client: Any, name: str = "passages") -> Any:
    return client.create_collection(name, embedding_function=None, configuration={"hnsw": _HNSW})


def _get(client: Any, name: str = "passages") -> Any:
    return client.get_collection(name, embedding_function=None)


def _identity(path: Path) -> int | None:
    """Tells a generation's folder from another one of the same name. `None` if it is missing."""
    try:
        return (path / "chroma.sqlite3").stat().st_ino
    except OSError:
        return None
