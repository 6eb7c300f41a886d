"""REST: the same replies as the command line's --json, errors as JSON, an exact OpenAPI description and a page to try
it that asks nothing of any other host."""

import math
import shutil
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBasic
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import HTTPConnection

from qa.errors import (
    BabelquoteError,
    CorpusError,
    LibraryError,
    PlaceMissing,
    QuestionError,
    RateExceeded,
    Refused,
    StoreError,
)
from qa.library import Library
from qa.records import FileReport
from qa.render import to_json
from qa.serve.clients import client_of
from qa.serve.schema import (
    DocumentsQuery,
    DocumentsReply,
    ErrorReply,
    ExcerptReply,
    HealthReply,
    PlaceQuery,
    Question,
    Reply,
    UploadsReply,
    complaint,
    entries_json,
    excerpt_json,
    report_json,
)
from qa.serve.service import Service

STATUS: dict[type[BaseException], int] = {
    QuestionError: 422, PlaceMissing: 404, RateExceeded: 429, Refused: 503, StoreError: 503, LibraryError: 409,
    CorpusError: 409, BabelquoteError: 500,
}  # fmt: skip
"""HTTP status of an error; the nearest class counts."""
_MEANING = {
    400: "The body is not JSON",
    401: "No login",
    404: "No such document or place",
    409: "The document belongs to the corpus, or is the only one",
    413: "The body is too large",
    415: "The body is of another type",
    422: "A field is wrong, or the question cannot be asked",
    429: "Too many questions or files of this client; Retry-After says when to ask again",
    503: "Too many questions are waiting, there is no room for files, or the index cannot be read",
}
_DOCS = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>babelquote · API</title><link rel="icon" href="data:,"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="docs"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs.js"></script></body>
</html>
"""
_DOCS_SCRIPT = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#docs", validatorUrl: null, layout: "BaseLayout"});'
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Basic(HTTPBasic):
    """Describes HTTP Basic. The login has checked it already; FastAPI's own check knows no letters beyond ASCII."""

    async def __call__(self, request: HTTPConnection) -> None:  # noqa: ARG002
        return None


def build_rest(service: Service, *, library: Library | None = None, login: bool = False) -> FastAPI:
    """The REST interface over one service, to be mounted at /api. With a library, it adds and removes documents.

    `login`: whether the description says that one is needed; it is checked before this is reached.
    """
    app = FastAPI(
        title="babelquote", version=version("babelquote"), docs_url=None, redoc_url=None, redirect_slashes=False,
        dependencies=[Depends(_Basic(scheme_name="HTTPBasic"))] if login else [],
        generate_unique_id_function=lambda route: route.name,
        description="Ask a document collection in any language; get exact quotes with their place, or an honest no.",
        exception_handlers={
            BabelquoteError: _failed, RequestValidationError: _invalid, StarletteHTTPException: _refused,
            Exception: _broken,
        },
    )  # fmt: skip
    limits = service.settings.serve
    # One thread more than may wait, so that the one too many is told so at once.
    asking = CapacityLimiter(limits.parallel + limits.waiting + 1)

    @app.post(
        "/ask",
        tags=["questions"],
        response_model=Reply,
        responses=_errors(400, 401, 413, 415, 422, 429, 503),
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": Question.model_json_schema()}}}
        },
    )
    async def ask(request: Request, asked: Annotated[Question, Depends(_question)]) -> Response:
        """Quotes that answer the question, or an abstention with its reason."""
        work = partial(
            service.ask, asked.question, client=client_of(request), filters=asked.filters(), earlier=asked.earlier
        )
        return JSONResponse(to_json(await to_thread.run_sync(work, limiter=asking)))

    @app.get("/documents", response_model=DocumentsReply, tags=["documents"], responses=_errors(401, 422, 503))
    def documents(which: Annotated[DocumentsQuery, Query()]) -> Response:
        """Documents by id, without their text."""
        found = service.entries(after=which.after, limit=which.limit + 1)
        return JSONResponse(entries_json(found, limit=which.limit))

    @app.get(
        "/documents/{document_id:path}",
        tags=["documents"],
        response_model=ExcerptReply,
        responses=_errors(401, 404, 422, 503),
    )
    def document(document_id: str, place: Annotated[PlaceQuery, Query()]) -> Response:
        """The place that a citation names, or as much of the document as is given at once."""
        return JSONResponse(excerpt_json(service.show(document_id, start=place.start, end=place.end)))

    if library is not None:
        add_uploads(app, service, library)

    @app.get("/health", tags=["server"], response_model=HealthReply, responses=_errors(401, 503))
    def health() -> Response:
        """Whether the index can be read."""
        service.check()
        return JSONResponse({"status": "ok"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(_DOCS, headers={"Content-Security-Policy": _DOCS_POLICY})

    @app.get("/docs.js", include_in_schema=False)
    async def docs_script() -> Response:
        return Response(_DOCS_SCRIPT, media_type="text/javascript")

    # Swagger UI's own files, which this package keeps current for FastAPI.
    app.mount("/docs", StaticFiles(directory=str(files("fastapi_offline") / "static")))
    return app


def add_uploads(app: FastAPI, service: Service, library: Library) -> None:
    """Routes to add and remove documents."""
    settings = service.settings
    body = {
        "type": "object",
        "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    }

    @app.post(
        "/documents",
        tags=["documents"],
        response_model=UploadsReply,
        responses=_errors(400, 401, 413, 422, 429, 503),
        openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": body}}}},
    )
    async def add(request: Request) -> Response:
        """Adds files to the documents. One report a file: added, already there, or left out with the reason."""
        service.take_turn(client_of(request))
        async with request.form(max_files=settings.uploads.max_files, max_fields=0) as form:
            files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
            if not files:
                raise HTTPException(422, "no files came; send them as multipart/form-data in the field 'files'")
            reports = await service.change(_add, library, files)
        return JSONResponse({"files": [report_json(report) for report in reports]})

    @app.delete(
        "/documents/{document_id:path}",
        tags=["documents"],
        status_code=204,
        responses=_errors(401, 404, 409, 429, 503),
    )
    async def remove(request: Request, document_id: str) -> Response:
        """Removes a document that was added here. Those of the corpus stay."""
        service.take_turn(client_of(request))
        await service.change(library.remove, document_id)
        return Response(status_code=204)


def _add(library: Library, files: Sequence[UploadFile]) -> Sequence[FileReport]:
    with TemporaryDirectory() as folder:
        named = []
        for number, file in enumerate(files):
            path = Path(folder) / str(number)
            with path.open("wb") as copy:
                shutil.copyfileobj(file.file, copy)
            named.append((file.filename or "", path))
        return library.add(named)


def error_response(
    status: int, message: str, *, retry_after: float | None = None, allow: str | None = None
) -> JSONResponse:
    """An error as `ErrorReply` describes it. `retry_after` in seconds; `allow`: the methods that would do."""
    headers = {} if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
    headers |= {} if allow is None else {"Allow": allow}
    return JSONResponse({"status": "error", "message": message}, status, headers)


async def _question(request: Request) -> Question:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"the body is of type {kind!r}; send JSON with Content-Type: application/json")
    try:
        return Question.model_validate_json(await request.body())
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise HTTPException(400 if faults[0]["type"] == "json_invalid" else 422, complaint(faults)) from error


async def _failed(_request: Request, error: Exception) -> Response:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return error_response(status, str(error), retry_after=error.retry_after if isinstance(error, Refused) else None)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_response(422, complaint(error.errors()))


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    return error_response(error.status_code, str(error.detail), allow=(error.headers or {}).get("Allow"))


async def _broken(_request: Request, _error: Exception) -> Response:
    return error_response(500, "this is a defect of the server; its log has the details")


def _errors(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {status: {"model": ErrorReply, "description": _MEANING[status]} for status in statuses}
