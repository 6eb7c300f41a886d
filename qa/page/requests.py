"""What a browser may send, checked. A browser is not believed: texts are bounded, numbers have ranges."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.records import Filters, Reason

Text = Annotated[str, Field(max_length=20_000)]
Name = Annotated[str, Field(max_length=1_000)]
Offset = Annotated[int, Field(ge=0, le=2**53 - 1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Annotated[str, Field(max_length=20)] = "en"


class _Remembered(BaseModel):
    """Part of a reply as `qa.render.to_json` prints it and the browser keeps it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class QuoteRecord(_Remembered):
    number: Annotated[int, Field(ge=1, le=1_000)]
    document_id: Name
    start: Offset
    end: Offset
    answer_start: Offset
    answer_end: Offset
    text: Text
    language: Annotated[str, Field(max_length=20)]
    score: Share


class ReplyRecord(_Remembered):
    question: Text
    question_language: Annotated[str, Field(max_length=20)]
    status: Literal["answered", "abstained"]
    reason: Reason | None = None
    confidence: Share
    follows: Text | None = None
    quotes: Annotated[list[QuoteRecord], Field(max_length=50)]
    nearest: Annotated[list[QuoteRecord], Field(max_length=50)] = []


class Chosen(BaseModel):
    """The documents that a visitor restricts the search to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: Annotated[list[Name], Field(max_length=200)] = []
    sources: Annotated[list[Name], Field(max_length=200)] = []
    documents: Annotated[list[Name], Field(max_length=200)] = []

    def filters(self) -> Filters:
        return Filters(tuple(self.languages), tuple(self.sources), tuple(self.documents))


class Kept(BaseModel):
    """A reply that a browser kept. `filtered`: only part of the documents was searched for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reply: ReplyRecord
    filtered: bool = False


class Begin(BaseModel):
    """A page is opened, or its language is changed. `turns` are the replies that stand on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=50)]
    turns: Annotated[list[Kept], Field(max_length=200)] = []


class Ask(_Request):
    question: Annotated[str, Field(max_length=1_000_000)]
    earlier: Annotated[list[Text], Field(max_length=50)] = []
    chosen: Chosen = Chosen()


class Open(_Request):
    """A document at a place, with so many characters around it. `meant`: the digest of the words that a link is to."""

    document: Name
    start: Offset = 0
    end: Offset = 0
    answer_start: Offset | None = None
    answer_end: Offset | None = None
    meant: Name | None = None
    before: Annotated[int, Field(ge=0, le=2_000_000)] | None = None
    after: Annotated[int, Field(ge=0, le=2_000_000)] | None = None


class Shelf(_Request):
    """The list of documents, those that have `search` in title or source."""

    search: Name = ""
    chosen: Chosen = Chosen()


class Sent(BaseModel):
    """A file that was sent: its name for people, and where the server put it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    path: Annotated[str, Field(max_length=4_000)]


class Add(_Request):
    files: Annotated[list[Sent], Field(min_length=1)]
    job: Annotated[str, Field(min_length=8, max_length=64)]


class Watch(_Request):
    job: Annotated[str, Field(min_length=8, max_length=64)]


class Remove(_Request):
    document: Name


class Judge(_Request):
    """A visitor's word on a reply, and to what the search was restricted for it."""

    right: bool
    earlier: Annotated[list[Text], Field(max_length=50)] = []
    chosen: Chosen = Chosen()
    comment: Annotated[str, Field(max_length=4_000)] = ""
    reply: ReplyRecord
