"""The chats that a browser keeps: after a reload, in two tabs, deleted, too long, and of an earlier version."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browsing import PATIENCE, ask, ready, tool
from tests.conftest import ABSTAINED, ANSWERED


def same_chat(page: Page) -> Page:
    """Another tab of the same browser, with the chat that was saved last."""
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    tool(other, "Chats").click()
    other.locator(".bq-chat").first.click()
    expect(other.locator(".bq-answer").first).to_be_visible(timeout=PATIENCE)
    return other


def questions(page: Page) -> list[str]:
    """What is asked on a page, from above."""
    return [asked.removeprefix("You asked: ") for asked in page.locator(".bq-asked").all_text_contents()]


def test_chats_outlive_a_reload_and_can_be_deleted(page: Page) -> None:
    ask(page, ANSWERED)
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
    expect(page.locator(".bq-asked")).to_contain_text(ANSWERED)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".bq-text").first).to_have_text(str(quote), timeout=PATIENCE)
    tool(page, "Chats").click()
    page.get_by_role("button", name="Delete all chats").click()
    page.get_by_role("button", name="Delete all chats in this browser?").click()
    expect(page.locator(".bq-turn")).to_have_count(0)
    page.reload()
    ready(page)
    expect(page.locator(".bq-turn")).to_have_count(0)


def test_an_abstention_remembers_that_only_part_was_searched(page: Page) -> None:
    tool(page, "Documents").click()
    page.locator(".bq-choices summary").click()
    page.get_by_role("checkbox", name="German").check()
    ask(page, ABSTAINED)
    expect(page.locator(".bq-why")).to_contain_text("Only part of the documents was searched.")
    page.get_by_role("button", name="Search in everything again").click()
    page.get_by_role("combobox").select_option("de")
    expect(page.locator(".bq-why")).to_contain_text("Gesucht wurde nur in einem Teil der Dokumente.")
    page.reload()
    ready(page)
    expect(page.locator(".bq-why")).to_contain_text("Gesucht wurde nur in einem Teil der Dokumente.")


def test_two_tabs_with_one_chat_keep_each_others_questions(page: Page) -> None:
    ask(page, ANSWERED)
    other = same_chat(page)
    ask(page, "Who is the vice mayor of Shanghai?")
    ask(other, ABSTAINED)
    page.get_by_role("button", name="This answer is right").first.click()
    expect(page.locator(".bq-said").first).to_contain_text("Thank you", timeout=PATIENCE)
    for tab in (page, other):
        tab.reload()
        ready(tab)
        assert questions(tab) == [ANSWERED, "Who is the vice mayor of Shanghai?", ABSTAINED]
        expect(tab.locator(".bq-answer, .bq-abstention")).to_have_count(3)
        expect(tab.get_by_role("button", name="This answer is right").first).to_have_attribute("aria-pressed", "true")


def test_a_chat_deleted_in_one_tab_is_deleted_in_the_other(page: Page) -> None:
    ask(page, ANSWERED)
    other = same_chat(page)
    tool(page, "Chats").click()
    page.locator('[data-do="forget"]').click()
    expect(other.locator(".bq-turn")).to_have_count(0)
    expect(other.get_by_role("alert")).to_have_text("This chat was deleted in another tab.")
    ask(other, ABSTAINED)
    other.reload()
    ready(other)
    assert questions(other) == [ABSTAINED]
    tool(other, "Chats").click()
    expect(other.locator(".bq-chat")).to_have_count(1)
    expect(other.locator(".bq-chat")).to_contain_text(ABSTAINED)


def test_a_chat_that_was_deleted_unnoticed_does_not_come_back_with_the_next_question(page: Page) -> None:
    ask(page, ANSWERED)
    page.evaluate("localStorage.clear()")
    page.get_by_role("textbox", name="Question").fill(ABSTAINED)
    page.keyboard.press("Enter")
    expect(page.locator(".bq-abstention")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_have_text("This chat was deleted in another tab.")
    page.reload()
    ready(page)
    assert questions(page) == [ABSTAINED]


def test_a_chat_that_quotes_too_many_documents_can_be_asked_again(page: Page) -> None:
    ask(page, ANSWERED)
    page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((key) => key.startsWith("babelquote.chat."));
            const chat = JSON.parse(localStorage.getItem(key));
            const [turn] = chat.turns;
            const made = (length, make) => Array.from({ length }, (_, i) => make(i));
            const quotes = (at) => made(50, (i) => ({ ...turn.reply.quotes[0], document_id: `${at}-${i}` }));
            const gone = (at) => ({ ...turn, id: `${at}`, reply: { ...turn.reply, quotes: quotes(at) } });
            chat.turns = [turn, ...made(40, gone)];
            localStorage.setItem(key, JSON.stringify(chat));
        }"""
    )
    page.reload()
    ready(page)
    expect(page.locator(".bq-missing")).to_have_count(40)
    page.locator(".bq-turn").first.get_by_role("button", name="Try again").click()
    expect(page.locator(".bq-turn").first.locator(".bq-answer")).to_be_visible(timeout=PATIENCE)


def test_a_chat_saved_before_turns_had_ids_goes_on(page: Page) -> None:
    ask(page, ANSWERED)
    ask(page, ABSTAINED)
    page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((key) => key.startsWith("babelquote.chat."));
            const chat = JSON.parse(localStorage.getItem(key));
            for (const turn of chat.turns) delete turn.id;
            localStorage.setItem(key, JSON.stringify(chat));
        }"""
    )
    page.reload()
    ready(page)
    page.get_by_role("button", name="This answer is wrong").last.click()
    expect(page.locator(".bq-said").last).to_contain_text("Thank you", timeout=PATIENCE)
    page.reload()
    ready(page)
    assert questions(page) == [ANSWERED, ABSTAINED]
    expect(page.get_by_role("button", name="This answer is wrong").last).to_have_attribute("aria-pressed", "true")


def test_a_chat_that_comes_late_does_not_answer_another_ones_question(page: Page) -> None:
    other = "Who is the vice mayor of Shanghai?"
    ask(page, ANSWERED)
    tool(page, "New chat").click()
    ask(page, other)
    expected = str(page.locator(".bq-text").first.text_content())
    held: list[Route] = []
    page.route(re.compile("component_server"), lambda route: route.continue_() if held else held.append(route))
    for question in (ANSWERED, other):
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
    page.locator("textarea").fill(ANSWERED)
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


def test_a_thumb_that_fails_late_adds_nothing_to_another_chat(page: Page) -> None:
    ask(page, ANSWERED)
    held: list[Route] = []
    page.route(re.compile("component_server"), lambda route: held.append(route), times=1)
    page.get_by_role("button", name="This answer is right").click()
    tool(page, "New chat").click()
    with page.expect_response(re.compile("component_server")):
        held[0].fulfill(json={"error": "The disk is full."})
    page.wait_for_timeout(300)
    tool(page, "Chats").click()
    expect(page.locator(".bq-chat")).to_have_count(1)
    page.locator(".bq-chat").click()
    right = page.get_by_role("button", name="This answer is right")
    expect(right).to_have_attribute("aria-pressed", "false", timeout=PATIENCE)
