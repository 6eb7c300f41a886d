"""The chat page in a real browser."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fpdf import FPDF
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browsing import PATIENCE, ask, asked, chromium, ready, serving, visiting
from tests.conftest import CORPUS

FRENCH = "Combien de pays ont signé la résolution ?"
QUESTIONS = [
    FRENCH,
    "Wie viele Länder haben die Resolution unterzeichnet?",
    "Berapa negara menandatangani resolusi itu?",
    "How many countries co-signed the resolution?",
]
HOSTILE = (
    "Report <script>window.pwned = 1</script>\n\n"
    "The <img src=x onerror='window.pwned = 1'> treaty of Zedwick was signed by "
    "[Ann Oakley](javascript:window.pwned=1) in 1931 \u202eneddih\u202c.\n\n" + "word " * 100_000
)
PHONE = (360, 740)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chat") / "home"


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    """The page over the shipped corpus and one hostile document."""
    folder = home.parent / "documents"
    shutil.copytree(CORPUS / "texts", folder)
    (folder / "hostile.md").write_text(HOSTILE[:200_000], encoding="utf-8")
    with serving(folder, home) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with visiting(browser, url) as page:
        yield page


def open_quote(page: Page, number: int = 0) -> Locator:
    """Clicks a citation of the last answer; the marked quote in the panel."""
    page.locator(".bq-turn").last.locator(".bq-cite").nth(number).click()
    quote = page.locator(".bq-panel .bq-whole")
    quote.wait_for(timeout=PATIENCE)
    return quote


def tool(page: Page, name: str) -> Locator:
    return page.locator(".bq-top").get_by_role("button", name=name)


# Asking


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_asked_is_answered_as_programs_are_answered(page: Page, url: str, question: str) -> None:
    ask(page, question)
    reply = asked(url, question)
    assert reply["status"] == "answered"
    assert "143" in reply["quotes"][0]["text"]
    quotes = page.locator(".bq-answer .bq-text")
    assert quotes.all_text_contents() == [quote["text"] for quote in reply["quotes"]]
    expect(page.locator(".bq-answer mark").first).to_have_text(reply["quotes"][0]["answer"])
    shown = float(page.locator(".bq-number-of").inner_text().rstrip("%"))
    assert shown == pytest.approx(100 * reply["confidence"], abs=0.51)


def test_a_citation_opens_its_source_at_exactly_the_quote(page: Page, url: str) -> None:
    ask(page, FRENCH)
    quotes = asked(url, FRENCH)["quotes"]
    page.locator(".bq-more summary").click()
    for number, quote in enumerate(quotes):
        marked = open_quote(page, number)
        expect(marked).to_have_text(quote["text"], use_inner_text=False)
        assert marked.text_content() == quote["text"]
        assert page.locator(".bq-exact").text_content() == quote["answer"]
        expect(marked).to_be_in_viewport()
        expect(marked).to_be_focused()
        expect(page.locator(".bq-source-head h3")).to_have_text(quote["title"])
        expect(page.locator(".bq-step")).to_have_text(f"{number + 1} of {len(quotes)}")
    page.get_by_role("button", name="Previous quote").click()
    expect(page.locator(".bq-whole")).to_have_text(quotes[-2]["text"])
    page.keyboard.press("Escape")
    expect(page.locator(".bq-panel")).to_be_hidden()
    expect(page.locator(".bq-cite").nth(len(quotes) - 2)).to_be_focused()


def test_the_address_of_a_quote_opens_it_afresh(browser: Browser, page: Page, url: str) -> None:
    ask(page, FRENCH)
    words = open_quote(page).text_content()
    assert words
    with visiting(browser, page.url) as fresh:
        expect(fresh.locator(".bq-whole")).to_have_text(words, timeout=PATIENCE)
        assert "document=" in fresh.url
        fresh.get_by_role("button", name="Close").click()
        expect(fresh.locator(".bq-panel")).to_be_hidden()
        expect(fresh.get_by_role("heading", name="Ask in any language")).to_be_visible()
        assert "document=" not in fresh.url
    with visiting(browser, f"{url}/?document=nowhere&start=1&end=2") as fresh:
        expect(fresh.locator(".bq-missing")).to_contain_text("not in the collection", timeout=PATIENCE)
    page.go_back()
    expect(page.locator(".bq-panel")).to_be_hidden()


def test_a_follow_up_says_what_it_was_read_with_and_can_be_asked_alone(page: Page, url: str) -> None:
    later = "Et où ?"
    ask(page, "Quand le séminaire de Shanghai a-t-il eu lieu ?")
    ask(page, later)
    reply = asked(url, later, earlier=["Quand le séminaire de Shanghai a-t-il eu lieu ?"])
    assert reply["follows"]
    turn = page.locator(".bq-turn").last
    expect(turn.locator(".bq-follows q")).to_have_text(reply["follows"])
    turn.get_by_role("button", name="Ask it on its own").click()
    expect(turn.locator(".bq-follows")).to_have_count(0, timeout=PATIENCE)
    expect(turn.locator(".bq-thinking")).to_have_count(0, timeout=PATIENCE)


def test_nobody_logs_out_where_nobody_logged_in(page: Page) -> None:
    expect(page.get_by_role("link", name="Log out")).to_be_hidden()


def test_what_the_documents_do_not_hold_is_said_so(page: Page) -> None:
    ask(page, "Wie backt man einen Apfelkuchen?")
    expect(page.locator(".bq-none")).to_have_text("Not in the documents")
    assert page.locator(".bq-abstention mark").count() == 0


def test_a_question_that_cannot_be_asked_gets_a_message_in_place(page: Page) -> None:
    box = page.get_by_role("textbox", name="Question")
    box.fill("?!")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The question is empty. Ask something in words.")
    box.fill("x" * 2_001)
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("at most 2,000 characters")
    assert page.locator(".bq-turn").count() == 0


def test_a_server_that_is_gone_is_said_so_and_asked_again(browser: Browser, url: str) -> None:
    with visiting(browser, url, errors=True) as page:
        page.context.set_offline(True)
        ask(page, FRENCH)
        expect(page.locator(".bq-failed")).to_contain_text("does not answer")
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".bq-answer .bq-text").first).to_contain_text("143", timeout=PATIENCE)


def test_an_answer_is_copied_with_its_citations_and_judged(browser: Browser, url: str, home: Path) -> None:
    with visiting(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        ask(page, FRENCH)
        page.get_by_role("button", name="Copy with citations").click()
        expect(page.locator(".bq-said")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"**{FRENCH}**\n\n> ")
        assert "\n1. *" in copied
        page.get_by_role("button", name="This answer is right").click()
        expect(page.locator(".bq-said")).to_contain_text("Thank you", timeout=PATIENCE)
        page.get_by_role("textbox", name="What is wrong").fill("It <is>.")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".bq-comment")).to_have_count(0, timeout=PATIENCE)
    (log,) = home.glob("*.feedback.jsonl")
    assert '"comment": "It <is>."' in log.read_text(encoding="utf-8").splitlines()[-1]


# Documents


def test_a_pdf_is_added_quoted_with_its_page_and_removed(page: Page, tmp_path: Path) -> None:
    pdf = FPDF()
    for text in ("An almanac of islands.", "The lighthouse of Marrowby was built by Ida Fenwick in 1874."):
        pdf.add_page()
        pdf.set_font("helvetica", size=12)
        pdf.cell(text=text)
    pdf.output(str(tmp_path / "almanac.pdf"))
    (tmp_path / "line.txt").write_text("word " * 2_000_000)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    tool(page, "Documents").click()
    page.locator(".bq-drop input").set_input_files(
        [tmp_path / "almanac.pdf", tmp_path / "line.txt", tmp_path / "picture.png"]
    )
    reports = page.locator(".bq-report")
    expect(reports).to_have_count(3, timeout=PATIENCE)
    expect(reports.nth(0)).to_contain_text(re.compile(r"almanac\.pdf.*Added.*2 pages"))
    expect(page.locator(".bq-refused")).to_have_count(2)
    expect(page.locator(".bq-working")).to_have_count(0, timeout=PATIENCE)
    ask(page, "Who built the lighthouse of Marrowby?")
    expect(page.locator(".bq-answer mark").first).to_have_text("Ida Fenwick")
    expect(page.locator(".bq-answer .bq-about").first).to_contain_text("page 2")
    open_quote(page)
    expect(page.locator(".bq-source-head")).to_contain_text("page 2")
    tool(page, "Documents").click()
    page.locator('[data-do="remove"]').click()
    page.locator(".bq-sure .bq-danger").click()
    expect(page.locator('[data-do="remove"]')).to_have_count(0, timeout=PATIENCE)


def test_the_search_is_restricted_to_what_is_chosen(page: Page) -> None:
    tool(page, "Documents").click()
    page.locator(".bq-choices summary").click()
    page.get_by_role("checkbox", name="German").check()
    expect(page.locator(".bq-filtered")).to_contain_text("Only: German")
    ask(page, FRENCH)
    languages = page.locator(".bq-answer blockquote").evaluate_all("quotes => quotes.map(quote => quote.lang)")
    assert set(languages) == {"de"}
    page.get_by_role("button", name="Search in everything again").click()
    expect(page.locator(".bq-filtered")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="German")).not_to_be_checked()


def test_a_hostile_document_shows_as_text(page: Page) -> None:
    ask(page, "Who signed the treaty of Zedwick?")
    expect(page.locator(".bq-text").first).to_contain_text("<img src=x onerror='window.pwned = 1'>")
    open_quote(page)
    expect(page.locator(".bq-body")).to_contain_text("<script>window.pwned = 1</script>")
    expect(page.locator(".bq-body .bq-control").first).to_be_attached()
    page.get_by_role("button", name="Show more after").click()
    expect(page.locator(".bq-body")).to_have_text(re.compile(r"(word\s+){2000}"), timeout=PATIENCE)
    assert page.evaluate("window.pwned") is None
    assert page.locator(".bq-reply :is(img, script), .bq-body :is(a, img, script)").count() == 0


# People and their devices


@pytest.mark.parametrize("locale", ["de-DE", "zh-CN"])
def test_a_phone_never_scrolls_sideways(browser: Browser, url: str, locale: str) -> None:
    def fits(page: Page) -> None:
        too_wide = "[...document.querySelectorAll('.bq *')].filter(e => e.getBoundingClientRect().right > 361 && "
        too_wide += "!e.closest('.bq-hidden, .bq-filtered span')).map(e => e.className)"
        assert page.evaluate(too_wide) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

    with visiting(browser, url, size=PHONE, locale=locale, has_touch=True, is_mobile=True) as page:
        fits(page)
        page.locator(".bq-box textarea").fill(FRENCH)
        page.locator(".bq-send").click()
        page.locator(".bq-answer").wait_for(timeout=PATIENCE)
        page.locator(".bq-more summary").click()
        fits(page)
        quote = open_quote(page)
        expect(quote).to_be_in_viewport()
        expect(page.get_by_role("dialog")).to_be_visible()
        fits(page)
        page.locator('[data-do="close"]').click()
        page.locator('.bq-tool[data-do="documents"]').click()
        page.locator(".bq-list li").first.wait_for(timeout=PATIENCE)
        fits(page)


def test_the_page_speaks_the_browsers_language_and_remembers_another(browser: Browser, url: str) -> None:
    with visiting(browser, url, locale="fr-CA") as page:
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.get_by_role("textbox", name="Question")).to_be_visible()
        ask(page, FRENCH)
        expect(page.locator(".bq-confidence")).to_contain_text(re.compile("juste", re.IGNORECASE))
        page.get_by_role("combobox").select_option("id")
        expect(page.locator("html")).to_have_attribute("lang", "id")
        expect(page.locator(".bq-answer .bq-about").first).to_contain_text("Prancis")
        page.reload()
        ready(page)
        expect(page.locator("html")).to_have_attribute("lang", "id")
        expect(page.locator(".bq-tool").first).to_contain_text("Obrolan baru")


def test_chats_outlive_a_reload_and_can_be_deleted(page: Page) -> None:
    ask(page, FRENCH)
    quote = page.locator(".bq-text").first.text_content()
    page.reload()
    ready(page)
    assert page.locator(".bq-text").first.text_content() == quote
    tool(page, "New chat").click()
    expect(page.locator(".bq-turn")).to_have_count(0)
    tool(page, "Chats").click()
    page.locator(".bq-chat").click()
    expect(page.locator(".bq-text").first).to_have_text(str(quote), timeout=PATIENCE)
    page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((key) => key.startsWith("babelquote.chat."));
            const chat = JSON.parse(localStorage.getItem(key));
            chat.turns[0].reply.quotes = "spoilt";
            localStorage.setItem(key, JSON.stringify(chat));
        }"""
    )
    page.reload()
    ready(page)
    expect(page.locator(".bq-asked")).to_contain_text(FRENCH)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".bq-text").first).to_have_text(str(quote), timeout=PATIENCE)
    tool(page, "Chats").click()
    page.get_by_role("button", name="Delete all chats").click()
    page.get_by_role("button", name="Delete all chats in this browser?").click()
    expect(page.locator(".bq-turn")).to_have_count(0)
    page.reload()
    ready(page)
    expect(page.locator(".bq-turn")).to_have_count(0)


def test_a_chat_that_comes_late_does_not_answer_another_ones_question(page: Page) -> None:
    other = "Who is the vice mayor of Shanghai?"
    ask(page, FRENCH)
    tool(page, "New chat").click()
    ask(page, other)
    expected = str(page.locator(".bq-text").first.text_content())
    held: list[Route] = []
    page.route(re.compile("component_server"), lambda route: route.continue_() if held else held.append(route))
    for question in (FRENCH, other):
        tool(page, "Chats").click()
        page.locator(".bq-chat", has_text=question).click()
    expect(page.locator(".bq-text").first).to_have_text(expected, timeout=PATIENCE)
    with page.expect_response(re.compile("component_server")):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator(".bq-turn")).to_have_count(1)
    expect(page.locator(".bq-text").first).to_have_text(expected)


def test_a_chat_deleted_while_it_waits_stays_deleted(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if '"ask"' in (route.request.post_data or "") else route.continue_()

    page.route(re.compile("component_server"), hold)
    page.locator("textarea").fill(FRENCH)
    page.keyboard.press("Enter")
    expect(page.locator(".bq-thinking")).to_be_visible()
    tool(page, "Chats").click()
    page.locator('[data-do="forget"]').click()
    expect(page.locator(".bq-turn")).to_have_count(0)
    with page.expect_response(re.compile("component_server"), timeout=PATIENCE):
        held[0].continue_()
    page.wait_for_timeout(300)
    page.reload()
    ready(page)
    expect(page.locator(".bq-turn")).to_have_count(0)
    tool(page, "Chats").click()
    expect(page.locator(".bq-chat")).to_have_count(0)


def test_closing_a_quote_opens_no_other(page: Page) -> None:
    ask(page, FRENCH)
    open_quote(page)
    page.go_back()
    expect(page.locator(".bq-panel")).to_be_hidden()
    page.go_forward()
    expect(page.locator(".bq-panel .bq-whole")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.locator(".bq-panel")).to_be_hidden()
    page.locator(".bq-cite").nth(1).dispatch_event("click")
    expect(page.locator(".bq-panel .bq-whole")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    expect(page.locator(".bq-panel")).to_be_hidden()


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    def tab_to(selector: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    expect(page.get_by_role("textbox", name="Question")).to_be_focused()
    page.keyboard.type(FRENCH)
    page.keyboard.press("Enter")
    page.locator(".bq-answer").wait_for(timeout=PATIENCE)
    for _ in range(9):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.bq-cite')"):
            break
    expect(page.locator(".bq-cite").first).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".bq-whole")).to_be_focused(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.locator(".bq-cite").first).to_be_focused()
    tab_to(".bq-more summary")
    page.keyboard.press("Enter")
    expect(page.locator(".bq-text").nth(1)).to_be_visible()
    tab_to('[data-do="copy"]')
    tab_to(".bq-box textarea")


def test_a_screen_reader_hears_the_answer(page: Page, url: str) -> None:
    ask(page, FRENCH)
    heard = page.locator('.bq > [role="status"]')
    expect(heard).to_contain_text(asked(url, FRENCH)["quotes"][0]["text"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anybody(browser: Browser, url: str, scheme: str) -> None:
    def check(page: Page, state: str) -> None:
        found: list[dict[str, Any]] = Axe().run(page).response["violations"]
        grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(state, rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in grave] == []

    with visiting(browser, url, color_scheme=scheme) as page:
        check(page, "empty")
        ask(page, FRENCH)
        page.locator(".bq-more summary").click()
        open_quote(page)
        check(page, "source")
        ask(page, "Wie backt man einen Apfelkuchen?")
        tool(page, "Documents").click()
        page.locator(".bq-list li").first.wait_for(timeout=PATIENCE)
        page.locator(".bq-choices summary").click()
        check(page, "documents")
        tool(page, "Chats").click()
        page.locator(".bq-chat").wait_for()
        check(page, "chats")


def test_a_port_in_use_is_named(url: str, home: Path) -> None:
    port = re.findall(r"\d+", url)[-1]
    environment = {**os.environ, "BABELQUOTE_STORE__HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "qa", "chat", "--port", port],
        env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
