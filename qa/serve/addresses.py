"""Which addresses are answered: ours, and the few of Gradio's that its page asks for.

Gradio has many more. One fetches whatever address it is given, anywhere on the web, and hands that on as this server's
own; others run, record and stream. Here they are nowhere.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from qa.serve.rest import error_response
from qa.serve.walls import PAGE_FILES, is_program

PAGE = {
    "/", "/favicon.ico", "/theme.css", "/gradio_api/component_server", "/gradio_api/component_server/", PAGE_FILES,
}  # fmt: skip
"""What the page asks for, besides the files of its script and style."""
PAGE_FOLDERS = ("/assets/", "/static/")


class Addresses:
    """The middleware that answers 404 everywhere else. It stands behind the login, which tells strangers nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = scope["type"] != "http" or is_known(scope["path"])
        app = self._app if known else error_response(404, "there is nothing at this address")
        await app(scope, receive, send)


def is_known(path: str) -> bool:
    """Whether anything is at an address, as far as its first part tells."""
    return is_program(path) or path in PAGE or path.startswith(PAGE_FOLDERS)
