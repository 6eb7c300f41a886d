"""The pictures in docs/images, taken from the page itself: `python -m tests.screenshots` (`make screenshots`).

They need fonts for Latin and Chinese script (Debian: fonts-noto-core, fonts-noto-cjk).
"""

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browsing import PATIENCE, ask, chromium, open_quote, serving, visiting
from tests.conftest import CORPUS, REPOSITORY

IMAGES = REPOSITORY / "docs" / "images"
LARGEST = 200_000
"""Bytes of a picture at most; a README is read over slow networks too."""
WIDE: dict[str, Any] = {"size": (1280, 800), "device_scale_factor": 1.5}
PHONE: dict[str, Any] = {"size": (390, 780), "device_scale_factor": 1.5, "has_touch": True, "is_mobile": True}


def require_fonts() -> None:
    """Ends the program where Chinese would show as boxes."""
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True).stdout:
        sys.exit("no font here has Chinese characters; install some (Debian: fonts-noto-core, fonts-noto-cjk)")


def picture(page: Page) -> Image.Image:
    page.wait_for_timeout(500)  # until fonts and panel have settled
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def write(name: str, picture: Image.Image) -> None:
    """Writes with as few colours as keep it small."""
    path = IMAGES / name
    for colours in (256, 128, 64):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            print(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size:,} bytes, {colours} colours")
            return
    sys.exit(f"{path} has {path.stat().st_size:,} bytes, more than {LARGEST:,}; make the picture smaller")


def beside(pictures: list[Image.Image], gap: int = 36) -> Image.Image:
    """Pictures of one height in a row."""
    width = sum(each.width for each in pictures) + gap * (len(pictures) + 1)
    row = Image.new("RGB", (width, pictures[0].height + 2 * gap), "#d9d6cf")
    at = gap
    for each in pictures:
        row.paste(each, (at, gap))
        at += each.width + gap
    return row


def light(browser: Browser, url: str) -> None:
    with visiting(browser, url, **WIDE) as page:
        ask(page, "How many countries co-signed the resolution?")
        page.locator(".bq-more summary").click()
        open_quote(page, 1)
        write("source-light.png", picture(page))


def dark(browser: Browser, url: str) -> None:
    with visiting(browser, url, locale="zh-CN", color_scheme="dark", **WIDE) as page:
        page.locator(".bq-box textarea").fill("有多少个国家签署了这项决议？")
        page.keyboard.press("Enter")
        page.locator(".bq-answer").wait_for(timeout=PATIENCE)
        open_quote(page)
        write("source-dark.png", picture(page))


def phone(browser: Browser, url: str) -> None:
    with visiting(browser, url, **PHONE) as page:
        empty = picture(page)
        ask(page, "Combien de pays ont signé la résolution ?")
        answer = picture(page)
        open_quote(page)
        write("phone.png", beside([empty, answer, picture(page)]))


def documents(browser: Browser, url: str) -> None:
    with visiting(browser, url, **WIDE) as page:
        ask(page, "Wie backt man einen Apfelkuchen?")
        page.locator('.bq-tool[data-do="documents"]').click()
        page.locator(".bq-list li").first.wait_for(timeout=PATIENCE)
        page.locator(".bq-choices summary").click()
        write("documents.png", picture(page))


def main() -> None:
    require_fonts()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(CORPUS, Path(folder) / "home") as url,
        chromium() as browser,
    ):
        for take in (light, dark, phone, documents):
            take(browser, url)


if __name__ == "__main__":
    main()
