"""Raised and lowered text in plain characters, such that a small figure never joins the figure before it."""

from collections.abc import Mapping

import regex

RAISED = dict(zip("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ", strict=True))
LOWERED = dict(zip("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎", strict=True))
"""What Unicode has. Canonical normalisation (NFC) leaves it as it is."""
_ORDINAL = regex.compile(r"[\p{L}\p{M}.]{2,}|[\p{L}--[a-zA-Z]]|[adeorst]", regex.V1)
"""Letters that belong to the word or figure before them: 1st, 2e, Mme, 1º; not exponents."""
_LETTERS = regex.compile(r"[\p{L}\p{M}.]+")
_SAID = regex.compile(r"[\p{L}\p{N}]")
_WORD_END = regex.compile(r"[\p{L}\p{M}\p{N})\]]")
LONGEST = 20
"""Characters; longer text is small print."""


def raised(text: str, *, after: str) -> str:
    """What stands raised after a character ("" if after nothing).

    >>> raised("6", after="0"), raised("st", after="1"), raised("x", after="e"), raised("1/2", after="0")
    ('⁶', 'st', '^x', '^(1/2)')
    """
    return text if _ORDINAL.fullmatch(text.strip()) else _written(text, after=after, signs=RAISED, mark="^")


def lowered(text: str, *, after: str) -> str:
    """What stands lowered after a character ("" if after nothing).

    >>> lowered("2", after="O"), lowered("max", after="x"), lowered("2k", after="x")
    ('₂', 'max', '_2k')
    """
    return text if _LETTERS.fullmatch(text.strip()) else _written(text, after=after, signs=LOWERED, mark="_")


def marked(text: str, *, signs: Mapping[str, str], mark: str) -> str:
    """In `signs` (`RAISED` or `LOWERED`), as far as Unicode has them, else behind a mark.

    >>> marked("2", signs=RAISED, mark="^"), marked("a", signs=RAISED, mark="^"), marked("i=1", signs=LOWERED, mark="_")
    ('²', '^a', '_(i=1)')
    """
    small = text.strip()
    if all(character in signs or character.isspace() for character in text):
        return "".join(signs.get(character, character) for character in text)
    if not _SAID.search(small) or set(signs.values()).issuperset(small):
        return text  # ™, *, ′; or raised within raised
    return mark + (small if small.isalnum() or small[0] + small[-1] == "()" else f"({small})")


def _written(text: str, *, after: str, signs: Mapping[str, str], mark: str) -> str:
    small = text.strip()
    if len(small) > LONGEST or "\n" in small:
        between = mark if small[0].isdecimal() else " "  # 5 000 would be one number
        return between + small if _WORD_END.fullmatch(after) else text
    begins = small.startswith("[") or not _WORD_END.fullmatch(after)  # [3], or what begins a word
    return text if begins and not signs.keys() >= set(small) else marked(text, signs=signs, mark=mark)
