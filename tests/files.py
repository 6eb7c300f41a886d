"""Files as people have them, made for a test, and what ingest finds among them."""

from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from PIL import Image

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


def scanned(*pages: str | None) -> bytes:
    """A PDF of these pages; `None` is a picture."""
    picture = BytesIO()
    Image.new("L", (20, 20)).save(picture, "png")
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for page in pages:
        made.add_page()
        if page is None:
            made.image(picture, w=100)
        else:
            made.multi_cell(0, text=page)
    return bytes(made.output())


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
