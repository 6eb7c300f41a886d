"""The door for files with nothing behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from starlette.types import Receive, Scope, Send

from qa.serve.files import FileDoor
from qa.settings import Settings

HOSTS = "192.0.2.1", "192.0.2.2"


async def at_once() -> None:
    """How long what comes through is worked on."""


class Door:
    """Time stands still unless it is moved. `came` counts what was let through."""

    def __init__(
        self, folder: Path, *, settings: Settings = Settings(), work: Callable[[], Awaitable[object]] = at_once
    ) -> None:
        self.now = 0.0
        self.came = 0
        self._work = work
        door = FileDoor(self._take, settings=settings, folder=folder, clock=lambda: self.now)
        self._transports = {host: httpx.ASGITransport(door, client=(host, 1)) for host in HOSTS}

    async def _take(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.came += 1
        await self._work()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def sent(self, size: int | None, *, path: str = "/gradio_api/upload", host: str = HOSTS[0]) -> httpx.Response:
        """The reply to a request with files that says it has so many bytes, or does not say."""
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        headers |= {"Transfer-Encoding": "chunked"} if size is None else {"Content-Length": str(size)}
        async with httpx.AsyncClient(transport=self._transports[host], base_url="http://localhost") as client:
            return await client.post(path, headers=headers, content=b"")

    def send(self, size: int | None, *, path: str = "/gradio_api/upload", host: str = HOSTS[0]) -> httpx.Response:
        """The same, from where nothing else runs."""
        return asyncio.run(self.sent(size, path=path, host=host))
