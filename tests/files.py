"""Files as people have them, made for a test, and what ingest finds among them."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

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


def drawn(content: str, *, rotate: int = 0, meant: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A PDF of one page with this content stream, where /F1 is Helvetica; `meant`: what some of its signs stand for."""
    signs = "".join(f"<{ord(sign):02X}> <{text.encode('utf-16-be').hex()}>\n" for sign, text in meant.items())
    table = f"1 begincodespacerange <00> <FF> endcodespacerange {len(meant)} beginbfchar {signs} endbfchar"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 600 800]>>",
        f"<</Type/Page/Parent 2 0 R/Rotate {rotate}/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 6 0 R>>",
        f"<</Length {len(table)}>>stream\n{table}\nendstream",
    )
    body = "".join(f"{number} 0 obj\n{each}\nendobj\n" for number, each in enumerate(objects, start=1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R>>\n%%EOF".encode("latin-1")


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
