"""What an evaluation leaves behind: one row a question, and what it was made with. A JSON file and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eval.gold import GoldQuestion
from eval.output import writing
from eval.ranking import Evidence
from qa.errors import BabelquoteError
from qa.settings import EncoderSettings

OTHER_ENCODER = (
    "confidence was calibrated for the shipped encoder, and this is another: abstentions, abstention AUROC, "
    "risk-coverage area and calibration error mean nothing"
)


class ResultError(BabelquoteError):
    """A result file that is missing or was not written by this program."""


class Verdict(StrEnum):
    """How a question went, in one word. An abstention is right where nothing answers, else it withholds an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    WITHHELD = "withheld"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whole sentences of a document, with an answer inside. Offsets point into the document's text."""

    document: str
    title: str
    language: str
    start: int
    end: int
    text: str
    answer_start: int
    answer_end: int

    @property
    def parts(self) -> tuple[str, str, str]:
        """The text before the answer, the answer, and the text after it."""
        start, end = self.answer_start - self.start, self.answer_end - self.start
        return self.text[:start], self.text[start:end], self.text[end:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Place):
    """A quote as it was given. `supports`: whether it holds a gold span."""

    score: float
    supports: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question, what came of it, and its scores by the name of the measure.

    `expected` are the gold spans in their sentences. `confidence` is the reply's, `best_right` tells of `best`, the
    first quote or the one that was withheld. A measure that says nothing about this kind of question (hit@1 of an
    unanswerable one) is absent from `scores`.
    """

    question: GoldQuestion
    verdict: Verdict
    expected: tuple[Place, ...]
    error: str | None
    abstained: bool
    confidence: float
    best: Given | None
    best_right: bool
    quotes: tuple[Given, ...]
    evidence: tuple[Evidence, ...]
    seconds: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a result was made with. Digests are SHA-256; `commit` ends in "+" if the working tree differs from it.

    `weights` covers all data files of the package; `settings` are the values of every section, as JSON.
    """

    system: str
    questions: str
    questions_digest: str
    corpus: str
    corpus_digest: str
    model: str
    weights: str
    device: str
    commit: str
    seed: int
    made: str
    settings: str

    @property
    def caveat(self) -> str:
        """What is to be said wherever its numbers are shown; empty for the encoder that is shipped."""
        shipped = asdict(EncoderSettings())
        used = shipped | json.loads(self.settings).get("encoder", {})
        same = all(used[name] == shipped[name] for name in ("model", "projection", "layers"))
        return "" if same else OTHER_ENCODER


@dataclass(frozen=True, slots=True)
class Result:
    """One system's run over one set of questions.

    `cold_seconds`: of whole commands in fresh processes, if any were timed.
    """

    provenance: Provenance
    rows: tuple[Row, ...]
    cold_seconds: tuple[float, ...] = ()


_RESULT = TypeAdapter(Result)


def save(result: Result, path: Path) -> None:
    """Writes the result as JSON. Raises `OutputError`."""
    with writing(path):
        path.write_bytes(_RESULT.dump_json(result, indent=1) + b"\n")


def load(path: Path) -> Result:
    """A result that `save` wrote. Raises `ResultError`."""
    try:
        return _RESULT.validate_json(path.read_bytes())
    except OSError as error:
        raise ResultError(f"cannot read {path}: {error}; write one with: python -m eval --out {path}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise ResultError(
            f"{path} is not a result of this version: {where}: {first['msg']}; "
            f"write it anew with: python -m eval --out {path}"
        ) from error
