"""Word documents: read in their order, changes accepted, and never unpacked without end."""

import zipfile
from io import BytesIO
from pathlib import Path

import docx
import pytest

from qa.errors import FileError
from qa.formats import EXTRACTORS
from tests.files import read, write


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
    secret = write(tmp_path / "secret", "geheim")
    before = f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'
    assert "geheim" not in EXTRACTORS[".docx"](word_of(paragraph("see &a;"), before=before)).parts[0]
    layers = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    with pytest.raises(FileError, match="is not a Word document that can be read"):
        EXTRACTORS[".docx"](word_of(paragraph("&l9;"), before=f'<!DOCTYPE x [<!ENTITY l0 "lol">{layers}]>'))


def test_more_xml_than_any_text_has_is_not_read() -> None:
    with pytest.raises(FileError, match=r"unpacks to 1[0-9]{2},[0-9,]+ bytes, more than the limit of 100,000,000"):
        EXTRACTORS[".docx"](word_of("<w:p/>" * 17_000_000))
