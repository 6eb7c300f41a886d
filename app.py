"""The chat page: Gradio, and nothing but Gradio. What the page shows and does is made in `qa.page`."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import cast

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.requests import HTTPConnection

from qa.bot import Bot
from qa.errors import LibraryError, Refused
from qa.feedback import FeedbackLog
from qa.library import Library
from qa.page.chat import Chat, Response
from qa.page.frame import STATIC, frame, script, style
from qa.page.uploads import Uploads
from qa.serve.api import build_app
from qa.serve.clients import client_of, user_of
from qa.serve.run import serve
from qa.serve.service import Service
from qa.serve.users import users_for
from qa.settings import Settings, load_settings

TITLE = "babelquote"
_FOLDER = "GRADIO_TEMP_DIR"
"""The variable that tells Gradio where files arrive."""


def build_page(chat: Chat, service: Service) -> gr.Blocks:
    """The page, as one component whose script calls these functions; every visitor shares it."""

    def ask(received: dict[str, object], request: gr.Request) -> Response:
        # Gradio declares its own request, and gives functions of a component the plain one.
        return chat.ask(received, client=client_of(cast(HTTPConnection, request)))

    def begin(received: dict[str, object], request: gr.Request) -> Response:
        return {**chat.begin(received), "user": user_of(cast(HTTPConnection, request))}

    def judge(received: dict[str, object], request: gr.Request) -> Response:
        try:
            service.take_turn(client_of(cast(HTTPConnection, request)))
        except Refused as error:
            return chat.refused(received, error)
        return chat.judge(received)

    def plain(name: str) -> Callable[[dict[str, object]], Response]:
        def function(received: dict[str, object]) -> Response:
            response: Response = getattr(chat, name)(received)
            return response

        function.__name__ = name
        return function

    def changing(name: str) -> Callable[[dict[str, object], gr.Request], Awaitable[Response]]:
        async def function(received: dict[str, object], request: gr.Request) -> Response:
            try:
                service.take_turn(client_of(cast(HTTPConnection, request)))
                return await service.change(getattr(chat, name), received)
            except Refused as error:
                return chat.refused(received, error)

        function.__name__ = name
        return function

    functions: list[Callable[..., object]] = [
        ask,
        begin,
        judge,
        *map(plain, ("open", "shelf", "watch")),
        *map(changing, ("add", "remove")),
    ]
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(html_template=frame(), js_on_load=script(), apply_default_css=False, server_functions=functions)
    return page


def main(
    bot: Bot,
    *,
    host: str,
    port: int,
    library: Library | None = None,
    feedback: FeedbackLog | None = None,
    settings: Settings | None = None,
) -> None:
    """Serves page, REST and MCP until interrupted. Raises `BabelquoteError` if the port is taken."""
    settings = settings or load_settings()
    limits = settings.uploads
    try:
        service = Service(bot, settings=settings)
        uploads = Uploads(library, received, limits) if library else None
        chat = Chat(
            bot, service.ask, most_chars=settings.retrieve.max_question_chars, uploads=uploads, feedback=feedback
        )
        with arrivals() as folder:
            app = build_app(
                service, host=host, users=users_for(host, settings), library=library,
                received=folder if library else None,
            )  # fmt: skip
            gr.mount_gradio_app(
                app, build_page(chat, service), path="/", head=f"<style>{style()}</style>", theme=theme(),
                footer_links=[], favicon_path=str(STATIC / "favicon.png"), ssr_mode=False, run_history=False,
                enable_monitoring=False, show_error=False, mcp_server=False, max_file_size=limits.max_file_bytes,
            )  # fmt: skip
            # No daemon: a process that ends while torch computes would abort.
            Thread(target=bot.warm_up, name="warm-up", daemon=False).start()
            serve(app, host=host, port=port, settings=settings)
    finally:
        bot.close()


@contextmanager
def arrivals() -> Iterator[Path]:
    """A folder where files sent to the page arrive, and nobody else's; gone at the end."""
    place = os.environ.get(_FOLDER)
    if place:
        Path(place).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="babelquote-", dir=place or None, ignore_cleanup_errors=True) as folder:
        os.environ[_FOLDER] = folder
        try:
            yield Path(folder)
        finally:
            os.environ[_FOLDER] = place or ""


def theme() -> gr.themes.Base:
    """Gradio's plainest, in the system's fonts: nothing is fetched."""
    return gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def received(name: str) -> Path:
    """The file that Gradio stored under this name. Raises `LibraryError` for any other path."""
    path = Path(name).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise LibraryError(f"{path.name} did not arrive, or was added by somebody else meanwhile; choose it again")
    return path
