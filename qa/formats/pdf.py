"""PDF: the text layer, page by page."""

import ctypes
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import nan
from operator import itemgetter
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
_SYLLABLE_AT_END = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])(?:[\p{Lu}\p{Ll}\p{Lt}]\p{M}*)*[\p{Lu}\p{Ll}\p{Lt}]\p{M}*[\p{Ll}\p{Lt}]\p{M}*$"
)
"""Two letters or more of a script with case, the last one small, and no figure."""
_SUSPENDED = {"and", "bzw", "och", "oder", "or", "sowie", "und"}
"""A hyphen before them stands for what the next word ends in: Nord- und Südamerika."""
_SMALL = RAISED.keys() - set("ni")
_BETWEEN = ".,/"
"""Stand between small figures and have no small form: 143¹,²."""
_FIGURE = regex.compile(r"[0-9]")
_FIGURE_BEHIND = regex.compile(r"(?<=\S)[0-9]")
_FARTHEST = 100_000
"""Characters beside the page among which a run is looked for; without an end a made-up page takes minutes."""
_RUN = regex.compile(r"\S+")
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

    It goes where a small letter follows a syllable. It stays before capitals and figures, behind what is no syllable
    (US-, 19th-, α-), in scripts without case, and where the document has the word with it elsewhere; unless the
    document has the word without it only.
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
    return "" if right[0].islower() and _SYLLABLE_AT_END.search(left) else "-"


def _with_small_figures(found: str, page: pypdfium2.PdfTextPage) -> str:
    """The text with raised and lowered figures as such (10⁶, CO₂), so that they do not join the figure before them.

    PDFium gives the text without its places, and the places of more than the text: of glyphs beside the page, too.
    """
    return _RUN.sub(_Glyphs(page).written, found) if _FIGURE_BEHIND.search(found) else found


class _Glyphs:
    """Where a page's glyphs stand; `written` is called for the runs between white space, in their order.

    What cannot be measured counts as standing on its line. Glyphs are counted in units of UTF-16.
    """

    def __init__(self, page: pypdfium2.PdfTextPage) -> None:
        self._page = page.raw
        self._text = page.get_text_range().replace("\ufffe", "\x02")
        self._pairs = [place for place, character in enumerate(self._text) if character > "\uffff"]
        self._at = 0
        self._x, self._y, self._matrix = ctypes.c_double(), ctypes.c_double(), pdfium.FS_MATRIX()
        self._places: dict[int, complex] = {}

    def written(self, run: regex.Match[str]) -> str:
        """A run with its small figures; signs are small only beside them: a raised hyphen is a hyphen."""
        text = run[0]
        start = self._text.find(text, self._at, self._at + _FARTHEST)
        if start < 0:
            return text
        self._at = start + len(text)
        if not _FIGURE_BEHIND.search(text):
            return text
        heights = self._heights(text, start)
        if not any(heights):
            return text
        pieces = groupby(zip(heights, text, strict=True), key=itemgetter(0))
        return "".join(_small("".join(sign for _, sign in piece), signs) for signs, piece in pieces)

    def _heights(self, text: str, start: int) -> list[Mapping[str, str] | None]:
        """Of each character of a run `RAISED`, `LOWERED`, or `None` if it stands on the line."""
        heights: list[Mapping[str, str] | None] = [None] * len(text)
        unit = self._unit(start)
        base = pdfium.FPDFText_GetCharIndexFromTextIndex(self._page, unit)
        shift = base - unit
        for k, character in enumerate(text):
            i = shift + self._unit(start + k)
            if k and (character in _SMALL or (character in _BETWEEN and heights[k - 1])):
                heights[k] = self._height(base, i, character)
            if not heights[k]:
                base = i
        return heights

    def _unit(self, place: int) -> int:
        return place + bisect_left(self._pairs, place)

    def _height(self, base: int, small: int, character: str) -> Mapping[str, str] | None:
        """Of a glyph that is smaller than the one before it and stands above or below its line."""
        way = self._place(small) - self._place(base)
        if not way.imag or ord(character) != pdfium.FPDFText_GetUnicode(self._page, small):
            return None
        (base_size, base_up), (size, up) = self._frame(base), self._frame(small)
        if not (0.4 * base_size <= size <= 0.85 * base_size and _along(up, base_up) > 0.99):  # a drop cap is larger
            return None
        shift = _along(way, base_up)
        is_raised, is_lowered = (
            0.2 * base_size <= shift <= 0.9 * base_size,
            -0.6 * base_size <= shift <= -0.08 * base_size,
        )
        return RAISED if is_raised else LOWERED if is_lowered else None

    def _place(self, i: int) -> complex:
        """Where a glyph's foot stands, x + iy."""
        if (place := self._places.get(i)) is None:
            known = pdfium.FPDFText_GetCharOrigin(self._page, i, self._x, self._y)
            place = self._places[i] = complex(self._x.value, self._y.value) if known else complex(nan, nan)
        return place

    def _frame(self, i: int) -> tuple[float, complex]:
        """How high a glyph's font stands above its line, and the direction, of length 1, in which it does."""
        size = pdfium.FPDFText_GetFontSize(self._page, i)
        if not pdfium.FPDFText_GetMatrix(self._page, i, self._matrix):
            return nan, 0
        matrix = self._matrix
        line, area = complex(matrix.a, matrix.b), matrix.a * matrix.d - matrix.b * matrix.c
        length = abs(line)
        return (abs(size * area) / length, line / length * (1j if size * area > 0 else -1j)) if length else (nan, 0)


def _along(way: complex, direction: complex) -> float:
    """How far a way leads in a direction of length 1."""
    return (way * direction.conjugate()).real


def _small(piece: str, signs: Mapping[str, str] | None) -> str:
    return "".join(signs.get(sign, sign) for sign in piece) if signs and _FIGURE.search(piece) else piece
