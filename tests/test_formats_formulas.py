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
        (shape("sSub", e=t("x"), sub=t("i")) + shape("sSubSup", e=t("y"), sub=t("1"), sup=t("2")), "x_i y₁²"),
        (shape("sPre", sub=t("6"), sup=t("14"), e=t("C")), "₆¹⁴C"),
        (shape("rad", deg="", e=t("2")) + t("2") + shape("rad", deg=t("3"), e=t("a+b")), "√2 2 ³√(a+b)"),
        (shape("nary", settings=value("chr", "∑"), sub=t("i=1"), sup=t("n"), e=t("i")), "∑_(i=1)ⁿ i"),
        (shape("nary", sub=t("0"), sup=t("1"), e=t("x dx")), "∫₀¹ x dx"),
        (shape("func", fName=shape("limLow", e=t("lim"), lim=t("x→0")), e=t("x")), "lim_(x→0) x"),
        (shape("d", e=t("a+b")) + shape("d", settings=value("begChr", "[") + value("endChr", ""), e=t("c")), "(a+b)[c"),
        (shape("m", mr="<m:e>" + t("1") + "</m:e><m:e>" + t("2") + "</m:e>"), "1, 2"),
        (shape("acc", e=t("x")) + "<w:del>" + t("y") + "</w:del><w:ins>" + t("z") + "</w:ins>", "x̂z"),
    ],
)  # fmt: skip
def test_a_formula_states_in_one_line_what_it_states(formula: str, line: str) -> None:
    assert line_of(f"<m:oMath>{formula}</m:oMath>") == line
    assert (
        line_of(f"{run('Here ')}<m:oMathPara><m:oMath>{formula}</m:oMath></m:oMathPara>{run('.')}") == f"Here {line}."
    )


def test_a_formula_does_not_join_the_figure_before_it() -> None:
    assert line_of(f"{run('143')}<m:oMath>{t('2')}</m:oMath>") == "143 2"


def bar(content: str) -> str:
    return shape("bar", settings=value("pos", "top"), e=content)


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (HALF + t("3"), "1/2 3"),
        (t("E=") + HALF + t("m") + shape("sSup", e=t("v"), sup=t("2")), "E=1/2 mv²"),
        (shape("sSup", e=t("10"), sup=t("x")) + t("3"), "10^x 3"),
        (shape("sSup", e=t("x"), sup=t("2")) + t("3"), "x²3"),
        (shape("m", mr=f"<m:e>{t('1')}</m:e>") + t("5"), "1 5"),
        (shape("f", num=t("1,000"), den=t("2")) + t(".5"), "1,000/2 .5"),
        (t("0.") + HALF, "0. 1/2"),
        (t("5") + shape("sPre", sub="", sup=t("14"), e=t("C")), "5 ¹⁴C"),
        (t("2") + shape("func", fName=t("sin"), e=t("x")), "2 sin x"),
        (shape("box", e=t("1")) + shape("borderBox", e=t("7")), "1 7"),
        (t("1") + t("0"), "10"),
    ],
)
def test_shapes_never_join_the_figures_beside_them(formula: str, line: str) -> None:
    assert line_of(f"<m:oMath>{formula}</m:oMath>") == line


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (shape("f", num=t("a"), den=t("2c")), "a/(2c)"),
        (shape("f", num=t("-1,000.5"), den=shape("sSup", e=t("x"), sup=t("2"))), "-1,000.5/x²"),
        (shape("f", num=HALF, den=t("(a)(b)")), "(1/2)/((a)(b))"),
        (shape("sSup", e=t("-5"), sup=t("2")), "(-5)²"),
        (shape("sSup", e=t("mc"), sup=t("2")), "(mc)²"),
        (shape("sSup", e=shape("sSup", e=t("x"), sup=t("2")), sup=t("3")), "(x²)³"),
        (shape("sSup", e=shape("sSub", e=t("x"), sub=t("1")), sup=t("2")), "x₁²"),
        (shape("sSub", e=shape("sSub", e=t("x"), sub=t("1")), sub=t("2")), "(x₁)₂"),
        (shape("rad", deg="", e=t("ab")), "√(ab)"),
        (t("0.") + bar(t("3")), "0.3\u0305"),
        (bar(t("x")) + t("=5"), "x\u0305=5"),
        (shape("bar", e=t("12")), "1\u03322\u0332"),
        (shape("acc", settings=value("chr", "\u20d7"), e=t("AB")), "(AB)\u20d7"),
        (shape("phant", settings=value("show", "0"), e=t("99")) + t("5"), "5"),
        (shape("phant", e=t("99")), "99"),
        (t("a=1") + "<m:r><w:br/></m:r>" + t("2b=c"), "a=1\n2b=c"),
        ("<m:r><m:t>a</m:t><w:tab/><m:t>b</m:t><w:sym w:font='Symbol' w:char='F0B3'/></m:r>" + t("5"), "a\tb≥5"),
        (run("text") + t("=5"), "text=5"),
    ],
)
def test_nothing_of_a_formula_is_left_out_that_makes_it_another_one(formula: str, line: str) -> None:
    assert line_of(f"<m:oMath>{formula}</m:oMath>") == line


def test_formulas_do_not_run_into_one_another_or_into_text() -> None:
    one, two = (f"<m:oMath>{t(each)}</m:oMath>" for each in ("a=1", "2b=c"))
    assert line_of(f"<m:oMathPara>{one}{two}</m:oMathPara>") == "a=1; 2b=c"
    assert line_of(f"<m:oMathPara>{one.replace('</m:oMath>', '<m:r><w:br/></m:r></m:oMath>')}{two}</m:oMathPara>") == (
        "a=1\n2b=c"
    )
    assert line_of(one + two) == "a=1 2b=c"
    assert line_of(f"{run('3')}<m:oMath>{HALF}</m:oMath>{run('4')}") == "3 1/2 4"
    assert line_of(f"{run('at 3.')}<m:oMath>{t('5')}</m:oMath>") == "at 3. 5"
    assert line_of(f"<w:r><w:t>3</w:t><m:oMath>{HALF}</m:oMath><w:t>4</w:t></w:r>") == "3 1/2 4"
    raised = run("2", '<w:vertAlign w:val="superscript"/>')
    assert line_of(f"{run('the ')}<m:oMath>{t('n')}</m:oMath>{run('th ')}<m:oMath>{t('x')}</m:oMath>{raised}") == (
        "the nth x²"
    )
