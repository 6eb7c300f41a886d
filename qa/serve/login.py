"""Who is there: HTTP Basic for programs, a page and a signed cookie for browsers, before everything else is reached."""

import base64
import binascii
import contextlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from math import ceil
from urllib.parse import parse_qsl, quote

from anyio import Lock, to_thread
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.errors import BabelquoteError, RateExceeded
from qa.page.words import Words, choose, words
from qa.serve.clients import USER, client_of
from qa.serve.limits import MOST_CLIENTS, TokenBuckets
from qa.serve.loginpage import POLICY, login_page, logout_page
from qa.serve.rest import error_response
from qa.serve.users import LONGEST_NAME, Users, too_long

COOKIE = "babelquote_session"
FAILURES = 5
"""Wrong passwords that an address may give at once; then one every `SECONDS_A_FAILURE`. For one user's password from
all addresses together it is four times as many, so that a guesser cannot easily keep the user out."""
SECONDS_A_FAILURE = 10.0

_log = logging.getLogger(__name__)


class Credentials:
    """Checks passwords slowly and remembers who was right, keeps sessions, and slows those down who are wrong.

    Sessions are signed with a key that this process alone knows: a restart ends them, and so do a new password, the
    user's removal and logging out.
    """

    def __init__(self, users: Users, *, session_seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.session_seconds = session_seconds
        self._users = users
        self._key = secrets.token_bytes(32)
        self._signer = URLSafeTimedSerializer(self._key, salt="session", signer_kwargs={"digest_method": sha256})
        self._right: OrderedDict[tuple[str, str], tuple[bytes, str]] = OrderedDict()
        self._ended: dict[str, float] = {}
        self._checking = Lock()
        self._of_address = TokenBuckets(per_second=1 / SECONDS_A_FAILURE, burst=FAILURES, clock=clock)
        self._of_user = TokenBuckets(per_second=4 / SECONDS_A_FAILURE, burst=4 * FAILURES, clock=clock)

    async def check(self, name: str, password: str, *, address: str) -> str | None:
        """The user's name if the password is right. Raises `RateExceeded` after too many that were wrong."""
        if too_long(name, password):  # not even remembered as somebody's failure
            if seconds := self._of_address.take(address):
                raise _too_many(seconds)
            return None
        digest = hmac.digest(self._key, f"{name}\0{password}".encode(errors="surrogatepass"), "sha256")
        if self._remembered(name, address, digest):
            return name
        async with self._checking:  # one at a time: what comes beside it finds the result, or its own failure counted
            if self._remembered(name, address, digest):
                return name
            if seconds := max(self._of_address.wait(address), self._of_user.wait(name)):
                raise _too_many(seconds)
            known = await to_thread.run_sync(self._users.verify, name, password)
            mark = self._users.mark(known) if known is not None else None
            if known is None or mark is None:
                _log.warning("wrong password for %r from %s", name, address)
                self._of_address.take(address)
                self._of_user.take(name)
                return None
            self._remember(known, address, (digest, mark))
            return known

    def begin(self, name: str) -> str:
        """A cookie's value for a user who has just given the right password."""
        return str(self._signer.dumps([name, self._users.mark(name), secrets.token_urlsafe(16)]))

    def holder(self, cookie: str) -> str | None:
        """The user of a session that goes on."""
        session = self._session(cookie)
        if session is None or session[2] in self._ended:
            return None
        mark = self._users.mark(session[0])
        return session[0] if mark is not None and hmac.compare_digest(mark, session[1]) else None

    def end(self, cookie: str) -> None:
        """Ends a session for good."""
        now = time.time()
        self._ended = {key: until for key, until in self._ended.items() if until > now}
        if session := self._session(cookie):
            self._ended[session[2]] = now + self.session_seconds

    def _session(self, cookie: str) -> tuple[str, str, str] | None:
        try:
            name, mark, key = self._signer.loads(cookie, max_age=self.session_seconds)
        except (BadSignature, ValueError):
            return None
        return name, mark, key

    def _remembered(self, name: str, address: str, digest: bytes) -> bool:
        """Whether this was right before from the same address. From any other one it is a guess like all guesses."""
        right, mark = self._right.get((name, address), (b"", ""))
        return hmac.compare_digest(right, digest) and mark == self._users.mark(name)

    def _remember(self, name: str, address: str, right: tuple[bytes, str]) -> None:
        self._right[name, address] = right
        self._right.move_to_end((name, address))
        while len(self._right) > MOST_CLIENTS:
            self._right.popitem(last=False)


def _too_many(seconds: float) -> RateExceeded:
    return RateExceeded(f"too many wrong passwords; try again in {ceil(seconds)} s", retry_after=seconds)


class Login:
    """The middleware: nothing behind it is reached without a user, whose name it leaves in the scope."""

    def __init__(self, app: ASGIApp, *, credentials: Credentials) -> None:
        self._app = app
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if scope["type"] == "lifespan" else await self._let_in(Request(scope, receive))
        await app(scope, receive, send)

    async def _let_in(self, request: Request) -> ASGIApp:
        """The application, for a user; or what is said instead."""
        try:
            if request.scope["path"] in ("/login", "/logout"):
                return await self._page(request)
            name = await self._user(request)
            if name is None:
                return _challenge(request)
            request.scope[USER] = name
            return self._app
        except RateExceeded as error:
            return error_response(429, str(error), retry_after=error.retry_after)
        except BabelquoteError:
            _log.exception("nobody can log in")
            return error_response(503, "nobody can log in at the moment; the server's log tells why")

    async def _user(self, connection: Request) -> str | None:
        if (cookie := connection.cookies.get(COOKIE)) and (name := self._credentials.holder(cookie)) is not None:
            return name
        if basic := _basic(connection.headers.get("authorization", "")):
            return await self._credentials.check(*basic, address=client_of(connection))
        return None

    async def _page(self, request: Request) -> Response:
        if request.scope["path"] == "/logout":
            return self._logout(request)
        say = _words(request)
        if request.method != "POST":
            return _html(login_page(say, after=_local(request.query_params.get("next", ""))))
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        after, name, password = _local(form.get("next", "")), form.get("name", ""), form.get("password", "")
        try:
            user = await self._credentials.check(name, password, address=client_of(request))
        except RateExceeded as error:
            page = login_page(say, after=after, name=name[:LONGEST_NAME], wait=error.retry_after)
            return _html(page, status=429, headers={"Retry-After": str(ceil(error.retry_after))})
        if user is None:
            return _html(login_page(say, after=after, name=name[:LONGEST_NAME], wrong=True), status=401)
        response = RedirectResponse(after, 303)
        response.set_cookie(
            COOKIE, self._credentials.begin(user), max_age=self._credentials.session_seconds, path="/",
            httponly=True, samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return response

    def _logout(self, request: Request) -> Response:
        cookie = request.cookies.get(COOKIE, "")
        if request.method != "POST":
            user = self._credentials.holder(cookie)
            return RedirectResponse("/login", 303) if user is None else _html(logout_page(_words(request), user))
        self._credentials.end(cookie)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
        return response


def _words(request: Request) -> Words:
    """The page's texts in the language that the browser asks for."""
    wanted = []
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        code, _, weight = part.partition(";q=")
        with contextlib.suppress(ValueError):
            wanted.append((-float(weight or 1), code.strip()))
    return words(choose([code for _, code in sorted(wanted, key=lambda one: one[0])]))


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None


def _challenge(connection: Request) -> Response:
    """A browser that opens a page is led to the login; a program is told how."""
    headers = connection.headers
    if connection.scope.get("method") in ("GET", "HEAD") and "text/html" in headers.get("accept", ""):
        path, query = connection.scope["raw_path"], connection.scope["query_string"]
        target = (path + (b"?" + query if query else b"")).decode("latin-1")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
    response = error_response(
        401, "log in: programs send a user's name and password with HTTP Basic, browsers open /login"
    )
    # A script in a browser must not make it ask for a password. Over plain HTTP browsers do not say "Sec-Fetch-Mode".
    scripted = any(name in headers for name in ("sec-fetch-mode", "origin", "referer"))
    if not scripted and COOKIE not in connection.cookies:
        response.headers["WWW-Authenticate"] = 'Basic realm="babelquote", charset="UTF-8"'
    return response


def _local(wanted: str) -> str:
    """A path of ours to go to after the login, whatever was asked for."""
    local = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if local and not wanted.startswith(("/login", "/logout")) else "/"


def _html(page: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(page, status, {**(headers or {}), "Content-Security-Policy": POLICY})
