"""Gold questions: what was asked, and every place in the corpus that answers it. See `eval/questions/README.md`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def load_questions(files: Iterable[Path], documents: Iterable[Document]) -> list[GoldQuestion]:
    """Questions of JSON Lines files, checked against the documents.

    Raises `GoldError`, naming file and line, for a wrong field, a duplicate id, a span that does not slice to its text,
    or an answerable question without spans (and the other way round).
    """
    texts = {document.id: document.text for document in documents}
    found: dict[str, GoldQuestion] = {}
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise GoldError(f"cannot read {file}: {error}") from error
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where = f"{file}:{number}"
            question = _parse(line, where, texts)
            if question.id in found:
                raise GoldError(f"{where}: the id {question.id!r} is used twice")
            found[question.id] = question
    if not found:
        raise GoldError(f"no questions in {', '.join(map(str, files))}")
    return list(found.values())


def split_files(splits: Sequence[str], root: Path = QUESTIONS) -> list[Path]:
    """The shipped question files of these splits ("dev", "test")."""
    return [root / split / "questions.jsonl" for split in splits]


def _parse(line: str, where: str, texts: Mapping[str, str]) -> GoldQuestion:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise GoldError(f"{where}: not JSON: {error}") from error
    _check_fields(record, _FIELDS, where)
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
    return GoldQuestion(**{**record, "spans": tuple(spans)})


def _check_fields(record: object, fields: Mapping[str, type], where: str) -> None:
    if not isinstance(record, dict) or record.keys() != fields.keys():
        names = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise GoldError(f"{where}: expected the fields {', '.join(fields)}, but found {names}")
    for name, kind in fields.items():
        if type(record[name]) is not kind:
            raise GoldError(f"{where}: {name} must be {kind.__name__}, not {record[name]!r}")
