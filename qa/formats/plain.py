"""Plain text and Markdown: the text is the file."""

from qa.encodings import decode
from qa.formats import Extract


def extract(data: bytes) -> Extract:
    """The text as it is written."""
    return Extract((decode(data),))
