"""The bot behind limits, the same for page, REST and MCP."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from qa.bot import Bot
from qa.errors import Overloaded, PlaceMissing, RateExceeded
from qa.filters import check_filters
from qa.records import Entry, Filters, Reply
from qa.serve.excerpts import Excerpt, excerpt
from qa.serve.limits import TokenBuckets
from qa.settings import Settings

T = TypeVar("T")


class Service:
    """Answers questions within limits: how often one client may ask, how many are answered at once and
    how many may wait. Thread-safe; `ask` blocks while it waits and answers."""

    def __init__(self, bot: Bot, *, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._bot = bot
        limits = settings.serve
        self._rate = TokenBuckets(per_second=limits.rate_per_minute / 60, burst=limits.burst, clock=clock)
        self._running = threading.Semaphore(limits.parallel)
        self._lock = threading.Lock()
        self._waiting = 0
        self._seconds = 1.0
        self._one_at_a_time = CapacityLimiter(1)  # the index has one writer
        self._changes = 0

    def ask(self, question: str, *, client: str, filters: Filters = Filters(), earlier: Sequence[str] = ()) -> Reply:
        """`Bot.ask` for a client, a name that tells whose rate this counts against (`qa.serve.clients`).

        Raises `RateExceeded` or `Overloaded`, both with `retry_after` in seconds, besides what `Bot.ask` raises.
        `QuestionError` also for a filter that nothing can pass.
        """
        self.take_turn(client)
        check_filters(filters, self._bot.catalogue)
        with self._place():
            begun = time.monotonic()
            reply = self._bot.ask(question, filters=filters, earlier=earlier)
            self._seconds += (time.monotonic() - begun - self._seconds) / 8
            return reply

    def entries(self, *, after: str = "", limit: int) -> list[Entry]:
        """Documents by id, from the one behind `after` on."""
        with self._bot.catalogue() as catalogue:
            return list(catalogue.entries(after=after, limit=limit))

    def show(self, document_id: str, *, start: int = 0, end: int | None = None) -> Excerpt:
        """A stretch of a document, in code points, at most `serve.max_shown_chars` of them; an `end` behind the
        document's is its end. Raises `PlaceMissing` if there is no such document, or nothing of it there."""
        document = self._bot.document(document_id)
        if document is None:
            raise PlaceMissing(f"there is no document {document_id!r}; ask for the list of documents")
        return excerpt(document, start=start, end=end, most=self.settings.serve.max_shown_chars)

    def take_turn(self, client: str) -> None:
        """Counts something that costs as much as a question. Raises `RateExceeded` with `retry_after` in seconds."""
        if seconds := self._rate.take(client):
            limits = self.settings.serve
            raise RateExceeded(
                f"too much in a short time: at most {limits.rate_per_minute:g} questions a minute, {limits.burst} "
                f"of them at once; ask again in {math.ceil(seconds)} s",
                retry_after=seconds,
            )

    async def change(self, function: Callable[..., T], *args: object) -> T:
        """What a function that changes the documents returns; such run one at a time, in a thread, whoever asks for
        them. Raises `Overloaded` if `serve.waiting` wait already."""
        if self._changes > self.settings.serve.waiting:
            raise Overloaded("too many documents are waiting to be added; send these in a minute", retry_after=60)
        self._changes += 1
        try:
            return await to_thread.run_sync(function, *args, limiter=self._one_at_a_time)
        finally:
            self._changes -= 1

    def check(self) -> None:
        """Raises `StoreError` if the index cannot be read now."""
        self._bot.document("")

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._running.acquire(blocking=False):
            self._wait()
        try:
            yield
        finally:
            self._running.release()

    def _wait(self) -> None:
        limits = self.settings.serve
        with self._lock:
            ahead = self._waiting
            if ahead < limits.waiting:
                self._waiting += 1
        if ahead >= limits.waiting:
            raise self._overloaded(f"{ahead} questions are waiting already, and no more may", ahead)
        try:
            came = self._running.acquire(timeout=limits.wait_seconds)
        finally:
            with self._lock:
                self._waiting -= 1
        if not came:
            raise self._overloaded(f"this question waited {limits.wait_seconds:g} s and its turn did not come", ahead)

    def _overloaded(self, what: str, ahead: int) -> Overloaded:
        seconds = max(1.0, self._seconds * (ahead + 1) / self.settings.serve.parallel)
        return Overloaded(f"{what}; ask again in {math.ceil(seconds)} s", retry_after=seconds)
