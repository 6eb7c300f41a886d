"""Gold questions: what was asked, and every place in the corpus that answers it. See `eval/questions/README.md`."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from qa.errors import BabelquoteError
from qa.records import Document

QUESTIONS = Path(__file__).parent / "questions"
_FIELDS = {
    "id": str,
    "fact": str,
    "kind": str,
    "language": str,
    "question": str,
    "answerable": bool,
    "spans": list,
    "note": str,
}
_SPAN_FIELDS = {"document": str, "start": int, "end": int, "text": str}
_DIALOGUE_FIELDS = {"id": str, "fact": str, "language": str, "turns": list, "note": str}
_TURN_FIELDS = {"question": str, "standalone": str, "answerable": bool, "spans": list}


class GoldError(BabelquoteError):
    """A question file that cannot be trusted; nothing is scored."""


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A stretch of a document that answers, `document.text[start:end] == text`."""

    document: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """One question in one language. Those with the same `fact` ask for the same thing in other words or languages."""

    id: str
    fact: str
    kind: str
    language: str
    question: str
    answerable: bool
    spans: tuple[GoldSpan, ...]
    note: str


@dataclass(frozen=True, slots=True)
class GoldTurn:
    """A question of a dialogue as it was asked, and its wording without the dialogue."""

    asked: GoldQuestion
    standalone: str


@dataclass(frozen=True, slots=True)
class GoldDialogue:
    """Questions of one person, of which each may lean on those before it; two turns or more."""

    id: str
    fact: str
    language: str
    turns: tuple[GoldTurn, ...]
    note: str


Entry = TypeVar("Entry", GoldQuestion, GoldDialogue)


def load_questions(files: Iterable[Path], documents: Iterable[Document]) -> list[GoldQuestion]:
    """Questions of JSON Lines files, checked against the documents.

    Raises `GoldError`, naming file and line, for a wrong field, a duplicate id, a span that does not slice to its text,
    or an answerable question without spans (and the other way round).
    """
    return _load(files, documents, _question)


def load_dialogues(files: Iterable[Path], documents: Iterable[Document]) -> list[GoldDialogue]:
    """Dialogues of JSON Lines files, checked as `load_questions` does."""
    return _load(files, documents, _dialogue)


def split_files(splits: Sequence[str], root: Path = QUESTIONS, *, name: str = "questions.jsonl") -> list[Path]:
    """The shipped files of these splits ("dev", "test")."""
    return [root / split / name for split in splits]


def json_lines(file: Path) -> Iterator[tuple[str, Any]]:
    """Where each line of a file stands that is not blank, and its JSON. Raises `GoldError`."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise GoldError(f"cannot read {file}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{file}:{number}"
            try:
                record = json.loads(line)
            except ValueError as error:
                raise GoldError(f"{where}: not JSON: {error}") from error
            yield where, record


def is_question_file(file: Path) -> bool:
    """Whether each line of a file is a question, whatever documents it is about."""
    if not file.is_file():
        return False
    try:
        for where, record in json_lines(file):
            _check_fields(record, _FIELDS, where)
    except GoldError:
        return False
    return True


def _load(
    files: Iterable[Path], documents: Iterable[Document], parse: Callable[[Any, str, Mapping[str, str]], Entry]
) -> list[Entry]:
    texts = {document.id: document.text for document in documents}
    found: dict[str, Entry] = {}
    for file in files:
        for where, record in json_lines(file):
            entry = parse(record, where, texts)
            if entry.id in found:
                raise GoldError(f"{where}: the id {entry.id!r} is used twice")
            found[entry.id] = entry
    if not found:
        raise GoldError(f"no questions in {', '.join(map(str, files))}")
    return list(found.values())


def _question(record: Any, where: str, texts: Mapping[str, str]) -> GoldQuestion:
    _check_fields(record, _FIELDS, where)
    return GoldQuestion(**{**record, "spans": _spans(record, where, texts)})


def _dialogue(record: Any, where: str, texts: Mapping[str, str]) -> GoldDialogue:
    _check_fields(record, _DIALOGUE_FIELDS, where)
    if len(record["turns"]) < 2:
        raise GoldError(f"{where}: a dialogue has two turns or more, this one {len(record['turns'])}")
    turns: list[GoldTurn] = []
    for number, turn in enumerate(record["turns"], start=1):
        here = f"{where}, turn {number}"
        _check_fields(turn, _TURN_FIELDS, here)
        asked = GoldQuestion(
            id=f"{record['id']}.{number}", fact=record["fact"], kind="follow-up" if turns else "first",
            language=record["language"], question=turn["question"], answerable=turn["answerable"],
            spans=_spans(turn, here, texts), note=record["note"],
        )  # fmt: skip
        turns.append(GoldTurn(asked, turn["standalone"]))
    return GoldDialogue(**{**record, "turns": tuple(turns)})


def _spans(record: Mapping[str, Any], where: str, texts: Mapping[str, str]) -> tuple[GoldSpan, ...]:
    spans = []
    for span in record["spans"]:
        _check_fields(span, _SPAN_FIELDS, where)
        if span["document"] not in texts:
            raise GoldError(f"{where}: no document {span['document']!r}; documents: {', '.join(sorted(texts))}")
        stands = texts[span["document"]][span["start"] : span["end"]]
        if not span["text"] or span["start"] < 0 or stands != span["text"]:
            raise GoldError(
                f"{where}: {span['document']} {span['start']}-{span['end']} is {stands!r}, not {span['text']!r}"
            )
        spans.append(GoldSpan(**span))
    if record["answerable"] != bool(spans):
        raise GoldError(f"{where}: an answerable question needs spans, an unanswerable one has none")
    return tuple(spans)


def _check_fields(record: object, fields: Mapping[str, type], where: str) -> None:
    if not isinstance(record, dict) or record.keys() != fields.keys():
        names = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise GoldError(f"{where}: expected the fields {', '.join(fields)}, but found {names}")
    for name, kind in fields.items():
        if type(record[name]) is not kind:
            raise GoldError(f"{where}: {name} must be {kind.__name__}, not {record[name]!r}")
