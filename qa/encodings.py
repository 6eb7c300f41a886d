"""Bytes to text: UTF-8, or what a byte order mark says, or an old code page where every other can be ruled out.

A wrong guess would end up inside a quote, so the question is not which encoding is the likeliest. (The best guess of
charset-normalizer was wrong for 4 in 10 files of Spanish, Portuguese or Finnish in Windows-1252.)
"""

from collections import Counter
from functools import cache

import regex

from qa import text
from qa.errors import FileError

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32",
         b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # fmt: skip
_FORMATS = {b"%PDF-": "a PDF file", b"{\\rtf": "an RTF file", b"PK\x03\x04": "a ZIP archive or an Office document"}
_ISO_2022 = b"\x1b$"
"""How it turns to Japanese, Korean or Chinese; all its bytes are ASCII."""
_ADVICE = "save it as UTF-8, for example with: iconv -f WINDOWS-1252 -t UTF-8 FILE"
_SHORTEST = 200
"""Bytes below which no code page is told."""

_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤإئپچژگکھہٹڈڑںے\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652ـ،؛؟"
_CENTRAL = {"cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž", "pl": "ąćęłńóśźż", "hu": "áéíóöőúüű", "ro": "ăâîşţ",
            "hr": "čćđšž", "sl": "čšž"}  # fmt: skip
_ALPHABETS = {
    "cp1252": {"de": "äöüß", "fr": "àâæçèéêëîïôùûüÿœ", "es": "áéíñóúüªº", "pt": "àáâãçéêíóôõúªº", "it": "àèéìíîòóùúªº",
               "nl": "áäèéêëíïóöüú", "sv": "åäöé", "fi": "åäö", "da": "æøåé", "no": "æøåéòô", "is": "áéíóúýþæöð",
               "ca": "àçéèíïóòúü·", "en": "éèêëïñöüçáóí“”‘’–—…", "id": "é“”‘’–—…"},
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1251": {"ru": _CYRILLIC + "ё№", "uk": _CYRILLIC + "іїєґ№", "bg": _CYRILLIC, "be": _CYRILLIC + "ёіў"},
    "koi8_r": {"ru": _CYRILLIC + "ё"},
    "koi8_u": {"uk": _CYRILLIC + "іїєґ"},
    "cp1253": {"el": "αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώϊϋΐΰ"},
    "cp1254": {"tr": "çğıöşüâîûİ"},
    "cp1255": {"he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת" + "".join(map(chr, range(0x05B0, 0x05C3)))},
    "cp1256": {"ar": _ARABIC, "fa": _ARABIC, "ur": _ARABIC},
    "cp1257": {"lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "et": "äõöüšž"},
    "cp1258": {"vi": "àáâãèéêìíòóôõùúýăđơư\u0300\u0301\u0303\u0309\u0323"},
}  # fmt: skip
"""Code pages, the languages written in them, and the letters that these have beyond ASCII."""
_ROWS = {"cp874": ("th", "tis_620", 0xA1, 0xFB), "cp932": ("ja", "euc_jp", 0xA4, 0xCF),
         "euc_jp": ("ja", "euc_jp", 0xA4, 0xCF), "gb18030": ("zh", "gb2312", 0xB0, 0xD7),
         "cp950": ("zh", "big5", 0xA4, 0xC6), "cp949": ("ko", "euc_kr", 0xB0, 0xC8)}  # fmt: skip
"""Code pages too large to write down: the language, and the first bytes of its common characters in a standard."""
_FREQUENT = {
    "ru": ("оеаинтсрвл", 0.5), "uk": ("оанивтіерс", 0.5), "bg": ("аоиетнрсвл", 0.5), "be": ("анаіыртскл", 0.4),
    "el": ("αοιετσνηυρ", 0.5), "ar": ("اليينمرتوهبد", 0.5), "fa": ("اليينمرتوهبد", 0.5), "ur": ("اليينمرتوهبد", 0.4),
    "he": ("ויהלאתמרשבם", 0.6), "th": ("านรอกเง่มัลีย้วดทิสตปะแบ", 0.6),
    "ja": ("のにるはとたてをがしいでなれンあらもすこさかりよス", 0.15),
    "ko": ("이다의에는로하가지을은한고서기국대으시스년도리를일인아사라어자전있부나주제그수해", 0.2),
    "zh": ("的年为為一在是于於中有大国國人后後以学學时時上成月地和之日不个個部与與及出会會本作", 0.1),
}  # fmt: skip
"""Any bytes make Thai in the Thai page. So these letters must have the share that they have in texts."""
_BESIDE_ANY = regex.compile(r"[\x00-\x7f\xa0«»“”‘’–—…€£©®°•™§¿¡\u200c\u200d\u3000-\u303f\u30fb\u30fc\uff00-\uff65]")
_IMPOSSIBLE = regex.compile(
    r"[\p{Cc}--[\t\n\v\f\r]]|[\p{Co}\p{Cn}\u3164]"  # controls; unassigned; what EUC-KR fills gaps with
    r"|\p{Ll}\p{Lu}(?<=[^\x00-\x7f].|.[^\x00-\x7f])"  # a capital after a small letter,
    r"|[.,!?][\p{Lu}--[A-Z]](?!\p{L})"  # or where a quotation mark would stand
    r"|\p{L}[[\p{S}\p{No}\p{Po}\p{Ps}]--[\x00-\x7f]--[’·\u3000-\u303f\u30fb\u30fc\uff00-\uff65]]\p{L}"
    r"|\p{L}[‚„¿¡]|[¤¦¨´¶¸¹²³¼½¾]\p{L}"  # signs inside a word; opening ones at its end; closing ones before it
    r"|ς\p{L}"  # final letters inside a word
    r"|(?<![\u0e01-\u0e4e])[\u0e30-\u0e3a\u0e45\u0e47-\u0e4e]",  # a Thai vowel or tone without a letter
    regex.V1,
)


def decode(data: bytes) -> str:
    """The text that the bytes of a text file stand for.

    Raises `FileError` for other formats, binary data, and bytes whose encoding cannot be told for certain.
    """
    if name := next((name for mark, name in _FORMATS.items() if data.startswith(mark)), None):
        raise FileError(f"this is {name}; give it the suffix of its kind, save it as plain text, or remove it")
    encoding = next((name for mark, name in _BOMS.items() if data.startswith(mark)), "utf-8")
    if b"\0" in data and encoding.startswith("utf-8"):
        raise FileError(
            "this is binary data (or UTF-16 without a byte order mark), not text; save it as UTF-8 text, or remove it"
        )
    try:
        decoded = data.decode(encoding)
    except UnicodeDecodeError as error:
        found = _from_code_page(data) if encoding == "utf-8" else None
        if found is None:
            number = len(data) - len(error.object) + error.start
            raise FileError(
                f"its text encoding cannot be told for certain (not {encoding}: byte {number:,} is "
                f"{data[number]:#04x}); {_ADVICE}"
            ) from error
        return found
    if "\0" in decoded:
        raise FileError("this is binary data, not text; save it as UTF-8 text, or remove it")
    if encoding.startswith("utf-8") and _ISO_2022 in data:
        raise FileError(f"its text encoding seems to be ISO-2022; {_ADVICE}")
    return decoded


def _from_code_page(data: bytes) -> str | None:
    """The text, if there is one code page in which the bytes are a language that is written in it, and only one."""
    if len(data) < _SHORTEST:
        return None
    first = len(data) - len(data.lstrip(bytes(range(0x80))))
    found = set()
    for page, alphabets in _alphabets().items():
        try:
            decoded = data.decode(page)
        except UnicodeDecodeError:
            continue
        lines = decoded[max(0, first - 1_000) : first + 100_000].splitlines()
        language = text.language_of(" ".join(line for line in lines if not line.isascii()), floor=0.8)
        if language in alphabets and _is_written_in(decoded, language, alphabets[language]):
            found.add(decoded)
    return found.pop() if len(found) == 1 else None


def _is_written_in(decoded: str, language: str, alphabet: frozenset[str]) -> bool:
    """Whether nine in ten characters beyond ASCII and common signs are of the alphabet, most of these in small letters,
    and nothing is impossible."""
    frequent, share = _FREQUENT.get(language, ("", 0.0))
    known = capital = common = unknown = 0
    for character, count in Counter(decoded).items():
        if character in alphabet:
            known += count
            capital += count * character.isupper()
            common += count * (character in frequent)
        elif not _BESIDE_ANY.match(character):
            unknown += count
    plausible = known >= max(3, 9 * unknown) and 2 * capital <= known and common >= share * known
    return plausible and not _IMPOSSIBLE.search(decoded)


@cache
def _alphabets() -> dict[str, dict[str, frozenset[str]]]:
    alphabets = {
        page: {language: frozenset(letters + letters.upper()) for language, letters in languages.items()}
        for page, languages in _ALPHABETS.items()
    }
    for page, (language, standard, first, last) in _ROWS.items():
        rows = (bytes([lead, trail]) for lead in range(first, last + 1) for trail in range(0x40, 0xFF))
        characters = frozenset("".join(row.decode(standard, "ignore") for row in rows))
        alphabets[page] = {language: characters - frozenset(map(chr, range(0x80)))}
    return alphabets
