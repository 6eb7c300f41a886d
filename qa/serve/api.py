"""The application: REST below /api with its documentation, MCP at /mcp, login, and the walls around all of it.

The page mounts itself on it:

    app = build_app(service, host=host, users=users_for(host, settings), library=library, received=folder)
    gr.mount_gradio_app(app, page, path="/")
    qa.serve.run.serve(app, host=host, port=port, settings=settings)
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import Route

from qa.library import Library
from qa.serve.addresses import Addresses
from qa.serve.files import FileDoor, kept_clean
from qa.serve.login import Credentials, Login
from qa.serve.mcp import McpEndpoint
from qa.serve.rest import build_rest
from qa.serve.service import Service
from qa.serve.users import Users
from qa.serve.walls import Names, Walls


def build_app(
    service: Service,
    *,
    host: str = "127.0.0.1",
    users: Users | None = None,
    library: Library | None = None,
    received: Path | None = None,
) -> FastAPI:
    """The whole application over one service, but for the page at "/".

    `host` is the address that it will listen on; on a loopback address, requests under any other name are refused.
    `users`: who may log in; `None` lets everybody in. See `qa.serve.users.users_for`, which decides.
    `library` takes documents that programs bring; `None` takes none.
    `received`: where files sent to the page arrive, a folder that is kept clean and deleted; `None` takes none.
    """
    settings = service.settings
    mcp = McpEndpoint(service)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            await running.enter_async_context(mcp.running())
            if received is not None:
                await running.enter_async_context(kept_clean(received))
            yield

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    app.mount("/api", build_rest(service, library=library, login=users is not None))
    app.router.routes.append(Route("/mcp", mcp))
    app.add_middleware(Addresses)
    app.add_middleware(FileDoor, settings=settings, folder=received)
    if users is not None:
        credentials = Credentials(users, session_seconds=round(settings.serve.session_hours * 3600))
        app.add_middleware(Login, credentials=credentials)
    names = Names(host, more=settings.serve.hosts.split(","), login=users is not None)
    app.add_middleware(Walls, names=names, settings=settings)  # the last one added is the outermost
    return app
