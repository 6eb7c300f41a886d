"""Strangers' files are read in a process of its own, with limits to its time and memory.

The libraries that read PDF, Word and HTML are large and written in C; a file made for it can crash them, or keep them
busy for hours. That must end the reading of this file and nothing else. The process answers in JSON, since it may be
doing what the file wants by the time it answers. It is no jail: it has the rights of this program.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qa import text
from qa.errors import FileError
from qa.ingest import read_document
from qa.records import Document, SourceFile
from qa.sentences import sentences
from qa.settings import IngestSettings, UploadSettings

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
"""Threads reserve address space, of which there is little."""
_ADVICE = "save or print it anew, or as plain text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How files are read, and how much of it is too much."""

    ingest: IngestSettings
    uploads: UploadSettings


def read_within(source: SourceFile, limits: Limits) -> Document:
    """The document in a file. Raises `FileError` as `qa.ingest.read_document` does, and for what exceeds a limit."""
    document = read_document(source, limits.ingest)
    uploads = limits.uploads
    for count, limit, what in (
        (len(document.pages), uploads.max_pages, "pages"),
        (len(document.text), uploads.max_chars, "characters"),
        (max(map(len, document.text.split("\n"))), uploads.max_line_chars, "characters in one line"),
    ):
        if count > limit:
            raise FileError(f"has {count:,} {what}, more than the limit of {limit:,}; split it")
    sentences(document.text, language=document.language)  # a text that stops this must stop it here
    return document


@contextlib.contextmanager
def reading_apart(limits: Limits) -> Iterator[Callable[[SourceFile], Document]]:
    """A function that reads as `read_within` does, in another process, which is started when the first file comes and
    anew when a file has stopped it."""
    with contextlib.ExitStack() as stack:
        running: list[_Worker] = []

        def read(source: SourceFile) -> Document:
            if not running:
                running.append(_Worker(limits))
                stack.callback(running[-1].stop)
            try:
                return running[-1].read(source)
            except _Stopped as error:
                running.clear()
                raise FileError(str(error)) from None

        yield read


class _Stopped(Exception):
    """The process ended without an answer; says why."""


class _Worker:
    """The other process, from here."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        package = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qa.reading"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": path},
        )  # fmt: skip
        self._tell({"ingest": asdict(limits.ingest), "uploads": asdict(limits.uploads)})

    def read(self, source: SourceFile) -> Document:
        """Raises `FileError`, or `_Stopped` if the process is of no use any more."""
        assert self._process.stdout is not None
        uploads = self._limits.uploads
        late = threading.Event()

        def stop_late() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(uploads.read_seconds, stop_late)
        timer.daemon = True
        timer.start()
        try:
            self._tell({**asdict(source), "path": str(source.path)})
            answer = self._process.stdout.readline(1_000_000 + 12 * uploads.max_chars)
        finally:
            timer.cancel()
        if late.is_set():
            raise _Stopped(f"takes longer than {uploads.read_seconds:g} seconds to read; split it, or {_ADVICE}")
        if not answer.endswith(b"\n"):
            raise _Stopped(f"cannot be read: the program that reads it stopped ({self._status()}); {_ADVICE}")
        return _document(json.loads(answer))

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # noticed when the answer does not come
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _status(self) -> str:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "it answered too much"
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _document(answer: dict[str, Any]) -> Document:
    if (problem := answer.get("problem")) is not None:
        raise FileError(str(problem))
    return Document(**{**answer["document"], "pages": tuple(answer["document"]["pages"])})


def main() -> None:
    """The other process: limits in the first line, then a file a line; a document or a problem a line back."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print
    given = json.loads(sys.stdin.buffer.readline())
    limits = Limits(ingest=IngestSettings(**given["ingest"]), uploads=UploadSettings(**given["uploads"]))
    text.language_of("loads the model, which writes files")
    _confine(limits.uploads.read_memory_bytes)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            document = read_within(SourceFile(**{**asked, "path": Path(asked["path"])}), limits)
            answer: dict[str, object] = {"document": asdict(document)}
        except FileError as error:
            answer = {"problem": str(error)}
        except Exception as error:
            answer = {"problem": f"cannot be read ({type(error).__name__}: {error}); {_ADVICE}"}
        channel.write(json.dumps(answer).encode() + b"\n")
        channel.flush()


def _confine(memory: int) -> None:
    """No more memory than this, no files written, no cores dumped, and others first."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


if __name__ == "__main__":
    main()
