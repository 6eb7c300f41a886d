"""From a draft, in which answers are written as text, to a question file, in which they are offsets."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eval.gold import GoldError, GoldQuestion, GoldSpan, is_question_file, json_lines
from eval.output import writing
from qa.records import Document

MARKS = "‹", "›"
"""Around the answer, where the text about it is needed to say which of several places is meant."""

_NEEDED = {"language": str, "question": str, "answers": dict}
_OPTIONAL = {"fact": str, "kind": str, "note": str}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text to be found: `context` with the answer at `start:end` of it."""

    context: str
    start: int
    end: int


def locate(draft: Path, documents: Iterable[Document], out: Path) -> tuple[int, int]:
    """Writes the question file; returns how many questions it holds, and how many of the draft were passed over,
    since nobody has judged them (`"answers": null`).

    Raises `GoldError`, naming file and line, for a wrong field, a document that does not exist, a text that stands
    nowhere in it or more than once, or a question that was there before; also if `out` is the draft, or another file
    that is there already and holds something else than questions. Raises `OutputError` if it cannot be written. Nothing
    is written then.
    """
    with writing(out):
        _spare(out, draft)
    known = {document.id: document for document in documents}
    found = [(where, _question(record, where, known)) for where, record in json_lines(draft)]
    places: dict[str, str] = {}
    for where, question in found:
        if question and places.setdefault(question.id, where) != where:
            raise GoldError(f"{where}: asks for the same fact in the same words as {places[question.id]}; delete one")
    questions = [question for _, question in found if question]
    if not questions:
        raise GoldError(f"no questions in {draft} that anybody has judged")
    text = "".join(json.dumps(asdict(question), ensure_ascii=False) + "\n" for question in questions)
    with writing(out), TemporaryDirectory(dir=out.parent) as scratch:
        (Path(scratch) / out.name).write_text(text, encoding="utf-8")
        (Path(scratch) / out.name).replace(out)
    return len(questions), len(found) - len(questions)


def _spare(out: Path, draft: Path) -> None:
    """Raises `GoldError` if somebody's work would be lost; a question file can be made anew."""
    if out.exists() and draft.exists() and out.samefile(draft):
        raise GoldError(f"{out} is the draft itself; name another file")
    if out.exists() and not is_question_file(out):
        raise GoldError(f"{out} is there already, and is not a question file; name another file")


def short_hash(text: str) -> str:
    """Eight characters that stand for a text."""
    return sha256(text.encode()).hexdigest()[:8]


def _question(record: Any, where: str, documents: Mapping[str, Document]) -> GoldQuestion | None:
    _check(record, where)
    if record["answers"] is None:
        return None
    spans = tuple(
        _find(text, documents, document, where) for document, texts in record["answers"].items() for text in texts
    )
    words = short_hash(record["question"])
    fact = record.get("fact", f"question-{words}")
    return GoldQuestion(
        id=f"{fact}.{record['language']}.{words}",
        fact=fact,
        kind=record.get("kind", ""),
        language=record["language"],
        question=record["question"],
        answerable=bool(spans),
        spans=spans,
        note=record.get("note", ""),
    )


def _check(record: Any, where: str) -> None:
    fields = _NEEDED | _OPTIONAL
    if not isinstance(record, dict) or not _NEEDED.keys() <= record.keys() <= fields.keys():
        names = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise GoldError(
            f"{where}: expected the fields {', '.join(_NEEDED)} and perhaps {', '.join(_OPTIONAL)}, but found {names}"
        )
    for name, value in record.items():
        if type(value) is not fields[name] and not (name == "answers" and value is None):
            raise GoldError(f"{where}: {name} must be {fields[name].__name__}, not {value!r}")
    for document, texts in (record["answers"] or {}).items():
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise GoldError(f"{where}: the answers in {document} must be a list of texts, not {texts!r}")


def _find(text: str, documents: Mapping[str, Document], document: str, where: str) -> GoldSpan:
    if document not in documents:
        raise GoldError(f"{where}: no document {document!r}; documents: {', '.join(sorted(documents))}")
    wanted, stands = _wanted(text, where), documents[document].text
    first = stands.find(wanted.context)
    if first < 0:
        raise GoldError(f"{where}: {wanted.context!r} does not stand in {document}; copy it from: babelquote show")
    again = stands.find(wanted.context, first + 1)
    if again >= 0:
        places = " and ".join(repr(stands[max(0, at - 30) : at + len(wanted.context) + 30]) for at in (first, again))
        raise GoldError(
            f"{where}: {wanted.context!r} stands more than once in {document}: {places}; write more of the text and "
            f"put the answer between {MARKS[0]} and {MARKS[1]}"
        )
    start, end = first + wanted.start, first + wanted.end
    return GoldSpan(document, start, end, stands[start:end])


def _wanted(text: str, where: str) -> Wanted:
    before, opened, rest = text.partition(MARKS[0])
    if not opened:
        before, rest = "", text + MARKS[1]
    answer, closed, after = rest.partition(MARKS[1])
    if not answer or not closed or MARKS[0] in rest or MARKS[1] in after:
        raise GoldError(f"{where}: {text!r} must hold an answer, with at most one pair of {MARKS[0]} and {MARKS[1]}")
    return Wanted(before + answer + after, len(before), len(before) + len(answer))
