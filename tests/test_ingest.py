"""Files to documents: which belong to a corpus, what a manifest vouches for, and what is refused, with the reason."""

import hashlib
import json
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

TEXT = "The seminar was held in Shanghai. Forty countries took part.\n"


def write(path: Path, content: str | bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, **known: Any) -> Document:
    return read_document(SourceFile(document_id="d", path=path, **known), IngestSettings())


def ids(*roots: Path) -> list[str]:
    return [source.document_id for source in find_sources(roots)[0]]


def problems(*roots: Path) -> dict[str, str]:
    return {Path(problem.path).name: problem.message for problem in find_sources(roots)[1]}


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


def test_two_files_with_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    manifest(tmp_path / "one", id="other/a.txt")
    write(tmp_path / "other" / "a.txt")
    with pytest.raises(CorpusError, match=r"one/a\.txt and .*other/a\.txt both have the id 'other/a\.txt'; rename one"):
        find_sources([tmp_path / "one", tmp_path / "other"])


def test_a_file_named_beside_its_manifest_keeps_what_the_manifest_says(tmp_path: Path) -> None:
    manifest(tmp_path, id="the-id", title="The title")
    for roots in ([tmp_path, tmp_path / "a.txt"], [tmp_path / "a.txt", tmp_path]):
        (source,) = find_sources(roots)[0]
        assert (source.document_id, source.title) == ("the-id", "The title")


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


@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for action in (sha256_of, read):
        with pytest.raises(FileError, match="cannot be read: it is not a file"):
            action(tmp_path / "pipe.txt")


# The manifest


def manifest(folder: Path, *, content: str = TEXT, path: str = "a.txt", **changes: Any) -> Path:
    """A folder with one file and a manifest that vouches for it, but for the changes. A key set to ... is left out."""
    write(folder / "a.txt", content)
    entry = {"id": "a", "path": path, "sha256": hashlib.sha256(content.encode()).hexdigest(), **changes}
    entries = [{key: value for key, value in entry.items() if value is not ...}]
    return write(folder / "manifest.json", json.dumps({"documents": entries}))


def test_a_manifest_tells_what_is_known_of_a_document(tmp_path: Path) -> None:
    manifest(tmp_path, title="Ein Titel", language="de", source="Quelle", date="2024-09-03", machine_translated=True)
    (source,) = find_sources([tmp_path])[0]
    document = read_document(source, IngestSettings())
    assert (document.id, document.title, document.language) == ("a", "Ein Titel", "de")
    assert (document.source, document.date, document.machine_translated) == ("Quelle", "2024-09-03", True)


def test_null_in_a_manifest_is_the_same_as_silence(tmp_path: Path) -> None:
    manifest(tmp_path, title=None, language=None, source=None, date=None, machine_translated=None)
    (source,) = find_sources([tmp_path])[0]
    document = read_document(source, IngestSettings())
    assert (document.title, document.language, document.source) == (TEXT.strip(), "en", "a.txt")
    assert (document.date, document.machine_translated) == (None, None)


def test_a_checksum_may_be_written_in_capitals(tmp_path: Path) -> None:
    manifest(tmp_path, sha256=hashlib.sha256(TEXT.encode()).hexdigest().upper())
    assert ids(tmp_path) == ["a"]


def test_files_beside_a_manifest_are_reported_but_a_readme_is_not(tmp_path: Path) -> None:
    manifest(tmp_path)
    for name in ("README.md", "readme.txt", "b.txt", "sub/c.md", "picture.png"):
        write(tmp_path / name)
    assert ids(tmp_path) == ["a"]
    message = "not listed in manifest.json, so left out; add an entry, or move the file away"
    assert problems(tmp_path) == {"b.txt": message, "c.md": message}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, r"a\.txt is not the file that the manifest vouches for.*restore the file, or correct"),
        ({"sha256": ""}, r"sha256 is ''; expected text"),
        ({"sha256": 5}, r"sha256 is 5; expected text"),
        ({"path": "b.txt"}, r"b\.txt cannot be read: No such file.*restore the file or remove the entry"),
        ({"path": "../a.txt"}, r"\.\./a\.txt lies outside the corpus folder"),
        ({"path": "/etc/hostname.txt"}, r"/etc/hostname\.txt lies outside the corpus folder"),
        ({"path": "a.odt"}, r"a\.odt: known formats are \.docx, \.htm, \.html, \.md, \.pdf, \.txt"),
        ({"path": "."}, r"known formats"),
        ({"path": "a\0.txt"}, r"path is 'a\\x00\.txt'; expected text"),
        ({"path": None}, r"path is None; expected text"),
        ({"id": None}, r"id is None; expected text"),
        ({"id": ""}, r"id is ''; expected text"),
        ({"id": "a\nb"}, r"id is 'a\\nb'; expected text"),
        ({"id": "\ud800"}, r"id is '\\ud800'; expected text"),
        ({"title": "\ud800"}, r"title is '\\ud800'; expected text"),
        ({"title": 7}, r"title is 7; expected text"),
        ({"language": "German"}, r"language is 'German'; expected a code such as en or de"),
        ({"machine_translated": "yes"}, r"machine_translated is 'yes'; expected true or false"),
        ({"machine_translated": 1}, r"machine_translated is 1; expected true or false"),
        ({"author": "x"}, r"an entry has id, path, sha256, may have date, language, .*and nothing else"),
        ({"id": ...}, r"an entry has id, path, sha256"),
    ],
    ids=str,
)
def test_a_lie_in_the_manifest_is_an_error_that_says_where_and_what(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    manifest(tmp_path, **changes)
    with pytest.raises(CorpusError, match=r"manifest\.json, document 1: .*" + message):
        find_sources([tmp_path])


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "5", '"x"', "{}", '{"Documents": []}', b"\xff\xfe", "[" * 100_000],
    ids=lambda content: repr(content[:12]),
)
def test_a_broken_manifest_is_an_error_that_says_what_was_expected(tmp_path: Path, content: str | bytes) -> None:
    write(tmp_path / "manifest.json", content)
    with pytest.raises(CorpusError, match=r'manifest\.json is not a manifest: expected {"documents": \[…\]} in UTF-8'):
        find_sources([tmp_path])


@pytest.mark.parametrize("documents", [{}, "x", None, 5])
def test_the_documents_of_a_manifest_are_a_list(tmp_path: Path, documents: object) -> None:
    write(tmp_path / "manifest.json", json.dumps({"documents": documents}))
    with pytest.raises(CorpusError, match=r'manifest\.json: "documents" must be a list'):
        find_sources([tmp_path])


@pytest.mark.parametrize("entry", ["a.txt", None, 5, []])
def test_an_entry_of_a_manifest_is_an_object(tmp_path: Path, entry: object) -> None:
    write(tmp_path / "manifest.json", json.dumps({"documents": [entry]}))
    with pytest.raises(CorpusError, match=r"document 1: an entry has id, path, sha256"):
        find_sources([tmp_path])


def test_an_id_or_a_file_that_is_listed_twice_is_an_error(tmp_path: Path) -> None:
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    write(tmp_path / "a.txt")
    write(tmp_path / "b.txt")
    for second, message in (
        ({"id": "a", "path": "b.txt"}, r"document 2: the id 'a' is used twice"),
        ({"id": "b", "path": "./a.txt"}, r"document 2: \./a\.txt is listed twice"),
    ):
        entries = [{"id": "a", "path": "a.txt", "sha256": digest}, {**second, "sha256": digest}]
        write(tmp_path / "manifest.json", json.dumps({"documents": entries}))
        with pytest.raises(CorpusError, match=message):
            find_sources([tmp_path])


def test_a_link_out_of_the_folder_is_outside(tmp_path: Path) -> None:
    write(tmp_path / "secret.txt")
    manifest(tmp_path / "corpus", path="link.txt")
    (tmp_path / "corpus" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(CorpusError, match=r"link\.txt lies outside the corpus folder"):
        find_sources([tmp_path / "corpus"])


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
