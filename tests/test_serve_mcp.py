"""The tools for language models, through the official client."""

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from qa.bot import Bot
from qa.render import to_json
from qa.serve.users import Users
from qa.settings import Settings
from tests.conftest import ABSTAINED, ANSWERED, CORPUS
from tests.serving import service_over, serving

Calls = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def address(bot: Bot, settings: Settings) -> Iterator[str]:
    with serving(service_over(bot, settings)) as address:
        yield f"{address}/mcp"


def talk(server: Any, calls: Calls, **options: Any) -> Any:
    """What the calls give, made through a client of this server."""

    async def run() -> Any:
        async with Client(server, **options) as client:
            return await calls(client)

    return anyio.run(run)


def call(server: Any, tool: str, arguments: dict[str, Any], **options: Any) -> CallToolResult:
    result = talk(server, lambda client: client.call_tool(tool, arguments), **options)
    assert isinstance(result, CallToolResult)
    return result


def complaint(result: CallToolResult) -> str:
    """The message of a call that failed, which must not look like a reply."""
    assert result.is_error
    assert result.structured_content is None
    (content,) = result.content
    assert content.type == "text"
    return content.text


def test_the_tools_describe_themselves(address: str) -> None:
    listed = talk(address, lambda client: client.list_tools())
    assert [tool.name for tool in listed.tools] == ["ask", "show"]
    for tool in listed.tools:
        assert tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_asking_gives_the_reply_of_the_command_line(address: str, bot: Bot, mode: str) -> None:
    for question in (ANSWERED, ABSTAINED):
        result = call(address, "ask", {"question": question}, mode=mode)  # the client checks the output's schema
        assert not result.is_error
        assert result.structured_content == to_json(bot.ask(question))
        assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]


def test_a_cited_place_is_shown(address: str) -> None:
    quote = call(address, "ask", {"question": ANSWERED, "language": ["fr"]}).structured_content["quotes"][0]
    place = {"document_id": quote["document_id"], "start": quote["start"], "end": quote["end"]}
    assert call(address, "show", place).structured_content["text"] == quote["text"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("ask", {}, "question: Field required"),
        ("ask", {"question": "Who?", "lang": "de"}, "lang: Extra inputs are not permitted"),
        ("ask", {"question": "Who?", "language": ["German!"]}, "'German!' is not a language code"),
        ("ask", {"question": "a" * 2_001}, "ask in at most 2,000"),
        ("ask", {"question": "a\0b"}, "must not hold NUL"),
        ("ask", {"question": "?"}, "the question is empty"),
        ("show", {"document_id": "nowhere"}, "there is no document 'nowhere'"),
        ("show", {"document_id": "nowhere", "start": -1}, "start: Input should be greater than or equal to 0"),
        ("show", {"document_id": "nowhere", "start": "1"}, "start: Input should be a valid integer"),
        ("delete", {}, "there is no tool 'delete'; tools: ask, show"),
    ],
)
def test_a_wrong_call_says_how_to_mend_it(address: str, tool: str, arguments: dict[str, Any], words: str) -> None:
    assert words in complaint(call(address, tool, arguments))


def test_the_limits_are_the_same_ones(bot: Bot, settings: Settings) -> None:
    service = service_over(bot, settings, rate_per_minute=0.1, burst=2)
    with serving(service) as address:
        assert httpx.post(f"{address}/api/ask", json={"question": ANSWERED}, timeout=60).status_code == 200
        assert not call(f"{address}/mcp", "ask", {"question": ANSWERED}).is_error
        assert "ask again in" in complaint(call(f"{address}/mcp", "ask", {"question": ANSWERED}))
        assert httpx.post(f"{address}/api/ask", json={"question": ANSWERED}, timeout=60).status_code == 429


def test_the_login_is_the_same_one(bot: Bot, settings: Settings, tmp_path: Path) -> None:
    users = Users(tmp_path / "users.jsonl")
    users.add("anna", "the password")

    statuses = []

    async def note(response: httpx2.Response) -> None:
        statuses.append(response.status_code)

    async def ask(address: str, password: str) -> CallToolResult:
        async with (
            httpx2.AsyncClient(auth=("anna", password), timeout=60, event_hooks={"response": [note]}) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return await client.call_tool("ask", {"question": ANSWERED})

    with serving(service_over(bot, settings), users=users) as address:
        assert not anyio.run(ask, f"{address}/mcp", "the password").is_error
        assert set(statuses) == {200}
        statuses.clear()
        with pytest.raises(ExceptionGroup):
            anyio.run(ask, f"{address}/mcp", "wrong password")
        assert set(statuses) == {401}


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_the_endpoint_takes_posts_only(address: str, method: str) -> None:
    response = httpx.request(method, address)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 1}', 400),
        (b"a" * 1_000_001, 413),
    ],
    ids=["broken", "deep", "empty", "wrong", "large"],
)
def test_what_is_no_message_is_refused(address: str, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    response = httpx.post(address, content=body, headers=headers)
    assert response.status_code == status
    assert "Traceback" not in response.text


def test_a_desktop_program_talks_over_standard_input(bot: Bot, settings: Settings) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "qa", "mcp", str(CORPUS)],
        env={**os.environ, "BABELQUOTE_STORE__HOME": settings.store.home},
    )

    async def calls(client: Client) -> tuple[Any, CallToolResult, CallToolResult]:
        return (
            await client.list_tools(),
            await client.call_tool("ask", {"question": ANSWERED}),
            await client.call_tool("show", {"document_id": "nowhere"}),
        )

    listed, asked, failed = talk(stdio_client(server), calls, read_timeout_seconds=120)
    assert [tool.name for tool in listed.tools] == ["ask", "show"]
    assert asked.structured_content == to_json(bot.ask(ANSWERED))
    assert "there is no document 'nowhere'" in complaint(failed)
