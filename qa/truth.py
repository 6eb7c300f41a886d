"""The truth of an index, in one SQLite file: documents, passages, words, embedding cache, state.

Everything else on disk is derived from it. Here it is read; `qa.staging` writes it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.catalogue import Catalogue
from qa.errors import IndexMissing
from qa.records import Bounds, Document, Filters, Passage

COLUMNS = "id, title, source, language, pages, date, machine_translated, path, sha256"
"""Of the table of documents, those that are a `Document`'s own; its text is in another."""
_WHOLE = f"SELECT {COLUMNS}, text FROM documents JOIN texts ON document = key WHERE live = 1"
_MOST_READ = 200_000
"""Passages that a search for words goes through at most: 0.1 s."""
_MANY = 500  # SQLite's limit on parameters is 999 in old builds


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its key, which is never used twice, so that a key always means the same text."""

    key: int
    source: str
    passage: Passage


class Truth:
    """One connection for reading. Sees a single moment of the file until it is closed."""

    def __init__(self, path: Path) -> None:
        """Raises `IndexMissing` if there is no such file, `sqlite3.Error` if it is broken."""
        self._path = path
        self._connection = self._connect()
        try:
            self._begin()
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

    def documents(self) -> list[Document]:
        """Live documents in order of id, with all their texts; `catalogue` lists them without."""
        return [_document(row) for row in self._rows(f"{_WHOLE} ORDER BY id")]

    def document(self, document_id: str) -> Document | None:
        """The live document of that id."""
        return next((_document(row) for row in self._rows(f"{_WHOLE} AND id = ?", (document_id,))), None)

    def digests(self) -> dict[str, str]:
        """Live documents' ids to the sha256 of their files."""
        return dict(self._rows("SELECT id, sha256 FROM documents WHERE live = 1"))

    def paths(self) -> dict[str, Path]:
        """Live documents' ids to their files."""
        return {
            document_id: Path(path) for document_id, path in self._rows("SELECT id, path FROM documents WHERE live = 1")
        }

    def count_passages(self, document_id: str) -> int:
        """How many passages the live document of that id has."""
        query = "SELECT count(*) FROM passages JOIN documents ON documents.key = document WHERE live = 1 AND id = ?"
        return int(str(self._value(query, (document_id,))))

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """The passages with these keys."""
        return {stored.key: stored.passage for stored in self.stored_passages(keys)}

    def stored_passages(self, keys: Sequence[int]) -> Iterator[StoredPassage]:
        """The passages with these keys, document by document, so that each text is loaded once."""
        for some in slices(keys):
            rows = self._rows(
                "SELECT passages.key, document, documents.id, source, start, end, passages.language, sentences "
                f"FROM passages JOIN documents ON documents.key = document WHERE passages.key IN ({marks(some)}) "
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

        `words` as `qa.text.words` gives them. In a large index the most common of them are left out: they tell little
        of which passage is meant, and BM25 goes through all that hold them. Equals stand in the order of the documents,
        not of their indexing.
        """
        chosen = self._rarest(list(dict.fromkeys(words)))
        if not chosen:
            return []
        match = " OR ".join(f'"{word}"' for word in chosen)
        clauses, values = ["words MATCH ?", "documents.live = 1"], [match]
        for column, allowed in (("passages.language", filters.languages), ("documents.source", filters.sources),
                                ("documents.id", filters.documents)):  # fmt: skip
            if allowed:
                clauses.append(f"{column} IN ({marks(allowed)})")
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
        for some in slices(list(by_digest)):
            rows = self._rows(
                f"SELECT text_sha256, vector FROM vectors WHERE encoder = ? AND text_sha256 IN ({marks(some)})",
                (encoder, *some),
            )
            found |= {by_digest[digest]: np.frombuffer(vector, np.float32) for digest, vector in rows}
        return found

    def fingerprints(self, *, live: bool) -> dict[str, str]:
        """Document id to fingerprint, of what is live or of what is staged."""
        return dict(self._rows("SELECT id, fingerprint FROM documents WHERE live = ?", (int(live),)))

    def live_keys(self) -> list[int]:
        """Keys of the passages of live documents."""
        return self._keys("live = 1")

    def staged_keys(self) -> list[int]:
        """Keys of the passages of staged documents."""
        return self._keys("live = 0")

    def _connect(self) -> sqlite3.Connection:
        if not self._path.is_file():
            raise IndexMissing(f"there is no index in {self.folder}; make one with: babelquote index PATH")
        return connect(self._path, mode="ro")

    def _begin(self) -> None:
        self._connection.execute("BEGIN")

    def _rarest(self, words: Sequence[str]) -> list[str]:
        """The words, or the rarest of them that together stand in at most `_MOST_READ` passages."""
        if len(words) * int(self.state.get("passages", 0)) <= _MOST_READ:
            return list(words)
        self._connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)")
        counts = sorted(
            row
            for some in slices(words)
            for row in self._rows(f"SELECT doc, term FROM vocabulary WHERE term IN ({marks(some)})", some)
        )
        totals = accumulate(count for count, _ in counts)
        return [word for (_, word), total in zip(counts, totals, strict=True) if total <= _MOST_READ]

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


def _document(row: tuple) -> Document:  # type: ignore[type-arg]
    values = dict(zip((*COLUMNS.split(", "), "text"), row, strict=True))
    values["pages"] = tuple(json.loads(values["pages"]))
    if values["machine_translated"] is not None:
        values["machine_translated"] = bool(values["machine_translated"])
    return Document(**values)


def connect(path: Path, *, mode: str) -> sqlite3.Connection:
    """For reading ("ro"), or for writing into a file that may have to be made ("rwc")."""
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)


def slices(items: Sequence) -> Iterator[Sequence]:  # type: ignore[type-arg]
    """In parts that are not too many parameters of one statement."""
    return (items[i : i + _MANY] for i in range(0, len(items), _MANY))


def marks(items: Sequence[object]) -> str:
    """A parameter each."""
    return ",".join("?" * len(items))
