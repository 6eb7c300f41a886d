"""What several test files share."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.settings import Settings, StoreSettings

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import Browser, Page

    from qa.bot import Bot
    from qa.library import Library
    from qa.serve.users import Users
    from qa.store import Store

REPOSITORY = Path(__file__).parents[1]
CORPUS = REPOSITORY / "corpus"
ANSWERED = "Combien de pays ont signé la résolution ?"
ABSTAINED = "Wie backt man einen Apfelkuchen?"
"""A question that the shipped corpus answers, and one that it does not."""


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Defaults, with a home for indexes that is thrown away."""
    return replace(Settings(), store=StoreSettings(home=str(tmp_path_factory.mktemp("home"))))


@pytest.fixture(scope="session")
def bot(settings: Settings) -> Iterator["Bot"]:
    """The real thing: embedded model, real index, shipped corpus."""
    from qa.bot import open_corpus

    bot = open_corpus(CORPUS, settings=settings)
    yield bot
    bot.close()


@pytest.fixture(scope="module")
def api(bot: "Bot", settings: Settings) -> Iterator["httpx.Client"]:
    """A client of a server over the bot."""
    import httpx

    from tests.serving import service_over, serving

    with serving(service_over(bot, settings)) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> "Users":
    """A file with one user."""
    from qa.serve.users import Users
    from tests.serving import NAME, PASSWORD

    users = Users(tmp_path_factory.mktemp("users") / "users.jsonl")
    users.add(NAME, PASSWORD)
    return users


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's browser, for one file: while Playwright runs, no other test of the process can run an event loop."""
    from tests.browsing import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def chat_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the chat at `url` keeps what it keeps."""
    return tmp_path_factory.mktemp("chat") / "home"


@pytest.fixture(scope="module")
def url(chat_home: Path) -> Iterator[str]:
    """The chat over the shipped corpus and one hostile document."""
    from tests.browsing import HOSTILE, serving

    folder = chat_home.parent / "documents"
    shutil.copytree(CORPUS / "texts", folder)
    (folder / "hostile.md").write_text(HOSTILE[:200_000], encoding="utf-8")
    with serving(folder, chat_home) as address:
        yield address


@pytest.fixture
def page(browser: "Browser", url: str) -> Iterator["Page"]:
    """The chat as a visitor opens it for the first time."""
    from tests.browsing import visiting

    with visiting(browser, url) as page:
        yield page


@pytest.fixture
def corpus(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with the `TEXTS` of the test's file."""
    from tests.light import write

    return write(tmp_path / "corpus", request.module.TEXTS)


@pytest.fixture
def index(tmp_path: Path, corpus: Path) -> Path:
    """An index of the corpus, made with the light encoder."""
    from tests.light import update

    update(corpus, tmp_path / "index")
    return tmp_path / "index"


@pytest.fixture
def store(index: Path) -> Iterator["Store"]:
    """The same index, open."""
    from qa.store import Store
    from tests.light import LOCAL

    with closing(Store(index, LOCAL)) as store:
        yield store


@pytest.fixture
def shelf(store: "Store") -> "Library":
    """What visitors bring to it."""
    from tests.light import library

    return library(store)
