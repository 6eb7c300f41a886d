"""File formats: bytes to an `Extract`. A new format is a module with `extract` and a line in `EXTRACTORS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Extract:
    """What a file says. `parts` are the pages of a `paged` format, else one text; title and date as the file has them.

    The date is as much of YYYY-MM-DD as is known. `warning` says what of the file is not in the text although it should
    be, and what to do, in words for its owner.
    """

    parts: tuple[str, ...]
    paged: bool = False
    title: str | None = None
    date: str | None = None
    warning: str | None = None


Extractor = Callable[[bytes], Extract]
"""Raises `FileError` for bytes that it cannot make text of."""


def _extractor(module: str) -> Extractor:
    """The function `extract` of a module here, whose libraries are loaded when the first such file is read."""

    def extract(data: bytes) -> Extract:
        extracted: Extract = import_module(f"qa.formats.{module}").extract(data)
        return extracted

    return extract


EXTRACTORS: Mapping[str, Extractor] = MappingProxyType({
    ".txt": _extractor("plain"),
    ".md": _extractor("plain"),
    ".html": _extractor("html"),
    ".htm": _extractor("html"),
    ".docx": _extractor("docx"),
    ".pdf": _extractor("pdf"),
})  # fmt: skip
"""File suffix (lower case, with dot) to what reads it. Markdown is quoted as it is written."""

SUFFIXES = tuple(sorted(EXTRACTORS))
"""Known suffixes, for messages and file dialogues."""
