"""The login and the documentation page in a real browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from qa.bot import Bot
from qa.serve.users import Users
from qa.settings import Settings
from tests.browsing import ask, ready
from tests.serving import service_over, serving


@pytest.fixture(scope="module")
def address(bot: Bot, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    users = Users(tmp_path_factory.mktemp("users") / "users.jsonl")
    users.add("anna", "the password")
    with serving(service_over(bot, settings), users=users) as address:
        yield address


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page on a phone, which at the end must have asked nobody but us and broken no rule of ours."""
    page = browser.new_page(color_scheme=request.param, viewport={"width": 320, "height": 640})
    elsewhere: list[str] = []
    complaints: list[str] = []

    def note(asked: Request) -> None:
        if not asked.url.startswith((address, "data:")):
            elsewhere.append(asked.url)

    def heed(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 401" not in message.text:
            complaints.append(message.text)

    page.on("request", note)
    page.on("console", heed)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert elsewhere == []
    assert complaints == []


def log_in(page: Page, password: str) -> None:
    page.get_by_role("textbox", name="User").fill("anna")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_visitor_logs_in_reads_the_documentation_tries_it_and_logs_out(page: Page, address: str) -> None:
    page.goto(f"{address}/api/docs")
    expect(page).to_have_title("Log in · babelquote")
    log_in(page, "wrong password")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value("")
    log_in(page, "the password")
    expect(page).to_have_url(f"{address}/api/docs")
    ask = page.locator("#operations-questions-ask")
    ask.get_by_role("button").first.click(timeout=30_000)
    ask.get_by_role("button", name="Try it out").click()
    ask.get_by_role("textbox").fill('{"question": "Combien de pays ont signé la résolution ?"}')
    ask.get_by_role("button", name="Execute").click()
    expect(ask.locator(".live-responses-table")).to_contain_text("143 pays", timeout=60_000)
    page.goto(f"{address}/logout")
    expect(page.get_by_text("You are logged in as anna")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{address}/login")
    page.goto(f"{address}/api/docs")
    expect(page).to_have_title("Log in · babelquote")


def test_the_login_fits_a_phone_and_follows_the_colour_scheme(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    luminance = "s => getComputedStyle(document.body)[s].match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 765"
    back, fore = (page.evaluate(luminance, side) for side in ("backgroundColor", "color"))
    assert (back < 0.3 and fore > 0.7) if dark else (back > 0.7 and fore < 0.3)
    log_in(page, "wrong password")
    expect(page.get_by_role("alert")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    for label in ("User", "Password"):
        box = page.get_by_label(label).bounding_box()
        assert box is not None
        assert box["height"] >= 40  # a thumb finds it


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[str]:
    """The chat as a user starts it, with a login."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "mill.txt").write_text("The mill of Xenley was built by Bo Tanner in 1801.\n")
    Users(tmp_path / "home" / "users.jsonl").add("anna", "the password")
    places = {"BABELQUOTE_STORE__HOME": str(tmp_path / "home"), "GRADIO_TEMP_DIR": str(tmp_path / "received")}
    process = subprocess.Popen(
        [sys.executable, "-m", "qa", "chat", str(tmp_path / "documents")],
        env={**os.environ, **places, "BABELQUOTE_CHAT__PORT": "0"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout as output:
        try:
            line = next(line for line in output if "listens on" in line)
            yield next(word for word in line.split() if word.startswith("http://"))
        finally:
            process.terminate()


def test_the_chat_leads_to_the_login_and_back_when_a_session_ends(browser: Browser, chat: str) -> None:
    page = browser.new_page()
    page.goto(chat)
    log_in(page, "the password")
    ready(page)
    ask(page, "Who built the mill of Xenley?")
    expect(page.locator(".bq-answer").first).to_contain_text("Bo Tanner")
    page.get_by_role("link", name="Log out").click()
    expect(page.get_by_text("You are logged in as anna")).to_be_visible()
    page.go_back()
    ready(page)
    page.context.clear_cookies()
    box = page.get_by_role("textbox", name="Question")
    box.fill("When?")
    box.press("Enter")
    expect(page).to_have_title("Log in · babelquote", timeout=60_000)
    log_in(page, "the password")
    ready(page)
    expect(page.locator(".bq-answer").first).to_contain_text("Bo Tanner")  # the conversation is still there
    page.close()
