"""Who gets in: HTTP Basic, the login page and its cookie."""

import asyncio
import base64
import re
import threading
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import cast

import httpx
import pytest
from starlette.requests import HTTPConnection

from qa.bot import Bot
from qa.errors import RateExceeded
from qa.serve.api import build_app
from qa.serve.clients import client_of
from qa.serve.login import COOKIE, FAILURES, Credentials
from qa.serve.users import Users
from qa.settings import Settings
from tests.serving import NAME, PASSWORD, service_over, serving, serving_app


@pytest.fixture(scope="module")
def address(bot: Bot, settings: Settings, users: Users) -> Iterator[str]:
    """A server with a login, and a page of Gradio's at "/"."""
    app = build_app(service_over(bot, settings), users=users)

    async def mount() -> None:  # without a running event loop Gradio makes some, and never closes them
        import gradio

        def who(_received: object, request: gradio.Request) -> str:
            return client_of(cast(HTTPConnection, request))

        with gradio.Blocks(analytics_enabled=False) as page:
            gradio.HTML(server_functions=[who], elem_id="who")
        gradio.mount_gradio_app(app, page, path="/", footer_links=[])

    asyncio.run(mount())
    with serving_app(app) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def log_in(client: httpx.Client, password: str = PASSWORD, **more: str) -> httpx.Response:
    return client.post("/login", data={"name": NAME, "password": password, **more})


@pytest.mark.parametrize(
    "path",
    [
        "/", "/config", "/gradio_api/info", "/gradio_api/queue/data", "/gradio_api/file=corpus/manifest.json",
        "/assets/index.js", "/theme.css", "/api/health", "/api/documents", "/api/documents/x", "/api/openapi.json",
        "/api/docs", "/api/docs.js", "/api/docs/swagger-ui.css", "/mcp", "/nowhere",
    ],
)  # fmt: skip
def test_nothing_is_reached_without_login(client: httpx.Client, path: str) -> None:
    refused = client.get(path)
    assert refused.status_code == 401
    assert refused.json()["status"] == "error"
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="babelquote", charset="UTF-8"'
    in_a_browser = client.get(path, headers={"Accept": "text/html,*/*"})
    assert in_a_browser.status_code == 303
    assert in_a_browser.headers["Location"].startswith("/login?next=%2F")


@pytest.mark.parametrize(
    "path", ["/api/ask", "/mcp", "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/call/who"]
)
def test_nothing_is_done_without_login(client: httpx.Client, path: str) -> None:
    assert client.post(path, json={"question": "a", "data": []}).status_code == 401
    script = client.post(path, json={}, headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"})
    assert script.status_code == 401
    assert "WWW-Authenticate" not in script.headers  # or the browser would ask for a password by itself
    # Over plain HTTP to another machine browsers send no "Sec-Fetch-Mode".
    for headers in ({"Origin": "http://192.168.1.5"}, {"Referer": "http://192.168.1.5/"}, {"Cookie": f"{COOKIE}=old"}):
        ended = client.get("/api/health", headers=headers)
        assert ended.status_code in (401, 403)
        assert "WWW-Authenticate" not in ended.headers


def test_programs_log_in_with_basic(client: httpx.Client) -> None:
    response = client.get("/api/health", auth=(NAME, PASSWORD))
    assert response.json() == {"status": "ok"}
    begun = time.monotonic()
    for _ in range(20):
        assert client.get("/api/health", auth=(NAME, PASSWORD)).status_code == 200
    assert time.monotonic() - begun < 10  # a right password is not hashed anew every time


@pytest.mark.parametrize(
    "header",
    [
        "Basic", "Basic !!!", "Bearer abc", "Digest x",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Basic " + base64.b64encode(b"x").decode(),
    ],
)  # fmt: skip
def test_a_broken_header_is_no_login(client: httpx.Client, header: str) -> None:
    assert client.get("/api/health", headers={"Authorization": header}).status_code == 401


def test_browsers_log_in_on_a_page_and_out_again(client: httpx.Client) -> None:
    response = log_in(client, next="/api/health?x=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/api/health?x=1")
    cookie = response.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie.split("; ")  # this server speaks plain HTTP on a loopback address
    assert client.get("/api/health").status_code == 200
    assert "You are logged in as <strong><bdi>Ænna</bdi>" in client.get("/logout").text
    kept = client.cookies[COOKIE]
    assert client.post("/logout").headers["Location"] == "/login"
    assert COOKIE not in client.cookies
    assert client.get("/api/health").status_code == 401
    client.cookies[COOKIE] = kept
    assert client.get("/api/health").status_code == 401  # the session has ended, not only the cookie
    assert client.get("/logout").status_code == 303


def test_the_description_says_that_a_login_is_needed(client: httpx.Client) -> None:
    described = client.get("/api/openapi.json", auth=(NAME, PASSWORD)).json()
    assert described["components"]["securitySchemes"] == {"HTTPBasic": {"type": "http", "scheme": "basic"}}
    assert described["paths"]["/ask"]["post"]["security"] == [{"HTTPBasic": []}]


def test_a_page_knows_its_user(client: httpx.Client) -> None:
    log_in(client)
    component = int(re.findall(r'"id":\s*(\d+),\s*"type":\s*"html"', client.get("/").text)[0])
    call = {"data": {}, "component_id": component, "session_hash": "x", "fn_name": "who"}
    assert client.post("/gradio_api/component_server", json=call).json() == f"user {NAME}"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://evil.example/a.png", "/gradio_api/file=corpus/manifest.json", "/gradio_api/fil%65=a",
        "/gradio_api/proxy=https://evil.example/", "/gradio_api/info", "/config", "/monitoring", "/login/",
        "/login_check", "/gradio_api/queue/data", "/mcp/", "/nowhere", "//gradio_api/file=a",
        "/gradio_api/../gradio_api/file=a",
    ],
)  # fmt: skip
def test_of_what_gradio_can_do_only_what_the_page_needs_is_there(client: httpx.Client, path: str) -> None:
    """Above all it does not fetch from other hosts, as whose pages its own would then act."""
    log_in(client)
    for method in ("GET", "HEAD", "POST"):
        response = client.request(method, f"{client.base_url}".rstrip("/") + path)
        assert response.status_code == 404, method
    assert client.get("/").status_code == client.get("/theme.css").status_code == 200


@pytest.mark.parametrize(
    "spoil", [lambda c: c[:-1] + "?", lambda c: "x" + c, lambda c: c.replace(".", "", 1), lambda _: "a"]
)
def test_a_forged_cookie_opens_nothing(client: httpx.Client, spoil: Callable[[str], str]) -> None:
    log_in(client)
    client.cookies[COOKIE] = spoil(client.cookies[COOKIE])
    assert client.get("/api/health").status_code == 401


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/login", "/a\r\nb"]
)
def test_the_login_leads_to_our_own_pages_only(client: httpx.Client, target: str) -> None:
    assert log_in(client, next=target).headers["Location"] == "/"


def test_after_the_login_the_browser_is_where_it_wanted_to_go(client: httpx.Client) -> None:
    wanted = "/api/documents/a%20b%3F%2F%E4%B8%8A?start=1&end=%32"
    login = client.get(wanted, headers={"Accept": "text/html"}).headers["Location"]
    hidden = client.get(login).text.partition('name="next" value="')[2].partition('"')[0]
    assert log_in(client, next=unescape(hidden)).headers["Location"] == wanted


@pytest.mark.parametrize(
    ("wanted", "language", "button"),
    [
        ("de-CH,en;q=0.8", "de", "Anmelden"),
        ("fi, en;q=0.2, zh-CN;q=0.7", "zh", "登录"),
        ("", "en", "Log in"),
        (";q=,<script>;q=x,,fi", "en", "Log in"),
    ],
)
def test_the_login_speaks_the_browsers_language(client: httpx.Client, wanted: str, language: str, button: str) -> None:
    headers = {"Accept-Language": wanted}
    page = client.get("/login", headers=headers).text
    assert f'<html lang="{language}">' in page
    assert f"<button>{button}</button>" in page
    log_in(client)
    assert f"<bdi>{NAME}</bdi></strong>" in client.get("/logout", headers=headers).text


def test_the_login_page_escapes_what_it_repeats(client: httpx.Client) -> None:
    hostile = '"><script>alert(1)</script>'
    page = client.get("/login", params={"next": "/" + hostile}).text
    again = client.post("/login", data={"name": hostile, "password": "wrong", "next": "/" + hostile})
    assert again.status_code == 401
    assert 'role="alert"' in again.text
    for text in (page, again.text):
        assert "<script" not in text
        assert "&quot;&gt;&lt;script&gt;" in text


def test_wrong_passwords_are_slowed_down_and_right_ones_are_not(bot: Bot, settings: Settings, users: Users) -> None:
    with (
        serving(service_over(bot, settings), users=users) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        httpx.Client(base_url=address, timeout=60) as before,
    ):
        log_in(before)
        wrong = [client.get("/api/health", auth=(NAME, f"wrong {number}")).status_code for number in range(5)]
        assert wrong == [401] * 5
        for response in (
            client.get("/api/health", auth=("nobody", "wrong")),
            client.get("/api/health", auth=(NAME, "wrong")),
            log_in(client, "wrong"),
        ):
            assert response.status_code == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 10
            assert "too many wrong passwords" in response.text.lower()
        assert before.get("/api/health").status_code == 200
        assert client.get("/api/health", auth=(NAME, PASSWORD)).status_code == 200  # was right before, so is known


def test_a_password_that_was_right_elsewhere_is_a_guess_like_others(users: Users) -> None:
    async def guess() -> None:
        tried = Credentials(users, session_seconds=60, clock=lambda: 0.0)
        assert await tried.check(NAME, PASSWORD, address="home") == NAME
        for number in range(FAILURES):
            assert await tried.check(NAME, f"wrong {number}", address="elsewhere") is None
        for password in ("wrong", PASSWORD):
            with pytest.raises(RateExceeded, match="too many wrong passwords"):
                await tried.check(NAME, password, address="elsewhere")
        assert await tried.check(NAME, PASSWORD, address="home") == NAME

    asyncio.run(guess())


def test_guesses_in_parallel_gain_nothing(bot: Bot, settings: Settings, users: Users) -> None:
    with serving(service_over(bot, settings), users=users) as address, httpx.Client(timeout=60) as client:
        statuses = []

        def guess(number: int) -> None:
            statuses.append(client.get(f"{address}/api/health", auth=(NAME, f"wrong {number}")).status_code)

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses.count(401) == 5
    assert statuses.count(429) == 7


def test_users_come_and_go_while_the_server_runs(bot: Bot, settings: Settings, tmp_path: Path) -> None:
    users = Users(tmp_path / "users.jsonl")
    users.add(NAME, PASSWORD)
    with (
        serving(service_over(bot, settings), users=users) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        by_other_process = Users(users.path)
        assert client.get("/api/health", auth=("bo", "password of bo")).status_code == 401
        by_other_process.add("bo", "password of bo")
        assert client.get("/api/health", auth=("bo", "password of bo")).status_code == 200
        by_other_process.remove("bo")
        assert client.get("/api/health", auth=("bo", "password of bo")).status_code == 401
        log_in(client)
        assert client.get("/api/health").status_code == 200
        by_other_process.add(NAME, "another password")
        assert client.get("/api/health").status_code == 401  # the session was begun with the old one
        users.path.write_text("nonsense\n")
        response = client.get("/api/health", auth=(NAME, "another password"))
        assert response.status_code == 503
        assert "the server's log tells why" in response.json()["message"]


def test_each_user_has_a_rate_of_their_own(bot: Bot, settings: Settings, tmp_path: Path) -> None:
    users = Users(tmp_path / "users.jsonl")
    for name in ("a", "b"):
        users.add(name, PASSWORD)
    service = service_over(bot, settings, rate_per_minute=0.1, burst=2)
    with serving(service, users=users) as address, httpx.Client(base_url=f"{address}/api", timeout=60) as client:
        for name, statuses in (("a", [200, 200, 429]), ("b", [200])):
            for status in statuses:
                response = client.post("/ask", json={"question": "Who?", "language": ["de"]}, auth=(name, PASSWORD))
                assert response.status_code == status
