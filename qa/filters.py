"""Filters that nothing can pass are refused: a slip must not look like "not in the corpus"."""

import re
from collections.abc import Callable, Iterable

from qa.errors import QuestionError
from qa.records import Document, Filters


def check_filters(filters: Filters, documents: Callable[[], Iterable[Document]], *, mark: str = "") -> None:
    """Raises `QuestionError` for a language that is no code, or a source or document that is not there.

    `documents` is called only where it is needed. `mark` stands before a filter's name in messages ("--" on a
    command line).
    """
    for code in filters.languages:
        if not re.fullmatch(r"[a-z]{2,3}(-\w+)*", code):
            raise QuestionError(f"{mark}language {code!r} is no language code; expected one like en, de or zh")
    if not (filters.documents or filters.sources):
        return
    there = list(documents())
    for name, wanted, known in (
        ("document", filters.documents, {document.id for document in there}),
        ("source", filters.sources, {document.source for document in there}),
    ):
        for value in wanted:
            if value not in known:
                some = ", ".join(sorted(known)[:20])
                raise QuestionError(f"{mark}{name} {value!r} is not in the index; some that are: {some}")
