"""Word documents: paragraphs and tables in their order."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

from docx import Document
from docx.document import Document as WordDocument
from docx.table import Table, _Cell
from lxml.etree import LxmlError

from qa.errors import FileError
from qa.formats import Extract

_MOST_UNPACKED = 500_000_000
"""Bytes of all parts together; a document of 50 MB is rarely more than 200 MB inside."""
_MOST_XML = 100_000_000
"""Bytes of all parts that are XML, which become objects of several times their size; a page is some 20,000."""


def extract(data: bytes) -> Extract:
    """The text of the body; a row of a table is a line, its cells parted by tabs. Headers, notes and comments are left
    out: they stand beside the text, not in it."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for ends, limit in (("", _MOST_UNPACKED), ((".xml", ".rels"), _MOST_XML)):
                entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(ends)]
                if (size := sum(entry.file_size for entry in entries)) > limit:
                    raise FileError(f"unpacks to {size:,} bytes, more than the limit of {limit:,}; split it")
        document = Document(BytesIO(data))
        text = "\n".join(_lines(document))
        about = document.core_properties
        return Extract((text,), title=about.title.strip() or None, date=about.created and f"{about.created:%Y-%m-%d}")
    except FileError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, LxmlError, NotImplementedError) as error:
        raise FileError(
            f"is not a Word document that can be read ({error}); if it has a password, remove it; else save it anew"
        ) from error


def _lines(holder: WordDocument | _Cell) -> Iterator[str]:
    for block in holder.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                # Not `row.cells`, which gives a cell that spans columns once for each of them, however many it names.
                cells = (_Cell(cell, block) for cell in row._tr.tc_lst if cell.vMerge != "continue")
                yield "\t".join(" ".join(_lines(cell)) for cell in cells)
        else:
            yield block.text
