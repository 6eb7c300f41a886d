"""How far a command is."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


class Track(Protocol):
    """Gives back what it is given, one by one, and shows how far it is; `what` says with what."""

    def __call__(self, items: Sequence[Item], what: str, /) -> Iterable[Item]: ...


def bar(items: Sequence[Item], what: str, /) -> Iterable[Item]:
    """A bar on standard error."""
    return track(items, what, console=Console(stderr=True))


def silent(items: Sequence[Item], what: str, /) -> Iterable[Item]:  # noqa: ARG001
    """Shows nothing."""
    return items
