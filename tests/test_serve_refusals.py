"""What REST does not answer: questions that cannot be asked, too many of them, and failures; each says why."""

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from qa.bot import Bot, open_corpus
from qa.errors import Overloaded
from qa.serve.rest import build_rest
from qa.settings import Settings
from tests.conftest import ANSWERED
from tests.serving import complaint, in_parallel, service_over, serving, serving_app

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "Invalid JSON"),
        (b'{"question": "a"', 400, "Invalid JSON"),
        (b"\xff\xfe", 400, "Invalid JSON"),
        (b'{"question": ' + b"[" * 100_000, 400, "recursion limit"),
        (b'{"question": "\\ud800"}', 400, "Invalid JSON"),
        (b'{"question": ' + b"9" * 5_000 + b"}", 400, "number out of range"),
        (b'{"question": 1e999}', 422, "question: Input should be a valid string"),
        (b'{"question": "a\\u0000b"}', 422, "question: must not hold NUL characters"),
        (b'{"question": "a", "earlier": ["a\\u0000b"]}', 422, "earlier.0: must not hold NUL characters"),
        (b'["a"]', 422, "Input should be an object"),
        (b"{}", 422, "question: Field required"),
        (b'{"question": null}', 422, "question: Input should be a valid string"),
        (b'{"question": "a", "langauge": ["de"]}', 422, "langauge: Extra inputs are not permitted"),
        (b'{"question": "a", "language": "de"}', 422, "language: Input should be a valid array"),
        (b'{"question": "a", "language": ["German!"]}', 422, "'German!' is not a language code"),
        (b'{"question": "a", "document": ["nowhere"]}', 422, "'nowhere' is not in the index"),
        (b'{"question": "a", "source": ["nowhere"]}', 422, "'nowhere' is not in the index"),
        (b'{"question": "?!"}', 422, "the question is empty; ask something in words"),
        (b'{"question": "' + b"a" * 2_001 + b'"}', 422, "has 2,001 characters; ask in at most 2,000"),
        (b'{"question": "a", "earlier": ["' + b"a" * 2_001 + b'"]}', 422, "has 2,001 characters"),
        (b'{"question": "a", "earlier": [' + b",".join([b'"a"'] * 101) + b"]}", 422, "at most 100 items"),
        (b'{"question": "' + b"a" * 1_000_001 + b'"}', 413, "larger than 1,000,000 bytes"),
    ],
    ids=lambda value: re.sub(r"\W+", "_", value[:30].decode("latin-1")) if isinstance(value, bytes) else None,
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_clearly(api: httpx.Client, body: bytes, status: int, words: str) -> None:
    response = api.post("/api/ask", content=body, headers=JSON)
    assert response.status_code == status
    assert words in complaint(response)


def test_a_body_of_unknown_length_is_bounded_while_it_comes(api: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 100_000
            yield b"a" * 100_000

    response = api.post("/api/ask", content=endless(), headers=JSON)
    assert response.status_code == 413
    assert "larger than 1,000,000 bytes" in complaint(response)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(api: httpx.Client, kind: str) -> None:
    response = api.post("/api/ask", content=b'{"question": "a"}', headers={"Content-Type": kind})
    assert response.status_code == 415
    assert "Content-Type: application/json" in complaint(response)


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/api/ask", 405, "Method Not Allowed"),
        ("POST", "/api/health", 405, "Method Not Allowed"),
        ("GET", "/api/nothing", 404, "Not Found"),
        ("GET", "/api/documents/", 404, "there is no document ''"),
        ("GET", "/api/documents/nowhere", 404, "there is no document 'nowhere'"),
        ("GET", "/api/documents/a%00b%ff", 404, "there is no document"),
        ("GET", "/api/documents/nowhere?start=-1", 422, "start: Input should be greater than or equal to 0"),
        ("GET", "/api/documents/nowhere?end=x", 422, "end: Input should be a valid integer"),
        ("GET", f"/api/documents/nowhere?end={'9' * 5_000}", 422, "end: "),
        ("GET", "/api/documents/nowhere?strat=1", 422, "strat: Extra inputs are not permitted"),
    ],
)
def test_errors_of_other_routes_are_json_too(
    api: httpx.Client, method: str, path: str, status: int, words: str
) -> None:
    response = api.request(method, path)
    assert response.status_code == status
    assert words in complaint(response)


def test_a_client_that_asks_too_often_is_told_when_to_come_back(bot: Bot, settings: Settings) -> None:
    service = service_over(bot, settings, rate_per_minute=0.6, burst=3)
    with serving(service) as address, httpx.Client(base_url=address, timeout=120) as client:
        replies = in_parallel(8, lambda: client.post("/api/ask", json={"question": ANSWERED}))
    refused = [reply for reply in replies if reply.status_code == 429]
    assert sorted(reply.status_code for reply in replies) == [200] * 3 + [429] * 5
    for reply in refused:
        assert 90 <= int(reply.headers["Retry-After"]) <= 100
        assert f"ask again in {reply.headers['Retry-After']} s" in complaint(reply)


def test_more_questions_than_may_wait_are_refused_at_once(bot: Bot, settings: Settings) -> None:
    service = service_over(bot, settings, parallel=1, waiting=1)
    with serving(service) as address, httpx.Client(base_url=address, timeout=120) as client:
        replies = in_parallel(10, lambda: client.post("/api/ask", json={"question": ANSWERED}))
        assert client.post("/api/ask", json={"question": ANSWERED}).status_code == 200
    refused = [reply for reply in replies if reply.status_code == 503]
    assert refused
    assert len(replies) - len(refused) >= 2
    for reply in replies:
        if reply in refused:
            assert int(reply.headers["Retry-After"]) >= 1
            assert "1 questions are waiting already" in complaint(reply)
        else:
            assert reply.json()["status"] == "answered"


def test_documents_change_one_at_a_time_and_more_than_may_wait_are_refused(bot: Bot, settings: Settings) -> None:
    service = service_over(bot, settings, waiting=1)
    running, most, refused = [0], [0], [0]
    go_on = threading.Event()

    def change() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        go_on.wait(10)
        running[0] -= 1

    async def ask() -> None:
        try:
            await service.change(change)
        except Overloaded:
            refused[0] += 1
            go_on.set()

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)

    anyio.run(all_at_once)
    assert (most[0], refused[0]) == (1, 1)


def test_a_lost_index_is_an_error_that_says_so(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("The mill of Xenley stands since 1801.\n")
    bot = open_corpus(tmp_path / "corpus", index=tmp_path / "index", settings=settings)
    with serving(service_over(bot, settings)) as address:
        assert httpx.get(f"{address}/api/health").json() == {"status": "ok"}
        shutil.rmtree(tmp_path / "index")
        for response in (
            httpx.get(f"{address}/api/health"),
            httpx.post(f"{address}/api/ask", json={"question": "Since when does the mill stand?"}, timeout=60),
        ):
            assert response.status_code == 503
            assert "index" in complaint(response)
    bot.close()


def test_a_defect_shows_no_traceback(bot: Bot, settings: Settings) -> None:
    app = build_rest(service_over(bot, settings))

    @app.get("/defect")
    def defect() -> None:
        raise ZeroDivisionError("a secret of the inside")

    with serving_app(app) as address:
        response = httpx.get(f"{address}/defect")
    assert response.status_code == 500
    assert complaint(response) == "this is a defect of the server; its log has the details"
