"""The page's texts in one language, with its numbers, dates and names."""

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = ("en", "de", "fr", "id", "zh")
"""Languages of the page; those of documents and questions are not limited."""


class Words:
    """All that the page says in one of `LANGUAGES`. `words("page", page=3)` fills in a text's names."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale(language)
        self._texts: dict[str, str | dict[str, str]] = tomllib.loads(
            (TEXTS / f"{language}.toml").read_text(encoding="utf-8")
        )

    def __call__(self, key: str, **values: object) -> str:
        text = self._texts[key]
        assert isinstance(text, str), key
        return text.format(**values) if values else text

    def counted(self, key: str, count: int) -> str:
        """The text that goes with a number: "1 document", "2 documents"."""
        forms = self._texts[key]
        assert isinstance(forms, dict), key
        form = forms.get(self._locale.plural_form(count), forms["other"])
        return form.format(count=format_decimal(count, locale=self._locale))

    def plain(self) -> dict[str, str]:
        """The texts that need no number, for the browser."""
        return {key: text for key, text in self._texts.items() if isinstance(text, str)}

    def language_name(self, code: str) -> str:
        """Name of a language in this one; the code itself where there is none."""
        return str(self._locale.languages.get(code.replace("-", "_"), code))

    def listed(self, names: Sequence[str]) -> str:
        """ "German, French and Indonesian" """
        return format_list(list(names), locale=self._locale)

    def percent(self, share: float) -> str:
        """0.876 → "88%" """
        return str(format_percent(share, locale=self._locale))

    def date(self, value: str) -> str:
        """An ISO date in words; any other date as it is written."""
        try:
            return str(format_date(date.fromisoformat(value), format="long", locale=self._locale))
        except ValueError:
            return value

    def size(self, count: int) -> str:
        """Bytes as "50 MB"."""
        for unit, one in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
            if count >= one:
                return f"{format_decimal(round(count / one, 1), locale=self._locale)} {unit}"
        return f"{count} B"


@cache
def words(language: str) -> Words:
    """The texts of one of `LANGUAGES`, read once."""
    return Words(language)


def choose(wanted: Sequence[str]) -> str:
    """The page's language for a browser that prefers `wanted`, best first; English where none of them is spoken.

    >>> choose(["fi-FI", "zh-Hans-CN", "de"])
    'zh'
    """
    return negotiate_locale(list(wanted), LANGUAGES, sep="-") or LANGUAGES[0]


@cache
def direction(language: str) -> str:
    """Direction of a language's script as HTML has it; "auto" where the language is not known."""
    if language == "und":  # babel knows it as a locale that runs from left to right
        return "auto"
    try:
        return Locale.parse(language, sep="-").text_direction
    except (UnknownLocaleError, ValueError):
        return "auto"
