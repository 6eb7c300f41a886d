"""What each request of the page does. The browser keeps the conversation; here nothing is remembered."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from qa.catalogue import Catalogue
from qa.errors import (
    CorpusError,
    IndexBusy,
    IndexUnwritable,
    LibraryError,
    QuestionError,
    RateExceeded,
    Refused,
    StoreError,
)
from qa.feedback import FeedbackLog, Verdict
from qa.page import requests
from qa.page.answers import level, reply_html, spoken_summary
from qa.page.memory import revivable, revive
from qa.page.shelf import LISTED, choices_html, list_html, shelf_html
from qa.page.source import STEP, WINDOW, missing_html, place, source_html
from qa.page.uploads import Uploads, reports_html
from qa.page.welcome import SHIPPED, welcome_html
from qa.page.words import LANGUAGES, Words, choose, words
from qa.records import Bounds, Document, Filters, Reply
from qa.render import to_json, to_markdown

Response = dict[str, object]
"""What goes back to the browser, as JSON."""
Received = Mapping[str, object]
R = TypeVar("R", bound=BaseModel)
_log = logging.getLogger(__name__)


class Collection(Protocol):
    """The documents that are asked; `qa.bot.Bot` is one."""

    def catalogue(self) -> AbstractContextManager[Catalogue]: ...

    def document(self, document_id: str) -> Document | None: ...


class Asking(Protocol):
    """`qa.serve.service.Service.ask`."""

    def __call__(self, question: str, *, client: str, filters: Filters, earlier: Sequence[str]) -> Reply: ...


class Chat:
    """The page's requests: each takes what the browser sent and gives back what it shows.

    None raises for what a visitor did: a failure is `{"error": message}`, in the page's language.
    """

    def __init__(
        self,
        collection: Collection,
        ask: Asking,
        *,
        most_chars: int,
        uploads: Uploads | None = None,
        feedback: FeedbackLog | None = None,
    ) -> None:
        self._collection = collection
        self._ask = ask
        self._most_chars = most_chars
        self._uploads = uploads
        self._feedback = feedback

    def begin(self, received: Received) -> Response:
        """Texts, welcome and the replies that the browser kept, for a page that opens or changes its language.

        Of replies that quote too many documents, the first are `None`: these can be asked for again.
        """

        def work(request: requests.Begin) -> Response:
            say = words(choose(request.languages))
            with self._collection.catalogue() as catalogue:
                welcome = welcome_html(catalogue.overview(), say, shipped=catalogue.titles(SHIPPED).keys() >= SHIPPED)
            document = lru_cache(self._collection.document)
            unseen = len(request.turns) - revivable(request.turns)
            return {
                "language": say.language,
                "languages": {code: words(code)("name") for code in LANGUAGES},
                "texts": say.plain(),
                "limits": {"chars": self._most_chars, "window": WINDOW, "step": STEP, **self._upload_limits()},
                "welcome": welcome,
                "turns": [None] * unseen + [self._revived(kept, document, say) for kept in request.turns[unseen:]],
            }

        return self._respond(requests.Begin, received, work)

    def ask(self, received: Received, *, client: str) -> Response:
        """The reply to a question, as HTML, as JSON for the browser's memory, and in words for a screen reader."""

        def work(request: requests.Ask) -> Response:
            say = words(choose([request.language]))
            if not any(character.isalnum() for character in request.question):
                return {"error": say("error_empty")}
            if len(request.question) > self._most_chars:
                return {"error": say("error_long", limit=f"{self._most_chars:,}")}
            filters = request.chosen.filters()
            reply = self._ask(request.question, client=client, filters=filters, earlier=tuple(request.earlier))
            return self._shown(reply, say, filtered=filters != Filters()) | {"reply": to_json(reply)}

        return self._respond(requests.Ask, received, work)

    def open(self, received: Received) -> Response:
        """A document at a place."""

        def work(request: requests.Open) -> Response:
            say = words(choose([request.language]))
            document = self._collection.document(request.document)
            if document is None:
                return {"html": missing_html(say, document=False)}
            answer = (
                Bounds(request.answer_start, request.answer_end)
                if request.answer_start is not None and request.answer_end is not None
                else None
            )
            found = place(document, request.start, request.end, answer, meant=request.meant)
            if found is None:
                return {"html": missing_html(say, document=True)}
            before = WINDOW if request.before is None else request.before
            after = WINDOW if request.after is None else request.after
            return {"html": source_html(found, say, before=before, after=after), "title": document.title}

        return self._respond(requests.Open, received, work)

    def shelf(self, received: Received) -> Response:
        """The panel of documents, and the parts of it that change."""

        def work(request: requests.Shelf) -> Response:
            say = words(choose([request.language]))
            chosen, added = request.chosen.filters(), self._added()
            with self._collection.catalogue() as catalogue:
                overview = catalogue.overview()
                found = catalogue.find(request.search, first=added, limit=LISTED)
                everything = catalogue.find(first=added, limit=LISTED) if request.search else found
                names = catalogue.titles(chosen.documents)
            return {
                "html": shelf_html(overview, everything, say, added=added, chosen=chosen, adding=self._adding()),
                "choices": choices_html(overview, say, chosen),
                "list": list_html(found, say, added=added, chosen=chosen),
                "names": names,
            }

        return self._respond(requests.Shelf, received, work)

    def add(self, received: Received) -> Response:
        """Adds files that were sent; returns what became of each."""

        def work(request: requests.Add) -> Response:
            say = words(choose([request.language]))
            if self._uploads is None:
                return {"error": say("error_upload")}
            reports = self._uploads.add(request)
            return {"html": reports_html(reports, say), "statuses": [str(report.status) for report in reports]}

        return self._respond(requests.Add, received, work)

    def watch(self, received: Received) -> Response:
        """How far adding is: `stage` and `share`, or nothing."""

        def work(request: requests.Watch) -> Response:
            progress = self._uploads.progress(request.job) if self._uploads else None
            return {"stage": progress[0], "share": progress[1]} if progress else {}

        return self._respond(requests.Watch, received, work)

    def remove(self, received: Received) -> Response:
        """Removes a document that a visitor added."""

        def work(request: requests.Remove) -> Response:
            say = words(choose([request.language]))
            document = self._collection.document(request.document)
            if self._uploads is None or document is None:
                return {"error": say("no_document")}
            self._uploads.remove(request.document)
            return {"said": say("removed", title=document.title)}

        return self._respond(requests.Remove, received, work)

    def judge(self, received: Received) -> Response:
        """Notes a visitor's word on a reply, with the quotes that still stand."""

        def work(request: requests.Judge) -> Response:
            say = words(choose([request.language]))
            reply = revive(request.reply, self._collection.document)
            if reply is None:
                return {"error": say("not_there")}
            if self._feedback is not None:
                verdict = Verdict.UP if request.right else Verdict.DOWN
                filters = request.chosen.filters()
                self._feedback.add(reply, verdict, comment=request.comment, earlier=request.earlier, filters=filters)
            return {"said": say("thanks")}

        return self._respond(requests.Judge, received, work)

    def refused(self, received: Received, error: Refused) -> Response:
        """What the page says of a request whose turn does not come."""
        return {"error": _spoken_by(received)("error_rate" if isinstance(error, RateExceeded) else "error_busy")}

    def _added(self) -> frozenset[str]:
        return self._uploads.ids() if self._uploads else frozenset()

    def _upload_limits(self) -> Response:
        limits = self._uploads.limits if self._uploads else None
        return {"bytes": limits.max_file_bytes, "files": limits.max_files} if limits else {}

    def _adding(self) -> int | None:
        return self._uploads.limits.max_file_bytes if self._uploads else None

    def _shown(self, reply: Reply, say: Words, *, filtered: bool = False) -> Response:
        return {
            "html": reply_html(reply, say, filtered=filtered),
            "spoken": spoken_summary(reply, say),
            "markdown": to_markdown(reply),
            "level": level(reply.confidence),
        }

    def _revived(self, kept: requests.Kept, document: Callable[[str], Document | None], say: Words) -> Response:
        if reply := revive(kept.reply, document):
            return self._shown(reply, say, filtered=kept.filtered)
        return {"html": missing_html(say, document=True), "spoken": say("not_there"), "markdown": ""}

    def _respond(self, shape: type[R], received: Received, work: Callable[[R], Response]) -> Response:
        """What `work` makes of a request; a failure as a message in the page's language."""
        say = _spoken_by(received)
        try:
            return work(shape.model_validate(received))
        except ValidationError as error:
            _log.warning("the page sent what it never sends: %s", error)
            return {"error": say("error_unknown")}
        except Refused as error:
            return self.refused(received, error)
        except QuestionError as error:  # the question itself was checked before: a filter that nothing can pass
            _log.info("%s", error)
            return {"error": say("error_filter"), "unfilter": True}
        except IndexBusy:
            return {"error": say("error_adding")}
        except CorpusError:  # the only document was to be removed
            return {"error": say("error_last")}
        except LibraryError as error:
            return {"error": str(error)}
        except IndexUnwritable:
            _log.exception("the disk cannot be written")
            return {"error": say("error_disk")}
        except StoreError:
            _log.exception("the index cannot be read")
            return {"error": say("error_index")}
        except Exception:  # a defect of ours: said in place, its traceback in the log
            _log.exception("a request of the page failed")
            return {"error": say("error_unknown")}


def _spoken_by(received: Received) -> Words:
    """The words of the page that sent this."""
    language = received.get("language") if isinstance(received, Mapping) else None
    return words(choose([language] if isinstance(language, str) else []))
