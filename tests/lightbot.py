"""A bot of light parts: it believes the first word of every passage.

Also a program, the command line with these parts:

    python -m tests.lightbot ask "Who?" --index INDEX
"""

from collections.abc import Sequence
from pathlib import Path

import qa.bot
from qa.bot import Bot
from qa.records import Passage, Reading, Span
from qa.settings import Settings
from qa.store import Store
from tests.light import CHUNKS, LOCAL, LightEncoder

CHUNKED = {
    "BABELQUOTE_CHUNK__MAX_TOKENS": str(CHUNKS.max_tokens),
    "BABELQUOTE_CHUNK__OVERLAP_TOKENS": str(CHUNKS.overlap_tokens),
}
"""The settings with which light indexes are made, as environment variables."""


class FirstWord:
    """Finds the first word of every passage, and is sure of it."""

    def read(self, _question: str, passages: Sequence[Passage | str], _titles: Sequence[str] = ()) -> Reading:
        texts = [passage if isinstance(passage, str) else passage.text for passage in passages]
        spans = (Span(i, 0, len(text.split()[0]), score=100.0 - i) for i, text in enumerate(texts))
        return Reading(spans=tuple(spans), no_answer=0.0)


def light_bot(index: Path, settings: Settings = Settings()) -> Bot:
    """A bot on an index that was made with the light encoder."""
    return Bot(Store(index, LOCAL), encoder=LightEncoder(), reader=FirstWord(), settings=settings)


if __name__ == "__main__":
    from qa.__main__ import main

    vars(qa.bot).update(load_encoder=lambda _settings: LightEncoder(), load_reader=FirstWord)
    main()
