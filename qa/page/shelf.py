"""The documents: a list with a choice of what to search in, and those that visitors added."""

from collections.abc import Collection, Sequence
from html import escape

from qa.formats import SUFFIXES
from qa.page.markup import place_address, provenance, spoken, text
from qa.page.words import Words
from qa.records import Entry, Filters, Listing, Overview

LISTED = 100
"""Most documents that are listed at once; the others are found by their title or source."""


def shelf_html(
    overview: Overview,
    listing: Listing,
    words: Words,
    *,
    added: Collection[str],
    chosen: Filters,
    adding: int | None,
) -> str:
    """The whole panel. `added`: ids of documents that can be removed. `adding`: most bytes of a file that may
    come, `None` if none may."""
    parts = [_add(words, adding) if adding is not None else ""]
    parts.append(f'<div class="bq-choose">{choices_html(overview, words, chosen)}</div>')
    find = escape(words("search_documents"))
    parts.append(
        f'<input class="bq-find" type="search" data-do="find" aria-label="{find}" placeholder="{find}" maxlength="200">'
        f'<div class="bq-list" aria-live="polite">{list_html(listing, words, added=added, chosen=chosen)}</div>'
    )
    return "".join(parts)


def list_html(listing: Listing, words: Words, *, added: Collection[str], chosen: Filters) -> str:
    """The documents that were looked for."""
    shown, count = len(listing.entries), listing.count
    if not shown:
        return f'<p class="bq-small">{escape(words("nothing_listed"))}</p>'
    items = "".join(_item(entry, words, added=entry.id in added, chosen=chosen) for entry in listing.entries)
    note = f'<p class="bq-small">{escape(words("listed_part", shown=shown, count=count))}</p>' if count > shown else ""
    return f"<ul>{items}</ul>{note}"


def _item(document: Entry, words: Words, *, added: bool, chosen: Filters) -> str:
    identity = escape(document.id)
    only, language = escape(words("filter_this")), document.language
    pressed = "true" if document.id in chosen.documents else "false"
    remove = (
        f'<button type="button" class="bq-icon" data-do="remove" data-id="{identity}" '
        f'aria-label="{escape(words("remove", title=document.title))}" title="{escape(words("remove_yes"))}">'
        f'<svg aria-hidden="true"><use href="#bq-i-bin"/></svg></button>'
        if added
        else ""
    )
    link = escape(place_address(document.id, 0, 0))
    own = f'<span class="bq-own">{escape(words("yours"))}</span>' if added else ""
    return (
        f'<li data-id="{identity}"><div><a class="bq-title" data-open="{identity}" href="{link}" {spoken(language)}>'
        f'{text(document.title)}</a><span class="bq-about">{provenance(document, language, None, words)}{own}'
        f'</span></div><button type="button" class="bq-icon" data-do="only" data-id="{identity}" '
        f'aria-pressed="{pressed}" aria-label="{only}: {escape(document.title)}" title="{only}">'
        f'<svg aria-hidden="true"><use href="#bq-i-filter"/></svg></button>{remove}</li>'
    )


def choices_html(overview: Overview, words: Words, chosen: Filters) -> str:
    """Languages and sources to search in; nothing where there is one of each."""
    languages, sources = overview.languages, overview.sources
    if len(languages) < 2 and len(sources) < 2:
        return ""
    named = sorted((words.language_name(code), code) for code in languages)
    spoken_in = [(code, name, languages[code]) for name, code in named]
    published_by = [(source, source, count) for source, count in sources.items()]
    groups = _choice(words("languages"), "languages", spoken_in, chosen.languages)
    groups += _choice(words("sources"), "sources", published_by, chosen.sources)
    opened = " open" if chosen.languages or chosen.sources else ""
    return f'<details class="bq-choices bq-fold"{opened}><summary>{escape(words("only"))}</summary>{groups}</details>'


def _choice(title: str, kind: str, options: Sequence[tuple[str, str, int]], chosen: Collection[str]) -> str:
    if len(options) < 2:
        return ""
    boxes = "".join(
        f'<label><input type="checkbox" data-choose="{kind}" value="{escape(value)}"'
        f"{' checked' if value in chosen else ''}><bdi>{text(name)}</bdi> <small>{count}</small></label>"
        for value, name, count in options
    )
    return f"<fieldset><legend>{escape(title)}</legend>{boxes}</fieldset>"


def _add(words: Words, most: int) -> str:
    return (
        f'<div class="bq-add"><label class="bq-drop">'
        f'<input type="file" class="bq-hidden" multiple accept="{",".join(SUFFIXES)}">'
        f'<svg aria-hidden="true"><use href="#bq-i-add"/></svg><span><b>{escape(words("add_drop"))}</b>'
        f"<small>{escape(words('add_formats', size=words.size(most)))}</small></span></label>"
        f'<p class="bq-small">{escape(words("offline_note"))} {escape(words("add_shared"))}</p>'
        f'<div class="bq-reports" role="status"></div></div>'
    )
