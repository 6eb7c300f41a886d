"""Formulas of Word documents, in one line that states what the formula states."""

import pytest

from tests.test_formats_docx import line_of, run


def t(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def shape(name: str, *, settings: str = "", **parts: str) -> str:
    held = "".join(f"<m:{part}>{content}</m:{part}>" for part, content in parts.items())
    return f"<m:{name}><m:{name}Pr>{settings}</m:{name}Pr>{held}</m:{name}>"


def value(name: str, is_: str) -> str:
    return f'<m:{name} m:val="{is_}"/>'


HALF = shape("f", num=t("1"), den=t("2"))


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (t("E=m") + shape("sSup", e=t("c"), sup=t("2")), "E=mc²"),
        (HALF, "1/2"),
        (t("2") + HALF, "2 1/2"),
        (shape("f", num=t("a+b"), den=t("3.5")), "(a+b)/3.5"),
        (shape("sSup", e=t("10"), sup=t("6")) + t("+") + shape("sSup", e=t("e"), sup=t("-x")), "10⁶+e^(-x)"),
        (shape("sSub", e=t("x"), sub=t("i")) + shape("sSubSup", e=t("y"), sub=t("1"), sup=t("2")), "x_iy₁²"),
        (shape("sPre", sub=t("6"), sup=t("14"), e=t("C")), "₆¹⁴C"),
        (shape("rad", deg="", e=t("2")) + t("2") + shape("rad", deg=t("3"), e=t("a+b")), "√22 ³√(a+b)"),
        (shape("nary", settings=value("chr", "∑"), sub=t("i=1"), sup=t("n"), e=t("i")), "∑_(i=1)ⁿ i"),
        (shape("nary", sub=t("0"), sup=t("1"), e=t("x dx")), "∫₀¹ x dx"),
        (shape("func", fName=shape("limLow", e=t("lim"), lim=t("x→0")), e=t("x")), "lim_(x→0) x"),
        (shape("d", e=t("a+b")) + shape("d", settings=value("begChr", "[") + value("endChr", ""), e=t("c")), "(a+b)[c"),
        (shape("m", mr="<m:e>" + t("1") + "</m:e><m:e>" + t("2") + "</m:e>"), "1, 2"),
        (shape("acc", e=t("x")) + "<w:del>" + t("y") + "</w:del><w:ins>" + t("z") + "</w:ins>", "xz"),
    ],
)  # fmt: skip
def test_a_formula_states_in_one_line_what_it_states(formula: str, line: str) -> None:
    assert line_of(f"<m:oMath>{formula}</m:oMath>") == line
    assert (
        line_of(f"{run('Here ')}<m:oMathPara><m:oMath>{formula}</m:oMath></m:oMathPara>{run('.')}") == f"Here {line}."
    )


def test_a_formula_does_not_join_the_figure_before_it() -> None:
    assert line_of(f"{run('143')}<m:oMath>{t('2')}</m:oMath>") == "143 2"
