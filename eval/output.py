"""The files that commands write: whether they can be written is known before the work that is to fill them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qa.errors import BabelquoteError


class OutputError(BabelquoteError):
    """A file that cannot be written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Makes the folder of a file; what the disk refuses then, or inside of the block, is an `OutputError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error}; name a file that can be written") from error


def ready(path: Path) -> None:
    """Makes the folder of a file, and sees that the file can be written; what it holds already stays as it is.

    Raises `OutputError`.
    """
    with writing(path):
        try:
            path.open("xb").close()
        except FileExistsError:
            path.open("ab").close()
        else:
            path.unlink()
