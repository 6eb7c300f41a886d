"""A stretch of a document, as citations name it."""

from dataclasses import dataclass

from qa.errors import PlaceMissing
from qa.records import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """`text == document.text[start:end]`."""

    document: Document
    start: int
    end: int
    text: str


def excerpt(document: Document, *, start: int = 0, end: int | None = None, most: int | None = None) -> Excerpt:
    """The document from `start` to `end`, in code points, or the first `most` of them; an `end` behind the document's
    is its end. Raises `PlaceMissing` if nothing of it stands there."""
    size = len(document.text)
    stop = min(size if end is None else end, size, size if most is None else start + most)
    if not 0 <= start < stop:
        wanted = f"{start}-{'' if end is None else end}"
        raise PlaceMissing(f"{document.id!r} has characters 0-{size}; there is no place {wanted} in it")
    return Excerpt(document=document, start=start, end=stop, text=document.text[start:stop])
