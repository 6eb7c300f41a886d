"""The vocabulary: every value that flows between stages.

Frozen and slotted; the only behaviour of weight is the first law, in `Quote.check`.

path ─ingest→ `Document` ─chunk→ `Passage` ─embed, store→ index
question ─retrieve→ `Hit` ─read→ `Span` ─answer→ `Answer` | `Abstention` ─render→ text

All offsets count Unicode code points, `end` is exclusive. Document offsets point into `Document.text`, which
was normalised once, at ingest; nothing changes it afterwards.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Bounds(NamedTuple):
    """A stretch of text, `start <= i < end`, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that is to become a document, and what is known of it before it is opened.

    `sha256` is of the bytes on disk. Whatever is `None` is told from the file itself.
    """

    document_id: str
    path: Path
    sha256: str | None = None
    title: str | None = None
    source: str | None = None
    language: str | None = None
    date: str | None = None
    machine_translated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text with its provenance. `language` is an ISO 639-1 code (639-3 where there is none), "und" if unknown.

    `pages` are the offsets at which the pages begin, in a format that has pages. `warning` is known of a document just
    read: what of its file is not in the text, and what to do.
    """

    id: str
    title: str
    source: str
    language: str
    text: str = field(repr=False)
    pages: tuple[int, ...] = field(default=(), repr=False)
    date: str | None = None
    machine_translated: bool | None = None
    path: str = ""
    sha256: str = ""
    warning: str | None = None

    @property
    def entry(self) -> "Entry":
        """All but the text."""
        return Entry(
            id=self.id, title=self.title, source=self.source, language=self.language, characters=len(self.text),
            pages=len(self.pages) or None, date=self.date, machine_translated=self.machine_translated,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document as a list shows it: all but its text. `characters` and `pages` are how many it has; `pages` is `None`
    in a format without pages."""

    id: str
    title: str
    source: str
    language: str
    characters: int
    pages: int | None = None
    date: str | None = None
    machine_translated: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Some of the documents that were looked for; `count` is how many there are."""

    entries: tuple[Entry, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """How many documents there are, in each language, and of each of the most frequent sources, these first."""

    documents: int
    languages: Mapping[str, int]
    sources: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Consecutive whole sentences of one document: the unit of retrieval.

    Identity is document and span, never the text: the same words in two documents are two passages.
    `sentences` are bounds within `text` (not within the document); boilerplate lines are left out of them, so
    that they are found and shown but never quoted as evidence.
    """

    document_id: str
    start: int
    end: int
    text: str
    language: str
    sentences: tuple[Bounds, ...]

    def texts(self) -> tuple[str, ...]:
        """What of it is embedded: the whole, and each sentence."""
        return (self.text, *(self.text[start:end] for start, end in self.sentences))


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    `score` is comparable within one question only. `similarity` is the cosine of question and passage
    (-1..1), or `None` where only the words matched.
    """

    passage: Passage
    score: float
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A candidate answer: bounds within the text of the passage numbered `passage` of those that were read.

    `score` grows with belief and is comparable across the passages of one question.
    """

    passage: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says about a question and some passages.

    `spans` are best first and do not overlap. `no_answer` is on the scale of the spans' scores: the higher it
    stands above the best span, the surer the reader is that none of the passages answers.
    """

    spans: tuple[Span, ...]
    no_answer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Whole sentences of a source, word for word, with the exact answer marked inside.

    All offsets point into `document.text`; `score` is the probability (0..1) that this quote answers.
    """

    number: int
    document: Document
    start: int
    end: int
    text: str
    answer_start: int
    answer_end: int
    language: str
    score: float

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """The first law: the quote is the source's own words at the place it names, and the answer lies inside.

        Checked when a quote is made and again when it is shown. A failure is a defect of ours, hence an assertion.
        """
        verbatim = self.document.text[self.start : self.end] == self.text
        if not (verbatim and self.start <= self.answer_start < self.answer_end <= self.end):
            raise AssertionError(f"quote {self.start}-{self.end} of {self.document.id} is not what stands there")

    @property
    def answer(self) -> str:
        """The exact answer, a part of `text`."""
        return self.document.text[self.answer_start : self.answer_end]

    @property
    def page(self) -> int | None:
        """The page on which the quote begins, from 1; `None` where there are no pages."""
        return bisect_right(self.document.pages, self.start) or None


class Reason(StrEnum):
    """Why there is no answer."""

    NOTHING_RETRIEVED = "nothing_retrieved"
    BELOW_THRESHOLD = "below_threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The best quote and, from other documents, those that say the same; those in the question's language first.

    `confidence` is the calibrated probability (0..1) that the best one is right, the greatest `score`. `follows` is the
    earlier question of the conversation that this one was read together with, `None` if it was read by itself.
    """

    question: str
    question_language: str
    confidence: float
    quotes: tuple[Quote, ...]
    follows: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """ "Not in the corpus", with the reason. `nearest` shows what came closest; it is not an answer.

    `follows` as in `Answer`.
    """

    question: str
    question_language: str
    confidence: float
    reason: Reason
    nearest: tuple[Quote, ...] = ()
    follows: str | None = None


Reply = Answer | Abstention


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that was left out, and why, in words for its owner; or a folder with all that lies below it; or, as a
    warning, a file that was read, and what is missing of it."""

    path: str
    message: str
    folder: bool = False


class FileStatus(StrEnum):
    """What became of a file that a visitor brought."""

    ADDED = "added"
    ALREADY_THERE = "already_there"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file, in words for its owner.

    `name` is the name that it came with, `message` why it was left out, or what of it could not be read. The rest is
    known unless it was left out; `pages` is `None` in a format without pages.
    """

    name: str
    status: FileStatus
    message: str
    document_id: str | None = None
    language: str | None = None
    pages: int | None = None
    passages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What an indexing run did. `seconds` is wall time. `warnings` are about files that were read in this run."""

    documents: int
    passages: int
    added: int
    updated: int
    removed: int
    embedded: int
    seconds: float
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """Restricts a question to some documents; an empty tuple does not restrict."""

    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
