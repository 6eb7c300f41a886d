"""Formulas of Word documents (OMML) in one line: what stands above, below or raised is told from what stands beside."""

import re
from collections.abc import Callable, Mapping

from lxml.etree import _Element

from qa.formats.scripts import LOWERED, RAISED, marked

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_DELETED = re.compile(r"\{.*\}(del|moveFrom)")
_ONE_PIECE = re.compile(r"[-−]?[\w.,]+|.|\([^()]*\)|")


def linear(part: _Element) -> str:
    """A formula or a part of one.

    Its letters, figures and signs are what is displayed; only marks such as "/" and "^" are ours, and "√".
    """
    if not isinstance(part.tag, str) or _DELETED.fullmatch(part.tag):
        return ""
    name = part.tag.removeprefix(MATH)
    if name == "t":
        return part.text or ""
    if make := _SHAPES.get(name):
        return make(part)
    written = ""
    for child in part:
        piece = linear(child)
        parted = child.tag in _STANDING_ALONE and written[-1:].isalnum()  # 2 and 1/2 are no 21/2
        written += f" {piece}" if parted else piece
    return written


def _of(part: _Element, name: str) -> str:
    """What stands in one place of a shape."""
    found = part.find(MATH + name)
    return "" if found is None else linear(found)


def _all(part: _Element, name: str) -> list[str]:
    return [linear(found) for found in part.iterfind(MATH + name)]


def _grouped(formula: str) -> str:
    return formula if _ONE_PIECE.fullmatch(formula) else f"({formula})"


def _property(part: _Element, name: str, default: str) -> str:
    """A value of a shape's properties; without a value it is empty."""
    found = part.find(f"{MATH}{part.tag.removeprefix(MATH)}Pr/{MATH}{name}")
    return default if found is None else found.get(f"{MATH}val", "")


def _scripted(base: str, part: _Element, *, above: str = "sup", below: str = "sub") -> str:
    """A base with what stands below it and above it."""
    base += marked(_of(part, below), signs=LOWERED, mark="_")
    return base + marked(_of(part, above), signs=RAISED, mark="^")


def _fraction(part: _Element) -> str:
    line = " " if _property(part, "type", "") == "noBar" else "/"
    return _grouped(_of(part, "num")) + line + _grouped(_of(part, "den"))


def _delimited(part: _Element) -> str:
    between = _property(part, "sepChr", "|")
    return _property(part, "begChr", "(") + between.join(_all(part, "e")) + _property(part, "endChr", ")")


_SHAPES: Mapping[str, Callable[[_Element], str]] = {
    "f": _fraction,
    "sSup": lambda part: _scripted(_grouped(_of(part, "e")), part),
    "sSub": lambda part: _scripted(_grouped(_of(part, "e")), part),
    "sSubSup": lambda part: _scripted(_grouped(_of(part, "e")), part),
    "sPre": lambda part: _scripted("", part) + _of(part, "e"),
    "limLow": lambda part: _scripted(_of(part, "e"), part, below="lim"),
    "limUpp": lambda part: _scripted(_of(part, "e"), part, above="lim"),
    "rad": lambda part: marked(_of(part, "deg"), signs=RAISED, mark="^") + "√" + _grouped(_of(part, "e")),
    "nary": lambda part: f"{_scripted(_property(part, 'chr', '∫'), part)} {_of(part, 'e')}",
    "func": lambda part: f"{_of(part, 'fName')} {_of(part, 'e')}",
    "d": _delimited,
    "m": lambda part: "; ".join(", ".join(_all(row, "e")) for row in part.iterfind(f"{MATH}mr")),
    "eqArr": lambda part: "; ".join(_all(part, "e")),
}
"""A shape's element to how it is written; others are what they hold."""
_STANDING_ALONE = {MATH + name for name in ("f", "sPre", "rad", "m")}
