"""Formulas of Word documents (OMML) in one line: what stands above, below or raised is told from what stands beside."""

from collections.abc import Callable, Iterable, Mapping

import regex
from lxml.etree import _Element

from qa.formats import symbols
from qa.formats.scripts import LOWERED, RAISED, marked

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SIGNS = {"br": "\n", "cr": "\n", "tab": "\t", "ptab": "\t", "noBreakHyphen": "-"}
CHARACTERS = {WORD + name: sign for name, sign in _SIGNS.items()}
"""A break of a page or column ends a line as one of a line does."""
_TEXTS = {f"{MATH}t", f"{WORD}t"}
_DELETED = regex.compile(r"\{.*\}(del|moveFrom)")
_SMALL = {*RAISED.values(), *LOWERED.values()}
_NUMBER_OR_SIGN = r"(?:\d(?:[\d.,]*\d)?|\X|\([^()]*\))?"
_LOW, _HIGH = (f"[{''.join(sorted(set(signs.values())))}]*" for signs in (LOWERED, RAISED))
_TERM = regex.compile(rf"[-−]?{_NUMBER_OR_SIGN}{_LOW}{_HIGH}")
_BASE = regex.compile(_NUMBER_OR_SIGN + _LOW)
"""What can be raised: -5 and x² need brackets."""
_DECIMAL = regex.compile(r".?\d\|[.,]\d|\d[.,]\|\d.?", regex.DOTALL)
"""Two ends with a bar between them that side by side would be a decimal."""
_OFF = {"0", "off", "false"}
_OVERLINES = "\u0304\u0305"
_UNDERLINE = "\u0332"


def linear(part: _Element) -> str:
    """A formula or a part of one.

    Its letters, figures and signs are what is displayed; only marks such as "/", "^" and brackets are ours, and "√".
    """
    if not isinstance(part.tag, str) or _DELETED.fullmatch(part.tag):
        return ""
    if part.tag in _TEXTS:
        return part.text or ""
    if part.tag == f"{WORD}sym":
        return symbol(part)
    if make := _SHAPES.get(part.tag):
        return make(part)
    written, ended = CHARACTERS.get(part.tag, ""), False
    for child in part:
        piece = linear(child)
        begins = child.tag in _STANDING_ALONE and (written[-1:].isalnum() or _would_join(written, piece))
        is_apart = begins or (ended and _would_join(written, piece))  # 2 and 1/2 are no 21/2
        written += f" {piece}" if piece and is_apart else piece
        ended = child.tag in _SHAPES if piece else ended
    return written


def joined(pieces: Iterable[str]) -> str:
    """Pieces in a row, with a space where letters or figures would meet."""
    written = ""
    for piece in pieces:
        written += f" {piece}" if _would_join(written, piece) else piece
    return written


def symbol(part: _Element) -> str:
    """The character that a `w:sym` names by its font and code."""
    return symbols.coded(part.get(f"{WORD}font", ""), part.get(f"{WORD}char", ""))


def _would_join(left: str, right: str) -> bool:
    """Whether, side by side, they would be another word or number; small figures are other ones beside small only."""
    if left[-1:] in _SMALL:
        return right[:1] in _SMALL
    return (left[-1:].isalnum() and right[:1].isalnum()) or bool(_DECIMAL.fullmatch(left[-2:] + "|" + right[:2]))


def _of(part: _Element, name: str) -> str:
    """What stands in one place of a shape."""
    found = part.find(MATH + name)
    return "" if found is None else linear(found)


def _all(part: _Element, name: str) -> list[str]:
    return [linear(found) for found in part.iterfind(MATH + name)]


def _grouped(formula: str, piece: regex.Pattern[str] = _TERM) -> str:
    return formula if piece.fullmatch(formula) else f"({formula})"


def _property(part: _Element, name: str, default: str) -> str:
    """A value of a shape's properties; without a value it is empty."""
    found = part.find(f"{MATH}{part.tag.removeprefix(MATH)}Pr/{MATH}{name}")
    return default if found is None else found.get(f"{MATH}val", "")


def _scripted(base: str, part: _Element, *, above: str = "sup", below: str = "sub") -> str:
    """A base with what stands below it and above it."""
    base += marked(_of(part, below), signs=LOWERED, mark="_")
    return base + marked(_of(part, above), signs=RAISED, mark="^")


def _with_script(part: _Element) -> str:
    base = _of(part, "e")
    has_small = part.tag != f"{MATH}sSup" and base[-1:] in _SMALL
    return _scripted(f"({base})" if has_small else _grouped(base, _BASE), part)


def _fraction(part: _Element) -> str:
    line = " " if _property(part, "type", "") == "noBar" else "/"
    return _grouped(_of(part, "num")) + line + _grouped(_of(part, "den"))


def _delimited(part: _Element) -> str:
    between = _property(part, "sepChr", "|")
    return _property(part, "begChr", "(") + between.join(_all(part, "e")) + _property(part, "endChr", ")")


def _barred(part: _Element) -> str:
    return _accented(_of(part, "e"), _OVERLINES[1] if _property(part, "pos", "bot") == "top" else _UNDERLINE)


def _accented(formula: str, accent: str) -> str:
    """With a combining character, which a line is for each sign below or above it."""
    if accent and accent in _OVERLINES + _UNDERLINE:
        return "".join(sign if sign.isspace() else sign + accent for sign in formula)
    return _grouped(formula, _BASE) + accent


def _lines(part: _Element) -> str:
    """Formulas one below the other."""
    written = ""
    for formula in filter(None, map(linear, part)):
        written += formula if not written or written.endswith("\n") else f"; {formula}"
    return written


def _unless_hidden(part: _Element) -> str:
    return "" if _property(part, "show", "1") in _OFF else _of(part, "e")


_MAKERS: Mapping[str, Callable[[_Element], str]] = {
    "f": _fraction,
    "sSup": _with_script,
    "sSub": _with_script,
    "sSubSup": _with_script,
    "sPre": lambda part: joined((_scripted("", part), _of(part, "e"))),
    "limLow": lambda part: _scripted(_of(part, "e"), part, below="lim"),
    "limUpp": lambda part: _scripted(_of(part, "e"), part, above="lim"),
    "rad": lambda part: marked(_of(part, "deg"), signs=RAISED, mark="^") + "√" + _grouped(_of(part, "e"), _BASE),
    "nary": lambda part: f"{_scripted(_property(part, 'chr', '∫'), part)} {_of(part, 'e')}",
    "func": lambda part: f"{_of(part, 'fName')} {_of(part, 'e')}",
    "d": _delimited,
    "m": lambda part: "; ".join(", ".join(_all(row, "e")) for row in part.iterfind(f"{MATH}mr")),
    "eqArr": lambda part: "; ".join(_all(part, "e")),
    "bar": _barred,
    "acc": lambda part: _accented(_of(part, "e"), _property(part, "chr", "\u0302")),
    "phant": _unless_hidden,
    "borderBox": lambda part: _of(part, "e"),
    "groupChr": lambda part: _of(part, "e"),
    "oMathPara": _lines,
}
_SHAPES = {MATH + name: make for name, make in _MAKERS.items()}
"""A shape's element to how it is written; others are what they hold."""
_STANDING_ALONE = {MATH + name for name in ("f", "func", "limLow", "limUpp", "sPre", "rad", "m", "eqArr", "borderBox")}
"""Shapes that are parted from the figure or letter before them, too."""
