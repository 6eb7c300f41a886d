"""Raised and lowered text in plain characters, such that a small figure never joins the figure before it."""

from collections.abc import Mapping

import regex

RAISED = dict(zip("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ", strict=True))
LOWERED = dict(zip("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎", strict=True))
"""What Unicode has. Canonical normalisation (NFC) leaves it as it is."""
_ORDINAL = regex.compile(r"[\p{L}\p{M}.]{2,}|[\p{L}--[a-zA-Z]]|[adeorst]", regex.V1)
"""Letters that belong to the word or figure before them: 1st, 2e, Mme, 1º; not exponents."""
_LETTERS = regex.compile(r"[\p{L}\p{M}.]+")
_LETTER = regex.compile(r"\p{L}")
_SAID = regex.compile(r"[\p{L}\p{N}]")
_WORD_END = regex.compile(r"[\p{L}\p{M}\p{N})\]]")
LONGEST = 20
"""Characters; longer text is small print."""


def raised(text: str, *, after: str) -> str:
    """What stands raised after a character ("" if after nothing). White space around it stays.

    >>> raised("6", after="0"), raised("st", after="1"), raised("x ", after="e"), raised("1/2", after="0")
    ('⁶', 'st', '^x ', '^(1/2)')
    """
    return _written(text, after=after, signs=RAISED, mark="^", plain=_ORDINAL)


def lowered(text: str, *, after: str) -> str:
    """What stands lowered after a character ("" if after nothing). White space around it stays.

    >>> lowered("2", after="O"), lowered("max", after="x"), lowered("2k", after="x")
    ('₂', 'max', '_2k')
    """
    return _written(text, after=after, signs=LOWERED, mark="_", plain=_LETTERS)


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


def _written(text: str, *, after: str, signs: Mapping[str, str], mark: str, plain: regex.Pattern[str]) -> str:
    """Small text between its white space; as it is if it is `plain`."""
    small = text.strip()
    before, behind = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    if not small or plain.fullmatch(small):
        return text
    core = _core(small, after=after, signs=signs, mark=mark)
    return before + (core.lstrip() if before else core) + behind


def _core(small: str, *, after: str, signs: Mapping[str, str], mark: str) -> str:
    """Behind a word or figure with a mark, behind white space as it is, behind other signs its figures small."""
    if signs.keys() >= set(small):
        return marked(small, signs=signs, mark=mark)
    if small.startswith("[") or not after.strip():  # [3], or what begins a word
        return small
    if "\n" in small or (len(small) > LONGEST and _LETTER.search(small)):
        if small[0].isdecimal():  # 5 000 would be one number
            return mark + small
        return f" {small}" if _WORD_END.fullmatch(after) else small
    if _WORD_END.fullmatch(after):
        return marked(small, signs=signs, mark=mark)
    written = "".join(signs[sign] if sign.isdecimal() and sign in signs else sign for sign in small)  # 43.¹,²
    return f"{mark}({small})" if any(map(str.isdecimal, written)) else written
