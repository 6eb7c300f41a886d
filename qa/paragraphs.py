"""Paragraphs: which line ends of a text are meant, and which are only typesetting."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import regex

from qa.records import Bounds
from qa.text import UNSPACED, lines

_WIDTHS = range(40, 121)
"""Widths that prose is wrapped to: shorter lines are verses and lists, longer ones are whole paragraphs."""
_ENDED = regex.compile(r"[\p{STerm}--[၊]||[:;…\p{Pe}\p{Pf}\p{Pi}\"'།]]$", regex.V1)
_ITEM = regex.compile(r"#{1,6}\s|\p{L}\)\s|\((?:\p{L}|\d{1,3})\)\s|[①-⑳]|（?[一二三四五六七八九十]{1,3}[、）]|\|")
_MARKER = re.compile(r"([-*+•·▪‣–—]|\d{1,3}(?=[.)]))[.)]?\s")
_TABLE = re.compile(r"\t| {4}")
_MAIL_PREFIX = re.compile(r"(?:>\s?)*")


class _Setting(NamedTuple):
    """What lines are set to: so many characters or terminal columns, as `measure` counts them."""

    width: int
    measure: Callable[[str], int]


def paragraphs(text: str) -> Iterator[Bounds]:
    """Bounds of stretches that a sentence may run through: lines, joined where a break is only typesetting.

    A block of lines counts as set to a width (40 to 120) when most of its lines that stop short of a sentence end had
    no room for the next line's first word. Then such breaks are typesetting. All others are meant: headlines,
    bylines, verses, list items, table rows, code. Two lines alone say little: they count as set when other blocks of
    the text are set to their width, or when the second goes on in a small letter.
    """
    blocks = list(_blocks(text))
    settings = [_setting(text, block) for block in blocks]
    widest = max(filter(None, settings), default=None, key=lambda setting: setting.width)
    for block, own in zip(blocks, settings, strict=True):
        setting = own or (widest and _setting(text, block, known=widest))
        if not setting:
            yield from block
            continue
        markers = _markers(text, block)
        start = block[0].start
        for line, following in pairwise(block):
            upper, lower = text[slice(*line)], text[slice(*following)]
            if _is_meant(upper, lower, markers) or not _is_full(upper, lower, setting):
                yield Bounds(start, line.end)
                start = following.start
        yield Bounds(start, block[-1].end)


def _blocks(text: str) -> Iterator[list[Bounds]]:
    """Runs of consecutive lines. A blank line ends a run, and so does any line separator but a plain line break; a
    line of fenced code stands alone."""
    block: list[Bounds] = []
    fenced = False
    for line in lines(text):
        fence = text.startswith(("```", "~~~"), line.start)
        if block and (fence or fenced or text.count("\n", block[-1].end, line.start) != 1):
            yield block
            block = []
        block.append(line)
        fenced ^= fence
    if block:
        yield block


def _setting(text: str, block: list[Bounds], *, known: _Setting | None = None) -> _Setting | None:
    """What a block is set to, `None` if its line ends are meant. `known`: what other blocks of the text are set to."""
    if len(block) < 2:
        return None
    rows = [text[slice(*line)] for line in block]
    if 2 * max(map(len, rows)) < _WIDTHS.start:
        return None
    prose = [row for row in rows if not _is_one_word(row)]
    measures = (len,) if all(map(str.isascii, rows)) else (_columns, len)
    own = [_Setting(max(map(measure, prose), default=0), measure) for measure in measures]
    markers = _markers(text, block)
    heads, setting = max(
        ((_heads_of_full_breaks(rows, setting, markers), setting) for setting in ([known] if known else own)),
        key=lambda found: len(found[0]),
    )
    uncased = sum(head.isalpha() and head.lower() == head.upper() for head in heads)
    proven = known or any(map(str.islower, heads)) or (len(block) > 2 and uncased >= 2)
    return setting if heads and proven else None


def _heads_of_full_breaks(rows: list[str], setting: _Setting, markers: Counter[str]) -> list[str]:
    """First letters of lines before which there was no room; none unless that holds for two thirds of the lines
    whose sentence goes on."""
    if setting.width not in _WIDTHS:
        return []
    going_on = [
        (upper, lower)
        for upper, lower in pairwise(rows)
        if not _ENDED.search(upper) and not _is_meant(upper, lower, markers)
    ]
    heads = [_unquoted(lower)[0] for upper, lower in going_on if _is_full(upper, lower, setting)]
    return heads if 3 * len(heads) >= 2 * len(going_on) else []


def _is_meant(upper: str, lower: str, markers: Counter[str]) -> bool:
    """Whether the lower line begins something new, or either of them is no prose."""
    rest = _unquoted(lower)
    marker = _MARKER.match(rest)
    return bool(
        not rest
        or len(upper) - len(_unquoted(upper)) != len(lower) - len(rest)
        or _ITEM.match(rest)
        or _TABLE.search(upper)
        or _TABLE.search(rest)
        or _is_ruler(rest)
        or _is_ruler(upper)
        or (marker and _has_company(marker[1], markers))
    )


def _is_ruler(line: str) -> bool:
    return len(line) > 2 and not any(map(str.isalnum, line))


def _has_company(marker: str, markers: Counter[str]) -> bool:
    """Whether a block has other items like this. "12. Mai" may begin a line of prose; "2." after "1." does not."""
    if marker.isdecimal():
        return str(int(marker) - 1) in markers or str(int(marker) + 1) in markers
    return markers[marker] > 1


def _is_full(upper: str, lower: str, setting: _Setting) -> bool:
    """Whether the upper line had no room for the lower one's first word."""
    width, measure = setting
    rest = _unquoted(lower)
    goes_on = not _ENDED.search(upper)
    if UNSPACED.match(rest):  # such lines end early before punctuation that must not begin one, Thai at whole words
        slack = 4 if unicodedata.east_asian_width(rest[0]) in "WF" else 12
        return measure(upper) + 2 > width - slack * goes_on
    word = rest.split(maxsplit=1)[0]
    # Lines set by hand, or indented, leave room; a small letter where a sentence goes on tells them.
    slack = width // 6 if goes_on and rest[0].islower() else 0
    return len(word) <= 40 and measure(upper) + 1 + measure(word) > width - slack


def _unquoted(line: str) -> str:
    """Without the marks of a quoted mail."""
    return line[_MAIL_PREFIX.match(line).end() :]  # type: ignore[union-attr]


def _markers(text: str, block: list[Bounds]) -> Counter[str]:
    """What lines begin with, as in a list."""
    found = (_MARKER.match(_unquoted(text[line.start : min(line.end, line.start + 20)])) for line in block)
    return Counter(str(int(match[1])) if match[1].isdecimal() else match[1] for match in found if match)


def _columns(line: str) -> int:
    """Width on a terminal; of lines too long to be set, only the length."""
    if line.isascii() or len(line) >= _WIDTHS.stop:
        return len(line)
    marks = sum(unicodedata.category(character) == "Mn" for character in line)
    return len(line) - marks + sum(unicodedata.east_asian_width(character) in "WF" for character in line)


def _is_one_word(row: str) -> bool:
    """An address or the like, which could not be wrapped."""
    return len(row) >= _WIDTHS.stop and max(map(len, row.split())) > 60 and not UNSPACED.search(row)
