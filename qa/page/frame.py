"""The page's frame, style and script, as one text each."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLES = ("tokens.css", "layout.css", "reply.css", "panel.css", "host.css")
SCRIPTS = ("base.js", "store.js", "panel.js", "chat.js", "documents.js", "history.js", "start.js")
"""In the order in which they build on one another."""


def frame() -> str:
    """HTML of the page before it has any text."""
    return _read("frame.html")


def style() -> str:
    """The style sheet."""
    return "".join(map(_read, STYLES))


def script() -> str:
    """The body of the function that starts the page."""
    return "".join(map(_read, SCRIPTS))


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
