"""PDF: the text layer, page by page."""

import re
from collections.abc import Iterator
from threading import Lock

import pypdfium2

from qa.errors import FileError
from qa.formats import Extract

_BROKEN_WORD = re.compile(r"[\ufffe\x02]\n?|\xad\n")
"""How PDFium marks a hyphen at which a word goes on in the next line."""
_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_one_at_a_time = Lock()
"""PDFium is not made for several threads."""


def extract(data: bytes) -> Extract:
    """The pages' texts. Words that a hyphen parts at the end of a line are put together here, once, since a quote shows
    what stands in the document's text; other line ends stay, and `qa.sentences` reads across those of typesetting."""
    with _one_at_a_time:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise FileError(
                f"is not a PDF that can be read ({error}); if it has a password, remove it; else print it to a new PDF"
            ) from error
        try:
            pages = tuple(_pages(pdf))
            about = pdf.get_metadata_dict(skip_empty=True)
        except pypdfium2.PdfiumError as error:
            raise FileError(f"has a page that cannot be read ({error}); print it to a new PDF") from error
        finally:
            pdf.close()
    if pages and not any(page.strip() for page in pages):
        raise FileError("holds no text; it may be a scan: recognise it first, for example with: ocrmypdf FILE FILE")
    date = _DATE.match(about.get("CreationDate", ""))
    title = " ".join(about.get("Title", "").split())
    return Extract(pages, paged=True, title=title or None, date="-".join(date.groups()) if date else None)


def _pages(pdf: pypdfium2.PdfDocument) -> Iterator[str]:
    for page in pdf:
        text = page.get_textpage()
        found = text.get_text_bounded().replace("\r\n", "\n")
        yield _BROKEN_WORD.sub("", found)
        text.close()
        page.close()
