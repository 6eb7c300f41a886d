"""The truth of an index, in one SQLite file: documents, passages, words, embedding cache, state.

Everything else on disk is derived from it. A document is first *staged* (`live = 0`), committed as soon as it is
read, invisible to questions; `publish` makes all that was staged live, drops what is gone, and names the matching
generation of vectors, in one transaction. A killed run loses nothing that was staged or embedded.
"""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.catalogue import Catalogue
from qa.errors import IndexMissing, IndexUnwritable
from qa.records import Bounds, Document, Filters, Passage
from qa.tables import make_tables

_DOCUMENT = "id, title, source, language, pages, date, machine_translated, path, sha256"
_WHOLE = f"SELECT {_DOCUMENT}, text FROM documents JOIN texts ON document = key WHERE live = 1"
_MANY = 500  # SQLite's limit on parameters is 999 in old builds
_RESERVE = 16_000_000
"""Bytes of the disk that writing leaves alone: on a full one neither SQLite nor Chroma can even read."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its key, which is never used twice, so that a key always means the same text."""

    key: int
    source: str
    passage: Passage


class Truth:
    """One connection. A read-only one sees a single moment of the file until it is closed."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        if not write and not path.is_file():
            raise IndexMissing(f"there is no index in {path.parent}; make one with: babelquote index PATH")
        self._path = path
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={'rwc' if write else 'ro'}",
            uri=True,
            isolation_level=None,
            timeout=30,
            check_same_thread=False,
        )
        try:
            self._connection.execute("PRAGMA foreign_keys = ON")
            if write:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                make_tables(self._connection)
            else:
                self._connection.execute("BEGIN")
            # A reader may come before the first writer has made the tables.
            tables = self._rows("SELECT 1 FROM sqlite_master WHERE name = 'state'")
            self.state: Mapping[str, str] = dict(self._rows("SELECT key, value FROM state")) if any(tables) else {}
            self.catalogue = Catalogue(self._connection)
        except BaseException:
            self._connection.close()
            raise

    @property
    def folder(self) -> Path:
        return self._path.parent

    def close(self) -> None:
        self._connection.close()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────

    def documents(self) -> list[Document]:
        """Live documents in order of id, with all their texts; `catalogue` lists them without."""
        return [_document(row) for row in self._rows(f"{_WHOLE} ORDER BY id")]

    def document(self, document_id: str) -> Document | None:
        """The live document of that id."""
        return next((_document(row) for row in self._rows(f"{_WHOLE} AND id = ?", (document_id,))), None)

    def digests(self) -> dict[str, str]:
        """Live documents' ids to the sha256 of their files."""
        return dict(self._rows("SELECT id, sha256 FROM documents WHERE live = 1"))

    def count_passages(self, document_id: str) -> int:
        """How many passages the live document of that id has."""
        query = "SELECT count(*) FROM passages JOIN documents ON documents.key = document WHERE live = 1 AND id = ?"
        return int(str(self._value(query, (document_id,))))

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """The passages with these keys."""
        return {stored.key: stored.passage for stored in self.stored_passages(keys)}

    def stored_passages(self, keys: Sequence[int]) -> Iterator[StoredPassage]:
        """The passages with these keys, document by document, so that each text is loaded once."""
        for some in _slices(keys):
            rows = self._rows(
                "SELECT passages.key, document, documents.id, source, start, end, passages.language, sentences "
                f"FROM passages JOIN documents ON documents.key = document WHERE passages.key IN ({_marks(some)}) "
                "ORDER BY document, start",
                some,
            )
            loaded, text = None, ""
            for key, document, document_id, source, start, end, language, sentences in rows:
                if document != loaded:
                    loaded = document
                    text = str(self._value("SELECT text FROM texts WHERE document = ?", (document,)))
                passage = Passage(
                    document_id=document_id,
                    start=start,
                    end=end,
                    text=text[start:end],
                    language=language,
                    sentences=tuple(Bounds(*pair) for pair in json.loads(sentences)),
                )
                yield StoredPassage(key, source, passage)

    def search_words(self, words: Sequence[str], *, limit: int, filters: Filters) -> list[tuple[int, float]]:
        """Keys and BM25 scores (larger is better) of passages that hold any of the words, best first.

        `words` as `qa.text.words` gives them. Equals stand in the order of the documents, not of their indexing.
        """
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
        clauses, values = ["words MATCH ?", "documents.live = 1"], [match]
        for column, allowed in (("passages.language", filters.languages), ("documents.source", filters.sources),
                                ("documents.id", filters.documents)):  # fmt: skip
            if allowed:
                clauses.append(f"{column} IN ({_marks(allowed)})")
                values.extend(allowed)
        rows = self._rows(
            "SELECT words.rowid, -bm25(words) FROM words JOIN passages ON passages.key = words.rowid "
            f"JOIN documents ON documents.key = passages.document WHERE {' AND '.join(clauses)} "
            f"ORDER BY bm25(words), documents.id, passages.start LIMIT {int(limit)}",
            values,
        )
        return [(key, score) for key, score in rows]

    def cached_vectors(self, encoder: str, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Text to vector, for those texts whose vector is known."""
        by_digest = {sha256(text.encode()).digest(): text for text in texts}
        found: dict[str, NDArray[np.float32]] = {}
        for some in _slices(list(by_digest)):
            rows = self._rows(
                f"SELECT text_sha256, vector FROM vectors WHERE encoder = ? AND text_sha256 IN ({_marks(some)})",
                (encoder, *some),
            )
            found |= {by_digest[digest]: np.frombuffer(vector, np.float32) for digest, vector in rows}
        return found

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────

    def check_room(self) -> None:
        """Raises `IndexUnwritable` before the disk is so full that the published index could not be read."""
        if shutil.disk_usage(self._path.parent).free < _RESERVE:
            raise disk_full(self._path.parent)

    def fingerprints(self, *, live: bool) -> dict[str, str]:
        """Document id to fingerprint, of what is live or of what is staged."""
        return dict(self._rows("SELECT id, fingerprint FROM documents WHERE live = ?", (int(live),)))

    def stage(self, document: Document, passages: Iterable[Passage], fingerprint: str) -> None:
        """Stores a document for the next `publish`, replacing an earlier staged one. Durable on return."""
        with self._transaction():
            self._connection.execute("DELETE FROM documents WHERE live = 0 AND id = ?", (document.id,))
            values = (*_row(document), len(document.text), fingerprint)
            cursor = self._connection.execute(
                f"INSERT INTO documents ({_DOCUMENT}, characters, fingerprint, live) VALUES ({_marks(values)}, 0)",
                values,
            )
            self._connection.execute("INSERT INTO texts VALUES (?, ?)", (cursor.lastrowid, document.text))
            self._connection.executemany(
                "INSERT INTO passages (document, start, end, language, sentences) VALUES (?,?,?,?,?)",
                [(cursor.lastrowid, p.start, p.end, p.language, json.dumps(p.sentences)) for p in passages],
            )

    def unstage(self, document_ids: Iterable[str]) -> None:
        """Forgets staged documents."""
        if ids := [(document_id,) for document_id in document_ids]:
            with self._transaction():
                self._connection.executemany("DELETE FROM documents WHERE live = 0 AND id = ?", ids)

    def live_keys(self) -> list[int]:
        """Keys of the passages of live documents."""
        return self._keys("live = 1")

    def staged_keys(self) -> list[int]:
        """Keys of the passages of staged documents."""
        return self._keys("live = 0")

    def coming_keys(self, removed: Iterable[str], brought: Iterable[str] = ()) -> tuple[list[int], list[int]]:
        """Keys of what `publish(removed=…)` will leave live: all staged, and live ones neither removed nor replaced;
        those of the corpus, and those of the documents in `brought`."""
        gone = {*removed, *self.fingerprints(live=False)}
        for table, ids in (("gone", gone), ("brought", set(brought))):
            self._connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY)")
            self._connection.execute(f"DELETE FROM {table}")
            self._connection.executemany(f"INSERT INTO {table} VALUES (?)", [(document_id,) for document_id in ids])
        coming = "(live = 0 OR id NOT IN (SELECT id FROM gone))"
        return (
            self._keys(f"{coming} AND id NOT IN (SELECT id FROM brought)"),
            self._keys(f"{coming} AND id IN (SELECT id FROM brought)"),
        )

    def cache_vectors(self, encoder: str, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Remembers vectors. Durable on return."""
        rows = [(encoder, sha256(text.encode()).digest(), vector.astype(np.float32).tobytes())
                for text, vector in zip(texts, vectors, strict=True)]  # fmt: skip
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?,?,?)", rows)

    def publish(self, *, removed: Iterable[str], state: Mapping[str, str], words: Iterable[tuple[int, str]]) -> None:
        """The swap: staged becomes live, replaced and removed documents go, `state` is written. One transaction.

        `words`: key and space-separated words of every passage of the staged documents.
        """
        gone = {*removed, *self.fingerprints(live=False)}
        with self._transaction():
            for some in _slices(sorted(gone)):
                live = f"SELECT key FROM documents WHERE live = 1 AND id IN ({_marks(some)})"
                self._connection.execute(
                    f"DELETE FROM words WHERE rowid IN (SELECT key FROM passages WHERE document IN ({live}))",
                    some,
                )
                self._connection.execute(f"DELETE FROM documents WHERE key IN ({live})", some)
            self._connection.executemany("INSERT INTO words (rowid, bag) VALUES (?, ?)", words)
            self._connection.execute("UPDATE documents SET live = 1")
            self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", state.items())
        self.state = {**self.state, **state}

    # ── plumbing ─────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.check_room()
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def _keys(self, where: str) -> list[int]:
        rows = self._rows(
            "SELECT passages.key FROM passages JOIN documents ON documents.key = document "
            f"WHERE {where} ORDER BY document, start"
        )
        return [key for (key,) in rows]

    def _rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple]:  # type: ignore[type-arg]
        return self._connection.execute(query, values)

    def _value(self, query: str, values: Sequence[object] = ()) -> object:
        return next(self._rows(query, values))[0]


def _row(document: Document) -> list[object]:
    values = {name: getattr(document, name) for name in _DOCUMENT.split(", ")}
    return list((values | {"pages": json.dumps(document.pages)}).values())


def _document(row: tuple) -> Document:  # type: ignore[type-arg]
    values = dict(zip((*_DOCUMENT.split(", "), "text"), row, strict=True))
    values["pages"] = tuple(json.loads(values["pages"]))
    if values["machine_translated"] is not None:
        values["machine_translated"] = bool(values["machine_translated"])
    return Document(**values)


def _slices(items: Sequence) -> Iterator[Sequence]:  # type: ignore[type-arg]
    return (items[i : i + _MANY] for i in range(0, len(items), _MANY))


def _marks(items: Sequence[object]) -> str:
    return ",".join("?" * len(items))


def disk_full(folder: Path) -> IndexUnwritable:
    """What to say where there is no room."""
    return IndexUnwritable(
        f"the disk that holds {folder} is full; make room, then run the same command again: nothing is lost"
    )
