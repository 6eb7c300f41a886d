"""The tools `ask` and `show` for language models, over HTTP and over standard input (Model Context Protocol).

They take what REST takes and give what it gives; errors are the tools' results, so that a model can mend its call.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import TypeAdapter, ValidationError
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.errors import BabelquoteError
from qa.render import to_json
from qa.serve.clients import LOCAL, client_of
from qa.serve.rest import error_response
from qa.serve.schema import ExcerptReply, Place, Question, Reply, complaint, excerpt_json
from qa.serve.service import Service

INSTRUCTIONS = (
    "babelquote answers questions about a document collection with exact quotes, in any language. Quote its text word "
    "for word and name the place. status 'abstained' means that the collection does not answer; what stands in "
    "'nearest' is then no answer."
)
_HINTS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


def build_tools(service: Service) -> Server[Any]:
    """The MCP server over one service; a transport carries it."""
    limits = service.settings.serve
    asking = anyio.CapacityLimiter(limits.parallel + limits.waiting + 1)

    def ask(arguments: Mapping[str, Any], client: str) -> dict[str, object]:
        asked = Question.model_validate(arguments)
        reply = service.ask(asked.question, client=client, filters=asked.filters(), earlier=asked.earlier)
        return to_json(reply)

    def show(arguments: Mapping[str, Any], _client: str) -> dict[str, object]:
        place = Place.model_validate(arguments)
        return excerpt_json(service.show(place.document_id, start=place.start, end=place.end))

    work: dict[str, Callable[[Mapping[str, Any], str], dict[str, object]]] = {"ask": ask, "show": show}

    async def list_tools(_context: ServerRequestContext[Any], _page: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=TOOLS)

    async def call_tool(context: ServerRequestContext[Any], call: CallToolRequestParams) -> CallToolResult:
        request = context.request
        client = client_of(request) if isinstance(request, HTTPConnection) else LOCAL
        if call.name not in work:
            return _error(f"there is no tool {call.name!r}; tools: {', '.join(work)}")
        try:
            job = partial(work[call.name], call.arguments or {}, client)
            value = await anyio.to_thread.run_sync(job, limiter=asking)
        except ValidationError as error:
            return _error(complaint(error.errors()))
        except BabelquoteError as error:
            return _error(str(error))
        return CallToolResult(content=[_text(json.dumps(value, ensure_ascii=False))], structured_content=value)

    return Server(
        "babelquote", version=version("babelquote"), instructions=INSTRUCTIONS,
        on_list_tools=list_tools, on_call_tool=call_tool,
    )  # fmt: skip


class McpEndpoint:
    """The tools as one ASGI endpoint (streamable HTTP). Keeps no sessions: every request stands on its own."""

    def __init__(self, service: Service) -> None:
        self._manager = StreamableHTTPSessionManager(
            build_tools(service), stateless=True, json_response=True,
            max_request_body_size=service.settings.serve.max_body_bytes,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Must surround all requests; can be entered once."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._manager.handle_request
        if scope["method"] != "POST":  # there is nothing to listen to and no session to end
            app = error_response(405, "this address speaks MCP (streamable HTTP), with POST only", allow="POST")
        await app(scope, receive, send)


def run_stdio(service: Service) -> None:
    """Serves the tools over standard input and output until the input ends."""

    async def run() -> None:
        server = build_tools(service)
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())

    anyio.run(run)


def _schema(kind: Any) -> dict[str, Any]:
    return {"type": "object", **TypeAdapter(kind).json_schema()}


def _text(content: str) -> TextContent:
    return TextContent(type="text", text=content)


def _error(message: str) -> CallToolResult:
    return CallToolResult(content=[_text(message)], is_error=True)


TOOLS = [
    Tool(
        name="ask",
        title="Ask the documents",
        description="Ask the document collection a question, in any language. Gives exact quotes with their place and "
        "a calibrated confidence, the best first, or an abstention with its reason if the documents do not answer.",
        input_schema=_schema(Question),
        output_schema=_schema(Reply),
        annotations=_HINTS,
    ),
    Tool(
        name="show",
        title="Show a place in a document",
        description="Read a document around a citation: the text between two offsets, in Unicode code points.",
        input_schema=_schema(Place),
        output_schema=_schema(ExcerptReply),
        annotations=_HINTS,
    ),
]
