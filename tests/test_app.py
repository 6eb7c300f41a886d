"""The chat page in a real browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import CORPUS

HOSTILE = (
    "Report <script>window.pwned = 1</script>\n\n"
    "The <img src=x onerror='window.pwned = 1'> treaty of Zedwick was signed by "
    "[Ann Oakley](javascript:window.pwned=1) in 1931.\n"
)
FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as a user starts it, over the shipped corpus and one hostile document."""
    folder = tmp_path_factory.mktemp("documents")
    for source in (CORPUS / "texts").iterdir():
        shutil.copy(source, folder)
    (folder / "hostile.md").write_text(HOSTILE, encoding="utf-8")
    port = free_port()
    log = folder.parent / "chat.log"
    environment = {**os.environ, "BABELQUOTE_STORE__HOME": str(folder.parent / "home")}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "qa", "chat", str(folder), "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(600):
                if process.poll() is not None:
                    pytest.fail(f"the chat ended early:\n{log.read_text()}")
                try:
                    urllib.request.urlopen(address, timeout=1).close()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "the browser tests need Chromium; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A fresh page; at the end it must have asked nobody but us, and logged no error."""
    page = browser.new_page()
    elsewhere: list[str] = []
    errors: list[str] = []
    page.on(
        "request",
        lambda request: elsewhere.append(request.url) if not request.url.startswith((url, "data:", "blob:")) else None,
    )
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    yield page
    page.close()
    assert elsewhere == []
    assert errors == []


def ask(page: Page, question: str) -> None:
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")


def test_a_question_gets_a_quote_whose_source_opens_at_the_quote(page: Page) -> None:
    ask(page, "Combien de pays ont signé la résolution ?")
    answer = page.locator(".bq-answer").first
    quote = answer.locator("blockquote").first
    expect(quote).to_contain_text("signée par 143 pays", timeout=30_000)
    expect(answer.locator("figcaption").first).to_contain_text("French")
    place = answer.locator(".bq-place").first
    expect(place.locator(".bq-surroundings")).to_be_hidden()
    place.locator("summary").click()
    expect(place.locator(".bq-surroundings")).to_be_visible()
    expect(place.locator("mark")).to_have_text(quote.inner_text())


def test_other_languages_stand_under_the_quote_and_are_named(page: Page) -> None:
    ask(page, "Combien de pays ont signé la résolution ?")
    more = page.locator(".bq-more").first
    expect(more.locator("> summary")).to_contain_text("German", timeout=30_000)
    more.locator("> summary").click()
    expect(more.get_by_text("This quote is in German; the question is in French.")).to_be_visible()


def test_what_the_corpus_does_not_hold_is_said_so(page: Page) -> None:
    ask(page, "Wie backt man einen Apfelkuchen?")
    expect(page.locator(".bq-abstention")).to_contain_text("Not in the corpus", timeout=30_000)


def test_an_empty_question_gets_a_message_that_says_what_to_do(page: Page) -> None:
    ask(page, "?!")
    expect(page.get_by_text("the question is empty; ask something in words")).to_be_visible(timeout=30_000)


def test_a_hostile_document_shows_as_text(page: Page) -> None:
    ask(page, "Who signed the treaty of Zedwick?")
    shown = page.locator("blockquote").first
    expect(shown).to_contain_text("<img src=x onerror='window.pwned = 1'>", timeout=30_000)
    expect(shown).to_contain_text("javascript:window.pwned=1")
    page.locator(".bq-place summary").first.click()
    expect(page.locator(".bq-surroundings").first).to_contain_text("<script>window.pwned = 1</script>")
    assert page.evaluate("window.pwned") is None
    assert page.locator(".bq-answer a, .bq-answer img, .bq-answer script").count() == 0


def test_a_port_in_use_is_named(url: str, tmp_path: Path) -> None:
    port = re.findall(r"\d+", url)[-1]
    environment = {**os.environ, "BABELQUOTE_STORE__HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "qa", "chat", str(CORPUS), "--port", port],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
