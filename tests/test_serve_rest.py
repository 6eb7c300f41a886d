"""The REST interface, on a real server over the shipped corpus: replies, documents, and its description."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import jsonschema
import pytest

from qa.bot import Bot, open_corpus, open_library
from qa.render import to_json
from qa.serve.api import build_app
from qa.settings import Settings
from tests.conftest import ABSTAINED, ANSWERED
from tests.serving import complaint, service_over, serving, serving_app


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
