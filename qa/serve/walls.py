"""What every request meets first: is it meant for this server, does it come from our own pages or a program, is it of
bounded size; and what every reply carries."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.serve.rest import error_response
from qa.serve.users import is_loopback
from qa.settings import Settings

PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""As tight as Gradio bears it: it configures itself in inline scripts and styles, and its `gr.HTML` compiles template
and script from text. No other host, ever."""
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": it would make browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MAX_PAGE_BYTES = 20_000_000
"""Of one request of the page, which carries its conversation along."""
PAGE_FILES = "/gradio_api/upload"
"""Where the page sends files, each in a request of its own."""
REST_FILES = "/api/documents"
"""Where programs send files, several at once."""


class Names:
    """The names under which this server may be asked.

    A page of another site can make its own name point to this machine (DNS rebinding); its requests then carry that
    name and no address. So on a loopback address only loopback names count, elsewhere only addresses and this
    machine's name, unless a login stands in the way, which such a page cannot pass.
    """

    def __init__(self, host: str, *, more: Iterable[str], login: bool) -> None:
        self._loopback = is_loopback(host)
        more = {name.strip().lower() for name in more} - {""}
        here = {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
        self._named = {"localhost", host.strip("[]").lower(), *more} | (set() if self._loopback else here)
        self._any = login and not self._loopback and not more

    def __contains__(self, host: str) -> bool:
        name = _hostname(host)
        if self._any or name in self._named:
            return bool(name)
        try:
            return ip_address(name).is_loopback or not self._loopback
        except ValueError:
            return False


class Walls:
    """The outermost middleware."""

    def __init__(self, app: ASGIApp, *, names: Names, settings: Settings) -> None:
        self._app = app
        self._names = names
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
        else:
            refusal = self._refusal(scope, Headers(scope=scope))
            bounded = _Bounded(self._app, most_bytes(scope["path"], self._settings))
            app = error_response(*refusal) if refusal else bounded
            await app(scope, receive, _dressed(send, fleeting=is_program(scope["path"])))

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) > 1 or host not in self._names:
            return 421, (
                f"this server is not known as {_hostname(host)[:100]!r}; if it should be, name it: "
                "BABELQUOTE_SERVE__HOSTS=NAME"
            )
        if not _same_origin(scope, headers, host):
            return 403, "pages of another origin may not use this server"
        return None


def most_bytes(path: str, settings: Settings) -> int:
    """The largest request that may be sent to an address."""
    if path in (PAGE_FILES, REST_FILES):
        one = settings.uploads.max_file_bytes + 10_000
        return one if path == PAGE_FILES else one * settings.uploads.max_files
    return settings.serve.max_body_bytes if is_program(path) else MAX_PAGE_BYTES


class _Bounded:
    """Lets at most so many bytes of a request through; then the reply is 413, whatever the application makes of it."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_large = (declared_bytes(Headers(scope=scope)) or 0) > self._limit
        taken, started = 0, False

        async def counted() -> Message:
            nonlocal taken, too_large
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                too_large = True
                return {"type": "http.disconnect"}
            return message

        async def sent(message: Message) -> None:
            nonlocal started
            if not too_large or started:
                started = True
                await send(message)

        if not too_large:
            try:
                await self._app(scope, counted, sent)
            except Exception:
                if not too_large or started:
                    raise
        if too_large and not started:
            message = f"the request is larger than {self._limit:,} bytes"
            await error_response(413, message)(scope, receive, send)


def declared_bytes(headers: Headers) -> int | None:
    """The size that a request says it has, if it says so."""
    declared = "" if "transfer-encoding" in headers else headers.get("content-length", "")
    return int(declared) if declared.isdecimal() and declared.isascii() else None


def is_program(path: str) -> bool:
    """Whether an address is not the page's."""
    return path in ("/api", "/mcp", "/login", "/logout") or path.startswith("/api/")


def _dressed(send: Send, *, fleeting: bool) -> Send:
    """Adds our headers to a reply, and takes away those that would open it to other origins."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(b"access-control-")
            ]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if fleeting:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return dressed


def _same_origin(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a request comes from a page of ours, from no page at all, or only opens one of ours."""
    site = headers.get("sec-fetch-site")
    if site is not None:  # the browser's own word, which a page cannot change
        opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return site in ("same-origin", "none") or (opens and scope.get("method") in ("GET", "HEAD"))
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    standard = {"http": 80, "https": 443}.get(parts.scheme)
    theirs = (parts.hostname, port or standard)
    return standard is not None and theirs == (_hostname(host), _port(host) or standard)


def _hostname(host: str) -> str:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")


def _port(host: str) -> int | None:
    port = host.rpartition("]")[2].partition(":")[2]
    return int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else None
