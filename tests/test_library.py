"""Documents that visitors bring: kept, indexed with the corpus, removed; whatever they hold and whoever else writes."""

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.bot import Bot, build, open_corpus, open_index, open_library
from qa.errors import CorpusError, IndexBroken, IndexBusy, IndexUnwritable, LibraryError, PlaceMissing
from qa.folders import newest_index
from qa.ingest import find_sources
from qa.library import Library
from qa.records import Answer, FileReport, FileStatus, Filters
from qa.settings import Settings, StoreSettings, UploadSettings
from qa.shelf import safe_name, uploads_folder
from qa.store import Store
from tests.light import LOCAL, LightEncoder, ask, library, live_passages, novel, repair, update, verify, village, write
from tests.test_formats import pdf_of

REPOSITORY = Path(__file__).parents[1]
ADDED, ALREADY_THERE, LEFT_OUT = FileStatus.ADDED, FileStatus.ALREADY_THERE, FileStatus.LEFT_OUT


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus", {"1.txt": novel(1), "2.txt": novel(2)})


@pytest.fixture
def index(tmp_path: Path, corpus: Path) -> Path:
    update(corpus, tmp_path / "index")
    return tmp_path / "index"


@pytest.fixture
def store(index: Path) -> Iterator[Store]:
    with closing(Store(index, LOCAL)) as store:
        yield store


@pytest.fixture
def shelf(store: Store) -> Library:
    return library(store)


def brought(folder: Path, files: Mapping[str, str | bytes]) -> list[tuple[str, Path]]:
    """Files as a web server hands them over: under names of its own."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"{random.Random(name + str(content)).getrandbits(60):x}-{number}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append((name, path))
    return paths


def statuses(reports: list[FileReport]) -> list[FileStatus]:
    return [report.status for report in reports]


def documents(store: Store) -> list[str]:
    with store.snapshot() as snapshot:
        return [document.id for document in snapshot.documents()]


def about(number: int) -> str:
    return f"What does the village of {village(number)} give?"


# ── keeping ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_visitor_brings_is_found_at_once_and_reported(tmp_path: Path, store: Store, shelf: Library) -> None:
    stages: list[str] = []
    (report,) = shelf.add(
        brought(tmp_path / "in", {"Grüße.md": novel(7)}), progress=lambda stage, _done, _total: stages.append(stage)
    )
    assert (report.name, report.status, report.document_id, report.language, report.pages) == (
        "Grüße.md", ADDED, "uploads/Grüße.md", "en", None,
    )  # fmt: skip
    assert ask(store, about(7))[0][0] == "uploads/Grüße.md"
    assert report.passages == sum(place[0] == report.document_id for place in live_passages(store.folder).values()) > 1
    assert list(dict.fromkeys(stages)) == ["check", "read", "embed", "index"]
    assert shelf.ids() == {"uploads/Grüße.md"}
    with store.snapshot() as snapshot:
        document = snapshot.document("uploads/Grüße.md")
    assert document
    assert document.source == "Grüße.md"
    assert document.text == novel(7)


def test_the_corpus_keeps_its_ids_and_takes_the_uploads_along(
    tmp_path: Path, corpus: Path, store: Store, shelf: Library
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    write(corpus, {"1.txt": novel(1), "3.txt": novel(3)})
    report = update(corpus, store.folder)
    assert (report.added, report.removed, report.documents) == (1, 1, 3)
    assert documents(store) == ["1.txt", "3.txt", "uploads/7.txt"]
    assert update(corpus, store.folder).embedded == 0
    assert shelf.ids() == {"uploads/7.txt"}


def test_an_upload_leaves_the_corpus_as_it_was_indexed(
    tmp_path: Path, corpus: Path, store: Store, shelf: Library
) -> None:
    shutil.rmtree(corpus)
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    assert documents(store) == ["1.txt", "2.txt", "uploads/7.txt"]
    assert json.loads(store.state()["roots"]) == [str(corpus)]


def test_uploads_outlive_an_index_that_is_deleted_and_built_again(
    tmp_path: Path, corpus: Path, index: Path, shelf: Library
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    shutil.rmtree(index)
    update(corpus, index)
    with closing(Store(index, LOCAL)) as store:
        assert documents(store) == ["1.txt", "2.txt", "uploads/7.txt"]


def test_the_same_bytes_are_one_document(tmp_path: Path, store: Store, shelf: Library) -> None:
    reports = shelf.add(
        [
            *brought(tmp_path / "in", {"7.txt": novel(7), "again.md": novel(7), "corpus.txt": novel(1)}),
        ]
    )
    assert statuses(reports) == [ADDED, ALREADY_THERE, ALREADY_THERE]
    assert [report.document_id for report in reports] == ["uploads/7.txt", "uploads/7.txt", "1.txt"]
    assert "already, as uploads/7.txt" in reports[1].message
    assert reports[1].passages == reports[0].passages
    (again,) = shelf.add(brought(tmp_path / "in", {"other name.txt": novel(7)}))
    assert (again.status, again.document_id) == (ALREADY_THERE, "uploads/7.txt")
    assert documents(store) == ["1.txt", "2.txt", "uploads/7.txt"]


def test_other_bytes_of_the_same_name_get_a_number(tmp_path: Path, corpus: Path, store: Store) -> None:
    (corpus / "uploads").mkdir()
    (corpus / "uploads" / "b.txt").write_text(novel(5))
    update(corpus, store.folder)
    reports = library(store).add(
        [(name, path) for name, (_, path) in zip(
            ["a.txt", "A.TXT", "x/../a.txt", "b.txt"],
            brought(tmp_path / "in", {str(n): novel(n) for n in range(10, 14)}), strict=True,
        )]
    )  # fmt: skip
    assert [report.document_id for report in reports] == [
        "uploads/a.txt", "uploads/A (2).TXT", "uploads/a (3).txt", "uploads/b (2).txt",
    ]  # fmt: skip
    assert len(documents(store)) == 7


def test_a_file_of_the_corpus_that_takes_an_uploads_id_is_not_mixed_up_with_it(
    tmp_path: Path, corpus: Path, store: Store, shelf: Library
) -> None:
    shelf.add(brought(tmp_path / "in", {"a.txt": novel(7)}))
    (corpus / "uploads").mkdir()
    (corpus / "uploads" / "a.txt").write_text(novel(8))
    report = update(corpus, store.folder)
    assert [problem.message for problem in report.problems] == [
        "the corpus holds uploads/a.txt, too; rename that file of the corpus"
    ]
    assert ask(store, about(8))[0][0] == "uploads/a.txt"
    assert shelf.ids() == set()
    (corpus / "uploads" / "a.txt").rename(corpus / "b.txt")
    update(corpus, store.folder)
    assert ask(store, about(7))[0][0] == "uploads/a.txt"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\texts\\report.pdf", "report.pdf"),
        ("a\u202egpj.txt", "agpj.txt"),
        ("a\0b\n c\u2028d.md", "ab c d.md"),
        ("Отчёт за июнь.docx", "Отчёт за июнь.docx"),
        ("e\u0301te\u0301.txt", "été.txt"),
        (".htaccess.txt", "htaccess.txt"),
        (".txt", "document.txt"),
        ("..", "document"),
        ("", "document"),
        ("\ud800.txt", "document.txt"),
        ("نامه\u200cها.txt", "نامه\u200cها.txt"),
    ],
)
def test_a_name_becomes_a_safe_one(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_any_name_can_be_a_file_and_stays_what_it_is(name: str) -> None:
    safe = safe_name(name + ".txt")
    assert safe.endswith(".txt")
    assert "/" not in safe
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 180
    assert safe_name(safe) == safe


# ── vectors ────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── leaving out ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bad_file_is_left_out_with_its_reason_and_the_others_are_kept(
    tmp_path: Path, store: Store, shelf: Library
) -> None:
    files = brought(tmp_path / "in", {
        "good.txt": novel(7), "empty.txt": "", "blank.md": " \n ", "program.exe": "MZ", "binary.txt": bytes(range(256)),
        "latin.txt": "Größe".encode("cp1252"), "fake.pdf": "no", "fake.docx": b"PK\x03\x04 no", "none": "text",
        "also good.txt": novel(8),
    })  # fmt: skip
    reports = shelf.add([*files, ("gone.txt", tmp_path / "gone"), ("folder.txt", tmp_path)])
    assert statuses(reports) == [ADDED, *[LEFT_OUT] * 8, ADDED, LEFT_OUT, LEFT_OUT]
    for report, words in zip(reports[1:9], ("holds no text", "holds no text", ".exe is not supported", "binary",
                                            "encoding", "not a PDF", "not a Word document", "without suffix"),
                             strict=True):  # fmt: skip
        assert words in report.message
        assert str(tmp_path) not in report.message
        assert report.document_id is None
    assert sorted(path.name for path in uploads_folder(store.folder).iterdir()) == ["also good.txt", "good.txt"]
    assert documents(store) == ["1.txt", "2.txt", "uploads/also good.txt", "uploads/good.txt"]


def test_limits_leave_out_what_lies_beyond_them(tmp_path: Path, store: Store) -> None:
    limits = UploadSettings(
        max_files=5, max_file_bytes=1_500, max_total_bytes=1_000, max_chars=1_000, max_line_chars=200
    )
    files = {"a.txt": novel(1, version="other"), "large.txt": "x " * 800, "long.txt": "Wort\n" * 250,
             "line.txt": "x " * 150, "full.txt": novel(3), "many.txt": novel(4)}  # fmt: skip
    reports = library(store, limits).add(brought(tmp_path / "in", files))
    assert statuses(reports) == [ADDED, *[LEFT_OUT] * 5]
    for report, words in zip(reports[1:], ("has 1,600 bytes, more than the limit of 1,500", "has 1,250 characters",
                                           "300 characters in one line", "limit of 1,000 bytes",
                                           "at most 5 files at once"), strict=True):  # fmt: skip
        assert words in report.message
    assert documents(store) == ["1.txt", "2.txt", "uploads/a.txt"]


# ── removing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_can_be_removed_and_brought_again(tmp_path: Path, store: Store, shelf: Library) -> None:
    for _ in range(2):
        (report,) = shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        assert report.status == ADDED
        shelf.remove("uploads/7.txt")
        assert documents(store) == ["1.txt", "2.txt"]
        assert list(uploads_folder(store.folder).iterdir()) == []
        assert shelf.ids() == set()


def test_only_uploads_can_be_removed(store: Store, shelf: Library, corpus: Path) -> None:
    with pytest.raises(LibraryError, match=r"'1\.txt' belongs to the corpus"):
        shelf.remove("1.txt")
    for unknown in ("uploads/none.txt", "uploads/../../corpus/1.txt", "uploads/", "", "none\0"):
        with pytest.raises(PlaceMissing, match="there is no document"):
            shelf.remove(unknown)
    assert documents(store) == ["1.txt", "2.txt"]
    assert (corpus / "1.txt").is_file()


def test_the_only_document_of_an_index_stays(tmp_path: Path, corpus: Path, store: Store, shelf: Library) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    write(corpus, {})
    update(corpus, store.folder)
    with pytest.raises(CorpusError):
        shelf.remove("uploads/7.txt")
    assert documents(store) == ["uploads/7.txt"]
    assert [path.name for path in uploads_folder(store.folder).iterdir()] == ["7.txt"]


# ── others ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_questions_are_answered_while_files_are_added_and_removed(tmp_path: Path, store: Store, shelf: Library) -> None:
    expected, wrong, over = ask(store, about(1))[0], list[object](), threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            try:
                if (found := ask(store, about(1))[0]) != expected:
                    wrong.append(found)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=keep_asking) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(10, 14):
        shelf.add(brought(tmp_path / "in", {f"{number}.txt": novel(number)}))
        if number % 2:
            shelf.remove(f"uploads/{number}.txt")
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert documents(store) == ["1.txt", "2.txt", "uploads/10.txt", "uploads/12.txt"]


def test_processes_that_add_and_index_at_once_lose_nothing(tmp_path: Path, corpus: Path, index: Path) -> None:
    write(corpus, {"1.txt": novel(1), "3.txt": novel(3)})
    files = [path for name, path in brought(tmp_path / "in", {f"{n}.txt": novel(n) for n in range(10, 13)})]
    named = [path.rename(path.with_name("same.txt" if not n else f"{n}.txt")) for n, path in enumerate(files)]
    copy = tmp_path / "same.txt"
    copy.write_text(novel(20))
    commands = [
        ["add", str(index), str(named[0]), str(named[1])],
        ["add", str(index), str(copy), str(named[2])],
        ["index", str(corpus), str(index)],
        ["add", str(index), str(named[1])],
    ]
    running = [
        subprocess.Popen([sys.executable, "-m", "tests.light", *command], stdout=subprocess.PIPE, cwd=REPOSITORY)
        for command in commands
    ]
    assert [process.wait() for process in running] == [0] * 4
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    with closing(Store(index, LOCAL)) as store:
        assert documents(store) == [
            "1.txt", "3.txt", "uploads/1.txt", "uploads/2.txt", "uploads/same (2).txt", "uploads/same.txt",
        ]  # fmt: skip
        for number in (10, 11, 12, 20):
            assert ask(store, about(number))[0][0].startswith("uploads/")
    verify(index)


def test_while_another_process_writes_nothing_is_kept_and_that_is_said(tmp_path: Path, index: Path) -> None:
    with closing(Store(index, StoreSettings(lock_seconds=0.1))) as store:
        shelf = library(store)
        shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        with Store(index, LOCAL).writing():
            with pytest.raises(IndexBusy, match="another process is writing"):
                shelf.add(brought(tmp_path / "in", {"8.txt": novel(8)}))
            with pytest.raises(IndexBusy):
                shelf.remove("uploads/7.txt")
        assert [path.name for path in uploads_folder(store.folder).iterdir()] == ["7.txt"]
        assert documents(store) == ["1.txt", "2.txt", "uploads/7.txt"]


@pytest.mark.parametrize(("stage", "done"), [("check", 1), ("read", 0), ("embed", 0), ("index", 1)])
def test_killed_while_adding_the_next_start_completes_what_is_there(
    tmp_path: Path, index: Path, stage: str, done: int
) -> None:
    name, path = brought(tmp_path / "in", {"7.txt": novel(7, sentences=40)})[0]
    path = path.rename(path.with_name(name))
    command = [sys.executable, "-m", "tests.light", "add", str(index), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.split()[0] == stage and int(line.split()[1]) >= done:
                run.kill()
                break
    verify(index)
    with closing(Store(index, LOCAL)) as store:
        assert "1.txt" in documents(store)
        shelf = library(store)
        kept = [path.name for path in uploads_folder(store.folder).iterdir() if not path.name.startswith(".")]
        assert kept in ([], ["7.txt"])
        assert kept or stage == "check"
        shelf.complete()
        assert documents(store) == ["1.txt", "2.txt", *(f"uploads/{name}" for name in kept)]
        assert all((uploads_folder(store.folder) / name).read_text() == novel(7, sentences=40) for name in kept)
        assert shelf.complete() is None
        (report,) = shelf.add([("7.txt", path)])
        assert report.status == (ALREADY_THERE if kept else ADDED)
        assert ask(store, about(7))[0][0] == "uploads/7.txt"


@pytest.mark.parametrize("stage", ["read", "index"])
def test_killed_while_removing_the_next_start_completes_it(
    tmp_path: Path, store: Store, shelf: Library, stage: str
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7), "8.txt": novel(8)}))
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.light import *\n"
        "def kill(stage, done, total):\n  if stage == sys.argv[2]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "library(Store(Path(sys.argv[1]), LOCAL)).remove('uploads/7.txt', progress=kill)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(store.folder), stage], cwd=REPOSITORY)
    assert run.returncode == -signal.SIGKILL
    assert documents(store) == ["1.txt", "2.txt", "uploads/7.txt", "uploads/8.txt"]
    verify(store.folder)
    shelf.complete()
    assert documents(store) == ["1.txt", "2.txt", "uploads/8.txt"]
    assert [path.name for path in uploads_folder(store.folder).iterdir()] == ["8.txt"]


# ── the real thing ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_pdf_that_a_visitor_brings_is_quoted_by_page_and_stays_part_of_the_corpus(tmp_path: Path) -> None:
    settings = Settings(store=StoreSettings(home=str(tmp_path / "home")))
    corpus = write(tmp_path / "corpus", {"harbour.txt": "The harbour was built in 1871."})
    pdf = pdf_of("The lighthouse is red.", "The ferry to Heligoland leaves at 9:30. Dogs travel free.")
    question = "Wann fährt die Fähre nach Helgoland ab?"
    bot = open_corpus(corpus, settings=settings)
    shelf = open_library(bot)
    added, broken = shelf.add(brought(tmp_path / "in", {"Fahrplan.pdf": pdf, "broken.pdf": pdf[:300]}))
    assert (added.status, added.document_id, added.pages) == (ADDED, "uploads/Fahrplan.pdf", 2)
    assert (broken.status, "not a PDF" in broken.message) == (LEFT_OUT, True)

    def quoted(bot: Bot) -> tuple[str, str, int | None]:
        reply = bot.ask(question)
        assert isinstance(reply, Answer)
        return reply.quotes[0].document.id, reply.quotes[0].text, reply.quotes[0].page

    expected = ("uploads/Fahrplan.pdf", "The ferry to Heligoland leaves at 9:30.", 2)
    assert quoted(bot) == expected
    bot.close()
    for again in (open_corpus(corpus, settings=settings), open_index(newest_index(settings), settings=settings)):
        assert quoted(again) == expected
        again.close()
    # Files that somebody put beside it, or that are read again, meet the limits of what visitors bring.
    huge = uploads_folder(newest_index(settings)) / "huge.txt"
    huge.write_text("x" * (settings.uploads.max_line_chars + 1))
    (problem,) = build([corpus], settings=settings).problems
    assert "characters in one line, more than the limit" in problem.message
    huge.unlink()
    open_library(bot).remove("uploads/Fahrplan.pdf")
    assert [document.id for document in bot.documents()] == ["harbour.txt"]
    bot.close()


# ── disks ──────────────────────────────────────────────────────────────────────────────────────────────────

FILL_AND_ADD = """
import os, sys
from pathlib import Path
from tests.test_formats import pdf_of
from tests.light import LOCAL, library
from qa.store import Store
index, file, stage = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def fill(now, done, total):
    if now == stage and not (index.parent / "filler").exists():
        with open(index.parent / "filler", "wb", buffering=0) as filler:
            try:
                while True: filler.write(bytes(100_000))
            except OSError: pass
if stage == "start": fill("start", 0, 0)
try: library(Store(index, LOCAL)).add([("7.txt", file)], progress=fill)
except Exception as error: print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("stage", ["start", "check", "read", "index"])
def test_on_a_full_disk_nothing_is_kept_and_the_next_try_succeeds(tmp_path: Path, index: Path, stage: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "7.txt").write_text(novel(7, sentences=2_000))
    script = f"""
        set -e
        mount -t tmpfs -o size=70m tmpfs "{tmp_path}/disk"; cp -r "{index}" "{tmp_path}/disk/index"
        "{sys.executable}" -c '{FILL_AND_ADD}' "{tmp_path}/disk/index" "{tmp_path}/7.txt" {stage} > "{tmp_path}/told"
        ls -A "{tmp_path}/disk/index.uploads" > "{tmp_path}/left"; rm "{tmp_path}/disk/filler"
        "{sys.executable}" -m tests.light add "{tmp_path}/disk/index" "{tmp_path}/7.txt" > "{tmp_path}/done"
    """
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script], cwd=REPOSITORY)
    assert done.returncode == 0
    told = (tmp_path / "told").read_text()
    assert told.startswith("IndexUnwritable: the disk that holds"), told
    assert "is full" in told
    assert (tmp_path / "left").read_text() == ""
    (report,) = json.loads((tmp_path / "done").read_text().splitlines()[-1])
    assert report["status"] == "added"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, index: Path) -> None:
    with closing(Store(index, LOCAL)) as store:
        shelf = library(store)
        uploads_folder(index).write_text("a file stands where the folder should be")
        with pytest.raises(IndexUnwritable, match="uploads cannot be written"):
            shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        assert documents(store) == ["1.txt", "2.txt"]


def test_uploads_are_no_part_of_a_corpus_that_its_index_lies_in(corpus: Path) -> None:
    update(corpus, corpus / ".index")
    with closing(Store(corpus / ".index", LOCAL)) as store:
        library(store).add([("7.txt", corpus / "1.txt")])
    assert [source.document_id for source in find_sources([corpus])[0]] == ["1.txt", "2.txt"]
