"""A batch: one question a line, as JSON, and one reply a line, in order."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from qa.errors import BabelquoteError, QuestionError
from qa.records import Filters, Reply
from qa.render import to_json

MAX_LINE = 1_000_000
MAX_VALUES = 100
"""Most values of one filter, as over REST."""
_FILTERS = {"language": "languages", "source": "sources", "document": "documents"}
"""What a line's `filters` may hold, and what `Filters` calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a line asks."""

    question: str
    earlier: tuple[str, ...]
    filters: Filters


def open_batch(name: str) -> BinaryIO:
    """The file, or standard input for "-". Raises `BabelquoteError` if it cannot be read."""
    if name == "-" and sys.__stdin__ is None:
        raise BabelquoteError("cannot read questions: standard input is closed; name a file: --batch FILE")
    try:
        return sys.stdin.buffer if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise BabelquoteError(f"cannot read {name}: {error.strerror or error}") from error


def answers(stream: BinaryIO, ask: Callable[[Asked], Reply], *, filters: Filters) -> Iterator[dict[str, object]]:
    """The reply to each line as JSON, or why its question cannot be asked. `filters` are those of a line without its
    own of the same kind."""
    for line in _lines(stream):
        try:
            yield to_json(ask(_asked(line, filters)))
        except QuestionError as error:
            yield {"status": "error", "message": str(error)}


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines that are not blank, one at a time; of an overlong one only the beginning."""
    while line := stream.readline(MAX_LINE):
        rest, blank = line, not line.strip()
        while not rest.endswith(b"\n") and (rest := stream.readline(MAX_LINE)):
            blank = blank and not rest.strip()
        if not blank:
            yield line


def _asked(line: bytes, filters: Filters) -> Asked:
    try:
        record = json.loads(line)
        question, earlier, own = record["question"], record.get("earlier", []), record.get("filters", {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise QuestionError(f'expected one JSON object with a "question" a line, but found {line[:60]!r}') from error
    if not isinstance(question, str):
        raise QuestionError(f'"question" must be text, not {type(question).__name__}')
    return Asked(
        question=question,
        earlier=_texts("earlier", earlier, "questions"),
        filters=replace(filters, **_filters(own)),
    )


def _filters(own: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(own, dict) or not own.keys() <= _FILTERS.keys():
        raise QuestionError(f'"filters" must be an object with {", ".join(_FILTERS)}, not {str(own)[:60]!r}')
    found = {_FILTERS[field]: _texts(field, values, "names") for field, values in own.items()}
    if any(len(values) > MAX_VALUES for values in found.values()):
        raise QuestionError(f"at most {MAX_VALUES} languages, sources or documents can be named")
    return found


def _texts(field: str, values: object, what: str) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise QuestionError(f'"{field}" must be a list of {what}, not {type(values).__name__}')
    for value in values:
        if not isinstance(value, str):
            raise QuestionError(f'"{field}" must hold {what} as text, not {type(value).__name__}')
    return tuple(values)
