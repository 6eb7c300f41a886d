"""What a PDF does not say in so many characters: hyphens, small figures, and pages that are pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
from fpdf import FPDF
from hypothesis import example, given
from hypothesis import strategies as st

from qa.formats import EXTRACTORS, pdf
from tests.files import drawn, pdf_of, read, scanned, write


def lines_of(*lines: str) -> str:
    """The text of a page that was set in these lines."""
    (text,) = EXTRACTORS[".pdf"](pdf_of("\n".join(lines))).parts
    return text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["The infor-", "mation given"], "The information given"),
        (["Jean-", "Paul came"], "Jean-Paul came"),
        (["COVID-", "19 and F-", "16"], "COVID-19 and F-16"),
        (["the Franco-", "German treaty"], "the Franco-German treaty"),
        (["Donau-", "dampf-", "schiff"], "Donaudampfschiff"),
        (["It is well-known. A Well-", "known man"], "It is well-known. A Well-known man"),
        (["a state-of-the-", "art report, state-of-the-art"], "a state-of-the-art report, state-of-the-art"),
        (["wellknown, well-known, well-", "known"], "wellknown, well-known, wellknown"),
        (["INFORMATION, INFOR-", "MATION, NATO-", "UN"], "INFORMATION, INFORMATION, NATO-UN"),
        (["in Nord-", "und Südamerika"], "in Nord-\nund Südamerika"),
        (["US-", "backed and NATO-", "led PhD-", "level"], "US-backed and NATO-led PhD-level"),
        (["e-", "mail, 19th-", "century"], "e-mail, 19th-century"),
        (["pre-", "and post-war, brigand, brig-", "and"], "pre-\nand post-war, brigand, brigand"),
    ],
)
def test_a_hyphen_at_a_line_s_end_goes_only_where_the_word_has_none(lines: Sequence[str], text: str) -> None:
    assert lines_of(*lines) == text


@pytest.mark.parametrize(
    ("pages", "texts"),
    [
        (["माता\ufffeपिता"], ["माता-पिता"]),
        (["മലയാ\ufffeളം", "മലയാളം"], ["മലയാളം", "മലയാളം"]),
        (["საქარ\ufffeთველო, инфор\ufffeмация, ինֆոր\ufffeմացիա"], ["საქართველო, информация, ինֆորմացիա"]),
        (["Voce\u0302\ufffemesmo, vai\xad\nven"], ["Voce\u0302mesmo, vaiven"]),
        (["α\ufffehelix, e\u0301\ufffea, αβ\ufffeγ"], ["α-helix, e\u0301-a, αβγ"]),
        (["end\ufffe", "(a)\ufffe(b)"], ["end-", "(a)-(b)"]),
    ],
)
def test_in_scripts_without_case_a_hyphen_stays_unless_the_document_has_the_word_without_it(
    pages: Sequence[str], texts: Sequence[str]
) -> None:
    assert list(pdf._mended(pages)) == texts


def small_figures(*pieces: tuple[str, str]) -> str:
    """The text of a line of pieces in heights ("LINE", "SUP", "SUB")."""
    made = FPDF()
    made.set_font("Helvetica", size=12)
    made.add_page()
    for height, text in pieces:
        made.char_vpos = height
        made.write(6, text)
    (text,) = EXTRACTORS[".pdf"](bytes(made.output())).parts
    return " ".join(text.split())


def test_raised_and_lowered_figures_never_join_the_figure_before_them() -> None:
    assert small_figures(("LINE", "143"), ("SUP", "2"), ("LINE", " states")) == "143² states"
    assert small_figures(("LINE", "10"), ("SUP", "-16"), ("LINE", " t of CO"), ("SUB", "2")) == "10⁻¹⁶ t of CO₂"
    assert small_figures(("SUP", "2"), ("LINE", "See"), ("SUP", "nd"), ("LINE", " 143 ")) == "2Seend 143"


def test_figures_that_are_only_smaller_or_larger_stay_as_they_are() -> None:
    made = FPDF()
    made.add_page()
    for size, text in ((12, "143"), (8, "2 a"), (36, "4"), (12, "2 b")):
        made.set_font("Helvetica", size=size)
        made.cell(made.get_string_width(text), 20, text)
    (text,) = EXTRACTORS[".pdf"](bytes(made.output())).parts
    assert "1432" in text
    assert not set(text) & set("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉")


TWO = "/F1 7 Tf 4.5 Ts (2) Tj 0 Ts /F1 12 Tf"
"""A raised figure."""


def drawn_line(content: str, *, rotate: int = 0, meant: Mapping[str, str] = MappingProxyType({})) -> str:
    """The text of a page with these text operators."""
    (text,) = EXTRACTORS[".pdf"](drawn(f"BT /F1 12 Tf {content} ET", rotate=rotate, meant=meant)).parts
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("matrix", "rotate"),
    [("1 0 0 1", 0), ("1 0.01 -0.01 1", 0), ("0 1 -1 0", 90), ("0 1 -1 0", 0), ("-1 0 0 -1", 0), ("1 0 0 -1", 0)],
)
def test_small_figures_are_told_in_any_direction(matrix: str, rotate: int) -> None:
    assert drawn_line(f"{matrix} 300 400 Tm (143) Tj {TWO} ( on) Tj", rotate=rotate) == "143² on"


@pytest.mark.parametrize("matrix", ["0.7 0.7 -0.7 0.7", "1 0 0.6 1", "1 0 0 1"])
@pytest.mark.parametrize("rotate", [0, 90])
def test_text_that_stands_aslant_is_read(matrix: str, rotate: int) -> None:
    assert drawn_line(f"{matrix} 300 400 Tm (In 143 states) Tj", rotate=rotate) == "In 143 states"


@given(st.lists(st.sampled_from(["0", "1", "-1", "0.6", "12", "-0.00001", "9e30", "3e38"]), min_size=5, max_size=5))
@example(["0", "0", "0", "0", "12"])
@example(["1", "0", "0", "1", "-12"])
def test_text_that_cannot_be_measured_is_read(numbers: Sequence[str]) -> None:
    *matrix, size = numbers
    odd = f"/F1 {size} Tf {' '.join(matrix)} 300 400 Tm (1-43) Tj /F1 7 Tf 4 Ts (2) Tj"
    assert "Text." in drawn_line(f"20 700 Td (Text.) Tj {odd}")


def test_small_figures_are_told_whatever_else_is_on_the_page() -> None:
    assert drawn_line(f"700 700 Td (off 143) Tj -600 -20 Td (143) Tj {TWO} ( on) Tj") == "143² on"
    astral = {"x": "𝑥", "e": "😀"}
    assert drawn_line(f"9 700 Td (ex10) Tj {TWO} ( x) Tj {TWO} ( 1x3) Tj {TWO}", meant=astral) == "😀𝑥10² 𝑥² 1𝑥3²"


def test_of_raised_signs_only_those_beside_raised_figures_are_small() -> None:
    def raised(sign: str) -> str:
        return f"/F1 8 Tf 3 Ts ({sign}) Tj 0 Ts /F1 12 Tf"

    line = f"9 700 Td (well) Tj {raised('-')} (known 3) Tj {raised('+')} (5) Tj"
    assert drawn_line(line) == "well-known 3+5"
    assert small_figures(("LINE", "Ca"), ("SUP", "2+"), ("LINE", ", 43."), ("SUP", "1,2-4"), ("LINE", ", 5")) == (
        "Ca²⁺, 43.¹,²⁻⁴, 5"
    )


@pytest.mark.parametrize(
    ("pages", "warning"),
    [
        (["Text.", None, None, "", None, "Text."], "pages 2–3, 5 hold no text, only images; recognise them first"),
        ([None, "Text."], "page 1 holds no text, only images; recognise it first"),
        (["Text.", ""], ""),
    ],
)
def test_pages_that_are_pictures_are_told(tmp_path: Path, pages: Sequence[str | None], warning: str) -> None:
    told = EXTRACTORS[".pdf"](scanned(*pages)).warning or ""
    assert told.startswith(warning)
    assert bool(told) == bool(warning)
    assert len(read(write(tmp_path / "a.pdf", scanned(*pages))).pages) == len(pages)
