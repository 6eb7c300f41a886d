"""Filters that nothing can pass are refused: a slip must not look like "not in the corpus"."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from qa.catalogue import Catalogue, Key
from qa.errors import QuestionError
from qa.records import Filters


def check_filters(
    filters: Filters, open_catalogue: Callable[[], AbstractContextManager[Catalogue]], *, mark: str = ""
) -> None:
    """Raises `QuestionError` for a language that is no code, or a language, source or document that is not there.

    The catalogue is opened only where it is needed. `mark` stands before a filter's name in messages ("--" on a
    command line).
    """
    for code in filters.languages:
        if not re.fullmatch(r"[a-z]{2,3}(-\w+)*", code):
            raise QuestionError(f"{mark}language {code!r} is not a language code; expected one like en, de or zh")
    if filters == Filters():
        return
    wanted: tuple[tuple[str, Key, tuple[str, ...]], ...] = (
        ("document", "id", filters.documents),
        ("source", "source", filters.sources),
        ("language", "language", filters.languages),
    )
    with open_catalogue() as catalogue:
        for name, key, values in wanted:
            for value in catalogue.missing(key, values):
                some = ", ".join(catalogue.some(key))
                raise QuestionError(f"{mark}{name} {value!r} is not in the index; some that are: {some}")
