"""Word documents: paragraphs and tables in their order."""

import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import groupby
from operator import itemgetter

from docx import Document
from docx.document import Document as DocxDocument
from docx.oxml.ns import qn
from lxml.etree import LxmlError, _Element

from qa.errors import FileError
from qa.formats import Extract, symbols
from qa.formats.formulas import CHARACTERS, MATH, joined, linear, symbol
from qa.formats.scripts import lowered, raised

_MOST_UNPACKED = 500_000_000
"""Bytes of all parts together; a document of 50 MB is rarely more than 200 MB inside."""
_MOST_XML = 100_000_000
"""Bytes of all parts that are XML, which become objects of several times their size; a page is some 20,000."""

_WRAPPERS = {
    qn(f"w:{name}")
    for name in ("bdo", "customXml", "dir", "fldSimple", "hyperlink", "ins", "moveTo", "sdt", "sdtContent", "smartTag")
}
"""Elements that add something to what they hold: a link, a field, a content control, the mark of an insertion."""
_PROMPT = f"{qn('w:sdtPr')}/{qn('w:showingPlcHdr')}"
_DELETED_ROW = f"{qn('w:trPr')}/{qn('w:del')}"
_DELETED_CELL = f"{qn('w:tcPr')}/{qn('w:cellDel')}"
_DELETED_ENDS = [f"{qn('w:pPr')}/{qn('w:rPr')}/{qn(name)}" for name in ("w:del", "w:moveFrom")]
"""Marks of paragraphs that go on in the next one."""
_RUBY = f"{qn('w:rubyBase')}//{qn('w:r')}"
_MOST_BASES = 10
"""Styles that are each based on the next."""
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SAYING = [qn("w:t"), qn("w:sym"), f"{MATH}t"]
_FORMULAS = {f"{MATH}oMath", f"{MATH}oMathPara"}
_ALIGNED = f"{qn('w:rPr')}/{qn('w:vertAlign')}"
_STYLED = f"{qn('w:rPr')}/{qn('w:rStyle')}"
_FONT = f"{qn('w:rPr')}/{qn('w:rFonts')}"
_WRITTEN = {"superscript": raised, "subscript": lowered}


def extract(data: bytes) -> Extract:
    """The text of the body as it reads with all changes accepted; a row of a table is a line, its cells parted by tabs.
    Headers, notes, comments and text boxes are left out: they stand beside the text, not in it."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for ends, limit in (("", _MOST_UNPACKED), ((".xml", ".rels"), _MOST_XML)):
                entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(ends)]
                if (size := sum(entry.file_size for entry in entries)) > limit:
                    raise FileError(f"unpacks to {size:,} bytes, more than the limit of {limit:,}; split it")
        document = Document(BytesIO(data))
        text = "\n".join(_lines(document.element.body, _styles(document)))
        about = document.core_properties
        return Extract((text,), title=about.title.strip() or None, date=about.created and f"{about.created:%Y-%m-%d}")
    except FileError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, LxmlError, NotImplementedError) as error:
        raise FileError(
            f"is not a Word document that can be read ({error}); if it has a password, remove it; else save it anew"
        ) from error


def _styles(document: DocxDocument) -> Mapping[str, str]:
    """How high styles set text that say it, or are based on one that does. Without readable styles there are none."""
    try:
        styles = {style.get(qn("w:styleId")): style for style in document.styles.element.iterfind(qn("w:style"))}
    except (AttributeError, ValueError):  # their part has another type, or there are two
        return {}
    own = {name: style.find(_ALIGNED) for name, style in styles.items()}
    based = {name: style.find(qn("w:basedOn")) for name, style in styles.items()}
    found = {name: aligned.get(qn("w:val")) for name, aligned in own.items() if aligned is not None}
    for _ in range(_MOST_BASES):
        inherited = {name: base.get(qn("w:val")) for name, base in based.items() if base is not None}
        found = {name: found[base] for name, base in inherited.items() if base in found} | found
    return found


def _lines(holder: _Element, styles: Mapping[str, str]) -> Iterator[str]:
    """Of a body or a cell: a line for each paragraph and each row. `styles` are those that raise or lower."""
    begun = ""
    for block in _unwrapped(holder):
        if block.tag == qn("w:p"):
            begun = _continued(begun, block, styles)
            if not any(block.find(mark) is not None for mark in _DELETED_ENDS):
                yield begun
                begun = ""
        elif block.tag == qn("w:tbl"):
            for row in _unwrapped(block):
                if row.tag == qn("w:tr") and row.find(_DELETED_ROW) is None:
                    cells = (cell for cell in _unwrapped(row) if _is_cell(cell))
                    yield "\t".join(" ".join(_lines(cell, styles)) for cell in cells)
    if begun:
        yield begun


def _is_cell(element: _Element) -> bool:
    """Whether it is a cell that shows something of its own."""
    return element.tag == qn("w:tc") and element.vMerge != "continue" and element.find(_DELETED_CELL) is None


def _continued(line: str, block: _Element, styles: Mapping[str, str]) -> str:
    """The line with what a paragraph shows. Neighbours of one height are one piece."""
    formula = ""
    for height, group in groupby(_pieces(block, styles), key=itemgetter(0)):
        pieces = [text for _, text in group]
        piece = joined(pieces) if height == "formula" else "".join(pieces)
        if write := _WRITTEN.get(height):
            piece = write(piece, after=line[-1:])
        is_apart = height == "formula" or (not height and formula and not formula.isalpha())  # "nth" goes on
        line = joined((line, piece)) if is_apart else line + piece
        formula = piece if height == "formula" else ""
    return line


def _pieces(block: _Element, styles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Height ("superscript", "subscript", else "" or "formula") and text of what stands in a paragraph."""
    for part in _unwrapped(block):
        if part.tag in _FORMULAS:
            yield "formula", linear(part)
        elif part.tag == qn("w:r") and (text := _text(part)):
            height = _height(part, styles)
            if not (height == "superscript" and _points_to_a_note(part, styles)):
                yield height, text


def _height(run: _Element, styles: Mapping[str, str]) -> str:
    aligned, style = run.find(_ALIGNED), run.find(_STYLED)
    value = aligned.get(qn("w:val")) if aligned is not None else None
    value = value or (styles.get(style.get(qn("w:val"))) if style is not None else None)
    return value if value in _WRITTEN else ""


def _points_to_a_note(run: _Element, styles: Mapping[str, str]) -> bool:
    """Whether the run stands in a link within the document that holds nothing but raised text."""
    link = next(run.iterancestors(qn("w:hyperlink")), None)
    if link is None or link.get(qn("w:anchor")) is None:
        return False
    return all(_height(each, styles) == "superscript" for each in link.iter(qn("w:r")) if _text(each).strip())


def _text(run: _Element) -> str:
    """What a run shows; of ruby the text, not the small one above it."""
    return "".join(_shown(part, run) for part in _unwrapped(run))


def _shown(part: _Element, run: _Element) -> str:
    if part.tag == qn("w:t"):
        font = run.find(_FONT)
        return symbols.unmoved(part.text or "", font.get(qn("w:ascii"), "") if font is not None else "")
    if part.tag == qn("w:sym"):
        return symbol(part)
    if part.tag == qn("w:ruby"):
        return "".join(map(_text, part.iterfind(_RUBY)))
    return f" {linear(part)} " if part.tag in _FORMULAS else CHARACTERS.get(part.tag, "")


def _unwrapped(holder: _Element) -> Iterator[_Element]:
    """The children, with what a wrapper holds in the place of the wrapper. What was deleted or moved away is wrapped,
    too, and stays wrapped; so does the prompt of a field that nobody filled in. Of alternatives one is looked into."""
    for child in holder:
        if child.tag == f"{_COMPATIBLE}AlternateContent":
            if (chosen := _chosen(child)) is not None:
                yield from _unwrapped(chosen)
        elif child.tag not in _WRAPPERS:
            yield child
        elif child.find(_PROMPT) is None:
            yield from _unwrapped(child)


def _chosen(alternatives: _Element) -> _Element | None:
    """The first alternative that says something: the one for any program, else one that needs some extension."""
    found = (*alternatives.iterfind(f"{_COMPATIBLE}Fallback"), *alternatives.iterfind(f"{_COMPATIBLE}Choice"))
    return next((each for each in found if next(each.iter(*_SAYING), None) is not None), None)
