"""The application: REST below /api with its documentation, MCP at /mcp, login, and the walls around all of it.

The page mounts itself on it:

    app = build_app(service, host=host, users=users_for(host, settings))
    gr.mount_gradio_app(app, page, path="/")
    qa.serve.run.serve(app, host=host, port=port, settings=settings)
"""

from fastapi import FastAPI

from qa.serve.rest import build_rest
from qa.serve.service import Service
from qa.serve.users import Users


def build_app(service: Service, *, host: str = "127.0.0.1", users: Users | None = None) -> FastAPI:
    """The whole application over one service, but for the page at "/".

    `host` is the address that it will listen on; on a loopback address, requests under any other name are refused.
    `users`: who may log in; `None` lets everybody in. See `qa.serve.users.users_for`, which decides.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/api", build_rest(service))
    return app
