"""Sentence bounds in any language, also in text that was wrapped, quoted in a mail, or never meant as prose."""

import re
from collections.abc import Iterator
from itertools import pairwise

import regex
import sentencex

from qa.paragraphs import paragraphs
from qa.records import Bounds
from qa.text import UNSPACED, is_unspaced, strip

MAX_SENTENCE_CHARS = 1_200
"""A longer "sentence" (a table, minified data, a text without punctuation) is cut at the best place before. In scripts
without spaces, where a character says as much as three Latin ones, a third of this."""
_GRAPHEME = regex.compile(r"\X")
_UNSPACED = rf"[{UNSPACED.pattern}\p{{Tibetan}}]"
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}--\d]]"
_BLANK = r"[^\S\xa0\u2007\u202f]"
_MARK = r"[\u200b\p{P}--[\p{Ps}\p{Pi}]]"
_WIDE = rf"[[\p{{EA=W}}\p{{EA=F}}]&&{_MARK}]"
_AMID_DIGITS = r"(?<=\d.(?=\d))"
_AMID_THAI = r"(?<=(?:\p{Thai}\p{M}*\.|\d).)(?=\p{Thai})|(?<=\p{Thai}[\p{M}.]*.)(?=\d|(?:\p{Thai}\p{M}*){1,4}(?:\.|$))"
"""About a figure or an abbreviation; other blanks of Thai end phrases."""
_LEANING = r"[[\p{InSC=Vowel_Dependent}--\p{LOE}]\p{LB=CJ}]"
"""Vowels of Thai, Lao and Burmese, small kana: letters that belong to the one before."""
_CUTS = [
    regex.compile(place, regex.V1 | regex.REVERSE)
    for place in (
        r"(?<=[\t\n\v\f\r\x85\u2028\u2029])",
        rf"(?<={_BLANK})(?!{_AMID_DIGITS}|{_AMID_THAI})",
        rf"(?<={_BLANK})",
        rf"(?:(?<={_MARK})(?!{_WORD})|(?<={_WIDE})(?!{_AMID_DIGITS}))(?!{_MARK})",
        rf"(?<=[[\p{{L}}\p{{M}}]&&{_UNSPACED}--\p{{LOE}}])(?=[\p{{Lo}}&&{_UNSPACED}--{_LEANING}])",
        rf"(?<!\d|{_WORD}(?=['’.\p{{Pd}}]{_WORD}))(?!{_WORD})|(?=[;|])",
    )
]
"""Where to cut a long text, best first: between cells or lines; at a blank, rather not between digits or amid a
Thai phrase; after a mark that no word or number follows (l'homme, -27.19), or that is wide; between letters of scripts
without spaces; before what is neither word nor number. Each is searched from the end."""

_INVISIBLE = regex.compile(r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Soft hyphens, marks of direction, joiners of words: sentencex knows neither words nor ends of sentences with them."""
_CLOSING = "\u061c\u200b\u200e\u200f\u202c\u2060\u2069\ufeff"
"""Those that belong to what stands before them."""
_SPACES = dict.fromkeys(map(ord, "\n\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
                                 "\u2028\u2029\u202f\u205f\u3000"), " ")  # fmt: skip
_DIGIT_BEHIND_END = regex.compile(r"(?<=[。｡！？])[0-9]")
_MISSED_END = regex.compile(
    r"""
    (?: (?<! ។[\s\u200b]?ល[\s\u200b]? ) ។ (?! [\s\u200b]?ល[\s\u200b]?។ ) | ៕ )
        (?: [\p{Pe}\p{Pf}] | ["']++ (?=[\s\p{Pe}\p{Pf}]|$) )*+
    | (?:[།༎]\s*)++ (?![\p{Pe}\p{Pf}])
    """,
    regex.VERBOSE,
)
"""Ends of Khmer sentences, behind what closes a quotation, and of Tibetan ones; "។ល។" is Khmer for "etc."."""
_QUOTATION_MARK = regex.compile(
    r"""
    (?P<acronym> (?<=[א-ת]) " (?=[א-ת]) (?! (?<= (?<![א-ת]) [בהוכלמש]{1,4} ") [א-ת]{2} ) )
    | (?P<inch> (?<=\d) " (?!\p{Lo}) )
    | "
    """,
    regex.VERBOSE,
)
"""A quotation mark, and what is typed like one; behind nothing but Hebrew prefixes it opens a quotation."""
_BEHIND_OPENING = regex.compile(r"(?<=\s['\"‘“])(?=\S)")
_BEFORE = r"(?:^|[\s\p{Ps}\p{Pi}\"'’/-])"
_TITLES = (
    r"Mme|Mlle|MM|Mgr|Dra?|Prof|Sra?|Exm[ao]|Ilm[ao]|St|(?<=[lL]['’])[Oo]n|Hr|Ing|Mevr|inż|Öğr|Arş|Gör|Doç|Yrd|Uzm"
    r"|Jl|Ir|TP|P?GS|(?:P?GS\.)?TS|ThS|Av|Проф|श्री"
)
_NAMING = (
    r"m\. ?in|t\. ?ex|f\. ?eks|bl\. ?a|o\. ?a|d\. ?w\. ?z|(?:d\.|de) ?ex|c\.-à-d|т\. ?[еј]|т\. ?нар|t\. ?j|tj|dvs"
    r"|tz[vw]|npr|pvz|piem|ún|śp|св|нпр|напр|δηλ"
)
"""Abbreviations that announce what follows, be it a name."""
_INITIAL_OR_TITLE = regex.compile(rf"{_BEFORE}(?!I\.)(?:[\p{{Lu}}\p{{Lo}}]\p{{M}}*|{_TITLES}|{_NAMING})\.$")
_SHORT = regex.compile(rf"(?:{_BEFORE}|\p{{L}}\p{{M}}*\.)(?:\p{{L}}\p{{M}}*){{1,4}}\.$")
_THAI_STOP = regex.compile(r"\p{Thai}\p{M}*\.$")
"""Behind a Thai word it shortens; Thai ends sentences with a space."""
_QUOTED = regex.compile(r"[」』\p{Pf}\"'](?:[\p{Hiragana}\p{Hangul}(（]|\s이?라(?:[고는며]|면서)(?!\p{Hangul}))")
"""A quotation that a Japanese or Korean particle, or its source, is attached to; 라고 may also stand apart."""
_SPEECH = regex.compile(r"[.!?…][\p{Pe}\p{Pf}\p{Pi}\"'’]$")
_BROKEN_OFF = regex.compile(r"(?:[!?…;]|\.\.)$")
_SMALL = regex.compile(r"(?:\p{Pd}\s*)?[\p{Ll}--\p{Georgian}]", regex.V1)
"""A small letter, also behind a dash ("— Да! — сказал он."); Georgian has no others."""
_ORDINAL = regex.compile(rf"{_BEFORE}(?:\d{{1,3}}|[IVX]{{1,5}})\.$")
_ORDINALS_WITH_STOP = {"bs", "cs", "da", "de", "et", "fi", "hr", "hu", "lv", "nb", "nn", "no", "pl", "sk", "sl", "sr", "tr"}  # fmt: skip  # noqa: E501
_INNER_STOP = regex.compile(r"\p{L}\p{M}*\.\p{L}\p{M}*\.$")
_ENUMERATOR = regex.compile(r"\p{Ps}?(?:\d{1,3}|[IVXLC]{1,6}|[ivx]{1,5})[.)]$")
_WORD_AND_STOP = regex.compile(rf"{_BEFORE}\p{{L}}\p{{M}}*(?:[\p{{Ll}}\p{{Lo}}]\p{{M}}*){{3,}}\.$")
_TAIL = 24
_WINDOW = 20_000
"""Characters that sentencex is given at once: its time grows with their square."""


def sentences(text: str, *, language: str = "en") -> list[Bounds]:
    """Bounds of the sentences, in order, without surrounding white space.

    `language` (ISO 639-1) chooses the abbreviations that do not end a sentence. Together the sentences hold
    every character that is not white space. In doubt two sentences stay together: a quote that says more than was
    asked does no harm, one that begins after "M." does.
    """
    found: list[Bounds] = []
    language = re.split("[-_]", language.lower())[0]
    for paragraph in paragraphs(text):
        for sentence in _whole(text, _pieces(text, paragraph, language), language):
            if sentence.end - sentence.start <= MAX_SENTENCE_CHARS // 3:
                found.append(sentence)
                continue
            unspaced = is_unspaced(text[sentence.start : sentence.start + 200])
            found.extend(split_long(text, sentence, limit=MAX_SENTENCE_CHARS // (3 if unspaced else 1)))
    return found


def split_long(text: str, bounds: Bounds, *, limit: int) -> Iterator[Bounds]:
    """The bounds in pieces of at most `limit` characters, cut at the best place in the second half of the room, and
    never inside a grapheme (unless one alone is longer than the limit)."""
    start, end = bounds
    while end - start > limit:
        window = text[start : min(end, start + limit + 2)]
        starts = {grapheme.start() for grapheme in _GRAPHEME.finditer(window)} - {0, limit + 1}
        places = (place.start() for cuts in _CUTS for place in cuts.finditer(window))
        cut = next((i for i in places if i >= limit // 2 and i in starts), max(starts, default=limit))
        if piece := strip(text, start, start + cut):
            yield piece
        start += cut
    if piece := strip(text, start, end):
        yield piece


def _pieces(text: str, paragraph: Bounds, language: str) -> Iterator[Bounds]:
    """What sentencex takes for sentences. It panics at an initial with a space that is not ASCII, cuts at some line
    ends, does not see through what is invisible, and goes on at a full stop of Chinese before an ASCII digit: so it
    gets a plainer text."""
    part = _DIGIT_BEHIND_END.sub("０", text[paragraph.start : paragraph.end].translate(_SPACES))
    hidden = {match.start() for match in _INVISIBLE.finditer(part)}
    kept = [i for i in range(len(part)) if i not in hidden] if hidden else None
    found = _ends(_quoting("".join(part[i] for i in kept) if kept else part), language)
    ends = {_behind(part, kept[end - 1] + 1 if kept else end) for end in found}
    ends |= {match.end() for match in _MISSED_END.finditer(part)}
    for start, end in pairwise([0, *sorted(ends | {len(part)})]):
        if bounds := strip(text, paragraph.start + start, paragraph.start + end):
            yield bounds


def _quoting(part: str) -> str:
    """The text, of the same length, with ASCII quotation marks only where they quote; those of inches and of Hebrew
    acronyms give way to the signs meant. Between two of them sentencex sees no end."""
    is_open = False

    def meant(mark: regex.Match[str]) -> str:
        nonlocal is_open
        if mark["acronym"]:
            return "\u05f4"
        if mark["inch"] and not is_open:
            return "\u2033"
        is_open = not is_open
        return mark[0]

    return _QUOTATION_MARK.sub(meant, part)


def _behind(part: str, end: int) -> int:
    """The end of a sentence, behind the invisible marks that close it, before a quotation mark that opens the next."""
    while end < len(part) and part[end] in _CLOSING:
        end += 1
    return end - 1 if _BEHIND_OPENING.match(part, end) else end


def _ends(part: str, language: str) -> Iterator[int]:
    """Where sentencex sees sentences end, window by window; the last of a window is seen again in the next."""
    start = 0
    while start < len(part):
        window = part[start : start + _WINDOW]
        ends = [boundary["end_index"] for boundary in sentencex.get_sentence_boundaries(language, window)]
        last = start + len(window) == len(part)
        ends = ends if last else ends[:-1]
        yield from (start + end for end in ends)
        start += len(window) if last or not ends else ends[-1]


def _whole(text: str, pieces: Iterator[Bounds], language: str) -> Iterator[Bounds]:
    """The pieces, joined where a sentence goes on."""
    whole = None
    for piece in pieces:
        if whole and _goes_on(text, whole, piece, language):
            whole = Bounds(whole.start, piece.end)
        else:
            if whole:
                yield whole
            whole = piece
    if whole:
        yield whole


def _goes_on(text: str, before: Bounds, after: Bounds, language: str) -> bool:
    """Whether a sentence goes on from one piece to the next."""
    tail = _quoting(_INVISIBLE.sub("", text[max(before.start, before.end - _TAIL) : before.end]))
    gap, head = text[before.end : after.start], _INVISIBLE.sub("", text[after.start : after.start + _TAIL])
    if not tail or not head:
        return True
    short, ordinal, small = _SHORT.search(tail), _ORDINAL.search(tail), _SMALL.match(head)
    if _THAI_STOP.search(tail) and "\n" not in gap:
        return True
    if _INITIAL_OR_TITLE.search(tail) or tail.endswith("၊") or (gap in ("\xa0", "\u202f") and short):
        return True
    if small and not text[before.start].islower() and (short or ordinal or _SPEECH.search(tail)):
        return True
    if small and _BROKEN_OFF.search(tail) and not _begins_small(text[before.start : before.start + _TAIL]):
        return True
    if (language in _ORDINALS_WITH_STOP and ordinal) or (head[0].isdigit() and _INNER_STOP.search(tail)):
        return True
    if _is_bare(text, before) or _ENUMERATOR.fullmatch(tail):
        return True
    if _is_bare(text, after):  # "[3]" or "!" belongs to what stands before; "2." to what follows
        return bool(short) or not _ENUMERATOR.match(text, *after)
    if _QUOTED.match(tail[-1] + gap + head):
        return True
    if gap:
        return False
    if _GRAPHEME.fullmatch(tail[-1] + head[0]):
        return True
    if tail.endswith("."):  # as in ASP.NET; but "the end.The next" has lost its space
        return not UNSPACED.match(head) and not (not small and head[0].isalpha() and _WORD_AND_STOP.search(tail))
    return False


def _begins_small(sentence: str) -> bool:
    """Whether the first letter is small, as in a text that has no capitals: there "!" and "?" end sentences."""
    return next(filter(str.isalpha, sentence), "").islower()


def _is_bare(text: str, piece: Bounds) -> bool:
    """Whether a piece is too short to be a sentence and holds no letter."""
    return piece.end - piece.start <= _TAIL and not any(map(str.isalpha, text[slice(*piece)]))
