"""Question and passages to answer spans. `load_reader` is the one way to a reader."""

from collections.abc import Sequence
from typing import Protocol

from qa.records import Passage, Reading


class Reader(Protocol):
    """Finds answers in passages."""

    def read(self, question: str, passages: Sequence[Passage | str], titles: Sequence[str] = ()) -> Reading:
        """Candidate spans over all passages, best first, without overlaps inside a passage.

        `titles`: of the document of each passage, if known: what a passage calls "the workshop" is told by its title.
        Offsets point into each passage's text and never cut a grapheme. Scores compare across passages.
        """
        ...


def load_reader() -> Reader:
    """The trained reader. Loaded once per process.

    >>> reading = load_reader().read("Wie viele Länder waren es?", ["Am Ende waren es 143 Länder."])
    >>> "Am Ende waren es 143 Länder."[reading.spans[0].start : reading.spans[0].end]
    '143'

    Raises `ModelError` if its weights are missing or damaged.
    """
    from qa.read.spans import SpanReader

    return SpanReader.load()


__all__ = ["Reader", "load_reader"]
