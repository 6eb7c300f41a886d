"""What people thought of replies, as the draft of a question file: see docs/questions.md.

A thumbs-up makes the quoted answer the answer. A thumbs-down says only that something else is right, so a person has to
say what: its line has `"answers": null`, which `locate` passes over until somebody has written them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.draft import MARKS, short_hash
from eval.gold import GoldError
from eval.output import writing
from qa.feedback import Verdict
from qa.render import shown
from qa.shelf import PREFIX
from qa.text import clean_question

_FIELDS = {"time": str, "verdict": str, "comment": str, "question": str, "earlier": list, "reply": dict}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log. `answers`: what the first quote gave, as a draft writes it; empty for an abstention, `None`
    if a draft cannot say it. `place`: where that stands. `told`: the same for a person."""

    question: str
    language: str
    up: bool
    follows: str | None
    answers: dict[str, list[str]] | None
    place: str
    told: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """What became of a log: lines with their answers, lines for a person to judge, and broken entries."""

    confirmed: int
    to_judge: int
    broken: int


def draft(log: Path, out: Path) -> Drafted:
    """Writes the draft, the confirmed questions first; of entries on the same question one line.

    Raises `GoldError` if the log cannot be read, holds no entry or one of another form, or if `out` is there already:
    somebody may have worked on it. Raises `OutputError` if it cannot be written.
    """
    with writing(out):
        if out.exists():
            raise GoldError(f"{out} is there already, perhaps with somebody's work in it; name another file")
    entries, broken = _read(log)
    groups: dict[tuple[str, str], list[LogEntry]] = {}
    for entry in entries:
        groups.setdefault((entry.question.casefold(), entry.follows or ""), []).append(entry)
    lines = sorted(map(_line, groups.values()), key=lambda line: line["answers"] is None)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    with writing(out):
        out.write_text(text, encoding="utf-8")
    to_judge = sum(line["answers"] is None for line in lines)
    return Drafted(len(lines) - to_judge, to_judge, broken)


def _line(group: Sequence[LogEntry]) -> dict[str, Any]:
    """One question with what all said of it. It is confirmed if somebody was content with the answer, nobody was
    discontent with the same one, and the question stands on its own."""
    refused = {entry.place for entry in group if not entry.up}
    good = [entry for entry in group if entry.up and entry.place not in refused and entry.answers is not None]
    places = {entry.place for entry in good}
    answers: dict[str, list[str]] | None = None
    if good and not group[0].follows and not ("" in places and len(places) > 1):
        answers = {}
        for entry in good:
            for document, texts in (entry.answers or {}).items():
                known = answers.setdefault(document, [])
                known.extend(text for text in texts if text not in known)
    notes = list(dict.fromkeys(entry.told for entry in group))
    if group[0].follows:
        notes.insert(0, f"asked after {group[0].follows!r}: write it as a question of its own")
    # The same answer is the same fact, in whatever language it was asked for.
    key = min(places) if answers else f"question {group[0].question.casefold()} {group[0].follows}"
    return {
        "fact": f"feedback-{short_hash(key)}",
        "kind": "feedback",
        "language": group[0].language,
        "question": group[0].question,
        "answers": answers,
        "note": "; ".join(notes),
    }


def _read(log: Path) -> tuple[list[LogEntry], int]:
    """The entries, and how many lines are broken: what a killed process wrote may end inside of a character."""
    try:
        lines = log.read_bytes().split(b"\n")
    except OSError as error:
        raise GoldError(f"cannot read {log}: {error}") from error
    found, broken = [], 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8"))
        except ValueError:
            broken += 1
            continue
        found.append(_entry(record, f"{log}:{number}"))
    if not found:
        raise GoldError(f"there is no feedback in {log}")
    return found, broken


def _entry(record: Any, where: str) -> LogEntry:
    if not isinstance(record, dict) or any(not isinstance(record.get(key), kind) for key, kind in _FIELDS.items()):
        raise GoldError(f"{where}: expected an entry with the fields {', '.join(_FIELDS)}, but found {record!r:.80}")
    try:
        reply, quotes = record["reply"], record["reply"]["quotes"]
        entry = LogEntry(
            question=clean_question(record["question"]),
            language=reply["question_language"],
            up=record["verdict"] == Verdict.UP,
            follows=reply.get("follows"),
            answers={},
            place="",
            told=_told(record, quotes),
        )
        if not quotes:
            # Nothing in the documents that were chosen says nothing of the others.
            return replace(entry, answers=None) if any((record.get("filters") or {}).values()) else entry
        first = quotes[0]
        document, marked = first["document_id"], _marked(first)
        # `locate` reads the corpus from its folder, where no uploads lie.
        answers = {document: [marked]} if marked and not document.startswith(PREFIX) else None
        return replace(entry, answers=answers, place=f"{document} {first['answer_start']}")
    except (AttributeError, KeyError, TypeError) as error:
        raise GoldError(f"{where}: the reply is none that babelquote gives ({error!r})") from error


def _marked(quote: dict[str, Any]) -> str | None:
    """The quote with its answer marked, as a draft has it; `None` if it holds such marks itself."""
    text, start = quote["text"], quote["answer_start"] - quote["start"]
    if any(mark in text for mark in MARKS):
        return None
    end = start + len(quote["answer"])
    return f"{text[:start]}{MARKS[0]}{text[start:end]}{MARKS[1]}{text[end:]}"


def _told(record: dict[str, Any], quotes: Sequence[dict[str, Any]]) -> str:
    head = f"{record['time']} {record['verdict']}"
    if comment := record["comment"]:
        head += f' ("{shown(comment)}")'
    return f"{head}: {', '.join(_cited(quotes)) or 'it was said not to be in the corpus'}"


def _cited(quotes: Iterable[dict[str, Any]]) -> Iterable[str]:
    for quote in quotes:
        place = f"{quote['document_id']}:{quote['start']}-{quote['end']}"
        yield f"{_marked(quote) or quote['answer']} ({place})"
