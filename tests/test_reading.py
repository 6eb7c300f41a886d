"""Files of strangers, read in a process of its own: what is harmless comes through, what is not harms only itself."""

import random
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import docx
import psutil
import pytest

from qa.errors import FileError
from qa.ingest import read_document
from qa.reading import Limits, reading_apart
from qa.records import SourceFile
from qa.settings import IngestSettings, UploadSettings
from tests.files import pdf_of

LIMITS = Limits(ingest=IngestSettings(), uploads=UploadSettings(read_memory_bytes=700_000_000))
GOOD = "Die Fähre legt um 9:30 Uhr ab. Hunde fahren kostenlos mit."
PAGES = [f"This is page {number}." for number in range(1, 22)]


def source(folder: Path, name: str, content: str | bytes) -> SourceFile:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return SourceFile(document_id=f"uploads/{name}", path=path)


def pdf_that_unpacks_to(size: int) -> bytes:
    """One page whose content is `size` bytes long, and a small part of that in the file."""
    show = b"BT /F1 12 Tf (a) Tj ET\n"
    content = zlib.compress(show * (size // len(show)), 1)
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        b"4 0 obj<</Filter/FlateDecode/Length " + str(len(content)).encode() + b">>stream\n" + content
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n"
    )  # fmt: skip


@pytest.fixture
def children() -> Iterator[None]:
    """No process outlives its test."""
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


@pytest.mark.usefixtures("children")
def test_what_is_read_apart_is_what_is_read_here(tmp_path: Path) -> None:
    bidi = "Der Preis ist \u202e001\u202c Euro, und \u2066gut\u2069. \u200fשלום."
    sources = [
        source(tmp_path, "a.txt", GOOD),
        source(tmp_path, "bidi.md", bidi),
        source(tmp_path, "a.html", f"<title>Fähre</title><p>{GOOD}"),
        source(tmp_path, "a.pdf", pdf_of(*PAGES[:3])),
    ]
    with reading_apart(LIMITS) as read:
        documents = [read(source) for source in sources]
    assert documents == [read_document(source, IngestSettings()) for source in sources]
    assert documents[1].text == bidi
    assert len(documents[3].pages) == 3


@pytest.mark.usefixtures("children")
def test_a_file_that_takes_too_long_or_too_much_memory_stops_only_itself(tmp_path: Path) -> None:
    slow = "<p " + " ".join(f"a{number}" for number in range(200_000)) + ">text"  # libxml2 compares each with all
    with reading_apart(replace(LIMITS, uploads=replace(LIMITS.uploads, read_seconds=10))) as read:
        good = source(tmp_path, "a.txt", GOOD)
        assert read(good).text == GOOD
        with pytest.raises(FileError, match="takes longer than 10 seconds"):
            read(source(tmp_path, "slow.html", slow))
        assert read(good).text == GOOD
        with pytest.raises(FileError, match=r"the program that reads it stopped|takes longer than"):
            read(source(tmp_path, "bomb.pdf", pdf_that_unpacks_to(600_000_000)))
        assert read(good).text == GOOD


@pytest.mark.usefixtures("children")
def test_what_exceeds_a_limit_is_named_with_the_limit(tmp_path: Path) -> None:
    uploads = replace(LIMITS.uploads, max_pages=20, max_chars=1_000, max_line_chars=100)
    with reading_apart(replace(LIMITS, uploads=uploads)) as read:
        for name, content, words in (
            ("pages.pdf", pdf_of(*PAGES), "has 21 pages, more than the limit of 20"),
            ("long.txt", "Wort\n" * 201, "has 1,005 characters, more than the limit of 1,000"),
            ("line.txt", "x" * 101, "has 101 characters in one line, more than the limit of 100"),
        ):
            with pytest.raises(FileError, match=words):
                read(source(tmp_path, name, content))


def word_of(text: str) -> bytes:
    document, made = docx.Document(), BytesIO()
    document.add_heading(text)
    document.add_table(1, 1).cell(0, 0).text = text
    document.save(made)
    return made.getvalue()


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, some stretches lost or doubled."""
    bytes_ = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(len(bytes_)), chance.randint(1, 60)
        kind = chance.choice(["changed", "lost", "doubled"])
        if kind == "changed":
            bytes_[at] = chance.randrange(256)
        elif kind == "lost":
            del bytes_[at : min(at + length, len(bytes_) - 1)]
        else:
            bytes_[at:at] = bytes_[at : at + length]
    return bytes(bytes_)


def unpacked_and_damaged(word: bytes, chance: random.Random) -> bytes:
    """A Word document with damage inside one of its parts, where a checksum no longer finds it."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(word)) as source, zipfile.ZipFile(made, "w") as archive:
        victim = chance.choice(source.namelist())
        for name in source.namelist():
            archive.writestr(name, damaged(source.read(name), chance) if name == victim else source.read(name))
    return made.getvalue()


@pytest.mark.usefixtures("children")
def test_a_damaged_file_is_a_document_or_a_reason(tmp_path: Path) -> None:
    whole = {
        "a.pdf": pdf_of(*PAGES[:3]),
        "a.docx": word_of(GOOD),
        "a.html": f"<title>Fähre</title><p>{GOOD}<ul><li>x".encode(),
    }
    read_, refused = list[str](), list[str]()
    with reading_apart(LIMITS) as read:
        for number in range(100):
            chance = random.Random(number)
            name = chance.choice(sorted(whole))
            damage = unpacked_and_damaged if name == "a.docx" else damaged
            try:
                read_.append(read(source(tmp_path, name, damage(whole[name], chance))).text)
            except FileError as error:
                refused.append(str(error))
    assert all(text.strip() for text in read_)
    assert min(len(read_), len(refused)) > 10


def test_no_process_is_started_for_no_file() -> None:
    before = psutil.Process().children()
    with reading_apart(LIMITS):
        assert psutil.Process().children() == before
