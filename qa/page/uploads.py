"""Documents that visitors bring, and what the page tells of them while they come."""

import threading
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Protocol

from qa.page.markup import spoken, text
from qa.page.requests import Add
from qa.page.words import Words
from qa.records import FileReport, FileStatus
from qa.settings import UploadSettings

_REMEMBERED = 100
"""Runs whose progress can be asked for; the oldest is forgotten first."""
STAGES = frozenset({"check", "read", "embed", "index"})
"""What adding goes through, in the library's words."""

Received = Callable[[str], Path]
"""The file that the server received under this name. Raises `LibraryError` for any other."""


class Adding(Protocol):
    """`qa.library.Library`."""

    def add(
        self, files: Sequence[tuple[str, Path]], *, progress: Callable[[str, int, int], None]
    ) -> Sequence[FileReport]: ...

    def remove(self, document_id: str) -> None: ...

    def ids(self) -> frozenset[str]: ...


class Uploads:
    """The library as the page uses it. Thread-safe: adding takes a while, and others ask how far it is."""

    def __init__(self, library: Adding, received: Received, limits: UploadSettings) -> None:
        self._library = library
        self._received = received
        self.limits = limits
        self._lock = threading.Lock()
        self._progress: dict[str, tuple[str, float]] = {}

    def add(self, request: Add) -> Sequence[FileReport]:
        """Adds the files; what the server received of them is deleted afterwards."""
        files: list[tuple[str, Path]] = []

        def progress(stage: str, done: int, total: int) -> None:
            with self._lock:
                self._progress[request.job] = (stage, done / total if total else 0.0)
                while len(self._progress) > _REMEMBERED:
                    del self._progress[next(iter(self._progress))]

        try:
            files.extend((sent.name, self._received(sent.path)) for sent in request.files)
            return self._library.add(files, progress=progress)
        finally:
            with self._lock:
                self._progress.pop(request.job, None)
            for _, path in files:
                path.unlink(missing_ok=True)

    def progress(self, job: str) -> tuple[str, float] | None:
        """Stage and share done (0..1) of a run that goes on."""
        with self._lock:
            stage, share = self._progress.get(job, ("", 0.0))
        return (stage, share) if stage in STAGES else None

    def remove(self, document_id: str) -> None:
        """Removes an upload."""
        self._library.remove(document_id)

    def ids(self) -> frozenset[str]:
        """The documents that can be removed."""
        return self._library.ids()


def reports_html(reports: Sequence[FileReport], words: Words) -> str:
    """What became of each file."""
    return "".join(_report(report, words) for report in reports)


def _report(report: FileReport, words: Words) -> str:
    if report.status is FileStatus.LEFT_OUT:
        why = f"<span>{escape(words('left_out'))}: <bdi {spoken('en')}>{text(report.message)}</bdi></span>"
        return f'<p class="bq-report bq-refused"><b><bdi>{text(report.name)}</bdi></b>{why}</p>'
    parts = [words(str(report.status))]
    if report.language and report.language != "und":
        parts.append(words.language_name(report.language))
    if report.pages:
        parts.append(words.counted("pages", report.pages))
    if report.passages:
        parts.append(words.counted("passages", report.passages))
    about = f"<span>{escape(' · '.join(parts))}</span>"
    if report.status is FileStatus.ADDED and report.message:  # of what could be read only in part
        about += f" <span><bdi {spoken('en')}>{text(report.message)}</bdi></span>"
    return f'<p class="bq-report"><b><bdi>{text(report.name)}</bdi></b>{about}</p>'
