"""PDFs, whose pages are cited, and what is refused in any format."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from fpdf import FPDF

from qa.bot import open_corpus, open_index
from qa.errors import FileError, IndexStale
from qa.records import Answer
from qa.render import to_json, to_text
from qa.settings import Settings, StoreSettings
from tests.files import pdf_of, read, write


def test_a_quote_from_a_pdf_names_its_page(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    pages = ("The harbour was built in 1871.", "The ferry to Heligoland leaves at 9:30. Dogs travel free.", "The end.")
    write(folder / "ferry.pdf", pdf_of(*pages, title="Timetable"))
    bot = open_corpus(folder, settings=Settings(store=StoreSettings(home=str(tmp_path / "home"))))
    reply = bot.ask("Wann fährt die Fähre nach Helgoland ab?")
    assert isinstance(reply, Answer)
    quote = reply.quotes[0]
    assert (quote.text, quote.page) == ("The ferry to Heligoland leaves at 9:30.", 2)
    assert quote.document.title == "Timetable"
    assert to_json(reply)["quotes"][0]["page"] == 2  # type: ignore[index]
    assert "p. 2" in to_text(reply)
    bot.close()


def test_a_pdf_s_sentences_run_through_its_lines_and_its_pages_are_where_they_begin(tmp_path: Path) -> None:
    from qa.sentences import sentences

    sentence = "The delegates of all the countries agreed on a common text after four long days of talks in the city."
    document = read(write(tmp_path / "a.pdf", pdf_of(" ".join([sentence] * 4), "Second page.", width=90)))
    assert [document.text[start : start + 6] for start in document.pages] == ["The de", "Second"]
    found = [" ".join(document.text[a:b].split()) for a, b in sentences(document.text, language="en")]
    assert found.count(sentence) == 4


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        (".pdf", b"%PDF-1.7 and nothing", "is not a PDF that can be read"),
        (".pdf", b"plain text", "is not a PDF that can be read"),
        (".pdf", pdf_of(""), "it may be a scan"),
        (".docx", b"PK\x03\x04 broken", "is not a Word document"),
        (".docx", b"plain text", "is not a Word document"),
        (".html", b"\0\0\0", "binary"),
        (".html", b"", "holds no text|no HTML"),
        (".html", b"<html><body><script>1</script></body></html>", "holds no text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, suffix: str, content: bytes, message: str
) -> None:
    with pytest.raises(FileError, match=message):
        read(write(tmp_path / f"a{suffix}", content))


def test_a_pdf_with_a_password_is_refused(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.set_encryption(owner_password="a", user_password="b")
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, text="Secret.")
    with pytest.raises(FileError, match="if it has a password, remove it"):
        read(write(tmp_path / "a.pdf", bytes(pdf.output())))


def test_an_index_from_before_pages_is_made_anew_and_never_misread(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    write(folder / "ferry.txt", "The ferry to Heligoland leaves at 9:30.")
    settings = Settings(store=StoreSettings(home=str(tmp_path / "home")))
    index = tmp_path / "index"
    open_corpus(folder, index=index, settings=settings).close()
    with contextlib.closing(sqlite3.connect(index / "truth.sqlite3")) as old:
        old.execute("ALTER TABLE documents DROP COLUMN pages")
        old.execute("UPDATE state SET value = '1' WHERE key IN ('schema', 'pipeline')")
        old.commit()
    with pytest.raises(IndexStale, match="babelquote index"):
        open_index(index, settings=settings)
    bot = open_corpus(folder, index=index, settings=settings)
    assert [document.pages for document in bot.documents()] == [()]
    bot.close()
