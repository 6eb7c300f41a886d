"""Files that come: how much one client may send, what room there must be for it, and how long it may lie."""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from math import ceil
from pathlib import Path

import anyio
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.disk import RESERVE
from qa.errors import Overloaded, RateExceeded, Refused
from qa.serve.clients import client_of
from qa.serve.limits import TokenBuckets
from qa.serve.rest import error_response
from qa.serve.walls import PAGE_FILES, REST_FILES, declared_bytes, is_program, most_bytes
from qa.settings import Settings

KEPT_SECONDS = 3600.0
"""How long a file may lie that the page sent and nobody added. In this time a client may send as many bytes as may be
kept for good."""
LEAST = 100_000
"""Bytes that a request with files counts at least: an empty file is a file, too."""


class FileDoor:
    """The middleware that lets requests with files in, or not. It stands behind the login, and so knows users.

    `folder` is where the files of the page arrive; `None` takes none from there.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._settings = settings
        self._folder = folder
        self._an_hour = settings.uploads.max_total_bytes
        burst = max(self._an_hour, most_bytes(REST_FILES, settings), LEAST)
        self._sent = TokenBuckets(per_second=self._an_hour / KEPT_SECONDS, burst=burst, clock=clock)
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _brings_files(scope):
            await self._app(scope, receive, send)
            return
        folder = self._arrival(scope["path"])
        if folder is None:
            await error_response(415, "no files are taken at this address")(scope, receive, send)
            return
        try:
            size = self._admit(scope, folder)
        except Refused as error:
            status = 429 if isinstance(error, RateExceeded) else 503
            await error_response(status, str(error), retry_after=error.retry_after)(scope, receive, send)
            return
        self._coming += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming -= size

    def _arrival(self, path: str) -> Path | None:
        """Where the files of a request are written; `None` where none are expected."""
        if path == REST_FILES:
            return Path(tempfile.gettempdir())
        if path != PAGE_FILES or self._folder is None:
            return None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # whoever cleans /tmp may have taken it
        return self._folder

    def _admit(self, scope: Scope, folder: Path) -> int:
        """The bytes of a request that may come. Raises `Overloaded` if there is no room for them, `RateExceeded` if
        the client has sent too many."""
        declared = declared_bytes(Headers(scope=scope))
        size = most_bytes(scope["path"], self._settings) if declared is None else declared
        # Twice: what came is copied before it is read.
        if shutil.disk_usage(folder).free < RESERVE + 2 * (self._coming + size):
            raise Overloaded("the server's disk has no room for more files at the moment", retry_after=60)
        if seconds := self._sent.take(client_of(HTTPConnection(scope)), max(size, LEAST)):
            raise RateExceeded(
                f"too many files in a short time: at most {self._an_hour:,} bytes an hour; send these in "
                f"{ceil(seconds)} s",
                retry_after=seconds,
            )
        return size


@asynccontextmanager
async def kept_clean(folder: Path) -> AsyncIterator[None]:
    """Deletes now and then what has lain in the folder for too long, and at the end the folder."""

    async def clean() -> None:
        while True:
            await anyio.to_thread.run_sync(sweep, folder)
            await anyio.sleep(KEPT_SECONDS / 6)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clean)
            yield
            tasks.cancel_scope.cancel()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Deletes files and empty folders in a folder that nobody has touched for `KEPT_SECONDS`."""
    before = time.time() - KEPT_SECONDS
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            path = Path(parent, name)
            with suppress(OSError):  # it was added meanwhile, or is a folder that is not empty
                if path.lstat().st_ctime < before:
                    path.rmdir() if name in folders else path.unlink()


def _brings_files(scope: Scope) -> bool:
    """Whether files may be written of a request. Of this type Gradio writes everything, at whatever address, and
    forgets what it did not expect there."""
    if scope["type"] != "http" or (is_program(scope["path"]) and scope["path"] != REST_FILES):
        return False
    return Headers(scope=scope).get("content-type", "").strip().lower().startswith("multipart/")
