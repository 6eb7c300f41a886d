"""What an index holds stays where its source could not be read this time, or another program holds the index."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qa.errors import IndexBusy, LibraryError
from qa.store import Store
from tests.light import LOCAL, about, ask, documents, generation, library, novel, novels, update
from tests.visitors import brought

TEXTS = novels(3)


def test_a_file_that_cannot_be_opened_this_time_is_reported_and_stays(corpus: Path, index: Path) -> None:
    (corpus / "2.txt").unlink()
    (corpus / "2.txt").symlink_to("2.txt")  # leads nowhere, but is there
    report = update(corpus, index)
    (problem,) = report.problems
    assert (Path(problem.path).name, report.removed) == ("2.txt", 0)
    assert documents(index).keys() == TEXTS.keys()
    assert ask(index, about(2))[0][0] == "2.txt"


@pytest.fixture
def lock(corpus: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Indexes 8.txt and locked/9.txt besides; called, it takes the right to read that folder away."""
    (corpus / "locked").mkdir()
    (corpus / "locked" / "9.txt").write_text(novel(9))
    (corpus / "8.txt").write_text(novel(8))
    update(corpus, index)
    scandir: Callable[..., Any] = os.scandir

    def refuse(path: Any = ".") -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    return lambda: monkeypatch.setattr(os, "scandir", refuse)


def test_a_folder_that_cannot_be_read_is_reported_and_its_documents_stay(
    corpus: Path, index: Path, lock: Callable[[], None]
) -> None:
    lock()
    (corpus / "8.txt").unlink()
    report = update(corpus, index)
    (problem,) = report.problems
    assert (Path(problem.path).name, problem.folder) == ("locked", True)
    assert documents(index).keys() == {*TEXTS, "locked/9.txt"}
    assert ask(index, about(9))[0][0] == "locked/9.txt"


def test_documents_of_a_folder_that_cannot_be_read_are_nobodys_uploads(
    tmp_path: Path, corpus: Path, index: Path, lock: Callable[[], None]
) -> None:
    with closing(Store(index, LOCAL)) as store:
        shelf = library(store)
        shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        lock()
        update(corpus, index)
        assert shelf.ids() == {"uploads/7.txt"}
        with pytest.raises(LibraryError, match="belongs to the corpus"):
            shelf.remove("locked/9.txt")
        shelf.complete()
        shelf.add(brought(tmp_path / "in", {"6.txt": novel(6)}))
    assert documents(index).keys() == {*TEXTS, "8.txt", "locked/9.txt", "uploads/6.txt", "uploads/7.txt"}


@pytest.fixture
def held(index: Path) -> Iterator[Path]:
    """An index whose file another program has locked, as a database browser does."""
    with closing(sqlite3.connect(index / "truth.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        yield index


def test_an_index_that_another_program_holds_is_busy_not_broken(held: Path) -> None:
    with closing(Store(held, LOCAL)) as store, pytest.raises(IndexBusy, match="another program holds"):
        store.state()


def test_an_index_that_was_replaced_by_its_copy_is_opened_anew(index: Path) -> None:
    with closing(Store(index, LOCAL)) as store:
        before = ask(store, about(1))
        database = index / f"vectors-{generation(index)}" / "chroma.sqlite3"
        shutil.copy2(database, database.with_suffix(".copy"))
        database.with_suffix(".copy").replace(database)
        assert ask(store, about(1)) == before
