"""HTML: the text that a page shows, in reading order, without what is there to navigate or to run."""

import codecs
import re
from collections.abc import Iterator
from itertools import islice

import webencodings
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from qa.encodings import decode
from qa.errors import FileError
from qa.formats import Extract
from qa.formats.scripts import LONGEST, lowered, raised

_SILENT = {
    "script", "style", "noscript", "template", "title", "nav", "aside", "footer", "button", "select", "textarea", "svg",
    "math", "iframe", "object", "audio", "video", "canvas", "dialog", "rp", "rt", "rtc",
}  # fmt: skip
"""`head` is read: libxml2 leaves in it what a page without
`</head>` and `<body>` begins with."""
_STRUCK = {"del", "s", "strike"}
"""What is struck through is what the page takes back; what stands around it stays apart."""
_SILENT_ROLES = {"navigation", "banner", "search", "contentinfo", "complementary", "menu", "dialog", "doc-noteref"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html",
    "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
}  # fmt: skip
_CELLS = {"td", "th"}
_WRITTEN = {"sup": raised, "super": raised, "sub": lowered}
_ALIGNED = re.compile(r"vertical-align\s*:\s*(super|sub)\b", re.IGNORECASE)
_NOTE_CLASS = re.compile(r"reference|(foot|end)?note-?(ref|reference|link|call|anchor)?|fn-?(ref)?", re.IGNORECASE)
_DEEPEST = 3
"""Raised text within raised text beyond this is read as if it were not."""
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{2,40})""", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--(?:-?>|.*?-->)", re.DOTALL)
_CODECS = {
    "big5": "big5hkscs", "euc-kr": "cp949", "gbk": "gb18030", "shift_jis": "cp932", "utf-16be": "utf-8",
    "utf-16le": "utf-8", "x-user-defined": "windows-1252",
}  # fmt: skip
"""What a name stands for in a page, where a browser takes it otherwise than Python. A page whose declaration could be
read as ASCII is not in UTF-16."""
_SEVERAL_BYTES = {
    "big5", "euc-jp", "euc-kr", "gb18030", "gbk", "iso-2022-jp", "replacement", "shift_jis", "utf-16be", "utf-16le",
    "utf-8",
}  # fmt: skip
"""The encodings whose characters may be several bytes."""
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
    title = next((each.text for each in root.iter("title") if next(each.iterancestors("svg"), None) is None), None)
    return Extract(("".join(_pieces(root)).strip("\n"),), title=_one_line(title), date=_date(root))


def _decode(data: bytes) -> str:
    """By the byte order mark, by what the page declares (https://encoding.spec.whatwg.org), else as plain text is
    told."""
    head = data[:4096]
    declared = _CHARSET.search(_COMMENT.sub(b"", head)) or _CHARSET.search(head)  # a script may hold "<!--"
    name = declared[1].decode("ascii") if declared else ""
    known = webencodings.lookup(name)
    if data.startswith(_BOM) or not known:
        return decode(data)
    if known.name == "replacement":
        raise FileError(f"is in {name!r}, which no browser reads any more; save the page as UTF-8")
    if known.name not in _SEVERAL_BYTES and (text := _utf_8(data)) is not None:
        return text
    codec = codecs.lookup(_CODECS[known.name]) if known.name in _CODECS else known.codec_info
    try:
        return str(codec.decode(data, "strict")[0])
    except UnicodeDecodeError as error:
        raise FileError(
            f"declares the encoding {name!r}, but its bytes are not that ({error}); correct the declaration, "
            "or save the page as UTF-8"
        ) from error


def _utf_8(data: bytes) -> str | None:
    """The text of bytes that are UTF-8 and not ASCII alone; other text in one-byte encodings is hardly ever like that,
    but servers and editors turn pages into UTF-8 and leave the declaration."""
    try:
        return None if data.isascii() else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _pieces(root: HtmlElement, *, last: str = "\n", depth: int = 0) -> Iterator[str]:
    """Text and line breaks in reading order behind a character; white space folded as a browser does, except in
    `pre`."""
    preformatted, struck = 0, False
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag, text = element.tag, element.text
        piece = ""
        if event == "start":
            if _is_silent(element):
                walk.skip_subtree()
                continue
            write = _WRITTEN.get(_height(element))
            if write and element is not root and depth < _DEEPEST:
                walk.skip_subtree()
                small = "".join(_pieces(element, last=last, depth=depth + 1))
                is_note = write is raised and len(small) <= LONGEST and _points_to_a_note(element)
                text, piece = None, "" if is_note else write(small, after=last)
            preformatted += tag == "pre"
        else:
            preformatted -= tag == "pre" and not _is_silent(element)
            text = element.tail if element is not root else None
            struck = struck or tag in _STRUCK
        if (
            (tag in _BLOCKS or (tag in _STRUCK and _holds_block(element)))
            and "hidden" not in element.attrib
            and last != "\n"
        ):
            yield (last := "\n")
        if event == "end" and tag == "br":
            yield (last := "\n")
        if event == "start" and tag in _CELLS and last != "\n":
            yield (last := "\t")
        if text:
            piece = text if preformatted else _SPACE.sub(" ", text)
            piece = piece.lstrip(" ") if last in "\n\t " and not preformatted else piece
        if piece:
            yield f" {piece}" if struck and last.isdecimal() and piece[0].isdecimal() else piece
            last, struck = piece[-1], False


def _holds_block(element: HtmlElement) -> bool:
    return next(element.iterdescendants(*_BLOCKS), None) is not None


def _height(element: HtmlElement) -> str:
    """Whether it stands raised ("sup", "super") or lowered ("sub"); else something other."""
    aligned = _ALIGNED.search(element.get("style", ""))
    return aligned[1].lower() if aligned and element.tag not in _BLOCKS | _CELLS else str(element.tag)


def _points_to_a_note(element: HtmlElement) -> bool:
    """Whether raised text says so, is nothing but links to places in a page, or is all that such a link holds."""
    if _is_reference(element):
        return True
    inner = filter(_is_reference, element.iter("a"))
    outer = filter(_is_reference, element.iterancestors("a"))
    said = _said(element)
    return said != "" and ("".join(map(_said, inner)) == said or said in map(_said, outer))


def _is_reference(element: HtmlElement) -> bool:
    classes = element.get("class", "").split()
    return "#" in element.get("href", "") or any(map(_NOTE_CLASS.fullmatch, classes))


def _said(element: HtmlElement) -> str:
    """What an element begins with, without the brackets and commas that stand in or beside the links of notes."""
    signs = (sign for text in element.itertext() for sign in text if not sign.isspace() and sign not in "[](),;-–")
    return "".join(islice(signs, LONGEST + 1))


def _is_silent(element: HtmlElement) -> bool:
    return (
        element.tag in _SILENT | _STRUCK
        or "hidden" in element.attrib
        or element.get("aria-hidden") == "true"
        or element.get("role") in _SILENT_ROLES
        or "noteref" in element.get("epub:type", "").split()
    )


def _date(root: HtmlElement) -> str | None:
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        if name in _DATES and (found := _DATE.match(meta.get("content") or "")):
            return found[0]
    return None


def _one_line(text: str | None) -> str | None:
    return _SPACE.sub(" ", text or "").strip() or None
