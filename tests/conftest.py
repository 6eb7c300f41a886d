"""What several test files share."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qa.settings import Settings, StoreSettings

REPOSITORY = Path(__file__).parents[1]
CORPUS = REPOSITORY / "corpus"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Defaults, with a home for indexes that is thrown away."""
    return replace(Settings(), store=StoreSettings(home=str(tmp_path_factory.mktemp("home"))))


@pytest.fixture(scope="session")
def bot(settings: Settings) -> Iterator["Bot"]:  # type: ignore[name-defined]  # noqa: F821
    """The real thing: embedded model, real index, shipped corpus."""
    from qa.bot import open_corpus

    bot = open_corpus(CORPUS, settings=settings)
    yield bot
    bot.close()
