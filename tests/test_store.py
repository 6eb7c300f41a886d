"""The index on disk mirrors its corpus: what changed is read again, nothing else, and everything is found."""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.errors import IndexBroken
from qa.index import Progress
from qa.records import Filters, Passage
from qa.store import Store
from qa.vectors import LocalGenerations
from tests.light import (
    LOCAL,
    LightEncoder,
    Place,
    about,
    ask,
    documents,
    everything_is_found,
    generation,
    live_passages,
    novel,
    novels,
    update,
    village,
    write,
)

TEXTS = novels(6)
QUESTION = about(3)


# ── what changed, and nothing else ─────────────────────────────────────────────────────────────────────────


def test_every_passage_is_found_after_a_build(index: Path) -> None:
    assert len(live_passages(index)) >= 2 * len(TEXTS)
    assert everything_is_found(index)
    assert ask(index, QUESTION)[0][0] == "3.txt"


def test_the_same_text_in_two_documents_keeps_both_sources(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {"a.txt": novel(1), "b.txt": novel(1), "c.txt": novel(2)})
    encoder = LightEncoder()
    update(corpus, tmp_path / "index", encoder=encoder)
    assert len(encoder.seen) == len(set(encoder.seen))
    found = {place for place in ask(tmp_path / "index", f"village of {village(1)}") if place[0] in ("a.txt", "b.txt")}
    of_a = {place[1:] for place in found if place[0] == "a.txt"}
    assert of_a == {place[1:] for place in found if place[0] == "b.txt"} != set()


def test_an_unchanged_corpus_is_not_touched(corpus: Path, index: Path) -> None:
    before, encoder = generation(index), LightEncoder()
    report = update(corpus, index, encoder=encoder)
    assert (report.added, report.updated, report.removed, report.embedded) == (0, 0, 0, 0)
    assert encoder.seen == []
    assert generation(index) == before


def test_only_what_changed_is_embedded_and_the_rest_keeps_its_keys(corpus: Path, index: Path) -> None:
    before, encoder = live_passages(index), LightEncoder()
    write(corpus, {**TEXTS, "2.txt": novel(2, version="second"), "9.txt": novel(9)})
    report = update(corpus, index, encoder=encoder)
    after = live_passages(index)
    assert (report.documents, report.added, report.updated, report.removed) == (7, 1, 1, 0)
    assert report.passages == len(after)
    assert report.embedded == len(encoder.seen) == len(set(encoder.seen)) > 0
    assert all("second" in content or village(9) in content for content in encoder.seen)
    kept = {key: place for key, place in before.items() if place[0] != "2.txt"}
    assert kept.items() <= after.items()
    assert not {key for key, place in after.items() if place[0] in ("2.txt", "9.txt")} & before.keys()
    assert everything_is_found(index)


def test_a_removed_file_is_found_no_more(corpus: Path, index: Path) -> None:
    (corpus / "3.txt").unlink()
    encoder = LightEncoder()
    report = update(corpus, index, encoder=encoder)
    assert (report.documents, report.removed, encoder.seen) == (5, 1, [])
    assert "3.txt" not in documents(index)
    assert "3.txt" not in {place[0] for place in ask(index, QUESTION)}
    assert ask(index, QUESTION, filters=Filters(documents=("3.txt",))) == []
    assert everything_is_found(index)


def test_a_renamed_file_is_cited_by_its_new_name_without_embedding(corpus: Path, index: Path) -> None:
    (corpus / "3.txt").rename(corpus / "drei.txt")
    encoder = LightEncoder()
    report = update(corpus, index, encoder=encoder)
    assert (report.added, report.removed, encoder.seen) == (1, 1, [])
    assert ask(index, QUESTION)[0][0] == "drei.txt"


def with_manifest(corpus: Path, entries: Mapping[str, Mapping[str, object]]) -> None:
    listed = [
        {"id": name, "path": name, "sha256": hashlib.sha256((corpus / name).read_bytes()).hexdigest(), **entry}
        for name, entry in entries.items()
    ]
    (corpus / "manifest.json").write_text(json.dumps({"documents": listed}), encoding="utf-8")


def test_a_change_of_metadata_alone_is_taken_over_without_embedding(tmp_path: Path, corpus: Path) -> None:
    index = tmp_path / "index"
    with_manifest(corpus, {name: {"title": "Old", "language": "en"} for name in TEXTS})
    update(corpus, index)
    with_manifest(corpus, {name: {"title": "New" if name == "3.txt" else "Old", "language": "en"} for name in TEXTS})
    encoder = LightEncoder()
    report = update(corpus, index, encoder=encoder)
    assert (report.updated, encoder.seen) == (1, [])
    assert {name: document.title for name, document in documents(index).items() if document.title != "Old"} == {
        "3.txt": "New"
    }


def dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    "spoil", [dangle, lambda path: path.write_bytes(b"\0\1\2"), lambda path: path.write_text(" \n")]
)
def test_a_file_that_became_unreadable_is_reported_and_leaves_the_others(
    corpus: Path, index: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(corpus / "3.txt")
    report = update(corpus, index)
    (problem,) = report.problems
    assert problem.path.endswith("3.txt")
    assert problem.message
    assert documents(index).keys() == TEXTS.keys() - {"3.txt"}
    assert everything_is_found(index)


def panic(_content: str) -> bool:
    sentencex.get_sentence_boundaries("en", "J\u2003. Smith")
    return True


def raise_error(_content: str) -> bool:
    raise IndexError("list index out of range")


@pytest.mark.parametrize("defect", [panic, raise_error])
def test_a_text_that_meets_a_defect_is_reported_and_leaves_the_others(
    corpus: Path, index: Path, defect: Callable[[str], bool]
) -> None:
    (corpus / "new.txt").write_text("This one breaks it.")
    encoder = LightEncoder()
    fits = encoder.fits
    encoder.fits = lambda content: defect(content) if "breaks" in content else fits(content)  # type: ignore[method-assign]
    (problem,) = update(corpus, index, encoder=encoder).problems
    assert problem.path.endswith("new.txt")
    assert "could not be cut into passages" in problem.message
    assert documents(index).keys() == TEXTS.keys()


def test_a_file_that_changes_between_a_broken_run_and_the_next_is_indexed_as_it_is(corpus: Path, index: Path) -> None:
    class Stop(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "embed" and done == total:
            raise Stop

    write(corpus, {**TEXTS, "3.txt": novel(3, version="second")})
    with pytest.raises(Stop):
        update(corpus, index, progress=stop)
    assert "first" in ask(index, QUESTION)[0][3]
    write(corpus, {**TEXTS, "3.txt": novel(3, version="third")})
    update(corpus, index)
    assert documents(index)["3.txt"].text == novel(3, version="third")
    assert everything_is_found(index)


def test_a_swap_that_fails_at_its_last_step_has_changed_nothing(index: Path) -> None:
    before, answers = live_passages(index), ask(index, QUESTION)
    with Store(index, LOCAL).writing() as writer:
        added = replace(writer.truth.documents()[0], id="added")
        writer.truth.stage(added, [], "fingerprint")
    impossible: dict[str, str] = {"generation": object()}  # type: ignore[dict-item]
    with pytest.raises(IndexBroken), Store(index, LOCAL).writing() as writer:
        writer.truth.publish(removed=["1.txt"], words=[], state=impossible)
    assert live_passages(index) == before
    assert documents(index).keys() == TEXTS.keys()
    assert ask(index, QUESTION) == answers
    assert everything_is_found(index)


LINES = [
    "The village sleeps.",
    "The mill of the village turns.",
    "Das Dorf schläft.",
    "村は眠る。",
    "e\u0301\r\n👩‍👩‍👧 x",
]
small_texts = st.lists(st.sampled_from(LINES), min_size=1, max_size=3).map("\n".join)
versions = st.dictionaries(st.sampled_from(["a.txt", "b.txt", "c.md"]), small_texts, min_size=1)
broken_off = st.sampled_from(["", "", "read", "embed", "index"])


@settings(max_examples=15, deadline=None)
@given(history=st.lists(st.tuples(versions, broken_off), min_size=2, max_size=5))
def test_any_history_of_a_corpus_ends_in_the_index_of_its_last_state(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[dict[str, str], str]]
) -> None:
    folder = tmp_path_factory.mktemp("history")

    class Stop(Exception):
        pass

    def stop_at(wanted: str) -> Progress:
        def progress(stage: str, done: int, total: int) -> None:
            if stage == wanted and done == total:
                raise Stop

        return progress

    for texts, stop in history:
        write(folder / "corpus", texts)
        try:
            update(folder / "corpus", folder / "index", progress=stop_at(stop))
        except Stop:
            continue
    update(folder / "corpus", folder / "index")
    update(folder / "corpus", folder / "fresh")

    def places(index: Path) -> set[Place]:
        return set(live_passages(folder / index).values())

    assert places(folder / "index") == places(folder / "fresh")
    assert documents(folder / "index") == documents(folder / "fresh")
    assert everything_is_found(folder / "index")


# ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(languages=("de",)), {"1.txt", "2.txt"}),
        (Filters(sources=("Agency B", "Agency C")), {"2.txt", "4.txt", "6.txt", "3.txt"}),
        (Filters(documents=("5.txt",)), {"5.txt"}),
        (Filters(languages=("de", "en"), sources=("Agency B",), documents=("1.txt", "2.txt")), {"2.txt"}),
        (Filters(languages=("fi",)), set()),
    ],
)
def test_filters_restrict_both_kinds_of_search(
    tmp_path: Path, corpus: Path, filters: Filters, expected: set[str]
) -> None:
    # Short texts: in longer ones each passage's language is told from its own words.
    write(corpus, {f"{i}.txt": f"The village {village(i)} sleeps." for i in range(1, 7)})
    agencies = {"3.txt": "Agency C"} | {f"{i}.txt": "Agency B" for i in (2, 4, 6)}
    with_manifest(
        corpus,
        {name: {"language": "de" if name < "3" else "en", "source": agencies.get(name, "Agency A")} for name in TEXTS},
    )
    update(corpus, tmp_path / "index")
    with closing(Store(tmp_path / "index", LOCAL)) as store, store.snapshot() as snapshot:
        (vector,) = LightEncoder().encode_queries(["village"])
        for found in (
            snapshot.search_vectors(vector, limit=50, filters=filters),
            snapshot.search_words(["village"], limit=50, filters=filters),
        ):
            passages = snapshot.passages([key for key, _ in found])
            assert {passage.document_id for passage in passages.values()} == expected


def test_more_passages_than_chroma_takes_at_once_are_stored(tmp_path: Path) -> None:
    count = 5_500
    vectors = np.random.default_rng(0).normal(size=(count, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [
        Passage(document_id="a", start=i, end=i + 1, text="x", language="en", sentences=()) for i in range(count)
    ]
    generations = LocalGenerations(tmp_path)
    with closing(generations.create("a")) as writing:
        writing.add(range(count), vectors, ["s"] * count, passages)
    with closing(generations.open("a")) as reading:
        assert reading.count() == count
        for key in range(0, count, 500):
            assert [found for found, _ in reading.search(vectors[key], limit=1)] == [key]
