"""The page as a user starts it, and a browser that notices what must not happen."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

PATIENCE = 60_000
"""Milliseconds that an answer may take; machines that run tests may be busy."""
HOSTILE = (
    "Report <script>window.pwned = 1</script>\n\n"
    "The <img src=x onerror='window.pwned = 1'> treaty of Zedwick was signed by "
    "[Ann Oakley](javascript:window.pwned=1) in 1931 \u202eneddih\u202c.\n\n" + "word " * 100_000
)
"""A document that means harm."""
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


@contextmanager
def serving(documents: Path, home: Path) -> Iterator[str]:
    """`babelquote chat` over a folder, as a process of its own; its address."""
    port = free_port()
    log = home.parent / "chat.log"
    environment = {
        **os.environ,
        "BABELQUOTE_STORE__HOME": str(home),
        "BABELQUOTE_SERVE__BURST": "1000",
        "GRADIO_TEMP_DIR": str(home.parent / "received"),
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "qa", "chat", str(documents), "--port", str(port)],
            env=environment, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 240
            while True:
                if process.poll() is not None:
                    raise AssertionError(f"the chat ended early:\n{log.read_text()}")
                try:
                    urllib.request.urlopen(address, timeout=5).close()
                    break
                except (urllib.error.URLError, OSError) as error:
                    if time.monotonic() > deadline:
                        raise AssertionError(f"the chat did not open in four minutes:\n{log.read_text()}") from error
                    time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "the browser tests need Chromium; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(
    browser: Browser, url: str, *, size: tuple[int, int] = (1280, 800), errors: bool = False, **more: Any
) -> Iterator[Page]:
    """A page of a browser with nothing stored; at the end it must have asked nobody but its server and, unless
    `errors` are expected, logged none."""
    host = "/".join(url.split("/")[:3])
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, **{"locale": "en-GB", "reduced_motion": "reduce", **more}
    )
    page = context.new_page()
    elsewhere: list[str] = []
    logged: list[str] = []
    page.on(
        "request",
        lambda request: elsewhere.append(request.url) if not request.url.startswith((host, "data:", "blob:")) else None,
    )
    page.on("console", lambda message: logged.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.goto(url)
    ready(page)
    yield page
    context.close()
    assert elsewhere == []
    assert errors or logged == []


def ready(page: Page) -> None:
    """Waits for a page that was opened or reloaded."""
    page.locator('.bq[data-ready="yes"]').wait_for(timeout=PATIENCE)


def ask(page: Page, question: str) -> None:
    """Asks in the page and waits for the reply."""
    before = page.locator(".bq-turn").count()
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")
    turn = page.locator(".bq-turn").nth(before)
    turn.locator(".bq-answer, .bq-abstention, .bq-failed").wait_for(timeout=PATIENCE)


def open_quote(page: Page, number: int = 0) -> Locator:
    """Clicks a citation of the last answer; the marked quote in the panel."""
    page.locator(".bq-turn").last.locator(".bq-cite").nth(number).click()
    quote = page.locator(".bq-panel .bq-whole")
    quote.wait_for(timeout=PATIENCE)
    return quote


def tool(page: Page, name: str) -> Locator:
    return page.locator(".bq-top").get_by_role("button", name=name)


def asked(url: str, question: str, **more: object) -> dict[str, Any]:
    """The reply to a question as the same server gives it to programs."""
    request = urllib.request.Request(
        f"{url}/api/ask",
        data=json.dumps({"question": question, **more}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE / 1000) as response:
        reply: dict[str, Any] = json.load(response)
    return reply
