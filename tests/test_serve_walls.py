"""What every request meets first, and what every reply carries."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from qa.bot import Bot
from qa.serve.api import build_app
from qa.serve.clients import client_of
from qa.serve.limits import MOST_CLIENTS, TokenBuckets
from qa.serve.service import Service
from qa.serve.users import Users
from qa.serve.walls import Names
from qa.settings import Settings
from tests.serving import in_parallel, service_over, serving, serving_app


@pytest.fixture(scope="module")
def service(bot: Bot, settings: Settings) -> Service:
    return service_over(bot, settings)


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    with serving(service) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.10", "[::1]"])
@pytest.mark.parametrize("port", ["", ":7860"])
def test_a_loopback_server_answers_under_loopback_names(client: httpx.Client, name: str, port: str) -> None:
    assert client.get("/api/health", headers={"Host": name + port}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example", "a@localhost",
        "10.0.0.1", "[::2]", "",
    ],
)  # fmt: skip
def test_a_loopback_server_answers_under_no_other_name(client: httpx.Client, name: str) -> None:
    for path in ("/", "/api/health", "/mcp", "/login"):
        response = client.get(path, headers={"Host": name})
        assert response.status_code == 421
        assert "BABELQUOTE_SERVE__HOSTS=NAME" in response.json()["message"]


def test_two_host_headers_are_one_too_many(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(1_000).split()[1] in (b"400", b"421")


def test_names_on_other_addresses() -> None:
    open_to_all = Names("0.0.0.0", more=["docs.example"], login=False)
    for name in (
        "192.168.1.4:7860",
        "[2001:db8::1]",
        "localhost",
        socket.gethostname(),
        "docs.example",
        "DOCS.example:1",
    ):
        assert name in open_to_all
    assert "evil.example" not in open_to_all
    with_login = Names("0.0.0.0", more=[], login=True)
    assert "whatever.example" in with_login
    assert "" not in with_login
    assert "other.example" not in Names("0.0.0.0", more=["docs.example"], login=True)
    assert "docs.example" in Names("127.0.0.1", more=[" docs.example "], login=True)
    assert "192.168.1.4" not in Names("127.0.0.1", more=[], login=True)


def requests_of_others(address: str) -> list[dict[str, str]]:
    """Headers as browsers send them for pages that are not ours."""
    port = int(address.rpartition(":")[2])
    return [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{port + 1}"},
        {"Origin": f"http://localhost:{port}"},  # as seen from 127.0.0.1, which is another origin
        {"Origin": f"http://127.0.0.1:{port}.evil.example"},
        {"Origin": "http://["},
        {"Origin": f"file://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    ]


@pytest.mark.parametrize("path", ["/api/ask", "/mcp", "/login", "/gradio_api/queue/join"])
def test_pages_of_other_origins_can_send_nothing(client: httpx.Client, address: str, path: str) -> None:
    for headers in requests_of_others(address):
        response = client.post(path, json={"question": "Who?"}, headers=headers)
        assert response.status_code == 403, headers
        assert response.json()["message"] == "pages of another origin may not use this server"


def test_pages_of_other_origins_can_read_nothing_but_may_link_here(client: httpx.Client, address: str) -> None:
    *others, link = requests_of_others(address)
    for headers in others:
        assert client.get("/api/documents", headers=headers).status_code == 403, headers
    assert client.get("/api/documents", headers=link).status_code == 200
    assert client.get("/api/documents", headers={**link, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/api/ask", headers=preflight).status_code == 403


def test_our_own_pages_and_programs_are_let_through(client: httpx.Client, address: str) -> None:
    question = {"question": "?"}
    for headers in (
        {},
        {"Origin": address},
        {"Origin": address, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
        {"Origin": "https://docs.example", "Host": "localhost", "Sec-Fetch-Site": "same-origin"},  # behind a proxy
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Origin": "http://localhost", "Host": "localhost:80"},
        {"Origin": "https://localhost", "Host": "localhost"},
    ):
        assert client.post("/api/ask", json=question, headers=headers).status_code == 422, headers


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/docs", "/api/openapi.json", "/mcp", "/login", "/nowhere"])
def test_every_reply_carries_the_headers_that_bind_browsers(client: httpx.Client, path: str) -> None:
    for headers in ({}, {"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        sent = client.get(path, headers=headers).headers
        policy = dict(part.split(" ", 1) for part in sent["Content-Security-Policy"].split("; "))
        assert policy["frame-ancestors"] == "'none'"
        allowed = {source for sources in policy.values() for source in sources.split()}
        assert allowed <= {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
        assert sent["X-Content-Type-Options"] == "nosniff"
        assert sent["X-Frame-Options"] == "DENY"
        assert sent["Referrer-Policy"] == "same-origin"
        assert not any(name.startswith("access-control-") for name in sent)


def test_replies_with_content_are_kept_in_no_cache(client: httpx.Client) -> None:
    for path in ("/api/documents", "/api/health"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_what_is_mounted_cannot_open_itself_to_others_and_is_bounded(service: Service) -> None:
    app = build_app(service)
    read = 0

    async def lax(request: Request) -> Response:
        nonlocal read
        async for chunk in request.stream():
            read += len(chunk)
        return Response(headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"})

    app.add_route("/static/lax", lax, methods=["GET", "POST"])
    with serving_app(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        response = client.get("/static/lax")
        assert response.status_code == 200
        assert not any(name.startswith("access-control-") for name in response.headers)
        assert client.post("/static/lax", content=b"a" * 2_000_000).status_code == 200
        assert client.post("/static/lax", content=b"a" * 20_000_001).status_code == 413
        read = 0
        assert client.post("/static/lax", content=(b"a" * 1_000_000 for _ in range(40))).status_code == 413
        assert read <= 20_000_000


def test_websockets_are_not_spoken(address: str) -> None:
    headers = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    assert httpx.get(f"{address}/api/health", headers=headers).status_code != 101


def test_clients_are_told_apart_by_user_or_network() -> None:
    def client(host: str | None, **scope: object) -> str:
        return client_of(HTTPConnection({"type": "http", "client": host and (host, 1), **scope}))

    assert client("192.0.2.1") == "address 192.0.2.1"
    assert client("2001:db8:1:2:3:4:5:6") == client("2001:db8:1:2::9") == "address 2001:db8:1:2::"
    assert client("2001:db8:1:3::9") != client("2001:db8:1:2::9")
    assert client("::ffff:192.0.2.1") == "address 192.0.2.1"
    assert client("192.0.2.1", **{"babelquote.user": "anna"}) == "user anna"
    assert client(None) == "address "


def test_only_the_proxy_that_is_named_speaks_for_others(bot: Bot, settings: Settings, tmp_path: Path) -> None:
    def asked(address: str, client: str) -> int:
        headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
        return httpx.post(f"{address}/api/ask", json={"question": "?"}, headers=headers).status_code

    with serving(service_over(bot, settings, rate_per_minute=0.1, burst=1)) as address:
        assert [asked(address, f"192.0.2.{number}") for number in (1, 2)] == [422, 429]
    with serving(service_over(bot, settings, rate_per_minute=0.1, burst=1, proxy="127.0.0.1")) as address:
        assert [asked(address, f"192.0.2.{number}") for number in (1, 2, 1)] == [422, 422, 429]
    users = Users(tmp_path / "users.jsonl")
    users.add("anna", "the password")
    with serving(service_over(bot, settings, proxy="127.0.0.1"), users=users) as address:
        form = {"name": "anna", "password": "the password"}
        response = httpx.post(f"{address}/login", data=form, headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in response.headers["Set-Cookie"].split("; ")


def test_buckets_refill_in_their_time_and_forget_the_oldest() -> None:
    now = 0.0
    buckets = TokenBuckets(per_second=0.5, burst=3, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    assert buckets.take("b") == 0
    now = 1.0
    assert (buckets.wait("a"), buckets.take("a")) == (1, 1)
    now = 2.0
    assert (buckets.take("a"), buckets.take("a")) == (0, 2)
    now = 1_000.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    for number in range(MOST_CLIENTS):
        buckets.take(f"client {number}")
    assert buckets.take("a") == 0  # forgotten, hence forgiven


def test_a_question_waits_only_so_long(bot: Bot, settings: Settings) -> None:
    service = service_over(bot, settings, parallel=1, wait_seconds=0.01)
    with serving(service) as address, httpx.Client(base_url=address, timeout=60) as client:
        replies = in_parallel(6, lambda: client.post("/api/ask", json={"question": "Who spoke in Shanghai?"}))
    refused = [reply.json()["message"] for reply in replies if reply.status_code == 503]
    assert refused
    assert all("waited 0.01 s and its turn did not come; ask again in" in message for message in refused)


def test_settings_of_the_walls_come_from_the_service(bot: Bot, settings: Settings) -> None:
    named = replace(settings, serve=replace(settings.serve, hosts="docs.example, other.example", max_body_bytes=100))
    with serving(Service(bot, settings=named)) as address, httpx.Client(base_url=address) as client:
        assert client.get("/api/health", headers={"Host": "other.example"}).status_code == 200
        assert client.get("/api/health", headers={"Host": "evil.example"}).status_code == 421
        assert client.post("/api/ask", json={"question": "a" * 100}).status_code == 413
