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


def word_of(body: str, *, before: str = "", style: str = "") -> bytes:
    """A Word document whose body is this XML; `style` is one more."""
    empty, made = BytesIO(), BytesIO()
    docx.Document().save(empty)
    places = {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    }
    spaces = " ".join(f'xmlns:{name}="{place}"' for name, place in places.items())
    with zipfile.ZipFile(empty) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            if name == "word/styles.xml":
                styles = source.read(name).decode()
                archive.writestr(name, styles.replace("</w:styles>", f"{style}</w:styles>"))
            elif name != "word/document.xml":
                archive.writestr(name, source.read(name))
        xml = f"{before}<w:document {spaces}><w:body>{body}</w:body></w:document>"
        archive.writestr("word/document.xml", xml)
    return made.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def line_of(content: str, **settings: str) -> str:
    """What Word documents with one paragraph say, whose runs and formulas are this XML."""
    (text,) = EXTRACTORS[".docx"](word_of(f"<w:p>{content}</w:p>", **settings)).parts
    return text


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def row_of(*cells: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/><w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr></w:tbl>"


def test_a_cell_that_spans_columns_is_read_once_however_many_it_claims() -> None:
    span = '<w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>'
    word = word_of(row_of(span + paragraph("breit"), paragraph("schmal")))
    assert EXTRACTORS[".docx"](word).parts == ("breit\tschmal",)


def test_changes_count_as_accepted_and_what_only_wraps_text_is_looked_into() -> None:
    def control(content: str, properties: str = "") -> str:
        return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"

    deleted = f"<w:del><w:r><w:delText>always </w:delText></w:r></w:del><w:moveFrom>{run('gladly ')}</w:moveFrom>"
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


RAISED = '<w:vertAlign w:val="superscript"/>'
STYLES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"
TWICE = f'<Relationship Id="z" Type="{STYLES}" Target="styles.xml"/>'
STYLES_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"
LOWERED = '<w:vertAlign w:val="subscript"/>'


def test_raised_and_lowered_figures_never_join_the_figure_before_them() -> None:
    figures = run("143") + run("2", RAISED) + run(" states, 10") + run("−", RAISED) + run("6", RAISED)
    assert line_of(figures + run(" t of CO") + run("2", LOWERED)) == "143² states, 10⁻⁶ t of CO₂"
    assert line_of(run("1") + run("st", RAISED) + run(", 10") + run("1/2", RAISED)) == "1st, 10^(1/2)"
    style = f'<w:style w:type="character" w:styleId="Up"><w:name w:val="Up"/><w:rPr>{RAISED}</w:rPr></w:style>'
    up = '<w:rStyle w:val="Up"/>'
    assert line_of(run("10") + run("6", up), style=style) == "10⁶"
    based = (
        '<w:style w:styleId="On"><w:basedOn w:val="Up"/></w:style><w:style w:styleId="Loop"><w:basedOn w:val="Loop"/>'
    )
    loop = run("5", '<w:rStyle w:val="Loop"/>')
    assert line_of(run("10") + run("6", '<w:rStyle w:val="On"/>') + loop, style=f"{style}{based}</w:style>") == "10⁶5"
    assert line_of(run("10") + run("6", up + '<w:vertAlign w:val="baseline"/>'), style=style) == "106"


def test_what_points_to_a_note_is_left_out() -> None:
    note = f"<w:r><w:rPr>{RAISED}</w:rPr><w:footnoteReference w:id='2'/></w:r>"
    link = f"<w:hyperlink w:anchor='_ftn2'>{run('2', RAISED)}</w:hyperlink>"
    assert line_of(run("143") + note + run(" or 144") + link + run(" states")) == "143 or 144 states"


def test_small_figures_in_a_link_to_a_section_stay() -> None:
    entry = run("143 km") + run("2", RAISED) + run(", CO") + run("2", LOWERED)
    assert line_of(f"<w:hyperlink w:anchor='_Toc1'>{entry}</w:hyperlink>") == "143 km², CO₂"
    marked = f"<w:ins>{run('[', RAISED)}</w:ins>{run('2]', RAISED)}"
    assert line_of(run("143") + f"<w:hyperlink w:anchor='_ftn2'>{marked}</w:hyperlink>") == "143"


def test_what_is_raised_does_not_lose_the_white_space_around_it() -> None:
    tab = f"<w:r><w:rPr>{RAISED}</w:rPr><w:t>a1</w:t><w:tab/></w:r>"
    assert line_of(run("Total") + tab + run("143")) == "Total^a1\t143"
    lines = f"<w:r><w:rPr>{RAISED}</w:rPr><w:t>1.5</w:t><w:br/><w:t>In</w:t><w:br/></w:r>"
    assert line_of(run("Total") + lines + run("2024")) == "Total^1.5\nIn\n2024"


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("[Content_Types].xml", STYLES_TYPE, "application/xml"),
        ("word/_rels/document.xml.rels", "<Relationship ", f"{TWICE}<Relationship "),
    ],
)
def test_a_document_whose_styles_cannot_be_told_is_read(part: str, old: str, new: str) -> None:
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(word_of(paragraph("Text")))) as source, zipfile.ZipFile(made, "w") as archive:
        for name in source.namelist():
            content = source.read(name).decode("latin-1")
            assert name != part or old in content
            archive.writestr(name, content.replace(old, new).encode("latin-1") if name == part else source.read(name))
    assert EXTRACTORS[".docx"](made.getvalue()).parts == ("Text",)


def test_signs_of_symbol_fonts_are_read_and_unknown_ones_keep_their_place() -> None:
    def sign(font: str, code: str) -> str:
        return f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'

    known = sign("Symbol", "F0B3") + sign("symbol", "0061") + sign("Symbol", "F057") + sign("Wingdings", "F0FC")
    assert line_of(run("x ") + known + sign("Arial", "2265")) == "x ≥αΩ✓≥"
    assert (
        line_of("".join(sign(*each) for each in (("Webdings", "F061"), ("Symbol", "F0F0"), ("Arial", "no")))) == "���"
    )
    assert line_of(sign("Arial", "D800") + sign("Arial", "")) == "��"
    assert line_of(run("p \uf0b3 5 \uf0ff", '<w:rFonts w:ascii="Symbol"/>') + run("\uf0b3")) == "p ≥ 5 �\uf0b3"


def test_of_alternatives_one_is_read() -> None:
    def alternatives(choice: str, fallback: str) -> str:
        return (
            f'<mc:AlternateContent><mc:Choice Requires="x">{choice}</mc:Choice>'
            f"<mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent>"
        )

    sign, box = "<w:t>😀</w:t>", f"<w:pict><w:txbxContent>{paragraph('beside')}</w:txbxContent></w:pict>"
    assert line_of(f"<w:r>{alternatives('<w:other/>', sign)}</w:r>") == "😀"
    assert line_of(f"<w:r>{alternatives(sign, '<w:pict/>')}</w:r>") == "😀"
    assert line_of(f"<w:r>{alternatives(sign, sign)}</w:r>") == "😀"
    assert line_of(alternatives(run("in"), run("in"))) == "in"
    assert line_of(run("no ") + f"<w:r>{alternatives(box, box)}</w:r>") == "no "


@pytest.mark.parametrize("kind", ["", 'w:type="page"', 'w:type="column"', 'w:type="textWrapping"'])
def test_breaks_of_all_kinds_end_a_line(kind: str) -> None:
    assert line_of(f"<w:r><w:t>end of page.</w:t><w:br {kind}/><w:t>Next</w:t></w:r>") == "end of page.\nNext"
    marks = (
        "<w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t><w:softHyphen/><w:t>d</w:t><w:cr/><w:t>e</w:t>"
    )
    assert line_of(f"<w:r>{marks}</w:r>") == "a\tb-cd\ne"
