"""What a PDF does not say in so many characters: hyphens, small figures, and pages that are pictures."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fpdf import FPDF

from qa.formats import EXTRACTORS, pdf
from tests.files import pdf_of, read, scanned, write


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
