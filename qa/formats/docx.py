"""Word documents: paragraphs and tables in their order."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

from docx import Document
from docx.oxml.ns import qn
from lxml.etree import LxmlError, _Element

from qa.errors import FileError
from qa.formats import Extract

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
_RUBY = f"{qn('w:ruby')}/{qn('w:rubyBase')}//{qn('w:r')}"


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
        text = "\n".join(_lines(document.element.body))
        about = document.core_properties
        return Extract((text,), title=about.title.strip() or None, date=about.created and f"{about.created:%Y-%m-%d}")
    except FileError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, LxmlError, NotImplementedError) as error:
        raise FileError(
            f"is not a Word document that can be read ({error}); if it has a password, remove it; else save it anew"
        ) from error


def _lines(holder: _Element) -> Iterator[str]:
    """Of a body or a cell: a line for each paragraph and each row."""
    begun = ""
    for block in _unwrapped(holder):
        if block.tag == qn("w:p"):
            begun += "".join(_text(run) for run in _unwrapped(block) if run.tag == qn("w:r"))
            if not any(block.find(mark) is not None for mark in _DELETED_ENDS):
                yield begun
                begun = ""
        elif block.tag == qn("w:tbl"):
            for row in _unwrapped(block):
                if row.tag == qn("w:tr") and row.find(_DELETED_ROW) is None:
                    yield "\t".join(" ".join(_lines(cell)) for cell in _unwrapped(row) if _is_cell(cell))
    if begun:
        yield begun


def _is_cell(element: _Element) -> bool:
    """Whether it is a cell that shows something of its own."""
    return element.tag == qn("w:tc") and element.vMerge != "continue" and element.find(_DELETED_CELL) is None


def _text(run: _Element) -> str:
    """What a run shows; of ruby the text, not the small one above it."""
    return str(run.text) + "".join(base.text for base in run.iterfind(_RUBY))


def _unwrapped(holder: _Element) -> Iterator[_Element]:
    """The children, with what a wrapper holds in the place of the wrapper. What was deleted or moved away is wrapped,
    too, and stays wrapped; so does the prompt of a field that nobody filled in."""
    for child in holder:
        if child.tag not in _WRAPPERS:
            yield child
        elif child.find(_PROMPT) is None:
            yield from _unwrapped(child)
