"""The chat page serves people as they are: their devices, languages, keyboards and readers."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browsing import PATIENCE, ask, asked, open_quote, ready, tool, visiting
from tests.conftest import ABSTAINED, ANSWERED

PHONE = (360, 740)


@pytest.mark.parametrize("locale", ["de-DE", "zh-CN"])
def test_a_phone_never_scrolls_sideways(browser: Browser, url: str, locale: str) -> None:
    def fits(page: Page) -> None:
        too_wide = "[...document.querySelectorAll('.bq *')].filter(e => e.getBoundingClientRect().right > 361 && "
        too_wide += "!e.closest('.bq-hidden, .bq-filtered span')).map(e => e.className)"
        assert page.evaluate(too_wide) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

    with visiting(browser, url, size=PHONE, locale=locale, has_touch=True, is_mobile=True) as page:
        fits(page)
        page.locator(".bq-box textarea").fill(ANSWERED)
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
        ask(page, ANSWERED)
        expect(page.locator(".bq-confidence")).to_contain_text(re.compile("juste", re.IGNORECASE))
        page.get_by_role("combobox").select_option("id")
        expect(page.locator("html")).to_have_attribute("lang", "id")
        expect(page.locator(".bq-answer .bq-about").first).to_contain_text("Prancis")
        page.reload()
        ready(page)
        expect(page.locator("html")).to_have_attribute("lang", "id")
        expect(page.locator(".bq-tool").first).to_contain_text("Obrolan baru")


def test_closing_a_quote_opens_no_other(page: Page) -> None:
    ask(page, ANSWERED)
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


def test_escape_leads_back_to_the_answer_from_which_the_source_was_opened(page: Page) -> None:
    ask(page, ANSWERED)
    ask(page, ANSWERED)
    cite = page.locator(".bq-turn").nth(1).locator(".bq-cite").first
    open_quote(page)
    expect(page.locator(".bq-cite[aria-current]")).to_have_count(1)
    expect(cite).to_have_attribute("aria-current", "true")
    page.get_by_role("combobox").select_option("de")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(cite).to_have_attribute("aria-current", "true", timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.locator(".bq-panel")).to_be_hidden()
    expect(cite).to_be_focused()


@pytest.mark.parametrize(
    ("question", "code", "direction"), [("كم دولة وقعت على القرار؟", "ar", "rtl"), (ANSWERED, "fr", "ltr")]
)
def test_a_question_runs_in_the_direction_of_its_script(page: Page, question: str, code: str, direction: str) -> None:
    ask(page, question)
    asked = page.locator(".bq-asked")
    own = asked.get_by_text(question, exact=True)
    assert own.evaluate("question => getComputedStyle(question).direction") == direction
    expect(own).to_have_attribute("lang", code)
    expect(asked.locator(".bq-hidden")).to_have_text("You asked:")
    label = "label => [getComputedStyle(label).direction, label.closest('[lang]').lang]"
    assert asked.locator(".bq-hidden").evaluate(label) == ["ltr", "en"]


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    def tab_to(selector: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    expect(page.get_by_role("textbox", name="Question")).to_be_focused()
    page.keyboard.type(ANSWERED)
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
    ask(page, ANSWERED)
    heard = page.locator('.bq > [role="status"]')
    expect(heard).to_contain_text(asked(url, ANSWERED)["quotes"][0]["text"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anybody(browser: Browser, url: str, scheme: str) -> None:
    def check(page: Page, state: str) -> None:
        found: list[dict[str, Any]] = Axe().run(page).response["violations"]
        grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(state, rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in grave] == []

    with visiting(browser, url, color_scheme=scheme) as page:
        check(page, "empty")
        ask(page, ANSWERED)
        page.locator(".bq-more summary").click()
        open_quote(page)
        check(page, "source")
        ask(page, ABSTAINED)
        tool(page, "Documents").click()
        page.locator(".bq-list li").first.wait_for(timeout=PATIENCE)
        page.locator(".bq-choices summary").click()
        check(page, "documents")
        tool(page, "Chats").click()
        page.locator(".bq-chat").wait_for()
        check(page, "chats")
