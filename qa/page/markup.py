"""Bits of HTML that every part of the page uses."""

from hashlib import sha256
from html import escape
from urllib.parse import urlencode

from qa.page.words import Words, direction
from qa.records import Document, Entry, Quote
from qa.text import CONTROL


def text(content: str) -> str:
    """Escaped text in which no control character acts beyond itself; the browser's `textContent` is `content`."""
    return CONTROL.sub(lambda match: match[0] if match[0] in "\n\t" else _held(match[0]), escape(content))


def _held(character: str) -> str:
    return f'<bdi class="bq-control" data-code="{ord(character):04X}">{character}</bdi>'


def spoken(language: str) -> str:
    """The attributes `lang` and `dir` of text in a language."""
    lang = "" if language == "und" else language
    return f'lang="{escape(lang)}" dir="{direction(language)}"'


def address(quote: Quote) -> str:
    """The link that opens a quote in its document."""
    bounds = (quote.start, quote.end, quote.answer_start, quote.answer_end)
    return place_address(quote.document.id, *bounds, quoted=quote.text)


def place_address(
    document_id: str,
    start: int,
    end: int,
    answer_start: int | None = None,
    answer_end: int | None = None,
    *,
    quoted: str = "",
) -> str:
    """`/?document=ID&start=S&end=E`, relative, with the answer's bounds where there are any.

    `quoted` are the words there, if the link is to a quote: it carries their digest, and opens nothing else.
    """
    values: dict[str, object] = {"document": document_id, "start": start, "end": end}
    if answer_start is not None and answer_end is not None:
        values["answer"] = f"{answer_start}-{answer_end}"
    if quoted:
        values["is"] = digest(quoted)
    return "?" + urlencode(values)


def digest(quoted: str) -> str:
    """Eight hexadecimal digits by which a link knows its words again."""
    return sha256(quoted.encode()).hexdigest()[:8]


def provenance(document: Document | Entry, language: str, page: int | None, words: Words) -> str:
    """Source, date, language, page and translation, each in an element of its own."""
    parts = [
        document.source,
        words.date(document.date) if document.date else None,
        words.language_name(language) if language != "und" else None,
        words("page", page=page) if page else None,
    ]
    items = [f"<span><bdi>{text(part)}</bdi></span>" for part in parts if part]
    if document.machine_translated:
        items.append(f'<span class="bq-translated">{escape(words("machine_translation"))}</span>')
    return "".join(items)
