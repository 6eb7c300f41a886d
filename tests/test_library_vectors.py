"""What visitors bring has vectors of its own, and is found as if it had always been there."""

import shutil
from pathlib import Path

import pytest

from qa.errors import IndexBroken
from qa.library import Library
from qa.records import Filters
from qa.store import Store
from tests.light import LightEncoder, about, ask, live_passages, novel, novels, repair, update, verify, write
from tests.visitors import brought

TEXTS = novels(2)


def test_an_upload_makes_only_the_uploads_vectors_anew(
    tmp_path: Path, corpus: Path, store: Store, shelf: Library
) -> None:
    def generations() -> list[str]:
        return store.state()["generation"].split()

    (of_corpus,), told = generations(), set[tuple[str, int]]()
    (report,) = shelf.add(
        brought(tmp_path / "in", {"7.txt": novel(7)}), progress=lambda stage, _done, total: told.add((stage, total))
    )
    first = generations()
    assert ("index", report.passages) in told
    assert len([total for stage, total in told if stage == "index"]) == 1
    shelf.add(brought(tmp_path / "in", {"8.txt": novel(8)}))
    second = generations()
    assert first[0] == second[0] == of_corpus
    assert first[1] != second[1]
    write(corpus, {"1.txt": novel(1), "3.txt": novel(3)})
    update(corpus, store.folder)
    third = generations()
    assert third[0] != of_corpus
    assert third[1] == second[1]
    for document_id in ("uploads/7.txt", "uploads/8.txt"):
        shelf.remove(document_id)
    assert generations() == third[:1]
    assert store.state()["passages"] == str(len(live_passages(store.folder)))
    verify(store.folder)


def test_what_is_found_does_not_depend_on_who_brought_it(tmp_path: Path, store: Store, shelf: Library) -> None:
    shelf.add(brought(tmp_path / "in", {f"{number}.txt": novel(number) for number in range(7, 12)}))
    whole = write(tmp_path / "whole", {f"{number}.txt": novel(number) for number in (1, 2, *range(7, 12))})
    update(whole, tmp_path / "other")
    for number in (1, 7, 9, 50):
        found = [place[1:] for place in ask(store, about(number))]
        assert found[:5] == [place[1:] for place in ask(tmp_path / "other", about(number))][:5]


@pytest.mark.parametrize("damaged", [0, 1])
def test_damaged_vectors_are_made_anew_and_the_others_stay(
    tmp_path: Path, store: Store, shelf: Library, damaged: int
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    before = store.state()["generation"].split()
    store.close()
    shutil.rmtree(store.folder / f"vectors-{before[damaged]}")
    with pytest.raises(IndexBroken):
        verify(store.folder)
    assert repair(store.folder).seen == []
    after = store.state()["generation"].split()
    assert [a == b for a, b in zip(before, after, strict=True)] == [damaged == 1, damaged == 0]
    verify(store.folder)
    assert ask(store, about(7))[0][0] == "uploads/7.txt"
    assert ask(store, about(1))[0][0] == "1.txt"


def test_a_question_that_began_before_an_upload_ends_with_what_it_began_with(
    tmp_path: Path, store: Store, shelf: Library
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    (vector,) = LightEncoder().encode_queries([about(7)])
    with store.snapshot() as old:
        before = old.search_vectors(vector, limit=5, filters=Filters())
        shelf.add(brought(tmp_path / "in", {"8.txt": novel(8)}))
        assert ask(store, about(8))[0][0] == "uploads/8.txt"
        assert old.search_vectors(vector, limit=5, filters=Filters()) == before
