"""The index on disk mirrors its corpus, notices damage, mends itself, and keeps answering when a run fails."""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.errors import CorpusError, IndexBroken, IndexBusy, IndexMissing, IndexStale
from qa.index import Progress
from qa.records import Document, Filters, Passage
from qa.settings import StoreSettings
from qa.store import Store
from qa.truth import Truth
from qa.vectors import LocalGenerations
from tests.light import (
    LOCAL,
    LightEncoder,
    Place,
    ask,
    live_passages,
    novel,
    repair,
    update,
    verify,
    village,
    write,
)

REPOSITORY = Path(__file__).parents[1]
TEXTS = {f"{number}.txt": novel(number) for number in range(1, 7)}
QUESTION = f"What does the village of {village(3)} give?"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus", TEXTS)


@pytest.fixture
def index(tmp_path: Path, corpus: Path) -> Path:
    update(corpus, tmp_path / "index")
    return tmp_path / "index"


def generation(index: Path) -> str:
    return Store(index, LOCAL).state()["generation"]


def documents(index: Path) -> dict[str, Document]:
    with Store(index, LOCAL).snapshot() as snapshot:
        return {document.id: document for document in snapshot.documents()}


def everything_is_found(index: Path) -> bool:
    """Whether each live passage, and nothing else, is found by vector and by words."""
    live = live_passages(index)
    verify(index)
    with closing(Store(index, LOCAL)) as store, store.snapshot() as snapshot:
        for key, (document, *_, content) in live.items():
            only = Filters(documents=(document,))
            (vector,) = LightEncoder().encode_passages([content])
            by_vector = snapshot.search_vectors(vector, limit=len(live), filters=only)
            by_words = snapshot.search_words(["village"], limit=len(live), filters=only)
            own = {k for k, place in live.items() if place[0] == document}
            if {k for k, _ in by_vector} != own or by_vector[0][1] < 0.999 or {k for k, _ in by_words} - own:
                return False
            if "village" in content and key not in {k for k, _ in by_words}:
                return False
    return True


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


def test_another_encoder_makes_everything_be_read_and_embedded_again(corpus: Path, index: Path) -> None:
    other = LightEncoder("other")
    report = update(corpus, index, encoder=other)
    assert report.updated == report.documents == len(TEXTS)
    assert {place[3] for place in live_passages(index).values()} <= set(other.seen)
    assert Store(index, LOCAL).state()["encoder"] == "other"
    verify(index)


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


# ── damage ─────────────────────────────────────────────────────────────────────────────────────────────────


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
    for make in (lambda _: None, lambda path: path.touch(), lambda path: Truth(path, write=True).close()):
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


# ── one writer; disks that cannot be written ───────────────────────────────────────────────────────────────


def test_a_second_writer_is_told_that_the_index_is_busy(corpus: Path, index: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from qa.store import Store; from qa.settings import StoreSettings\n"
        "with Store(Path(sys.argv[1]), StoreSettings()).writing(): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        write(corpus, {**TEXTS, "7.txt": novel(7)})
        with pytest.raises(IndexBusy, match="another process is writing"):
            update(corpus, index, wait=False)
        with pytest.raises(IndexBusy, match="another process is writing"):
            update(corpus, index, settings=StoreSettings(lock_seconds=0.2))
        assert ask(index, QUESTION)[0][0] == "3.txt"
        holder.kill()
    assert update(corpus, index, wait=False).added == 1


def in_namespace(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Runs bash where it may mount: in a namespace of its own, whose mounts vanish with it."""
    for unshare in (["unshare", "-rm"], ["unshare", "-m"]):
        if shutil.which("unshare") and subprocess.run([*unshare, "true"], capture_output=True).returncode == 0:
            environment = {**os.environ, "PYTHON": sys.executable}
            return subprocess.run(
                [*unshare, "bash", "-euc", script, "bash", *map(str, arguments)],
                capture_output=True, text=True, cwd=REPOSITORY, env=environment,
            )  # fmt: skip
    pytest.fail(
        "this test mounts a small disk and a read-only folder, and needs `unshare` (util-linux) with user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1), or root with CAP_SYS_ADMIN (docker run --cap-add SYS_ADMIN)"
    )


def test_a_read_only_folder_is_named_and_the_index_survives(tmp_path: Path, corpus: Path, index: Path) -> None:
    before = ask(index, QUESTION)
    write(corpus, {**TEXTS, "7.txt": novel(7)})
    done = in_namespace(
        """
        mount --bind "$2" "$2"; mount -o remount,ro,bind "$2"
        $PYTHON -m tests.light index "$1" "$2" 2> "$3/index.txt" && exit 1
        echo "$4" | $PYTHON -m tests.light ask "$2" 2> "$3/ask.txt" && exit 2
        $PYTHON -m tests.light index "$1" "$2/new" 2> "$3/new.txt" && exit 3
        exit 0
        """,
        corpus, index, tmp_path, Path(QUESTION),
    )  # fmt: skip
    assert done.returncode == 0, done
    for told in ("index.txt", "ask.txt", "new.txt"):
        assert (tmp_path / told).read_text().startswith("IndexUnwritable: "), told
    assert "BABELQUOTE_STORE__HOME" in (tmp_path / "index.txt").read_text()
    assert ask(index, QUESTION) == before
    assert update(corpus, index).added == 1
    assert everything_is_found(index)


FILL = """
import shutil, sys
from pathlib import Path
from tests.light import update
corpus, index, stage_to_fill = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def fill(stage, done, total):
    if stage == stage_to_fill and done == total:
        with open(index.parent / "filler", "wb", buffering=0) as file:
            try:
                while True: file.write(bytes(4096))
            except OSError: pass
try:
    update(corpus, index, progress=fill)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("stage", ["read", "embed", "index"])
def test_a_disk_that_others_fill_during_a_run_is_named_and_the_next_run_completes(
    tmp_path: Path, corpus: Path, index: Path, stage: str
) -> None:
    before = ask(index, QUESTION)
    write(corpus, {**TEXTS, "3.txt": novel(3, version="second", sentences=100)})
    update(corpus, tmp_path / "fresh")
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        f"""
        mount -t tmpfs -o size=40m tmpfs "$3/disk"; cp -r "$2" "$3/disk/index"
        $PYTHON -c '{FILL}' "$1" "$3/disk/index" {stage} 2> "$3/index.txt" && exit 1
        ls "$3/disk/index" > "$3/failed.txt"
        echo "$4" | $PYTHON -m tests.light ask "$3/disk/index" > "$3/full.txt" 2>&1 || true
        rm "$3/disk/filler"
        echo "$4" | $PYTHON -m tests.light ask "$3/disk/index" > "$3/before.txt"
        $PYTHON -m tests.light index "$1" "$3/disk/index" > "$3/done.txt"
        echo "$4" | $PYTHON -m tests.light ask "$3/disk/index" > "$3/after.txt"
        """,
        corpus, index, tmp_path, Path(QUESTION),
    )  # fmt: skip
    assert done.returncode == 0, done
    told = (tmp_path / "index.txt").read_text()
    assert told.startswith("IndexUnwritable: "), told
    assert "full" in told

    def answer(file: str) -> list[Place]:
        return [tuple(place) for place in json.loads((tmp_path / file).read_text().splitlines()[-1])]

    # With not one byte left Chroma cannot read; that must be said, and must not look like an answer.
    full = (tmp_path / "full.txt").read_text()
    assert "IndexUnwritable: " in full or answer("full.txt") == before, full
    assert answer("before.txt") == before
    assert json.loads((tmp_path / "done.txt").read_text().splitlines()[-1])["updated"] == 1
    assert answer("after.txt") == ask(tmp_path / "fresh", QUESTION)
    assert [line for line in (tmp_path / "failed.txt").read_text().split() if line.startswith("vectors-")] == [
        f"vectors-{generation(index)}"
    ], "what could not be completed still takes up room"


def test_a_run_that_outgrows_the_disk_leaves_enough_room_for_answers(tmp_path: Path, corpus: Path, index: Path) -> None:
    before = ask(index, QUESTION)
    write(corpus, {**TEXTS, **{f"{i}.txt": novel(i, sentences=4_000) for i in range(10, 14)}})
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        """
        mount -t tmpfs -o size=20m tmpfs "$3/disk"; cp -r "$2" "$3/disk/index"
        $PYTHON -m tests.light index "$1" "$3/disk/index" 2> "$3/index.txt" && exit 1
        echo "$4" | $PYTHON -m tests.light ask "$3/disk/index" > "$3/full.txt"
        mount -o remount,size=200m "$3/disk"; rm "$1"/1?.txt
        $PYTHON -m tests.light index "$1" "$3/disk/index" > "$3/done.txt"
        echo "$4" | $PYTHON -m tests.light ask "$3/disk/index" > "$3/after.txt"
        """,
        corpus, index, tmp_path, Path(QUESTION),
    )  # fmt: skip
    assert done.returncode == 0, done
    assert "IndexUnwritable: the disk" in (tmp_path / "index.txt").read_text()
    for file in ("full.txt", "after.txt"):
        assert [tuple(place) for place in json.loads((tmp_path / file).read_text().splitlines()[-1])] == before
