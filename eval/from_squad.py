"""A corpus and its gold questions, made of question files of SQuAD's form: what the reader is asked with the paragraph
in hand, the whole bot is asked among all paragraphs.

Every paragraph becomes a document in the language that its file's name tells, every question a gold question that is
answered wherever one of its id is. Some paragraphs, with all their translations, are left out of the corpus: their
questions have no answer there, though other paragraphs are much like theirs.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from eval.draft import short_hash
from eval.gold import GoldError, GoldQuestion, GoldSpan
from eval.output import OutputError, writing
from eval.squad import SquadQuestion, languages_of, load
from qa.ingest import MANIFEST
from qa.text import normalise
from qa.training.examples import same_paragraph

DOCUMENTS, QUESTIONS = "documents", "questions.jsonl"
"""What is written: the folder of the corpus, and the question file about it."""


@dataclass(frozen=True, slots=True)
class Made:
    """How much was written."""

    documents: int
    answerable: int
    unanswerable: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question of a file with the id that it has among those of all sets, and the two languages."""

    fact: str
    asked_in: str
    language: str
    question: SquadQuestion

    @property
    def document(self) -> str:
        return f"{self.language}-{sha256(self.question.context.encode()).hexdigest()[:16]}"


def make(files: Sequence[Path], out: Path, *, limit: int | None, left_out: float, seed: int) -> Made:
    """Writes corpus and questions into the folder `out`, which must be empty or not there yet.

    `left_out`: share of the paragraphs that are no documents. `limit`: so many questions of all, drawn at random.
    Raises `SquadError` for a file that is not of the form or not named by its languages, `OutputError`, and `GoldError`
    if nothing is left to ask.
    """
    asked = [
        _Asked(f"{file.name.split('.')[0]}-{question.id}", *languages_of(file), question)
        for file in files
        for question in load(file)
    ]
    chance = random.Random(seed)
    missing = _missing(asked, left_out, chance)
    questions = list(_questions(asked, missing))
    if limit is not None and limit < len(questions):
        questions = chance.sample(questions, limit)
    documents = {item.document: item for item in asked if item.document not in missing}
    if not documents or not questions:
        raise GoldError("no document or no question is left; leave fewer paragraphs out, or take other files")
    _write(out, documents, questions)
    answerable = sum(question.answerable for question in questions)
    return Made(len(documents), answerable, len(questions) - answerable)


def _missing(asked: Sequence[_Asked], share: float, chance: random.Random) -> set[str]:
    """The documents left out: of a paragraph all translations, or none."""
    paragraphs = same_paragraph((item.fact, item.document) for item in asked)
    every = sorted(set(paragraphs.values()))
    chosen = set(chance.sample(every, round(share * len(every))))
    return {item.document for item in asked if paragraphs[item.fact] in chosen}


def _questions(asked: Sequence[_Asked], missing: set[str]) -> Iterator[GoldQuestion]:
    """One for each id and language of asking, in the files' order, but for those without a word, as some sets have."""
    spans: Mapping[str, dict[GoldSpan, None]] = defaultdict(dict)
    lost: set[str] = set()
    for item in asked:
        places = _spans(item)
        if item.question.answers and not places:
            lost.add(item.fact)  # a place that normalising moved; without it right quotes would count as wrong
        if item.document not in missing:
            spans[item.fact] |= dict.fromkeys(places)
    known: set[str] = set()
    for item in asked:
        found = tuple(spans[item.fact])
        identity = f"{item.fact}.{item.asked_in}.{short_hash(item.question.question)}"
        asks = any(map(str.isalnum, item.question.question))
        if asks and item.fact not in lost and identity not in known:
            known.add(identity)
            yield GoldQuestion(
                id=identity, fact=item.fact, kind=item.fact.split("-")[0], language=item.asked_in,
                question=item.question.question, answerable=bool(found), spans=found, note="",
            )  # fmt: skip


def _spans(item: _Asked) -> list[GoldSpan]:
    """Where the answers stand in the document's text, which is the paragraph's normalised."""
    text = normalise(item.question.context)
    spans = []
    for answer, start in zip(item.question.answers, item.question.starts, strict=False):
        wanted = normalise(answer)
        begin = len(normalise(item.question.context[:start]))
        if wanted and text[begin : begin + len(wanted)] == wanted:
            spans.append(GoldSpan(item.document, begin, begin + len(wanted), wanted))
    return spans


def _write(out: Path, documents: Mapping[str, _Asked], questions: Sequence[GoldQuestion]) -> None:
    folder = out / DOCUMENTS
    with writing(folder / MANIFEST):
        if any(path != folder for path in out.iterdir()) or any(folder.iterdir()):
            raise OutputError(f"{out} is not empty; name a folder that is, or is not there yet")
        entries = []
        for name, item in documents.items():
            data = normalise(item.question.context).encode()
            (folder / f"{name}.txt").write_bytes(data)
            entries.append(
                {"id": name, "path": f"{name}.txt", "sha256": sha256(data).hexdigest(), "language": item.language}
                | ({"title": item.question.title} if item.question.title else {})
            )
        (folder / MANIFEST).write_text(json.dumps({"documents": entries}, ensure_ascii=False), encoding="utf-8")
        lines = (json.dumps(asdict(question), ensure_ascii=False) + "\n" for question in questions)
        (out / QUESTIONS).write_text("".join(lines), encoding="utf-8")
