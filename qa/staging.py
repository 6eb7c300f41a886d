"""Writing the truth of an index: staging documents, remembering vectors, and the transaction that publishes them.

A document is first *staged* (`live = 0`), committed as soon as it is read, invisible to questions; `publish` makes all
that was staged live, drops what is gone, and names the matching generation of vectors, in one transaction. A killed run
loses nothing that was staged or embedded.
"""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from qa.errors import disk_full
from qa.records import Document, Passage
from qa.tables import make_tables
from qa.truth import COLUMNS, Truth, connect, marks, slices

_RESERVE = 16_000_000
"""Bytes of the disk that writing leaves alone: on a full one neither SQLite nor Chroma can even read."""


class WritableTruth(Truth):
    """The connection of the one writer. Makes the file if it is missing, and sees what it wrote itself."""

    def check_room(self) -> None:
        """Raises `IndexUnwritable` before the disk is so full that the published index could not be read."""
        if shutil.disk_usage(self._path.parent).free < _RESERVE:
            raise disk_full(self._path.parent)

    def stage(self, document: Document, passages: Iterable[Passage], fingerprint: str) -> None:
        """Stores a document for the next `publish`, replacing an earlier staged one. Durable on return."""
        with self._transaction():
            self._connection.execute("DELETE FROM documents WHERE live = 0 AND id = ?", (document.id,))
            values = (*_row(document), len(document.text), fingerprint)
            cursor = self._connection.execute(
                f"INSERT INTO documents ({COLUMNS}, characters, fingerprint, live) VALUES ({marks(values)}, 0)",
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

    def coming_keys(self, removed: Iterable[str], uploaded: Iterable[str] = ()) -> tuple[list[int], list[int]]:
        """Keys of what `publish(removed=…)` will leave live: all staged, and live ones neither removed nor replaced;
        those of the corpus, and those of the documents in `uploaded`."""
        gone = {*removed, *self.fingerprints(live=False)}
        for table, ids in (("gone", gone), ("uploaded", set(uploaded))):
            self._connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY)")
            self._connection.execute(f"DELETE FROM {table}")
            self._connection.executemany(f"INSERT INTO {table} VALUES (?)", [(document_id,) for document_id in ids])
        coming = "(live = 0 OR id NOT IN (SELECT id FROM gone))"
        return (
            self._keys(f"{coming} AND id NOT IN (SELECT id FROM uploaded)"),
            self._keys(f"{coming} AND id IN (SELECT id FROM uploaded)"),
        )

    def vectors(
        self, encoder: str, texts: Sequence[str], embed: Callable[[Sequence[str]], NDArray[np.float32]]
    ) -> tuple[dict[str, NDArray[np.float32]], int]:
        """Text to vector, from the cache or else from `embed`, and how many were embedded. These are remembered,
        durable on return."""
        known = self.cached_vectors(encoder, texts)
        if unknown := [text for text in dict.fromkeys(texts) if text not in known]:
            new = embed(unknown)
            self._cache_vectors(encoder, unknown, new)
            known |= dict(zip(unknown, new, strict=True))
        return known, len(unknown)

    def forget_vectors(self, encoders: Iterable[str]) -> None:
        """Drops cached vectors of texts that no document has, or of other encoders, once they are more than half.

        Not sooner: looking through all texts takes minutes where there are millions, and what was removed may return. A
        killed run has dropped some of them, and nothing else.
        """
        counts = self._rows(
            "SELECT sum(1 + json_array_length(sentences)) FROM passages JOIN documents ON documents.key = document "
            "GROUP BY live"
        )
        needed = max((count for (count,) in counts), default=0)
        if int(str(self._value("SELECT count(*) FROM vectors"))) <= 2 * needed:
            return
        self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS used (text_sha256 BLOB PRIMARY KEY)")
        with self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO used VALUES (?)",
                (
                    (sha256(content.encode()).digest(),)
                    for stored in self.stored_passages(self._keys("true"))
                    for content in stored.passage.texts()
                ),
            )
        kept = list(encoders)
        unused = self._rows(
            f"SELECT encoder, text_sha256 FROM vectors WHERE encoder NOT IN ({marks(kept)}) "
            "OR text_sha256 NOT IN (SELECT text_sha256 FROM used)",
            kept,
        )
        # A transaction each, so that SQLite's log stays small: room may be what the caller is after. By their key: in
        # indexes that earlier versions made, rows have no numbers.
        for some in slices(list(unused)):
            with self._transaction():
                self._connection.executemany("DELETE FROM vectors WHERE encoder = ? AND text_sha256 = ?", some)
        self._connection.execute("DROP TABLE used")

    def publish(self, *, removed: Iterable[str], state: Mapping[str, str], words: Iterable[tuple[int, str]]) -> None:
        """The swap: staged becomes live, replaced and removed documents go, `state` is written. One transaction.

        `words`: key and space-separated words of every passage of the staged documents.
        """
        gone = {*removed, *self.fingerprints(live=False)}
        with self._transaction():
            for some in slices(sorted(gone)):
                live = f"SELECT key FROM documents WHERE live = 1 AND id IN ({marks(some)})"
                self._connection.execute(
                    f"DELETE FROM words WHERE rowid IN (SELECT key FROM passages WHERE document IN ({live}))",
                    some,
                )
                self._connection.execute(f"DELETE FROM documents WHERE key IN ({live})", some)
            self._connection.executemany("INSERT INTO words (rowid, bag) VALUES (?, ?)", words)
            self._connection.execute("UPDATE documents SET live = 1 WHERE live = 0")
            self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", state.items())
        self.state = {**self.state, **state}

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path, mode="rwc")

    def _begin(self) -> None:
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        make_tables(self._connection)

    def _cache_vectors(self, encoder: str, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        rows = [(encoder, sha256(text.encode()).digest(), vector.astype(np.float32).tobytes())
                for text, vector in zip(texts, vectors, strict=True)]  # fmt: skip
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?,?,?)", rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.check_room()
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield


def _row(document: Document) -> list[object]:
    values = {name: getattr(document, name) for name in COLUMNS.split(", ")}
    return list((values | {"pages": json.dumps(document.pages)}).values())
