"""The chat page in a real browser: asking, sources, documents."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import PATIENCE, ask, asked, open_quote, tool, visiting
from tests.conftest import ABSTAINED, ANSWERED
from tests.files import pdf_of

QUESTIONS = [
    ANSWERED,
    "Wie viele Länder haben die Resolution unterzeichnet?",
    "Berapa negara menandatangani resolusi itu?",
    "How many countries co-signed the resolution?",
]


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
    ask(page, ANSWERED)
    quotes = asked(url, ANSWERED)["quotes"]
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
    ask(page, ANSWERED)
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


def test_an_address_opens_the_words_that_it_is_to_and_no_others(browser: Browser, page: Page) -> None:
    ask(page, ANSWERED)
    words = str(open_quote(page).text_content())
    address = page.url
    assert re.search(r"&is=[0-9a-f]{8}$", address)
    with visiting(browser, address) as fresh:
        expect(fresh.locator(".bq-whole")).to_have_text(words, timeout=PATIENCE)
        expect(fresh.locator(".bq-source-head .bq-small")).to_have_count(0)
        assert address.endswith(str(fresh.locator(".bq-link").get_attribute("href")))
    with visiting(browser, address[:-8] + "00000000") as fresh:
        expect(fresh.locator(".bq-missing")).to_contain_text("no longer stands there", timeout=PATIENCE)
        expect(fresh.locator(".bq-whole")).to_have_count(0)
    with visiting(browser, address.partition("&is=")[0]) as fresh:
        expect(fresh.locator(".bq-whole")).to_have_text(words, timeout=PATIENCE)
        expect(fresh.locator(".bq-source-head .bq-small")).to_contain_text("does not say which words")


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
    ask(page, ABSTAINED)
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
        ask(page, ANSWERED)
        expect(page.locator(".bq-failed")).to_contain_text("does not answer")
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".bq-answer .bq-text").first).to_contain_text("143", timeout=PATIENCE)


def test_an_answer_is_copied_with_its_citations_and_judged(browser: Browser, url: str, chat_home: Path) -> None:
    with visiting(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        ask(page, ANSWERED)
        page.get_by_role("button", name="Copy with citations").click()
        expect(page.locator(".bq-said")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"**{ANSWERED}**\n\n> ")
        assert "\n1. *" in copied
        page.get_by_role("button", name="This answer is right").click()
        expect(page.locator(".bq-said")).to_contain_text("Thank you", timeout=PATIENCE)
        page.get_by_role("textbox", name="What is wrong").fill("It <is>.")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".bq-comment")).to_have_count(0, timeout=PATIENCE)
    (log,) = chat_home.glob("*.feedback.jsonl")
    assert '"comment": "It <is>."' in log.read_text(encoding="utf-8").splitlines()[-1]


def test_a_thumb_that_could_not_be_kept_is_not_shown(browser: Browser, url: str) -> None:
    with visiting(browser, url, errors=True) as page:
        right, wrong = (page.get_by_role("button", name=f"This answer is {word}") for word in ("right", "wrong"))
        ask(page, ANSWERED)
        right.click()
        expect(page.locator(".bq-said")).to_contain_text("Thank you", timeout=PATIENCE)
        page.context.set_offline(True)
        wrong.click()
        expect(page.locator(".bq-said")).to_contain_text("does not answer")
        expect(wrong).to_have_attribute("aria-pressed", "false")
        expect(right).to_have_attribute("aria-pressed", "true")


def test_a_port_in_use_is_named(url: str, chat_home: Path) -> None:
    port = re.findall(r"\d+", url)[-1]
    environment = {**os.environ, "BABELQUOTE_STORE__HOME": str(chat_home)}
    done = subprocess.run(
        [sys.executable, "-m", "qa", "chat", "--port", port],
        env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


# Documents


def test_a_pdf_is_added_quoted_with_its_page_and_removed(page: Page, tmp_path: Path) -> None:
    almanac = pdf_of("An almanac of islands.", "The lighthouse of Marrowby was built by Ida Fenwick in 1874.")
    (tmp_path / "almanac.pdf").write_bytes(almanac)
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


@pytest.mark.parametrize(
    ("status", "why"), [(503, "disk is full"), (429, "Too many files"), (500, "could not be sent")]
)
def test_a_file_that_the_server_does_not_take_is_told_why(
    browser: Browser, url: str, tmp_path: Path, status: int, why: str
) -> None:
    (tmp_path / "a.txt").write_text("Words.")
    with visiting(browser, url, errors=True) as page:
        page.route(re.compile("gradio_api/upload"), lambda route: route.fulfill(status=status, json={"message": "no"}))
        tool(page, "Documents").click()
        page.locator(".bq-drop input").set_input_files(tmp_path / "a.txt")
        expect(page.locator(".bq-refused")).to_contain_text(why, timeout=PATIENCE)


def test_the_search_is_restricted_to_what_is_chosen(page: Page) -> None:
    tool(page, "Documents").click()
    page.locator(".bq-choices summary").click()
    page.get_by_role("checkbox", name="German").check()
    expect(page.locator(".bq-filtered")).to_contain_text("Only: German")
    ask(page, ANSWERED)
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
