"""Raised and lowered text: whatever it is, it never makes another number of the one before it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.formats import symbols
from qa.formats.scripts import lowered, raised
from qa.text import normalise, numbers


@given(st.integers(0, 10**6), st.text(st.sampled_from("0123456789+-−()=n/.,* ½٣")), st.sampled_from([raised, lowered]))
def test_small_figures_never_join_the_number_before_them(number: int, small: str, write: object) -> None:
    assert callable(write)
    text = normalise(f"{number}{write(small, after=str(number)[-1])}")
    first = text[len(str(number)) :][:1]
    assert text.startswith(str(number))
    assert not first.isdecimal()
    assert str(number) in numbers(text) or first in ".,"


@pytest.mark.parametrize(("font", "codes"), [("Symbol", range(0x21, 0xFF)), ("Wingdings", range(0x21, 0xFF))])
def test_signs_of_symbol_fonts_are_single_characters_that_normalising_leaves(font: str, codes: range) -> None:
    signs = [symbols.sign(font, code) for code in codes]
    assert all(len(sign) == 1 and unicodedata.category(sign) not in ("Co", "Cn") for sign in signs)
    assert normalise("".join(signs)) == "".join(signs)
    assert signs == [symbols.sign(font.upper(), 0xF000 + code) for code in codes]
