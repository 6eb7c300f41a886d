"""The page's texts: all of them in every language, with the same gaps to fill."""

import re
import tomllib

import pytest

from qa.page.answers import LEVELS
from qa.page.frame import frame, script
from qa.page.uploads import STAGES
from qa.page.words import LANGUAGES, TEXTS, choose, direction, words
from qa.records import FileStatus, Reason

GAP = re.compile(r"\{(\w+)\}")


def texts(language: str) -> dict[str, str | dict[str, str]]:
    return tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))


def gaps(text: str | dict[str, str]) -> set[str]:
    forms = text.values() if isinstance(text, dict) else [text]
    (found,) = {frozenset(GAP.findall(form)) for form in forms}
    return set(found)


def test_every_language_of_the_page_has_a_file_and_no_file_is_left_over() -> None:
    assert {path.stem for path in TEXTS.glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_texts_with_the_same_gaps(language: str) -> None:
    english, translated = texts("en"), texts(language)
    assert list(translated) == list(english)
    for key, text in english.items():
        assert gaps(translated[key]) == gaps(text), key
        assert isinstance(translated[key], dict) == isinstance(text, dict), key


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_texts_are_translated(language: str) -> None:
    english, translated = texts("en"), texts(language)
    same = {key for key, text in english.items() if translated[key] == text}
    cognates = {
        "documents",
        "question",
        "conversation",
        "source",
        "sources",
        "page",
        "pages",
        "passages",
        "document_count",
    }
    assert same <= cognates


def test_every_text_is_used_and_every_text_that_is_used_exists() -> None:
    pages = [*TEXTS.parent.glob("*.py"), TEXTS.parents[1] / "serve" / "loginpage.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in pages) + frame() + script()
    composed = {f"confidence_{level}" for _, level in LEVELS} | {f"stage_{stage}" for stage in STAGES}
    composed |= {f"more_{side}" for side in ("before", "after")} | {str(reason) for reason in Reason}
    composed |= {str(status) for status in FileStatus}
    named = set(re.findall(r"""["'`](\w+)["'`]""", code))
    assert set(texts("en")) <= named | composed
    asked = re.findall(r"""\b(?:say|words)\(['"](\w+)['"]|data-(?:text|label|hint)="(\w+)\"""", code)
    assert composed | {first or second for first, second in asked} <= set(texts("en"))


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (["de-CH", "en"], "de"),
        (["zh-Hans-CN"], "zh"),
        (["zh-TW", "en"], "zh"),
        (["id-ID"], "id"),
        (["fi-FI", "fr"], "fr"),
        (["fi"], "en"),
        ([], "en"),
        (["", "x" * 50, "<script>"], "en"),
    ],
)
def test_the_page_speaks_the_browsers_language_where_it_can(wanted: list[str], language: str) -> None:
    assert choose(wanted) == language


@pytest.mark.parametrize(
    ("language", "date", "share", "names", "one", "many"),
    [
        ("en", "September 3, 2024", "88%", "German, French, and Indonesian", "1 document", "1,234 documents"),
        (
            "de",
            "3. September 2024",
            "88 %",
            "Deutsch, Französisch und Indonesisch",
            "1 Dokument",
            "1.234 Dokumenten",
        ),
        (
            "fr",
            "3 septembre 2024",
            "88 %",
            "allemand, français et indonésien",
            "1 document",
            "1 234 documents",
        ),
        ("id", "3 September 2024", "88%", "Jerman, Prancis, dan Indonesia", "1 dokumen", "1.234 dokumen"),
        ("zh", "2024年9月3日", "88%", "德语、法语和印度尼西亚语", "1 份文档", "1,234 份文档"),
    ],
)
def test_dates_numbers_and_names_are_those_of_the_language(
    language: str, date: str, share: str, names: str, one: str, many: str
) -> None:
    say = words(language)
    plain = dict.fromkeys(map(ord, "\u202f\xa0"), " ")  # which space it is, changes with the version of the data
    assert say.date("2024-09-03") == date
    assert say.percent(0.876).translate(plain) == share
    assert say.listed([say.language_name(code) for code in ("de", "fr", "id")]) == names
    assert say.counted("document_count", 1) == one
    assert say.counted("document_count", 1234).translate(plain) == many


def test_a_date_that_is_none_is_shown_as_it_is_written() -> None:
    assert words("en").date("spring 2024") == "spring 2024"


@pytest.mark.parametrize(("code", "name"), [("de", "German"), ("zh", "Chinese"), ("la", "Latin"), ("x-y", "x-y")])
def test_languages_have_names_and_unknown_codes_stay(code: str, name: str) -> None:
    assert words("en").language_name(code) == name


@pytest.mark.parametrize(("code", "way"), [("fa", "rtl"), ("zh", "ltr"), ("und", "auto"), ("nonsense!", "auto")])
def test_scripts_have_directions(code: str, way: str) -> None:
    assert direction(code) == way
