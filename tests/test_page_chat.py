"""What the page's requests give back, with the real bot: replies, places, memory, and failures as messages."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from qa.bot import Bot, open_corpus, open_library
from qa.catalogue import Catalogue
from qa.errors import (
    BabelquoteError,
    IndexBroken,
    IndexBusy,
    IndexUnwritable,
    LibraryError,
    Overloaded,
    QuestionError,
    RateExceeded,
)
from qa.feedback import FeedbackLog
from qa.page.chat import Chat
from qa.page.memory import MOST_LOOKUPS
from qa.page.uploads import Uploads
from qa.records import Document, Reply
from qa.render import to_json
from qa.serve.service import Service
from qa.settings import Settings
from tests.conftest import ABSTAINED, ANSWERED, CORPUS
from tests.html import Html


@pytest.fixture(scope="module")
def chat(bot: Bot, settings: Settings) -> Chat:
    return Chat(bot, Service(bot, settings=settings).ask, most_chars=settings.retrieve.max_question_chars)


def ask(chat: Chat, question: str = ANSWERED, **more: object) -> dict[str, Any]:
    return chat.ask({"question": question, "language": "en", **more}, client="test")


def revived(chat: Chat, kept: object, language: str = "en", **more: object) -> str:
    """HTML of the one reply that a browser kept."""
    begun: dict[str, Any] = chat.begin({"languages": [language], "turns": [{"reply": kept, **more}]})
    (turn,) = begun["turns"]
    return str(turn["html"])


def turns_of(count: int, *, quotes: int) -> list[dict[str, Any]]:
    """Kept replies, each with so many quotes, of documents that there are not."""
    about = {"start": 0, "end": 2, "answer_start": 0, "answer_end": 1, "text": "xy", "language": "en", "score": 0.5}
    said = {"question": "Who?", "question_language": "en", "status": "answered", "confidence": 0.5}
    return [
        {"reply": {**said, "quotes": [{**about, "number": 1, "document_id": f"{turn}-{i}"} for i in range(quotes)]}}
        for turn in range(count)
    ]


def open_(chat: Chat, **place: object) -> str:
    return str(chat.open({"language": "en", **place})["html"])


def test_a_reply_comes_as_html_json_markdown_and_speech(chat: Chat, bot: Bot) -> None:
    shown = ask(chat)
    assert shown["reply"] == to_json(bot.ask(ANSWERED))
    first = shown["reply"]["quotes"][0]
    html = Html(shown["html"])
    assert html.texts(".bq-text") == [quote["text"] for quote in shown["reply"]["quotes"]]
    assert html.texts("mark")[0] == first["answer"]
    assert first["text"] in shown["spoken"]
    assert f"**{ANSWERED}**" in shown["markdown"]


def test_the_place_of_every_quote_opens_with_exactly_its_words(chat: Chat) -> None:
    for quote in ask(chat)["reply"]["quotes"]:
        html = Html(
            open_(
                chat,
                document=quote["document_id"],
                **{key: quote[key] for key in ("start", "end", "answer_start", "answer_end")},
            )
        )
        assert html.text(".bq-whole") == quote["text"]
        assert html.text(".bq-exact") == quote["answer"]


def test_a_place_that_is_not_there_is_said_so(chat: Chat) -> None:
    assert "not in the collection" in open_(chat, document="nowhere")
    assert "no longer stands there" in open_(chat, document="shanghai-2024-fr", start=5, end=10**9)


def test_kept_replies_are_made_again_from_the_documents_in_another_language(chat: Chat) -> None:
    kept = json.loads(json.dumps(ask(chat)["reply"]))
    html = Html(revived(chat, kept, "de-DE"))
    assert html.texts(".bq-text") == [quote["text"] for quote in kept["quotes"]]
    assert "Französisch" in html.text(".bq-about")


def test_a_kept_reply_cannot_bring_words_of_its_own(chat: Chat) -> None:
    kept = json.loads(json.dumps(ask(chat)["reply"]))
    kept["quotes"][0]["text"] = "144 pays ont signé."
    turn = revived(chat, kept)
    assert "no longer stands there" in turn
    assert "144" not in turn


def test_a_corroborating_quote_that_is_gone_is_left_out(chat: Chat) -> None:
    kept = json.loads(json.dumps(ask(chat)["reply"]))
    assert len(kept["quotes"]) > 1
    kept["quotes"][1]["document_id"] = "gone"
    turn = revived(chat, kept)
    assert len(Html(turn).texts(".bq-text")) == len(kept["quotes"]) - 1


def test_an_abstention_is_kept_too(chat: Chat) -> None:
    kept = json.loads(json.dumps(ask(chat, ABSTAINED)["reply"]))
    assert kept["status"] == "abstained"
    turn = revived(chat, kept)
    assert "Not in the documents" in turn
    assert "Only part of the documents" not in turn
    assert "Only part of the documents was searched." in revived(chat, kept, filtered=True)


class Noting:
    """The bot's documents; notes which are looked up."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.ids: list[str] = []

    def catalogue(self) -> AbstractContextManager[Catalogue]:
        return self._bot.catalogue()

    def document(self, document_id: str) -> Document | None:
        self.ids.append(document_id)
        return self._bot.document(document_id)


def never_asked(*_: object, **__: object) -> Reply:
    raise AssertionError("a question was asked")


def begun_with(bot: Bot, turns: list[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """What a page over the bot's documents begins with, and how many it looked up for that."""
    noting = Noting(bot)
    begun = Chat(noting, never_asked, most_chars=2_000).begin({"languages": ["en"], "turns": turns})
    return begun, len(noting.ids)


def test_a_long_chat_is_made_again_whole(bot: Bot) -> None:
    begun, looked_up = begun_with(bot, turns_of(100, quotes=10))
    assert looked_up == 100 * 10
    assert len(begun["turns"]) == 100
    assert all("no longer stands there" in turn["html"] for turn in begun["turns"])


def test_a_chat_that_quotes_too_many_documents_is_made_again_from_its_end(bot: Bot) -> None:
    begun, looked_up = begun_with(bot, turns_of(200, quotes=50))
    made = MOST_LOOKUPS // 50
    assert looked_up == MOST_LOOKUPS
    assert begun["turns"][:-made] == [None] * (200 - made)
    assert all("no longer stands there" in turn["html"] for turn in begun["turns"][-made:])


def test_the_search_can_be_restricted(chat: Chat) -> None:
    reply = ask(chat, chosen={"languages": ["de"], "sources": [], "documents": []})["reply"]
    assert {quote["language"] for quote in reply["quotes"]} == {"de"}


def test_a_document_that_went_lifts_the_restriction(chat: Chat) -> None:
    shown = ask(chat, chosen={"documents": ["gone"]})
    assert shown["unfilter"] is True
    assert "no longer restricted" in shown["error"]


@pytest.mark.parametrize(
    ("question", "message"),
    [("", "is empty"), (" ?! ", "is empty"), ("x" * 2_001, "at most 2,000 characters"), ("x" * 900_000, "too long")],
)
def test_a_question_that_cannot_be_asked_is_answered_by_a_message(chat: Chat, question: str, message: str) -> None:
    shown = ask(chat, question)
    assert message in shown["error"]
    assert "html" not in shown


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RateExceeded("x", retry_after=1), "Zu viele Fragen"),
        (Overloaded("x", retry_after=1), "Gerade fragen viele"),
        (IndexBroken("secret path"), "lassen sich gerade nicht durchsuchen"),
        (IndexBusy("secret path"), "an anderer Stelle"),
        (IndexUnwritable("secret path"), "Festplatte des Servers ist voll"),
        (QuestionError("x"), "wieder überall gesucht"),
        (BabelquoteError("secret path"), "schiefgegangen"),
        (ZeroDivisionError("secret path"), "schiefgegangen"),
    ],
)
def test_every_failure_is_a_message_in_the_pages_language(bot: Bot, error: Exception, message: str) -> None:
    def fails(*_: object, **__: object) -> Reply:
        raise error

    shown = Chat(bot, fails, most_chars=100).ask({"question": "Wer?", "language": "de"}, client="test")
    assert message in str(shown["error"])
    assert "secret" not in str(shown["error"])
    assert "html" not in shown


REQUESTS = ("begin", "ask", "open", "shelf", "add", "watch", "remove", "judge")
NEVER_SENT: list[object] = [
    {}, {"question": 3}, {"document": ["x"]}, {"unknown": 1}, {"language": 5}, None, [], "text",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "received"),
    [pair for pair in product(REQUESTS, NEVER_SENT) if pair != ("shelf", {})],  # so the whole list is asked for
)
def test_what_the_page_never_sends_gets_a_message(chat: Chat, name: str, received: object) -> None:
    function: Callable[..., dict[str, object]] = getattr(chat, name)
    shown = function(received, client="test") if name == "ask" else function(received)
    assert shown == {"error": "Something went wrong. Whoever runs this page finds the reason in its log."}


def test_an_opinion_is_noted_with_the_reply(bot: Bot, settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "feedback.jsonl"
    chat = Chat(bot, Service(bot, settings=settings).ask, most_chars=2_000, feedback=FeedbackLog(log))
    reply = ask(chat)["reply"]
    noted = chat.judge({"language": "fr", "right": False, "comment": "non", "earlier": ["Qui ?"], "reply": reply})
    assert noted == {"said": "Merci, c’est noté sur cette machine."}
    (entry,) = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    assert (entry["verdict"], entry["comment"], entry["earlier"]) == ("down", "non", ["Qui ?"])
    assert entry["reply"]["quotes"] == reply["quotes"]


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Iterator[Chat]:
    """A page over an index of its own, to which documents can be added."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "one.txt").write_text((CORPUS / "texts" / "003_83826e1afd84aa67.txt").read_text(encoding="utf-8"))

    def received(name: str) -> Path:
        if not (tmp_path / "inbox" / name).is_file():
            raise LibraryError("it did not arrive")
        return tmp_path / "inbox" / name

    (tmp_path / "inbox").mkdir()
    home = replace(settings.store, home=str(tmp_path / "home"))
    with closing(open_corpus(corpus, settings=replace(settings, store=home))) as bot:
        uploads = Uploads(open_library(bot), received, replace(settings.uploads, max_file_bytes=1_000_000))
        yield Chat(bot, Service(bot, settings=settings).ask, most_chars=2_000, uploads=uploads)


def test_documents_can_be_added_asked_and_removed(own: Chat, tmp_path: Path) -> None:
    text = "The treaty of Zedwick was signed by Ann Oakley in 1931.\n"
    (tmp_path / "inbox" / "a").write_text(text, encoding="utf-8")
    (tmp_path / "inbox" / "b").write_bytes(b"")
    files = [{"name": "treaty.md", "path": "a"}, {"name": "nothing.txt", "path": "b"}]
    added = own.add({"language": "en", "files": files, "job": "12345678"})
    assert added["statuses"] == ["added", "left_out"]
    assert list((tmp_path / "inbox").iterdir()) == []
    reply = ask(own, "Who signed the treaty of Zedwick?")["reply"]
    assert reply["quotes"][0]["answer"] == "Ann Oakley"
    document = reply["quotes"][0]["document_id"]
    assert f'data-do="remove" data-id="{document}"' in str(own.shelf({"language": "en"})["html"])
    assert own.remove({"language": "en", "document": document}) == {"said": f"Removed {reply['quotes'][0]['title']}"}
    turn = revived(own, reply)
    assert "no longer stands there" in turn
    (tmp_path / "inbox" / "secret").mkdir()
    refused = own.add({"language": "en", "files": [{"name": "x.md", "path": "secret"}], "job": "12345678"})
    assert "error" in refused
    kept = own.remove({"language": "en", "document": "one.txt"})
    assert "belongs to the corpus" in str(kept["error"])


def test_a_citation_does_not_open_other_words_once_its_document_has_changed(own: Chat, tmp_path: Path) -> None:
    def add(text: str) -> None:
        (tmp_path / "inbox" / "a").write_text(text, encoding="utf-8")
        files = [{"name": "treaty.md", "path": "a"}]
        assert own.add({"language": "en", "files": files, "job": "12345678"})["statuses"] == ["added"]

    add("The treaty of Zedwick was signed by Ann Oakley in 1931.\n")
    shown = ask(own, "Who signed the treaty of Zedwick?")
    (link, *_) = (value for value in Html(shown["html"]).values("href") if value and value.startswith("?"))
    link_says = {key: value for key, (value,) in parse_qs(urlsplit(link).query).items()}
    bounds = {key: int(link_says[key]) for key in ("start", "end")}
    place = {"document": link_says["document"], "meant": link_says["is"], **bounds}
    assert "Ann Oakley" in Html(open_(own, **place)).text(".bq-whole")
    own.remove({"language": "en", "document": place["document"]})
    add("The treaty of Zedwick was signed by Tom Archer in 1931.\n")
    opened = open_(own, **place)
    assert "no longer stands there" in opened
    assert "Tom Archer" not in opened
