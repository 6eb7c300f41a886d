"""What documents an index holds, told without reading their texts: of a million documents those are gigabytes."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from qa.records import Entry, Listing, Overview

_COLUMNS = (
    "id, title, source, language, characters, nullif(json_array_length(pages), 0), date, machine_translated "
    "FROM documents WHERE live = 1"
)
_AMONG = "IN (SELECT value FROM json_each(?))"

Key = Literal["id", "source", "language"]


class Catalogue:
    """The live documents of one moment of an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.create_function("casefold", 1, str.casefold, deterministic=True)

    def overview(self, *, sources: int = 50) -> Overview:
        """How many there are of what; `sources`: most sources that are told."""
        languages = dict(self._grouped("language", "min(id)", -1))
        return Overview(sum(languages.values()), languages, dict(self._grouped("source", "2 DESC, min(id)", sources)))

    def find(self, search: str = "", *, first: Iterable[str] = (), limit: int) -> Listing:
        """Documents that have every word of `search` in title or source, whatever its case, by title; those with an id
        in `first` before all others."""
        words = search.casefold().split()
        found = " AND instr(casefold(title || ' ' || source), ?)" * len(words)
        ((count,),) = self._rows(f"SELECT count(*) FROM documents WHERE live = 1{found}", words)
        rows = self._rows(
            f"SELECT {_COLUMNS}{found} ORDER BY id NOT {_AMONG}, casefold(title), id LIMIT ?",
            (*words, json.dumps(list(first)), limit),
        )
        return Listing(tuple(map(_entry, rows)), count)

    def entries(self, *, after: str = "", limit: int = -1) -> Iterator[Entry]:
        """Documents by id, from the one behind `after` on; all of them without a `limit`."""
        return map(_entry, self._rows(f"SELECT {_COLUMNS} AND id > ? ORDER BY id LIMIT ?", (after, limit)))

    def titles(self, ids: Iterable[str]) -> dict[str, str]:
        """Ids to titles, of those that are there."""
        wanted = json.dumps(list(ids))
        return dict(self._rows(f"SELECT id, title FROM documents WHERE live = 1 AND id {_AMONG}", (wanted,)))

    def missing(self, key: Key, values: Sequence[str]) -> list[str]:
        """Those of the ids, sources or languages that no document has; of languages, no passage either."""
        query = f"SELECT DISTINCT {key} FROM documents WHERE live = 1 AND {key} {_AMONG}"
        known = {value for (value,) in self._rows(query, (json.dumps(values),))}
        return [value for value in values if value not in known and not (key == "language" and self._is_spoken(value))]

    def some(self, key: Key, *, limit: int = 20) -> list[str]:
        """Ids, sources or documents' languages that there are, to be named in a message."""
        query = f"SELECT DISTINCT {key} FROM documents WHERE live = 1 ORDER BY 1 LIMIT ?"
        return [value for (value,) in self._rows(query, (limit,))]

    def _is_spoken(self, language: str) -> bool:
        """Whether a passage is in this language."""
        passages = "SELECT 1 FROM passages JOIN documents ON documents.key = document"
        return any(self._rows(f"{passages} WHERE live = 1 AND passages.language = ? LIMIT 1", (language,)))

    def _grouped(self, column: str, order: str, limit: int) -> Iterator[tuple[str, int]]:
        query = f"SELECT {column}, count(*) FROM documents WHERE live = 1 GROUP BY 1 ORDER BY {order} LIMIT ?"
        return self._rows(query, (limit,))

    def _rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple]:  # type: ignore[type-arg]
        return self._connection.execute(query, values)


def _entry(row: tuple) -> Entry:  # type: ignore[type-arg]
    names = ("id", "title", "source", "language", "characters", "pages", "date", "machine_translated")
    values = dict(zip(names, row, strict=True))
    if values["machine_translated"] is not None:
        values["machine_translated"] = bool(values["machine_translated"])
    return Entry(**values)
