"""What a manifest vouches for, and what it may not say."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import CorpusError
from qa.ingest import find_sources, read_document
from qa.settings import IngestSettings
from tests.files import TEXT, ids, problems, write


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
