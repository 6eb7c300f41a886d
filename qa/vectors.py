"""Generations of vectors in Chroma; the only file that knows chromadb.

A generation is written once, verified, and never changed after that. It is either a folder of its own below the
index (`vectors-<name>`) or, with a server, a collection of its own. Which one is current is not decided here:
the truth names it.

Chroma's own multi-process story is why: a second process's writes are not seen by an open client, and a killed writer
can leave a collection that no longer opens.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from numpy.typing import NDArray

from qa.errors import IndexBroken, StoreError
from qa.records import Filters, Passage

_BATCH = 5_000  # Chroma refuses more than 5,461 at once
# The defaults missed a vector's own id in 3 of 244 queries; these in none.
_HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 400, "ef_search": 400}


class Generation:
    """One collection, opened. Rows are keyed by passage key."""

    def __init__(self, client: Any, collection: Any) -> None:
        self._client = client
        self._collection = collection

    def count(self) -> int:
        return int(self._collection.count())

    def keys(self) -> Iterator[int]:
        """All keys, in pages."""
        for offset in range(0, self.count(), _BATCH):
            yield from map(int, self._collection.get(limit=_BATCH, offset=offset, include=[])["ids"])

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
            self._collection.upsert(
                ids=[str(key) for key in keys[part]], embeddings=vectors[part], metadatas=metadatas[part]
            )

    def remove(self, keys: Sequence[int]) -> None:
        for i in range(0, len(keys), _BATCH):
            self._collection.delete(ids=[str(key) for key in keys[i : i + _BATCH]])

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
        try:
            result = self._collection.query(
                query_embeddings=[vector], n_results=limit, where=where, include=["distances"]
            )
        except ChromaError as error:
            raise IndexBroken(f"the vector index cannot be searched: {error}") from error
        return [
            (int(key), 1 - distance) for key, distance in zip(result["ids"][0], result["distances"][0], strict=True)
        ]

    def close(self) -> None:
        self._client.close()


class Generations(Protocol):
    """Where generations live."""

    def create(self, name: str, *, base: str | None = None) -> Generation:
        """A new generation; a copy of `base` where that is cheap, else empty."""
        ...

    def open(self, name: str) -> Generation:
        """Raises `IndexBroken` if it is missing or unreadable."""
        ...

    def names(self) -> list[str]: ...

    def drop(self, name: str) -> None: ...


class LocalGenerations:
    """A folder each. Copying one is copying its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str, *, base: str | None = None) -> Generation:
        path = self._path(name)
        if base and self._path(base).is_dir():
            shutil.copytree(self._path(base), path)
            return self.open(name)
        client = self._client(path)
        return Generation(client, _create(client))

    def open(self, name: str) -> Generation:
        path = self._path(name)
        if not (path / "chroma.sqlite3").is_file():
            raise IndexBroken(f"the vector index {path} is missing; run: babelquote index")
        client = self._client(path)
        return _open(client, where=str(path))

    def names(self) -> list[str]:
        return [path.name.removeprefix("vectors-") for path in self._folder.glob("vectors-*")]

    def drop(self, name: str) -> None:
        shutil.rmtree(self._path(name), ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"vectors-{name}"

    @staticmethod
    def _client(path: Path) -> Any:
        try:
            return chromadb.PersistentClient(str(path), settings=ChromaSettings(anonymized_telemetry=False))
        except Exception as error:  # chromadb raises ValueError, its own errors, or a Rust panic's message
            raise IndexBroken(f"the vector index {path} cannot be opened ({error}); run: babelquote index") from error


class ServerGenerations:
    """A collection each, on a Chroma server that may serve other indexes as well: names carry `prefix`."""

    def __init__(self, url: str, *, prefix: str) -> None:
        self._url = url
        self._prefix = prefix

    def create(self, name: str, *, base: str | None = None) -> Generation:  # noqa: ARG002 (a server cannot copy)
        client = self._client()
        return Generation(client, _create(client, self._prefix + name))

    def open(self, name: str) -> Generation:
        return _open(self._client(), self._prefix + name, where=self._url)

    def names(self) -> list[str]:
        client = self._client()
        names = [collection.name for collection in client.list_collections()]
        client.close()
        return [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]

    def drop(self, name: str) -> None:
        client = self._client()
        client.delete_collection(self._prefix + name)
        client.close()

    def _client(self) -> Any:
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StoreError(
                f"BABELQUOTE_STORE__CHROMA_URL is {self._url!r}; expected something like http://127.0.0.1:8000"
            )
        try:
            return chromadb.HttpClient(parts.hostname, parts.port or 8000, ssl=parts.scheme == "https",
                                       settings=ChromaSettings(anonymized_telemetry=False))  # fmt: skip
        except Exception as error:
            raise StoreError(
                f"no Chroma server answers at {self._url} ({error}); start one with "
                f"`chroma run --path FOLDER --port {parts.port or 8000}`, or unset BABELQUOTE_STORE__CHROMA_URL"
            ) from error


def _create(client: Any, name: str = "passages") -> Any:
    return client.create_collection(name, embedding_function=None, configuration={"hnsw": _HNSW})


def _open(client: Any, name: str = "passages", *, where: str) -> Generation:
    try:
        return Generation(client, client.get_collection(name, embedding_function=None))
    except Exception as error:
        client.close()
        raise IndexBroken(
            f"the vector index {name} in {where} cannot be opened ({error}); run: babelquote index"
        ) from error
