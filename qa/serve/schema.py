"""What goes over the wire, described exactly: requests are checked by these models, replies are made by `qa.render` and
only described here. docs/json.md tells what the fields mean."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from qa.records import Entry, FileReport, FileStatus, Filters
from qa.serve.excerpts import Excerpt

MOST = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "must not hold NUL characters")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Texts = Annotated[list[Text], Field(default_factory=list, max_length=100)]
Offset = Annotated[int, Field(ge=0, le=MOST)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Question(_Request):
    """A question in any language, and where its answer may stand."""

    question: Text = Field(description="In any language")
    language: Texts = Field(description="Only passages in these languages (ISO 639-1 codes)")
    source: Texts = Field(description="Only documents of these sources")
    document: Texts = Field(description="Only these documents (ids)")
    earlier: Texts = Field(description="The conversation's earlier questions, oldest first, as each was understood")

    def filters(self) -> Filters:
        return Filters(tuple(self.language), tuple(self.source), tuple(self.document))


class PlaceQuery(BaseModel):
    """A stretch of a document, in Unicode code points; the end is exclusive."""

    model_config = ConfigDict(extra="forbid")

    start: Offset = Field(default=0, description="First character")
    end: Offset | None = Field(default=None, description="Character after the last; without it, the document's end")


class DocumentsQuery(BaseModel):
    """Which documents are listed."""

    model_config = ConfigDict(extra="forbid")

    after: Text = Field(default="", description="Only documents whose id comes after this one")
    limit: int = Field(default=1_000, ge=1, le=10_000, description="Most documents that are listed at once")


class Place(PlaceQuery):
    """A stretch of one document."""

    model_config = ConfigDict(strict=True)

    document_id: Text = Field(description="As citations name it")


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class QuoteReply(_Reply):
    """Whole sentences of a document, word for word; offsets count code points in the document's text."""

    number: int = Field(ge=1)
    text: str
    answer: str
    document_id: str
    title: str
    source: str
    language: str
    start: Offset
    end: Offset
    answer_start: Offset
    answer_end: Offset
    page: int | None = Field(ge=1)
    score: Share


class AnsweredReply(_Reply):
    """Quotes that answer: the best and what says the same elsewhere, those in the question's language first."""

    question: str
    question_language: str
    status: Literal["answered"]
    reason: None
    confidence: Share
    follows: str | None
    quotes: list[QuoteReply] = Field(min_length=1)


class AbstainedReply(_Reply):
    """Not in the corpus, with the reason. `nearest` is what came closest; it is not an answer."""

    question: str
    question_language: str
    status: Literal["abstained"]
    reason: Literal["nothing_retrieved", "below_threshold"]
    confidence: Share
    follows: str | None
    quotes: list[QuoteReply] = Field(max_length=0)
    nearest: list[QuoteReply]


Reply = Annotated[AnsweredReply | AbstainedReply, Field(discriminator="status")]
"""What a question gets."""


class DocumentReply(_Reply):
    """A document without its text, but with its length in characters, and in pages where its format has pages."""

    document_id: str
    title: str
    source: str
    language: str
    date: str | None
    machine_translated: bool | None
    pages: int | None = Field(ge=1)
    characters: int = Field(ge=0)


class DocumentsReply(_Reply):
    """Documents by id. `next` is what to give as `after` for those that follow; it is null with the last ones."""

    documents: list[DocumentReply]
    next: str | None


class ExcerptReply(DocumentReply):
    """A stretch of a document: `text` stands at `start` to `end`. It ends early at the document's end, or where the
    server's limit ends it: go on at `end`."""

    start: Offset
    end: Offset
    text: str


class FileReply(_Reply):
    """What became of a file. `message` says why it was left out, or what of it could not be read."""

    name: str
    status: FileStatus
    message: str
    document_id: str | None
    language: str | None
    pages: int | None
    passages: int | None


class UploadsReply(_Reply):
    """One report a file, in their order."""

    files: list[FileReply]


class HealthReply(_Reply):
    """The index can be read."""

    status: Literal["ok"]


class ErrorReply(_Reply):
    """What failed and what mends it. Never an abstention, which is no error."""

    status: Literal["error"]
    message: str


def entry_json(entry: Entry) -> dict[str, object]:
    """A document as `DocumentReply` describes it."""
    return {
        "document_id": entry.id,
        "title": entry.title,
        "source": entry.source,
        "language": entry.language,
        "date": entry.date,
        "machine_translated": entry.machine_translated,
        "pages": entry.pages,
        "characters": entry.characters,
    }


def entries_json(entries: Sequence[Entry], *, limit: int) -> dict[str, object]:
    """At most `limit` documents as `DocumentsReply` describes them. `entries` may hold one more, which shows that more
    follow."""
    shown = entries[:limit]
    return {"documents": list(map(entry_json, shown)), "next": shown[-1].id if len(entries) > limit else None}


def excerpt_json(excerpt: Excerpt) -> dict[str, object]:
    """A stretch of a document as `ExcerptReply` describes it."""
    return entry_json(excerpt.document.entry) | {"start": excerpt.start, "end": excerpt.end, "text": excerpt.text}


def report_json(report: FileReport) -> dict[str, object]:
    """What became of a file, as `FileReply` describes it."""
    return asdict(report) | {"status": str(report.status)}


def complaint(faults: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with a request, in one line, without repeating what it said. Faults as pydantic lists them."""
    parts = []
    for fault in faults:
        where = ".".join(str(step) for step in fault["loc"])
        parts.append(f"{where}: {fault['msg']}" if where else fault["msg"])
    return "; ".join(parts[:5])
