"""Files to documents: which belong to a corpus, and what is refused, with the reason."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qa.errors import CorpusError, FileError
from qa.ingest import find_sources, read_document, sha256_of
from qa.records import Document, SourceFile
from qa.settings import IngestSettings
from tests.conftest import CORPUS
from tests.files import TEXT, ids, problems, write


def read(path: Path, **known: Any) -> Document:
    return read_document(SourceFile(document_id="d", path=path, **known), IngestSettings())


# Which files belong to a corpus


def test_the_shipped_corpus_is_what_its_manifest_vouches_for() -> None:
    sources, left_out = find_sources([CORPUS])
    assert left_out == []
    assert [source.document_id for source in sources] == sorted(source.document_id for source in sources)
    assert len(sources) == 5
    for source in sources:
        document = read_document(source, IngestSettings())
        assert (document.sha256, document.title, document.language) == (source.sha256, source.title, source.language)
        assert document.text.strip()


def test_ids_are_paths_below_the_folder_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/Ä.TXT", "c/d/e.txt"):
        write(tmp_path / name)
    assert ids(tmp_path) == ids(tmp_path / "a" / "..") == ["a/z.md", "a/Ä.TXT", "b.txt", "c/d/e.txt"]
    assert ids(tmp_path / "b.txt") == ["b.txt"]


def test_several_roots_are_one_corpus_with_ids_below_their_common_folder(tmp_path: Path) -> None:
    write(tmp_path / "x" / "a.txt")
    write(tmp_path / "y" / "a.txt")
    file = write(tmp_path / "b.md")
    roots = [tmp_path / "y", tmp_path / "x", file]
    assert ids(*roots) == ids(*reversed(roots)) == ["b.md", "x/a.txt", "y/a.txt"]
    assert ids(tmp_path / "x", tmp_path / "x", tmp_path / "x" / "a.txt") == ["a.txt"]


def test_hidden_files_and_folders_are_passed_over_silently(tmp_path: Path) -> None:
    for name in (".a.txt", ".git/b.txt", "c.txt", "d/.e.md", "d/.f/g.txt"):
        write(tmp_path / name)
    assert ids(tmp_path) == ["c.txt"]
    assert problems(tmp_path) == {}


def test_other_suffixes_are_reported_with_those_that_would_do(tmp_path: Path) -> None:
    for name in ("a.txt", "b.odt", "LICENSE", "c.xlsx"):
        write(tmp_path / name)
    known = ".docx, .htm, .html, .md, .pdf, .txt"
    assert ids(tmp_path) == ["a.txt"]
    assert problems(tmp_path) == {
        "LICENSE": f"a file without suffix is not supported; known: {known}",
        "b.odt": f".odt is not supported; known: {known}",
        "c.xlsx": f".xlsx is not supported; known: {known}",
    }
    assert problems(tmp_path / "b.odt") == {"b.odt": f".odt is not supported; known: {known}"}


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere does not exist; name a folder or a file that does"):
        find_sources([tmp_path, tmp_path / "nowhere"])


def test_an_empty_folder_has_no_sources(tmp_path: Path) -> None:
    assert find_sources([tmp_path]) == ([], [])


def test_a_folder_may_look_like_a_file(tmp_path: Path) -> None:
    write(tmp_path / "folder.txt" / "a.txt")
    assert ids(tmp_path) == ["folder.txt/a.txt"]
    assert ids(tmp_path / "folder.txt") == ["a.txt"]
    with pytest.raises(FileError, match="cannot be read: it is not a file"):
        sha256_of(tmp_path / "folder.txt")


@pytest.mark.parametrize(
    "name", ["a\nb.txt", "a\x1b[31m.txt", "a\u202etxt.txt", os.fsdecode(b"caf\xe9.txt"), "\u2028.md"]
)
def test_a_name_that_cannot_stand_in_a_citation_is_reported(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert ids(tmp_path) == []
    assert problems(tmp_path) == {name: "its name holds characters that cannot be shown; rename it"}


@pytest.mark.parametrize(
    "name", ["Übersicht 2024.txt", "上海.md", "می\u200cرود.txt", "👩\u200d👧.txt", "نص.txt", "a'b\"c<d>.txt"]
)
def test_a_name_in_any_script_is_an_id(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert ids(tmp_path) == [name]


def test_links_to_folders_are_not_followed_and_a_broken_link_is_an_unreadable_file(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "a.txt")
    write(tmp_path / "elsewhere" / "b.txt")
    (tmp_path / "corpus" / "folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "loop").symlink_to(tmp_path / "corpus")
    (tmp_path / "corpus" / "gone.txt").symlink_to(tmp_path / "nothing")
    assert ids(tmp_path / "corpus") == ["a.txt", "gone.txt"]
    for action in (sha256_of, read):
        with pytest.raises(FileError, match="cannot be read: No such file"):
            action(tmp_path / "corpus" / "gone.txt")


def test_a_link_to_a_folder_that_is_not_read_is_reported_with_what_to_do(tmp_path: Path) -> None:
    corpus, other = tmp_path / "corpus", tmp_path / "other"
    write(corpus / "a" / "a.txt")
    write(corpus / ".hidden" / "c.txt")
    write(other / "b.txt")
    for name, target in {"linked": other, ".unseen": other, "again": corpus / "a", "deep": corpus / ".hidden"}.items():
        (corpus / name).symlink_to(target)
    message = "a link to a folder is not followed; name that folder beside this one, or copy it in"
    assert problems(corpus) == {"linked": message, "deep": message}
    assert problems(corpus, other) == {"deep": message}
    assert ids(corpus, other) == ["corpus/a/a.txt", "other/b.txt"]


@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for action in (sha256_of, read):
        with pytest.raises(FileError, match="cannot be read: it is not a file"):
            action(tmp_path / "pipe.txt")


# What becomes of a file


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        (b"\xef\xbb\xbfcafe\xcc\x81", "café"),
        ("\ufeff漢字".encode("utf-16-le"), "漢字"),
        (b"# Titel\n\n* Punkt", "# Titel\n\n* Punkt"),
        (b" \n\t x \n", " \n\t x \n"),
    ],
)
def test_the_text_is_decoded_and_normalised_and_otherwise_left_as_it_is(
    tmp_path: Path, content: bytes, text: str
) -> None:
    document = read(write(tmp_path / "a.txt", content))
    assert document.text == text
    assert document.sha256 == hashlib.sha256(content).hexdigest() == sha256_of(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no text; remove it, or put text into it"),
        (b" \n\t\r\n\xc2\xa0\xe3\x80\x80\n", "holds no text"),
        (b"\xef\xbb\xbf", "holds no text"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (b"%PDF-1.7\n", "a PDF file"),
        (b"\0" * 100, "binary"),
        (b"caf\xe9", "cannot be told for certain"),
    ],
)
def test_a_file_without_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read(write(tmp_path / "a.txt", content))


def test_a_file_above_the_limit_is_refused_with_both_sizes_and_the_setting(tmp_path: Path) -> None:
    source = SourceFile(document_id="d", path=write(tmp_path / "a.txt", "x" * 1_001))
    assert read_document(source, IngestSettings(max_file_bytes=1_001)).text
    message = r"has 1,001 bytes, more than the limit of 1,000; split it, or raise BABELQUOTE_INGEST__MAX_FILE_BYTES"
    with pytest.raises(FileError, match=message):
        read_document(source, IngestSettings(max_file_bytes=1_000))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for action in (sha256_of, read):
        with pytest.raises(FileError, match="cannot be read: No such file"):
            action(tmp_path / "gone.txt")


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("\n\n# The *title*\n\nText", "The *title*"),
        ("---\n===\n12\n## Title ##\n", "Title"),
        ("English Français Deutsch 日本語\nTitle\n", "Title"),
        ("word " * 40, "word " * 24 + "…"),
        ("字" * 200, "字" * 120 + " …"),
        ("123\n456", "a.txt"),
    ],
)
def test_without_a_manifest_the_first_line_that_states_something_is_the_title(
    tmp_path: Path, content: str, title: str
) -> None:
    assert read(write(tmp_path / "a.txt", content)).title == title


@pytest.mark.parametrize(
    ("content", "language"),
    [(TEXT, "en"), ("Das Seminar fand in Shanghai statt.", "de"), ("研讨班在上海举行。", "zh"), ("12 34", "und")],
)
def test_without_a_manifest_the_language_is_told_from_the_text(tmp_path: Path, content: str, language: str) -> None:
    assert read(write(tmp_path / "a.txt", content)).language == language
    assert read(tmp_path / "a.txt", language="fi").language == "fi"


def test_suffixes_are_told_in_any_case(tmp_path: Path) -> None:
    reader: Callable[[Path], Document] = read
    assert [reader(write(tmp_path / name)).text for name in ("a.TXT", "b.Md")] == [TEXT, TEXT]
