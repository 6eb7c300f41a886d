"""Characters of the fonts Symbol and Wingdings, which documents name by font and code, in Unicode."""

UNKNOWN = "\ufffd"
"""Stands for a sign that has no character, so that its place is not silently closed."""

_SYMBOL = (  # https://www.unicode.org/Public/MAPPINGS/VENDORS/ADOBE/symbol.txt
    (0x20, " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"),
    (0x61, "αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"),
    (0xA0, "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪"),
    (0xF1, "⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
)  # fmt: skip
_WINGDINGS = (
    (0x20, " "), (0x28, "☎"), (0x2A, "✉"), (0x4A, "☺"), (0x4C, "☹"), (0x6C, "●"), (0x6E, "■□"), (0x71, "❑❒"),
    (0x75, "◆❖"), (0x80, "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿"), (0x9F, "•"), (0xA1, "○"), (0xA7, "▪◻"), (0xAB, "★"), (0xD8, "➢"),
    (0xDF, "←→↑↓↖↗↙↘"), (0xE8, "➔"), (0xEF, "⇦⇨⇧⇩"), (0xFB, "✗✓☒☑"),
)  # fmt: skip
_FONTS = {
    font: {first + i: sign for first, signs in rows for i, sign in enumerate(signs)}
    for font, rows in (("symbol", _SYMBOL), ("wingdings", _WINGDINGS))
}


def sign(font: str, code: int) -> str:
    """The character of a font at a code, which may have been moved to the private area from U+F000 on.

    >>> sign("Symbol", 0xF0B3), sign("Symbol", 0x61), sign("Arial", 0x2265), sign("Webdings", 0xF061)
    ('≥', 'α', '≥', '\ufffd')
    """
    known = _FONTS.get(font.casefold())
    if known is not None:
        return known.get(code - 0xF000 if 0xF000 <= code <= 0xF0FF else code, UNKNOWN)
    return chr(code) if 0x20 <= code < 0xD800 or 0xF900 <= code <= 0x10FFFF else UNKNOWN


def coded(font: str, code: str) -> str:
    """The character of a font at a code in hexadecimal digits.

    >>> coded("Symbol", "F0B3"), coded("Symbol", "")
    ('≥', '\ufffd')
    """
    try:
        return sign(font, int(code, 16))
    except ValueError:
        return UNKNOWN


def unmoved(text: str, font: str) -> str:
    """Text of a font, its signs from the private area as characters; all else, and text of other fonts, as it is."""
    if font.casefold() not in _FONTS:
        return text
    return "".join(sign(font, ord(c)) if 0xF000 <= ord(c) <= 0xF0FF else c for c in text)
