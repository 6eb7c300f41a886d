"""Documents in the formats people have them in, made by the programs that make them."""

import contextlib
import sqlite3
import zipfile
from io import BytesIO
from pathlib import Path

import docx
import pytest
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st

from qa.bot import open_corpus, open_index
from qa.errors import FileError, IndexStale
from qa.formats import EXTRACTORS, html
from qa.ingest import find_sources, read_document
from qa.records import Answer, Document
from qa.render import to_json, to_text
from qa.settings import IngestSettings, Settings, StoreSettings


def pdf_of(*pages: str, title: str = "", width: float = 0) -> bytes:
    pdf = FPDF()
    pdf.set_title(title)
    pdf.set_font("Helvetica", size=12)
    for page in pages:
        pdf.add_page()
        pdf.multi_cell(width, text=page)
    return bytes(pdf.output())


def read(path: Path) -> Document:
    (source,), problems = find_sources([path])
    assert not problems
    return read_document(source, IngestSettings())


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ── HTML ──────────────────────────────────────────────────────────────────────────────────────────────────

PAGE = """<!doctype html><html lang="de"><head><title> Die
 Fähre </title><meta property="article:published_time" content="2024-09-05T10:00:00Z"><style>p{}</style></head>
<body><nav><a href="/">Start</a> Impressum</nav><header><h1>Die Fähre</h1></header>
<main><p>Sie legt um <b>9:30</b>&nbsp;Uhr
ab.<br>Hunde fahren   kostenlos mit.</p><script>alert("böse")</script><img src=x onerror="alert(1)" alt="Bild">
<table><tr><th>Ziel</th><th>Preis</th></tr><tr><td>Helgoland</td><td>40&nbsp;€</td></tr></table>
<pre>a  b
c</pre><p hidden>versteckt</p><!-- Kommentar --><p>1 &lt; 2</p></main><footer>© 2024</footer></body></html>"""


def test_html_gives_what_the_page_says_in_reading_order(tmp_path: Path) -> None:
    document = read(written(tmp_path / "a.html", PAGE))
    assert document.text.split("\n") == [
        "Die Fähre", "Sie legt um 9:30\xa0Uhr ab.", "Hunde fahren kostenlos mit.", "Ziel\tPreis",
        "Helgoland\t40\xa0€", "a  b", "c", "1 < 2",
    ]  # fmt: skip
    assert (document.title, document.date, document.language) == ("Die Fähre", "2024-09-05", "de")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("iso-8859-1", "cp1252"), ("windows-1251", "cp1251"), ("Shift_JIS", "cp932"), ("utf-8", "utf-8"),
        ("iso-8859-9", "cp1254"), ("gb2312", "gb18030"), ("ks_c_5601-1987", "cp949"), ("utf-16", "utf-8"),
        ("no-such-encoding", "utf-8"), ("unicode_escape", "utf-8"),
    ],
)  # fmt: skip
def test_html_is_read_in_the_encoding_that_browsers_take_it_for(declared: str, encoding: str) -> None:
    word = {
        "cp1252": "Grüße – “so”", "cp1251": "Привет", "cp932": "①こんにちは", "utf-8": r"Γειά σου \x41",
        "cp1254": "“Söz” ğ", "gb18030": "朱镕基", "cp949": "똠방각하",
    }[encoding]  # fmt: skip
    page = f'<html><head><meta charset="{declared}"></head><body><p>{word}</p></body></html>'
    assert html.extract(page.encode(encoding)).parts == (word,)


def test_html_that_is_not_in_the_encoding_it_declares_is_refused() -> None:
    with pytest.raises(FileError, match="declares the encoding 'utf-8'"):
        html.extract('<meta charset="utf-8"><p>Größe'.encode("cp1252"))


def test_what_a_form_holds_is_read_and_what_is_left_out_parts_what_stands_around_it() -> None:
    page = "<form><h1>News</h1><p>Signed in 1999.</p><button>Send</button></form>"
    assert html.extract(page.encode()).parts == ("News\nSigned in 1999.",)
    parted = "First part.<nav>x</nav>Second part.<div>one<aside>y</aside>two</div>un<script>z()</script>cut"
    assert html.extract(parted.encode()).parts == ("First part.\nSecond part.\none\ntwo\nuncut",)


def test_deep_and_broken_html_is_read_to_its_end() -> None:
    assert "unten" in html.extract(("<div>" * 200 + "<p>unten").encode()).parts[0]
    assert html.extract(b"<p>a<b>b</p>c").parts == ("ab\nc",)


def test_what_stands_too_deep_to_be_read_is_not_left_out_in_silence() -> None:
    assert html.extract(("<div>" * 2_000 + "<p>unten" + "</div>" * 2_000 + "<p>danach").encode()).parts == (
        "unten\ndanach",
    )
    with pytest.raises(FileError, match="nested more than 2,048 elements deep"):
        html.extract(("<p>oben" + "<div>" * 3_000 + "<p>unten").encode())


def test_entities_of_a_page_s_own_are_neither_fetched_nor_multiplied(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret", "geheim")
    page = (
        f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}"><!ENTITY b "bb"><!ENTITY c "&b;&b;">]>'
        "<html><body><p>see &a; and &c;</body></html>"
    )
    (text,) = html.extract(page.encode()).parts
    assert "see &a; and &c;" in text
    assert "geheim" not in text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), min_size=1))
def test_any_text_in_paragraphs_comes_out_as_it_was_put_in(paragraphs: list[str]) -> None:
    from html import escape

    folded = [" ".join(part.split(" ")).strip(" ") for part in paragraphs]
    page = "<body>" + "".join(f"<p>{escape(part)}</p>" for part in folded)
    expected = [" ".join(word for word in part.split(" ") if word) for part in folded]
    (text,) = html.extract(b"\xef\xbb\xbf" + page.encode()).parts
    assert [line.strip(" ") for line in text.split("\n")] == expected


# ── Word ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_word_gives_paragraphs_and_tables_in_their_order(tmp_path: Path) -> None:
    word = docx.Document()
    word.core_properties.title = "Bericht"
    word.add_heading("Die Reise")
    word.add_paragraph("Η επίσκεψη διήρκεσε τρεις ημέρες.")
    table = word.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "参加国", "143"
    word.add_paragraph("انتهت الرحلة.")
    word.save(str(tmp_path / "a.docx"))
    document = read(tmp_path / "a.docx")
    assert document.text == "Die Reise\nΗ επίσκεψη διήρκεσε τρεις ημέρες.\n参加国\t143\nانتهت الرحلة."
    assert document.title == "Bericht"


def test_an_archive_that_unpacks_without_end_is_not_unpacked() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(51):
            part.write(b"\0" * 10_000_000)
    with pytest.raises(FileError, match="unpacks to 510,000,000 bytes"):
        EXTRACTORS[".docx"](packed.getvalue())


def word_of(body: str, *, before: str = "") -> bytes:
    """A Word document whose body is this XML."""
    empty, made = BytesIO(), BytesIO()
    docx.Document().save(empty)
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(empty) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            if name != "word/document.xml":
                archive.writestr(name, source.read(name))
        xml = f'{before}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", xml)
    return made.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def row_of(*cells: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/><w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr></w:tbl>"


def test_a_cell_that_spans_columns_is_read_once_however_many_it_claims() -> None:
    span = '<w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>'
    word = word_of(row_of(span + paragraph("breit"), paragraph("schmal")))
    assert EXTRACTORS[".docx"](word).parts == ("breit\tschmal",)


def test_changes_count_as_accepted_and_what_only_wraps_text_is_looked_into() -> None:
    def run(text: str, tag: str = "t") -> str:
        return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'

    def control(content: str, properties: str = "") -> str:
        return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"

    deleted = f"<w:del>{run('always ', 'delText')}</w:del><w:moveFrom>{run('gladly ')}</w:moveFrom>"
    inserted = f"<w:ins>{run('not ')}</w:ins><w:moveTo>{run('yet ')}</w:moveTo>"
    field = f'<w:fldSimple w:instr="DATE">{run("5 May 2024")}</w:fldSimple>'
    above, base = f"<w:rt>{run('かん')}</w:rt>", f"<w:rubyBase>{run('漢')}</w:rubyBase>"
    ruby = f"<w:r><w:ruby>{above}{base}</w:ruby></w:r>"
    gone = f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{paragraph('gone')}</w:tc></w:tr>"
    cells = f"<w:tc>{paragraph('A')}</w:tc><w:tc><w:tcPr><w:cellDel/></w:tcPr>{paragraph('gone')}</w:tc>"
    cells += control(f"<w:tc>{paragraph('B')}</w:tc>")
    body = (
        f"<w:p>{run('The board has ')}{deleted}{inserted}{run('approved it.')}</w:p>"
        + f"<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>{run('One line, ')}</w:p><w:p>{ruby}</w:p>"
        + control(paragraph("A control.") + control(paragraph("One in it.")))
        + control(paragraph("Click here to enter text."), "<w:showingPlcHdr/>")
        + f"<w:p>{run('Date: ')}{control(field)}<w:hyperlink>{run(', see there')}</w:hyperlink></w:p>"
        + f"<w:tbl><w:tblPr/><w:tblGrid/>{gone}{control(f'<w:tr>{cells}</w:tr>')}</w:tbl>"
    )
    (text,) = EXTRACTORS[".docx"](word_of(body)).parts
    assert text.split("\n") == [
        "The board has not yet approved it.", "One line, 漢", "A control.", "One in it.",
        "Date: 5 May 2024, see there", "A\tB",
    ]  # fmt: skip


def test_tables_in_tables_are_read_and_too_many_refused() -> None:
    inner = paragraph("innen")
    for _ in range(40):
        inner = row_of(inner + "<w:p/>")
    assert EXTRACTORS[".docx"](word_of(inner)).parts[0].strip() == "innen"
    for _ in range(300):
        inner = row_of(inner + "<w:p/>")
    with pytest.raises(FileError, match="is not a Word document that can be read"):
        EXTRACTORS[".docx"](word_of(inner))


def test_entities_of_a_word_document_are_neither_fetched_nor_multiplied(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret", "geheim")
    before = f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'
    assert "geheim" not in EXTRACTORS[".docx"](word_of(paragraph("see &a;"), before=before)).parts[0]
    layers = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    with pytest.raises(FileError, match="is not a Word document that can be read"):
        EXTRACTORS[".docx"](word_of(paragraph("&l9;"), before=f'<!DOCTYPE x [<!ENTITY l0 "lol">{layers}]>'))


def test_more_xml_than_any_text_has_is_not_read() -> None:
    with pytest.raises(FileError, match=r"unpacks to 1[0-9]{2},[0-9,]+ bytes, more than the limit of 100,000,000"):
        EXTRACTORS[".docx"](word_of("<w:p/>" * 17_000_000))


# ── PDF ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quote_from_a_pdf_names_its_page(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    pages = ("The harbour was built in 1871.", "The ferry to Heligoland leaves at 9:30. Dogs travel free.", "The end.")
    written(folder / "ferry.pdf", pdf_of(*pages, title="Timetable"))
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
    document = read(written(tmp_path / "a.pdf", pdf_of(" ".join([sentence] * 4), "Second page.", width=90)))
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
        read(written(tmp_path / f"a{suffix}", content))


def test_a_pdf_with_a_password_is_refused(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.set_encryption(owner_password="a", user_password="b")
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, text="Secret.")
    with pytest.raises(FileError, match="if it has a password, remove it"):
        read(written(tmp_path / "a.pdf", bytes(pdf.output())))


def test_an_index_from_before_pages_is_made_anew_and_never_misread(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    written(folder / "ferry.txt", "The ferry to Heligoland leaves at 9:30.")
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
