"""Cached vectors: what is asked for again is not embedded again, and what no document has is forgotten in time."""

import sqlite3
from contextlib import closing
from pathlib import Path

from qa.store import Store
from tests.light import (
    LOCAL,
    LightEncoder,
    everything_is_found,
    live_passages,
    novel,
    novels,
    repair,
    update,
    verify,
    write,
)


def cached(index: Path) -> int:
    with closing(sqlite3.connect(index / "truth.sqlite3")) as connection:
        return int(connection.execute("SELECT count(*) FROM vectors").fetchone()[0])


def encoders(index: Path) -> set[str]:
    with closing(sqlite3.connect(index / "truth.sqlite3")) as connection:
        return {name for (name,) in connection.execute("SELECT DISTINCT encoder FROM vectors")}


def test_the_cache_of_a_document_that_changes_daily_does_not_grow_for_ever(tmp_path: Path) -> None:
    sizes = []
    for day in range(12):
        corpus = write(tmp_path / "corpus", {"news.txt": novel(1, version=f"day {day}"), "old.txt": novel(2)})
        update(corpus, tmp_path / "index")
        sizes.append(cached(tmp_path / "index"))
    assert sizes[1] > sizes[0]
    assert max(sizes[6:]) <= max(sizes[:6])
    assert max(sizes) <= 4 * sizes[0]
    assert everything_is_found(tmp_path / "index")


OLD_TABLE = """
ALTER TABLE vectors RENAME TO newer;
CREATE TABLE vectors (
    encoder TEXT NOT NULL, text_sha256 BLOB NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (encoder, text_sha256)) WITHOUT ROWID;
INSERT INTO vectors SELECT * FROM newer;
DROP TABLE newer;
"""


def test_the_cache_of_an_index_that_an_earlier_version_made_forgets_too(tmp_path: Path) -> None:
    index = tmp_path / "index"
    update(write(tmp_path / "corpus", novels(9)), index)
    with closing(sqlite3.connect(index / "truth.sqlite3")) as connection:
        connection.executescript(OLD_TABLE)
    before = cached(index)
    update(write(tmp_path / "corpus", novels(2)), index)
    update(write(tmp_path / "corpus", novels(3)), index)
    assert cached(index) < before
    assert everything_is_found(index)


def test_what_the_documents_have_stays_cached(tmp_path: Path) -> None:
    index = tmp_path / "index"
    for day in range(12):
        corpus = write(tmp_path / "corpus", {"news.txt": novel(1, version=f"day {day}"), "old.txt": novel(2)})
        encoder = LightEncoder()
        update(corpus, index, encoder=encoder)
        assert day == 0 or all(f"day {day}" in text for text in encoder.seen)
    assert repair(index).seen == []


def test_what_was_removed_and_comes_back_soon_is_not_embedded_again(tmp_path: Path) -> None:
    texts = novels(6)
    update(write(tmp_path / "corpus", texts), tmp_path / "index")
    update(write(tmp_path / "corpus", {k: v for k, v in texts.items() if k != "2.txt"}), tmp_path / "index")
    encoder = LightEncoder()
    report = update(write(tmp_path / "corpus", texts), tmp_path / "index", encoder=encoder)
    assert (report.added, encoder.seen) == (1, [])


def test_vectors_of_encoders_no_longer_used_are_forgotten_when_they_are_most(tmp_path: Path) -> None:
    index, corpus = tmp_path / "index", write(tmp_path / "corpus", novels(4))
    for name in ("light", "second", "third", "fourth"):
        update(corpus, index, encoder=LightEncoder(name))
        assert name in encoders(index)
        assert len(encoders(index)) <= 3
    assert "light" not in encoders(index)


def test_another_encoder_makes_everything_be_read_and_embedded_again(tmp_path: Path) -> None:
    index, corpus = tmp_path / "index", write(tmp_path / "corpus", novels(6))
    update(corpus, index)
    other = LightEncoder("other")
    report = update(corpus, index, encoder=other)
    assert report.updated == report.documents == 6
    assert {place[3] for place in live_passages(index).values()} <= set(other.seen)
    assert Store(index, LOCAL).state()["encoder"] == "other"
    verify(index)
