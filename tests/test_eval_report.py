"""The report in a real browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from eval.fold import summarise
from eval.report import render
from eval.result import Result, Verdict
from eval.run import load_exam, run
from eval.score import Ground, score
from qa.records import Document
from qa.settings import Settings
from tests.asked import MADE, answered, passage, question, quote

HOSTILE = Document(
    id="<b>x</b>", title="T", source="s", language="en",
    text="Hello <script>window.pwned = 1</script> <img src=x onerror='window.pwned = 1'> there.",
)  # fmt: skip


def open_page(browser: Browser, result: Result, folder: Path) -> Iterator[Page]:
    """The report of a result; at the end it must have asked nobody and logged no error."""
    file = folder / "report.html"
    file.write_text(render(result, summarise(result)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    yield page
    page.close()
    assert asked == [file.as_uri()]
    assert errors == []


@pytest.fixture(scope="module")
def result(settings: Settings) -> Result:
    """Every fourth question of the dev split, asked and scored."""
    exam = load_exam("dev", settings=settings)
    return run(replace(exam, gold=exam.gold[::4]))


@pytest.fixture
def page(browser: Browser, result: Result, tmp_path: Path) -> Iterator[Page]:
    yield from open_page(browser, result, tmp_path)


@pytest.fixture
def hostile(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A result whose documents and questions mean harm."""
    given = quote(HOSTILE, 0, len(HOSTILE.text), (0, 5))
    outcome = answered(given, gold=replace(question(), question="<script>window.pwned = 1</script>", language="<i>"))
    row = score(outcome, Ground({HOSTILE.id: HOSTILE}, [passage(HOSTILE, 0, 5)]))
    yield from open_page(browser, Result(replace(MADE, system="<script>window.pwned = 1</script>"), (row,)), tmp_path)


def test_the_report_shows_every_plot_and_every_miss(page: Page, result: Result) -> None:
    for label in ("hit@1 by language", "right abstention by language", "reliability diagram", "risk-coverage curve"):
        expect(page.get_by_role("img", name=label)).to_be_visible()
    assert page.locator("svg .cell").count() > 50
    misses = [row for row in result.rows if row.verdict != Verdict.RIGHT]
    assert page.locator(".miss").count() == len(misses)
    first = page.locator(".miss").first
    expect(first.locator("h3")).to_have_text(misses[0].question.question)
    expect(first).to_contain_text("expected")
    expect(first).to_contain_text("given")


def test_misses_are_filtered_without_a_script(page: Page, result: Result) -> None:
    page.get_by_label("wrong").check()
    wrong = sum(row.verdict == Verdict.WRONG for row in result.rows)
    assert page.locator(".miss:visible").count() == wrong < page.locator(".miss").count()
    assert page.locator("script").count() == 0


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_over_the_edge(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_what_documents_and_questions_hold_shows_as_text(hostile: Page) -> None:
    expect(hostile.locator("h1")).to_contain_text("<script>window.pwned = 1</script>")
    expect(hostile.locator(".given blockquote")).to_contain_text("<img src=x onerror='window.pwned = 1'>")
    expect(hostile.locator(".given .where")).to_contain_text("<b>x</b>")
    assert hostile.evaluate("window.pwned") is None
    assert hostile.locator("script, img, b, i").count() == 0
