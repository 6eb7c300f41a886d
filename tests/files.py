"""Files as people have them, made for a test, and what ingest finds among them."""

from pathlib import Path

from fpdf import FPDF

from qa.ingest import find_sources, read_document
from qa.records import Document
from qa.settings import IngestSettings

TEXT = "The seminar was held in Shanghai. Forty countries took part.\n"


def write(path: Path, content: str | bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf_of(*pages: str, title: str = "", width: float = 0) -> bytes:
    pdf = FPDF()
    pdf.set_title(title)
    pdf.set_font("Helvetica", size=12)
    for page in pages:
        pdf.add_page()
        pdf.multi_cell(width, text=page)
    return bytes(pdf.output())


def read(path: Path) -> Document:
    """The one document of a file or folder."""
    (source,), problems = find_sources([path])
    assert not problems
    return read_document(source, IngestSettings())


def ids(*roots: Path) -> list[str]:
    return [source.document_id for source in find_sources(roots)[0]]


def problems(*roots: Path) -> dict[str, str]:
    """Of each file that is left out, by its name, the reason."""
    return {Path(problem.path).name: problem.message for problem in find_sources(roots)[1]}
