"""PDF: the text layer, page by page."""

import ctypes
import re
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

import pypdfium2
import pypdfium2.raw as pdfium
import regex

from qa.errors import FileError
from qa.formats import Extract
from qa.formats.scripts import LOWERED, RAISED

_HYPHEN = regex.compile(r"[\ufffe\x02]\n?|\xad\n")
"""How PDFium marks a hyphen at which a word may go on in the next line."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:[-\u2010\u2011][\p{L}\p{M}\p{N}]+)*")
_WORD_BEFORE = regex.compile(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}\-\u2010\u2011]*$")
_WORD_AFTER = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_REACH = 60
_CASED_AT_END = regex.compile(r"[\p{Lu}\p{Ll}\p{Lt}]\p{M}*$")
_SUSPENDED = {"and", "bzw", "och", "oder", "or", "sowie", "und"}
"""A hyphen before them stands for what the next word ends in: Nord- und Südamerika."""
_SMALL = RAISED.keys() - set("ni")
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
            pages, scans = _read(pdf)
            about = pdf.get_metadata_dict(skip_empty=True)
        except pypdfium2.PdfiumError as error:
            raise FileError(f"has a page that cannot be read ({error}); print it to a new PDF") from error
        finally:
            pdf.close()
    if pages and not any(page.strip() for page in pages):
        raise FileError("holds no text; it may be a scan: recognise it first, for example with: ocrmypdf FILE FILE")
    date = _DATE.match(about.get("CreationDate", ""))
    title = " ".join(about.get("Title", "").split())
    return Extract(
        tuple(_mended(pages)), paged=True, title=title or None, date="-".join(date.groups()) if date else None,
        warning=_warning(scans),
    )  # fmt: skip


def _read(pdf: pypdfium2.PdfDocument) -> tuple[list[str], list[int]]:
    """The pages' texts as PDFium gives them, and the numbers, from 1, of those that hold nothing but images."""
    pages, scans = [], []
    for number, page in enumerate(pdf, start=1):
        text = page.get_textpage()
        found = _with_small_figures(text.get_text_bounded(), text)
        if not found.strip() and any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE])):
            scans.append(number)
        pages.append(found.replace("\r\n", "\n"))
        text.close()
        page.close()
    return pages, scans


def _warning(scans: Sequence[int]) -> str | None:
    """What the owner of a file should know of its scanned pages, such as "pages 2–4, 9 hold no text …"."""
    known = set(scans)
    starts, ends = ([page for page in scans if page + step not in known] for step in (-1, 1))
    ranges = ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=True))
    what, them = (f"page {ranges} holds", "it") if len(scans) == 1 else (f"pages {ranges} hold", "them")
    advice = f"recognise {them} first, for example with: ocrmypdf --skip-text FILE FILE"
    return f"{what} no text, only images; {advice}" if scans else None


def _mended(pages: Sequence[str]) -> Iterator[str]:
    """The texts without the ends of lines that part words, and without the hyphens that are there for that only."""
    broken = any(map(_HYPHEN.search, pages))
    words = {word.casefold() for page in pages for word in _WORD.findall(page)} if broken else set()
    for page in pages:
        yield _HYPHEN.sub(lambda mark: _hyphen(mark.string, *mark.span(), words), page)


def _hyphen(text: str, start: int, end: int, words: set[str]) -> str:
    """What stands for a marked hyphen.

    It goes where a small letter follows a letter. It stays before capitals and figures, in scripts without case, and
    where the document has the word with it elsewhere; unless the document has the word without it only.
    """
    before = _WORD_BEFORE.search(text[max(0, start - _REACH) : start])
    after = _WORD_AFTER.match(text, end, end + _REACH)
    left, right = before[0] if before else "", after[0] if after else ""
    if not left or not right:
        return "-\n" if text[start:end].endswith("\n") else "-"
    joined = f"{left}{right}".casefold() in words
    hyphenated = f"{left}-{right}".casefold() in words
    if joined != hyphenated and not right[0].isdigit() and (hyphenated or right[0].isupper() <= left.isupper()):
        return "-" if hyphenated else ""
    if right.casefold() in _SUSPENDED:
        return "-\n"
    return "" if right[0].islower() and _CASED_AT_END.search(left) else "-"


def _with_small_figures(found: str, text: pypdfium2.PdfTextPage) -> str:
    """The text with raised and lowered figures as such (10⁶, CO₂), so that they do not join the figure before them.

    PDFium gives the text without its places, and the places of more than the text: of glyphs beside the page, too.
    """
    glyphs = ((i, chr(pdfium.FPDFText_GetUnicode(text, i))) for i in range(text.count_chars()))
    written = list(found)
    base = last = -2
    for place, character in enumerate(found):
        if character.isspace():
            base = last = -2
            continue
        i = next((i for i, glyph in glyphs if glyph == character), None)
        if i is None:  # it is not as expected
            return found
        signs = _height(text, base, i) if character in _SMALL and i == last + 1 else None
        if signs:
            written[place] = signs[character]
        else:
            base = i
        last = i
    return "".join(written)


def _height(text: pypdfium2.PdfTextPage, base: int, small: int) -> Mapping[str, str] | None:
    """`RAISED` or `LOWERED` for a glyph that is smaller than the one before it and stands above or below its line."""
    (base_size, base_y), (size, y) = _size(text, base), _size(text, small)
    if not 0.4 * base_size <= size <= 0.85 * base_size:  # a drop cap is larger still
        return None
    shift = (y - base_y) / base_size
    return RAISED if 0.2 <= shift <= 0.9 else LOWERED if -0.6 <= shift <= -0.08 else None


def _size(text: pypdfium2.PdfTextPage, i: int) -> tuple[float, float]:
    """Height of a glyph's font and of its foot above the page's; 0 for what is not upright."""
    matrix, x, y = pdfium.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetMatrix(text, i, matrix)
    pdfium.FPDFText_GetCharOrigin(text, i, x, y)
    upright = matrix.d > 0 and abs(matrix.c) < 0.5 * matrix.d and abs(matrix.b) < 0.01 * matrix.d
    return pdfium.FPDFText_GetFontSize(text, i) * matrix.d if upright else 0.0, y.value
