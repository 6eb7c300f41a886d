"""The reader alone on question files of SQuAD's form (Rajpurkar et al. 2016, 2018): predictions, F1 and exact match.

A question is read with its own paragraph. In a file without a single unanswerable question the best span is always
given; elsewhere only one that scores above its window's no-answer score.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from eval.confidence import auroc
from eval.metrics import token_f1, tokens
from eval.mlqa import ARTICLES, mlqa_f1
from eval.output import ready, writing
from eval.progress import Track, silent
from qa.embed import Encoder
from qa.errors import BabelquoteError
from qa.read import Reader
from qa.training.examples import same_paragraph

# Version 1 has numbers for ids here and there; other keys are of no concern.
_Id = Annotated[str, StringConstraints(min_length=1)]


class SquadError(BabelquoteError):
    """A file that is not of SQuAD's form; nothing of it is scored."""


class _Text(BaseModel):
    text: str
    answer_start: int | None = None


class _Question(BaseModel, coerce_numbers_to_str=True):
    id: _Id
    question: str
    answers: list[_Text] = Field(default_factory=list)
    is_impossible: bool = False


class _Paragraph(BaseModel):
    context: str
    qas: list[_Question]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[_Paragraph]


class _File(BaseModel):
    data: list[_Article]


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question with its paragraph. `answers` are all accepted texts, none for an unanswerable question; `starts` are
    their offsets in the paragraph where the file tells them. `title`: of the paragraph's article, if it has one."""

    id: str
    question: str
    context: str
    answers: tuple[str, ...]
    starts: tuple[int, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """Means over a file's questions, 0..1; an unanswerable question scores 1 where nothing was given, else 0.

    `mlqa_f1`: as `eval.mlqa` counts; `None` of contexts in another language than its seven.
    """

    f1: float
    exact: float
    mlqa_f1: float | None
    questions: int
    unanswerable: int


def load(file: Path) -> list[SquadQuestion]:
    """All questions of a file, plain or gzipped. Raises `SquadError`, naming file and field."""
    try:
        data = file.read_bytes()
        text = gzip.decompress(data) if file.suffix == ".gz" else data
        parsed = _File.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SquadError(f"{file}: {where}: {first['msg']}; expected SQuAD's form, data.paragraphs.qas") from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SquadError(f"cannot read {file} as JSON: {error}") from error
    found = list(_questions(parsed))
    if not found:
        raise SquadError(f"{file} holds no questions")
    if len({question.id for question in found}) < len(found):
        raise SquadError(f"{file}: an id is used twice, so that predictions by id would be lost")
    return found


def context_language(file: Path) -> str:
    """Of contexts, as the name tells, "und" where it does not."""
    try:
        return languages_of(file)[1]
    except SquadError:
        return "und"


def languages_of(file: Path) -> tuple[str, str]:
    """Of questions and of contexts, as the name tells. Raises `SquadError` for another name."""
    parts = file.name.split(".")
    if len(parts) < 3 or parts[1].count("-") != 1:
        raise SquadError(f"{file}: expected a name like mlqa.QUESTION-CONTEXT.json.gz, with the two languages")
    asked_in, language = parts[1].split("-")
    return asked_in, language


def _questions(file: _File) -> Iterator[SquadQuestion]:
    for article in file.data:
        for paragraph in article.paragraphs:
            for asked in paragraph.qas:
                answers = [] if asked.is_impossible else asked.answers
                yield SquadQuestion(
                    asked.id, asked.question, paragraph.context,
                    answers=tuple(answer.text for answer in answers),
                    starts=tuple(answer.answer_start for answer in answers if answer.answer_start is not None),
                    title=article.title,
                )  # fmt: skip


def may_abstain(questions: Sequence[SquadQuestion]) -> bool:
    """Whether "no answer" is a right answer anywhere in the file."""
    return any(not question.answers for question in questions)


def predict(reader: Reader, questions: Iterable[SquadQuestion], *, abstain: bool) -> dict[str, str]:
    """The text of the best span by question id; empty where there is none, or with `abstain` none above no answer."""
    predictions = {}
    for question in questions:
        reading = reader.read(question.question, [question.context])
        best = next(iter(reading.spans), None)
        given = best is not None and not (abstain and best.score <= reading.no_answer)
        predictions[question.id] = question.context[best.start : best.end] if best and given else ""
    return predictions


def score(questions: Sequence[SquadQuestion], predictions: dict[str, str], *, language: str = "und") -> Score:
    """Scores by `eval.metrics.tokens` and `eval.mlqa`; a question without a prediction counts as unanswered.

    `language`: of the contexts.
    """
    given = [(predictions.get(question.id, ""), question.answers) for question in questions]
    pairs = [(tokens(text), [tokens(answer) for answer in answers] or [[]]) for text, answers in given]
    return Score(
        f1=fmean(max(token_f1(found, gold) for gold in golds) for found, golds in pairs),
        exact=fmean(float(found in golds) for found, golds in pairs),
        mlqa_f1=fmean(mlqa_f1(*each, language) for each in given) if language in ARTICLES else None,
        questions=len(questions),
        unanswerable=sum(not question.answers for question in questions),
    )


def separation(
    reader: Reader, encoder: Encoder, questions: Iterable[SquadQuestion], known: Sequence[SquadQuestion]
) -> float:
    """Whether the reader tells the paragraph that answers from the one that looks most like it.

    AUROC of its best score on a question's own paragraph against that on the nearest paragraph of `known`, in whatever
    language, that does not answer.

    Paragraphs that hold one of its answers are no negatives, nor what may be a translation of its own, by the ids that
    they share. Unanswerable questions are left out.
    """
    paragraphs = same_paragraph((question.id, question.context) for question in known)
    group = {question.context: paragraphs[question.id] for question in known}
    contexts = list(group)
    passages = encoder.encode_passages(contexts)
    scores, answers = [], []
    for question in questions:
        if not question.answers:
            continue
        order = np.argsort(-(passages @ encoder.encode_queries([question.question])[0]))
        near = (contexts[i] for i in order)
        own = group[question.context]
        negative = next((c for c in near if group[c] != own and not _holds(c, question.answers)), None)
        for context in (question.context, negative):
            if context is not None:
                spans = reader.read(question.question, [context]).spans
                scores.append(spans[0].score if spans else -np.inf)
                answers.append(context is question.context)
    return auroc(np.array(scores), np.array(answers, dtype=bool))


def _holds(context: str, answers: Sequence[str]) -> bool:
    return any(answer in context for answer in answers)


def read_all(
    reader: Reader,
    files: Mapping[Path, Sequence[SquadQuestion]],
    *,
    limit: int | None = None,
    folder: Path | None = None,
    track: Track = silent,
) -> dict[str, Score]:
    """The score of each file's first `limit` questions, by its name; `folder`: where its predictions are written.

    Raises `OutputError`, before anything is read, if they cannot be.
    """
    if folder:
        for file in files:
            ready(prediction_file(file, folder))
    scores = {}
    for file, questions in files.items():
        chosen = questions[:limit]
        given = predict(reader, track(chosen, file.name), abstain=may_abstain(questions))
        scores[file.name] = score(chosen, given, language=context_language(file))
        if folder:
            save(given, file, folder)
    return scores


def save(predictions: dict[str, str], file: Path, folder: Path) -> Path:
    """Writes the official form, `{id: text}`, as NAME.json for NAME.json or NAME.json.gz; returns where."""
    target = prediction_file(file, folder)
    with writing(target):
        target.write_text(json.dumps(predictions, ensure_ascii=False), encoding="utf-8")
    return target


def prediction_file(file: Path, folder: Path) -> Path:
    """Where the predictions for a file of questions go."""
    return folder / f"{prediction_name(file)}.json"


def prediction_name(file: Path) -> str:
    """`NAME` of NAME.json or NAME.json.gz."""
    return file.name.removesuffix(".gz").removesuffix(".json")
