"""HTML: the text that a page shows, in reading order, without what is there to navigate or to run."""

import codecs
import re
from collections.abc import Iterator

import webencodings
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from qa.encodings import decode
from qa.errors import FileError
from qa.formats import Extract

_SILENT = {
    "script", "style", "noscript", "template", "head", "nav", "aside", "footer", "button", "select", "textarea", "svg",
    "math", "iframe", "object", "audio", "video", "canvas", "dialog",
}  # fmt: skip
_SILENT_ROLES = {"navigation", "banner", "search", "contentinfo", "complementary", "menu", "dialog"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
    "html", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
}  # fmt: skip
_CELLS = {"td", "th"}
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{2,40})""", re.IGNORECASE)
_CODECS = {
    "big5": "big5hkscs", "euc-kr": "cp949", "gbk": "gb18030", "shift_jis": "cp932", "utf-16be": "utf-8",
    "utf-16le": "utf-8", "x-user-defined": "windows-1252",
}  # fmt: skip
"""What a name stands for in a page, where a browser takes it otherwise than Python. A page whose declaration could be
read as ASCII is not in UTF-16."""
_BOM = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_SPACE = re.compile(r"[ \t\n\f\r]+")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_DATES = ("article:published_time", "datePublished", "date", "dcterms.created", "dc.date")


def extract(data: bytes) -> Extract:
    """The text of the body. Paragraphs and the like stand on lines of their own, table cells are parted by tabs."""
    markup = _XML_DECLARATION.sub("", _decode(data))
    parser = HTMLParser(remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = document_fromstring(markup, parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise FileError(f"holds no HTML that can be read ({error}); open it in a browser and save it anew") from error
    # libxml2 leaves out what stands deeper, and calls the rest the page.
    if any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        raise FileError("is nested more than 2,048 elements deep; save it anew as plain text")
    title = root.findtext(".//title")
    return Extract(("".join(_pieces(root)).strip("\n"),), title=_one_line(title), date=_date(root))


def _decode(data: bytes) -> str:
    """By the byte order mark, by what the page declares (https://encoding.spec.whatwg.org), else as plain text is
    told."""
    declared = _CHARSET.search(data[:4096])
    name = declared[1].decode("ascii") if declared else ""
    known = webencodings.lookup(name)
    if data.startswith(_BOM) or not known:
        return decode(data)
    if known.name == "replacement":
        raise FileError(f"is in {name!r}, which no browser reads any more; save the page as UTF-8")
    codec = codecs.lookup(_CODECS[known.name]) if known.name in _CODECS else known.codec_info
    try:
        return str(codec.decode(data, "strict")[0])
    except UnicodeDecodeError as error:
        raise FileError(
            f"declares the encoding {name!r}, but its bytes are not that ({error}); correct the declaration, "
            "or save the page as UTF-8"
        ) from error


def _pieces(root: HtmlElement) -> Iterator[str]:
    """Text and line breaks in reading order; white space folded as a browser does, except in `pre`."""
    at_start, preformatted = True, 0
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag, text = element.tag, element.text
        if event == "start":
            if _is_silent(element):
                walk.skip_subtree()
                continue
            preformatted += tag == "pre"
        else:
            preformatted -= tag == "pre" and not _is_silent(element)
            text = element.tail
        if tag in _BLOCKS and "hidden" not in element.attrib and not at_start:
            yield "\n"
            at_start = True
        if event == "end" and tag == "br":
            yield "\n"
            at_start = True
        if event == "start" and tag in _CELLS and not at_start:
            yield "\t"
        if text:
            piece = text if preformatted else _SPACE.sub(" ", text)
            piece = piece.lstrip(" ") if at_start and not preformatted else piece
            if piece:
                yield piece
                at_start = piece.endswith("\n")


def _is_silent(element: HtmlElement) -> bool:
    return (
        element.tag in _SILENT
        or "hidden" in element.attrib
        or element.get("aria-hidden") == "true"
        or element.get("role") in _SILENT_ROLES
    )


def _date(root: HtmlElement) -> str | None:
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        if name in _DATES and (found := _DATE.match(meta.get("content") or "")):
            return found[0]
    return None


def _one_line(text: str | None) -> str | None:
    return _SPACE.sub(" ", text or "").strip() or None
