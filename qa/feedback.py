"""What people think of replies, one JSON object a line. Nobody's name or address is kept."""

import errno
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from qa.disk import is_full
from qa.errors import IndexBusy, IndexUnwritable, LibraryError
from qa.records import Filters, Reply
from qa.render import to_json
from qa.settings import FeedbackSettings

_WAIT = 10.0
"""Seconds to wait for another process that appends."""


class Verdict(StrEnum):
    """Thumbs up or down."""

    UP = "up"
    DOWN = "down"


class FeedbackLog:
    """A file to which verdicts are appended. Safe for threads and processes; made when the first entry comes."""

    def __init__(self, path: Path, settings: FeedbackSettings = FeedbackSettings()) -> None:
        self.path = path
        self._settings = settings

    def add(
        self,
        reply: Reply,
        verdict: Verdict,
        *,
        comment: str = "",
        earlier: Sequence[str] = (),
        filters: Filters = Filters(),
    ) -> None:
        """Appends one entry: time (UTC), question, earlier questions, filters, the reply as JSON, verdict, comment.

        Durable on return. Raises `LibraryError` if the entry or the file would be larger than the settings allow,
        `IndexUnwritable` if the disk is full or read-only, `IndexBusy` if another process holds the file.
        """
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "verdict": str(Verdict(verdict)),
            "comment": comment.strip(),
            "question": reply.question,
            "earlier": list(earlier),
            "filters": asdict(filters),
            "reply": to_json(reply),
        }
        # A lone surrogate is escaped, since no UTF-8 says it.
        text = json.dumps(entry, ensure_ascii=False)
        line = (json.dumps(entry) if any("\ud800" <= c <= "\udfff" for c in text) else text).encode() + b"\n"
        if len(line) > self._settings.max_entry_bytes:
            limit = self._settings.max_entry_bytes
            raise LibraryError(
                f"the feedback has {len(line):,} bytes, more than the limit of {limit:,}; shorten the comment"
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=_WAIT):
                self._append(line)
        except Timeout as error:
            raise IndexBusy(f"another process holds {self.path}; try again") from error
        except OSError as error:
            full = is_full(error)
            raise IndexUnwritable(
                f"the feedback could not be kept: the disk that holds {self.path} is full; make room"
                if full
                else f"the feedback could not be kept: {self.path} cannot be written ({error.strerror or error})"
            ) from error

    def _append(self, line: bytes) -> None:
        """All of the line, or nothing; behind what a killed process left, on a line of its own."""
        with self.path.open("ab+", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            if before + len(line) > self._settings.max_bytes:
                raise LibraryError(
                    f"{self.path} has reached the limit of {self._settings.max_bytes:,} bytes; move it away, "
                    "or raise BABELQUOTE_FEEDBACK__MAX_BYTES"
                )
            if before:
                file.seek(before - 1)
                line = line if file.read(1) == b"\n" else b"\n" + line
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise


def feedback_path(index: Path) -> Path:
    """Where the feedback on an index lies: beside it, as its uploads do."""
    index = index.resolve()
    return index.with_name(f"{index.name}.feedback.jsonl")
