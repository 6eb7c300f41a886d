"""Raised and lowered text: whatever it is, it never makes another number of the one before it."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.formats import symbols
from qa.formats.scripts import LOWERED, RAISED, lowered, raised
from qa.text import normalise, numbers


@given(st.integers(0, 10**6), st.text(st.sampled_from("0123456789+-−()=n/.,* ½٣")), st.sampled_from([raised, lowered]))
def test_small_figures_never_join_the_number_before_them(number: int, small: str, write: object) -> None:
    assert callable(write)
    text = normalise(f"{number}{write(small, after=str(number)[-1])}")
    first = text[len(str(number)) :][:1]
    assert text.startswith(str(number))
    assert not first.isdecimal()
    assert str(number) in numbers(text) or first in ".,"


@given(
    st.text(st.sampled_from("0123456789 \t\n\u00a0ab,.[-"), max_size=30),
    st.sampled_from(["", "3", "a", ".", ",", "%", " ", "”"]),
    st.sampled_from([raised, lowered]),
)
def test_small_text_keeps_its_signs_in_their_order_and_the_white_space_around_it(
    small: str, after: str, write: Callable[..., str]
) -> None:
    text = write(small, after=after)
    plain = {small: sign for signs in (RAISED, LOWERED) for sign, small in signs.items() if sign != "−" and sign != "–"}
    assert "".join(plain.get(sign, sign) for sign in text if sign not in "^_()").split() == small.split()
    assert text.rstrip() + small[len(small.rstrip()) :] == text
    assert after not in (".", ",") or small[:1] == "[" or not text[:1].isdecimal()


@pytest.mark.parametrize(("font", "codes"), [("Symbol", range(0x21, 0xFF)), ("Wingdings", range(0x21, 0xFF))])
def test_signs_of_symbol_fonts_are_single_characters_that_normalising_leaves(font: str, codes: range) -> None:
    signs = [symbols.sign(font, code) for code in codes]
    assert all(len(sign) == 1 and unicodedata.category(sign) not in ("Co", "Cn") for sign in signs)
    assert normalise("".join(signs)) == "".join(signs)
    assert signs == [symbols.sign(font.upper(), 0xF000 + code) for code in codes]
