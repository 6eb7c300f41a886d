"""An index that was damaged, emptied or made by another version is noticed, named and mended."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from qa.errors import CorpusError, IndexBroken, IndexMissing, IndexStale
from qa.staging import WritableTruth
from qa.store import Store
from tests.light import (
    LOCAL,
    LightEncoder,
    about,
    ask,
    everything_is_found,
    generation,
    novels,
    repair,
    update,
    verify,
    write,
)

TEXTS = novels(6)
QUESTION = about(3)


def remove_rows(vectors: Path) -> None:
    with closing(sqlite3.connect(vectors / "chroma.sqlite3")) as connection, connection:
        assert connection.execute("DELETE FROM embeddings WHERE id % 5 = 0").rowcount > 0


def remove_graph(vectors: Path) -> None:
    (graph,) = (path for path in vectors.iterdir() if path.is_dir())
    shutil.rmtree(graph)


def empty_graph(vectors: Path) -> None:
    (graph,) = (path for path in vectors.iterdir() if path.is_dir())
    for path in graph.iterdir():
        path.write_bytes(b"")


def cut(*paths: Path) -> None:
    for path in paths:
        os.truncate(path, path.stat().st_size // 2)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "folder gone": shutil.rmtree,
    "database gone": lambda vectors: (vectors / "chroma.sqlite3").unlink(),
    "database cut": lambda vectors: cut(vectors / "chroma.sqlite3"),
    "database empty": lambda vectors: (vectors / "chroma.sqlite3").write_bytes(b""),
    "database garbage": lambda vectors: (vectors / "chroma.sqlite3").write_bytes(random.Random(0).randbytes(20_000)),
    "rows gone": remove_rows,
    "graph gone": remove_graph,
    "graph empty": empty_graph,
    "graph cut": lambda vectors: cut(*vectors.glob("*/*")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_vectors_are_noticed_and_mended_from_the_cache(
    corpus: Path, index: Path, damage: Callable[[Path], object]
) -> None:
    answers = ask(index, QUESTION)
    damage(index / f"vectors-{generation(index)}")
    with pytest.raises(IndexBroken, match="babelquote index"):
        verify(index)
    assert repair(index).seen == []
    verify(index)
    assert ask(index, QUESTION) == answers
    damage(index / f"vectors-{generation(index)}")
    encoder = LightEncoder()
    update(corpus, index, encoder=encoder)
    assert encoder.seen == []
    assert ask(index, QUESTION) == answers
    assert everything_is_found(index)


def test_what_could_not_be_opened_once_is_opened_when_it_is_back(index: Path) -> None:
    path = index / f"vectors-{generation(index)}" / "chroma.sqlite3"
    content, answers = path.read_bytes(), ask(index, QUESTION)
    path.write_bytes(b"garbage" * 1_000)
    with pytest.raises(IndexBroken, match="babelquote index"):
        ask(index, QUESTION)
    path.write_bytes(content)
    assert ask(index, QUESTION) == answers


def test_repairing_a_sound_index_changes_nothing(index: Path) -> None:
    before = generation(index)
    assert repair(index).seen == []
    assert generation(index) == before


def test_a_garbage_truth_names_the_command_that_mends_it(corpus: Path, index: Path) -> None:
    for garbage in (random.Random(0).randbytes(50_000), b"not a database, but text" * 1_000):
        for path in index.glob("truth.sqlite3-*"):
            path.unlink()
        (index / "truth.sqlite3").write_bytes(garbage)
        for use in (lambda: ask(index, QUESTION), lambda: verify(index), lambda: update(corpus, index)):
            with pytest.raises(IndexBroken, match="delete that folder, then run: babelquote index") as caught:
                use()
            assert str(index) in str(caught.value)
    shutil.rmtree(index)
    update(corpus, index)
    assert everything_is_found(index)


def test_a_truth_that_was_damaged_in_the_middle_is_no_mystery(corpus: Path, index: Path) -> None:
    path = index / "truth.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096:] = random.Random(0).randbytes(len(content) - 4096)
    path.write_bytes(content)
    for use in (lambda: ask(index, QUESTION), lambda: verify(index), lambda: update(corpus, index)):
        with pytest.raises(IndexBroken, match="delete that folder, then run: babelquote index"):
            use()


def test_where_nothing_was_published_the_index_is_missing_not_broken(tmp_path: Path) -> None:
    for make in (lambda _: None, lambda path: path.touch(), lambda path: WritableTruth(path).close()):
        folder = tmp_path / "index"
        folder.mkdir(exist_ok=True)
        make(folder / "truth.sqlite3")
        assert Store(folder, LOCAL).state() == {}
        with pytest.raises(IndexMissing, match="babelquote index PATH"):
            ask(folder, QUESTION)


def test_an_index_of_another_version_names_the_command(index: Path) -> None:
    with closing(sqlite3.connect(index / "truth.sqlite3")) as connection, connection:
        connection.execute("UPDATE state SET value = '0' WHERE key = 'schema'")
    with pytest.raises(IndexStale, match="babelquote index"):
        ask(index, QUESTION)


def test_an_index_of_the_version_before_is_taken_over_by_the_command_it_names(corpus: Path, index: Path) -> None:
    before = ask(index, QUESTION)
    with closing(sqlite3.connect(index / "truth.sqlite3")) as connection, connection:
        connection.executescript(
            """
            ALTER TABLE documents DROP COLUMN characters;
            ALTER TABLE documents ADD COLUMN text TEXT NOT NULL DEFAULT '';
            UPDATE documents SET text = (SELECT texts.text FROM texts WHERE document = key);
            DROP TABLE texts;
            UPDATE state SET value = '2' WHERE key = 'schema';
            """
        )
    with pytest.raises(IndexStale, match="babelquote index"):
        ask(index, QUESTION)
    report = update(corpus, index)
    assert (report.added, report.updated, report.embedded) == (0, 0, 0)
    assert ask(index, QUESTION) == before


def test_an_emptied_corpus_is_an_error_and_the_old_index_answers(corpus: Path, index: Path) -> None:
    before = ask(index, QUESTION)
    write(corpus, {})
    with pytest.raises(CorpusError, match="no document could be read"):
        update(corpus, index)
    assert ask(index, QUESTION) == before
