"""The REST interface, on a real server over the shipped corpus."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import anyio
import httpx
import jsonschema
import pytest

from qa.bot import Bot, open_corpus, open_library
from qa.errors import Overloaded
from qa.render import to_json
from qa.serve.api import build_app
from qa.serve.rest import build_rest
from qa.settings import Settings
from tests.serving import service_over, serving, serving_app

ANSWERED = "Combien de pays ont signé la résolution ?"
ABSTAINED = "Wie backt man einen Apfelkuchen?"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def api(bot: Bot, settings: Settings) -> Iterator[httpx.Client]:
    with serving(service_over(bot, settings)) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Bot]:
    """A bot over one document whose id is hard to write in an address."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "a b").mkdir()
    text = "The lighthouse of Zedwick was built by Ann Oakley in 1931.\n"
    (folder / "a b" / "naïve?#%2F 上海;&.md").write_text(text, encoding="utf-8")
    bot = open_corpus(folder, settings=settings)
    yield bot
    bot.close()


def complaint(response: httpx.Response) -> str:
    """The message of an error, which must look like an error and nothing else."""
    value = response.json()
    assert value.keys() == {"status", "message"}
    assert value["status"] == "error"
    assert "Traceback" not in value["message"]
    assert response.headers["Content-Type"] == "application/json"
    return str(value["message"])


def test_a_reply_is_exactly_that_of_the_command_line(api: httpx.Client, bot: Bot) -> None:
    for question, status in ((ANSWERED, "answered"), (ABSTAINED, "abstained")):
        response = api.post("/api/ask", json={"question": question})
        assert response.status_code == 200
        assert response.json()["status"] == status
        assert response.json() == to_json(bot.ask(question))


def test_filters_narrow_the_documents(api: httpx.Client, bot: Bot) -> None:
    german = next(document for document in bot.documents() if document.language == "de")
    for fields in ({"language": ["de"]}, {"document": [german.id]}, {"source": [german.source], "language": ["de"]}):
        reply = api.post("/api/ask", json={"question": ANSWERED, **fields}).json()
        found = reply["quotes"] or reply["nearest"]
        assert {quote["document_id"] for quote in found} == {german.id}


def test_a_question_is_read_together_with_the_earlier_ones(api: httpx.Client, bot: Bot) -> None:
    first = api.post("/api/ask", json={"question": "When was the workshop in Shanghai held?"}).json()
    assert first["follows"] is None
    fields = {"question": "And where?", "earlier": [first["question"]]}
    second = api.post("/api/ask", json=fields).json()
    assert second["follows"] == first["question"]
    assert second == to_json(bot.ask("And where?", earlier=[first["question"]]))


def test_the_cited_place_can_be_read_again(api: httpx.Client, bot: Bot) -> None:
    quote_ = api.post("/api/ask", json={"question": ANSWERED}).json()["quotes"][0]
    address = f"/api/documents/{quote(quote_['document_id'])}"
    place = api.get(address, params={"start": quote_["start"], "end": quote_["end"]}).json()
    assert place["text"] == quote_["text"]
    assert (place["start"], place["end"], place["title"]) == (quote_["start"], quote_["end"], quote_["title"])
    document = bot.document(quote_["document_id"])
    assert document is not None
    whole = api.get(address, params={"end": 10**9}).json()
    assert (whole["text"], whole["end"], whole["characters"]) == (document.text, *[len(document.text)] * 2)
    for words, start in (("characters 0-", len(document.text)), ("no place 9-3", 9)):
        response = api.get(address, params={"start": start, "end": 3})
        assert response.status_code == 404
        assert words in complaint(response)


def test_documents_are_listed_without_their_text(api: httpx.Client, bot: Bot) -> None:
    reply = api.get("/api/documents").json()
    assert reply["next"] is None
    listed = reply["documents"]
    assert [(one["document_id"], one["characters"]) for one in listed] == [
        (document.id, len(document.text)) for document in bot.documents()
    ]
    assert all("text" not in one for one in listed)


def test_a_long_list_of_documents_comes_in_parts(api: httpx.Client, bot: Bot) -> None:
    ids, after = [], ""
    while after is not None:
        part = api.get("/api/documents", params={"after": after, "limit": 2}).json()
        assert 0 < len(part["documents"]) <= 2
        ids += [one["document_id"] for one in part["documents"]]
        after = part["next"]
    assert ids == [document.id for document in bot.documents()]
    for wrong in ({"limit": 0}, {"limit": 10_001}, {"search": "x"}):
        assert api.get("/api/documents", params=wrong).status_code == 422


def test_a_long_document_comes_in_parts(bot: Bot, settings: Settings) -> None:
    document = bot.documents()[0]
    with serving(service_over(bot, settings, max_shown_chars=1_000)) as address:
        parts, start = [], 0
        while start < len(document.text):
            part = httpx.get(f"{address}/api/documents/{document.id}", params={"start": start}).json()
            parts.append(part["text"])
            start = part["end"]
    assert "".join(parts) == document.text
    assert max(map(len, parts)) == 1_000


def test_document_ids_hold_slashes_and_anything_else(odd: Bot, settings: Settings) -> None:
    (document,) = odd.documents()
    assert {"/", "?", "#", "%"} <= set(document.id)
    with serving(service_over(odd, settings)) as address:
        response = httpx.get(f"{address}/api/documents/{quote(document.id, safe='/')}")
        assert response.json()["text"] == document.text
        assert httpx.get(f"{address}/api/documents/{quote(document.id, safe='')}").json() == response.json()


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
        (b'{"question": "a", "language": ["German!"]}', 422, "'German!' is no language code"),
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


def test_the_description_holds_every_reply(api: httpx.Client) -> None:
    described = api.get("/api/openapi.json").json()
    assert described["servers"] == [{"url": "/api"}]
    document_id = api.get("/api/documents").json()["documents"][0]["document_id"]
    for method, path, at, body in (
        ("post", "/ask", "/ask", {"question": ANSWERED}),
        ("post", "/ask", "/ask", {"question": ABSTAINED}),
        ("post", "/ask", "/ask", {"question": ""}),
        ("get", "/documents", "/documents", None),
        ("get", "/documents/{document_id}", f"/documents/{document_id}", None),
        ("get", "/documents/{document_id}", "/documents/nowhere", None),
        ("get", "/health", "/health", None),
    ):
        response = api.request(method, f"/api{at}", json=body)
        content = described["paths"][path][method]["responses"][str(response.status_code)]["content"]
        schema = {**content["application/json"]["schema"], "components": described["components"]}
        jsonschema.validate(response.json(), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**response.json(), "more": 1}, schema)
    schema = described["paths"]["/ask"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate({"question": "a", "language": ["de"]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"question": "a", "langauge": ["de"]}, schema)


def test_documents_can_be_brought_asked_and_removed(odd: Bot, settings: Settings) -> None:
    app = build_app(service_over(odd, settings), library=open_library(odd))
    with serving_app(app) as address, httpx.Client(base_url=f"{address}/api", timeout=120) as client:
        files = [
            ("files", ("harbour.txt", b"The harbour of Yarmling was dug by Bo Tanner in 1874.\n")),
            ("files", ("picture.png", b"\x89PNG")),
        ]
        added, left_out = client.post("/documents", files=files).json()["files"]
        assert (added["status"], added["name"], added["passages"]) == ("added", "harbour.txt", 1)
        assert (left_out["status"], left_out["document_id"]) == ("left_out", None)
        assert ".png is not supported" in left_out["message"]
        reply = client.post("/ask", json={"question": "Who dug the harbour of Yarmling?"}).json()
        assert reply["quotes"][0]["document_id"] == added["document_id"]
        described = client.get("/openapi.json").json()["paths"]["/documents"]["post"]
        assert list(described["requestBody"]["content"]) == ["multipart/form-data"]

        assert client.delete(f"/documents/{added['document_id']}").status_code == 204
        again = client.delete(f"/documents/{added['document_id']}")
        assert (again.status_code, "there is no document" in complaint(again)) == (404, True)
        kept = client.delete(f"/documents/{quote(odd.documents()[0].id)}")
        assert (kept.status_code, "belongs to the corpus" in complaint(kept)) == (409, True)
        assert (nothing := client.post("/documents", content=b"")).status_code == 422
        assert "multipart/form-data" in complaint(nothing)
        many = client.post("/documents", files=[("files", (f"{number}.txt", b"a")) for number in range(21)])
        assert (many.status_code, "Too many files" in complaint(many)) == (400, True)


def test_without_a_library_nothing_can_be_brought(api: httpx.Client) -> None:
    assert api.post("/api/documents", files={"files": b"text"}).status_code == 405
    assert api.delete("/api/documents/a").status_code == 405


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


def in_parallel(count: int, work: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """What so many threads got that started together."""
    results: list[httpx.Response] = []
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results
