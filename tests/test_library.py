"""Documents that visitors bring: kept and indexed with the corpus, left out with a reason, removed."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.bot import Bot, build, open_corpus, open_index, open_library
from qa.errors import CorpusError, LibraryError, PlaceMissing
from qa.folders import newest_index
from qa.ingest import find_sources
from qa.library import Library
from qa.records import Answer
from qa.settings import Settings, StoreSettings, UploadSettings
from qa.shelf import safe_name, uploads_folder
from qa.store import Store
from tests.files import pdf_of
from tests.light import LOCAL, about, ask, documents, library, live_passages, novel, novels, update, write
from tests.visitors import ADDED, ALREADY_THERE, LEFT_OUT, brought, statuses

TEXTS = novels(2)


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
    assert list(documents(store)) == ["1.txt", "3.txt", "uploads/7.txt"]
    assert update(corpus, store.folder).embedded == 0
    assert shelf.ids() == {"uploads/7.txt"}


def test_an_upload_leaves_the_corpus_as_it_was_indexed(
    tmp_path: Path, corpus: Path, store: Store, shelf: Library
) -> None:
    shutil.rmtree(corpus)
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/7.txt"]
    assert json.loads(store.state()["roots"]) == [str(corpus)]


def test_uploads_outlive_an_index_that_is_deleted_and_built_again(
    tmp_path: Path, corpus: Path, index: Path, shelf: Library
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    shutil.rmtree(index)
    update(corpus, index)
    with closing(Store(index, LOCAL)) as store:
        assert list(documents(store)) == ["1.txt", "2.txt", "uploads/7.txt"]


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
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/7.txt"]


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


def test_uploads_are_no_part_of_a_corpus_that_its_index_lies_in(corpus: Path) -> None:
    update(corpus, corpus / ".index")
    with closing(Store(corpus / ".index", LOCAL)) as store:
        library(store).add([("7.txt", corpus / "1.txt")])
    assert [source.document_id for source in find_sources([corpus])[0]] == ["1.txt", "2.txt"]


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
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/also good.txt", "uploads/good.txt"]


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
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/a.txt"]


# ── removing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_can_be_removed_and_brought_again(tmp_path: Path, store: Store, shelf: Library) -> None:
    for _ in range(2):
        (report,) = shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        assert report.status == ADDED
        shelf.remove("uploads/7.txt")
        assert list(documents(store)) == ["1.txt", "2.txt"]
        assert list(uploads_folder(store.folder).iterdir()) == []
        assert shelf.ids() == set()


def test_only_uploads_can_be_removed(store: Store, shelf: Library, corpus: Path) -> None:
    with pytest.raises(LibraryError, match=r"'1\.txt' belongs to the corpus"):
        shelf.remove("1.txt")
    for unknown in ("uploads/none.txt", "uploads/../../corpus/1.txt", "uploads/", "", "none\0"):
        with pytest.raises(PlaceMissing, match="there is no document"):
            shelf.remove(unknown)
    assert list(documents(store)) == ["1.txt", "2.txt"]
    assert (corpus / "1.txt").is_file()


def test_the_only_document_of_an_index_stays(tmp_path: Path, corpus: Path, store: Store, shelf: Library) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
    write(corpus, {})
    update(corpus, store.folder)
    with pytest.raises(CorpusError):
        shelf.remove("uploads/7.txt")
    assert list(documents(store)) == ["uploads/7.txt"]
    assert [path.name for path in uploads_folder(store.folder).iterdir()] == ["7.txt"]


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
