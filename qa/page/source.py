"""A document, opened at a quote: a window of its text with the quote and the answer in it marked."""

from bisect import bisect_right
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from qa.page.markup import digest, place_address, provenance, spoken, text
from qa.page.words import Words
from qa.records import Bounds, Document

WINDOW = 3_000
"""Characters that are shown before and after the quote at first."""
STEP = 8_000
"""Characters by which the window grows on each side when more is asked for."""
LONGEST = 60_000
"""Most characters of one quote that are shown; a link may name any stretch."""
_SLACK = 120
"""How far a window's edge may move to lie between words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of a document, and the answer in it. Empty bounds: nothing is marked. `compared`: these are the words
    that the link meant."""

    document: Document
    start: int = 0
    end: int = 0
    answer: Bounds | None = None
    compared: bool = False

    @property
    def page(self) -> int | None:
        """The page on which the stretch begins, from 1."""
        return bisect_right(self.document.pages, self.start) or None


def place(
    document: Document, start: int, end: int, answer: Bounds | None = None, *, meant: str | None = None
) -> Place | None:
    """The place that a link names; `None` if the document has no such place.

    `meant` is the digest of the words that the link is to; the place must hold just these.
    """
    if not 0 <= start <= end <= len(document.text) or end - start > LONGEST:
        return None
    if answer and not start <= answer.start < answer.end <= end:
        return None
    if meant is not None and meant != digest(document.text[start:end]):
        return None
    return Place(document=document, start=start, end=end, answer=answer, compared=meant is not None)


def source_html(shown: Place, words: Words, *, before: int = WINDOW, after: int = WINDOW) -> str:
    """The document around the place; safe to insert as it is.

    `before` and `after` are characters. The text of `.bq-whole` is the quote word for word, that of `.bq-exact` the
    answer.
    """
    document, content = shown.document, shown.document.text
    left, right = _window(content, shown.start, shown.end, before, after)
    language = document.language
    answer = shown.answer or Bounds(shown.start, shown.start)
    bounds = [left, shown.start, answer.start, answer.end, shown.end, right]
    earlier, head, exact, tail, later = (_paged(document, a, b, words) for a, b in pairwise(bounds))
    inner = f"{head}<strong class='bq-exact'>{exact}</strong>{tail}" if shown.answer else f"{head}{tail}"
    marked = f'<mark class="bq-whole" tabindex="-1">{inner}</mark>' if shown.end > shown.start else ""
    return (
        f'<header class="bq-source-head"><h3 {spoken(language)}>{text(document.title)}</h3>'
        f'<p class="bq-about">{provenance(document, language, shown.page, words)}</p>{_links(shown, words)}'
        f"{_caution(shown, words)}</header>"
        f"{_edge('before', left > 0, words)}"
        f'<div class="bq-body" {spoken(language)}>{earlier}{marked}{later}</div>'
        f"{_edge('after', right < len(content), words)}"
    )


def missing_html(words: Words, *, document: bool) -> str:
    """What the panel says when a place is gone. `document`: whether the document at least is there."""
    return f'<p class="bq-missing">{escape(words("not_there" if document else "no_document"))}</p>'


def _links(shown: Place, words: Words) -> str:
    document = shown.document
    if shown.end == shown.start:
        return (
            f'<p class="bq-tools"><button type="button" class="bq-quiet" data-do="only" '
            f'data-id="{escape(document.id)}">'
            f"{escape(words('filter_this'))}</button></p>"
        )
    answer = shown.answer or (None, None)
    link = place_address(document.id, shown.start, shown.end, *answer, quoted=document.text[shown.start : shown.end])
    at = words("characters", start=shown.start, end=shown.end)
    return (
        f'<p class="bq-tools"><a class="bq-link" href="{escape(link)}">{escape(words("link"))}</a>'
        f'<span class="bq-offsets"><bdi>{text(document.id)}</bdi>, {escape(at)}</span></p>'
    )


def _caution(shown: Place, words: Words) -> str:
    if shown.compared or shown.end == shown.start:
        return ""
    return f'<p class="bq-small">{escape(words("not_compared"))}</p>'


def _edge(side: str, more: bool, words: Words) -> str:
    if more:
        return f'<button type="button" class="bq-edge" data-do="more-{side}">{escape(words(f"more_{side}"))}</button>'
    return f'<p class="bq-edge">{escape(words("document_start" if side == "before" else "document_end"))}</p>'


def _window(content: str, start: int, end: int, before: int, after: int) -> tuple[int, int]:
    """Bounds around the place, moved outwards to white space if there is any near."""
    left, right = max(0, start - before), min(len(content), end + after)
    for i in range(left, max(0, left - _SLACK), -1):
        if content[i - 1].isspace():
            left = i
            break
    for i in range(right, min(len(content), right + _SLACK)):
        if content[i].isspace():
            right = i
            break
    return left, right


def _paged(document: Document, start: int, end: int, words: Words) -> str:
    """Text with a sign where a page begins; the sign is drawn by the style sheet and is no text."""
    breaks = [at for at in document.pages if start <= at < end]
    parts = [text(document.text[start : breaks[0] if breaks else end])]
    for at, to in pairwise([*breaks, end]):
        number = bisect_right(document.pages, at)
        parts.append(f'<span class="bq-pagebreak" data-page="{escape(words("page", page=number))}"></span>')
        parts.append(text(document.text[at:to]))
    return "".join(parts)
