"""Normal form, lines, words, questions, boilerplate and language of a text."""

import re
import unicodedata

import pytest
from hypothesis import example, given

from qa import text
from qa.records import Bounds
from tests.conftest import CORPUS
from tests.strategies import mixed_text, texts


@given(texts)
def test_normal_form_is_reached_at_once_and_stays(raw: str) -> None:
    normal = text.normalise(raw)
    assert text.normalise(normal) == normal
    assert "\r" not in normal
    assert unicodedata.is_normalized("NFC", normal)
    assert normal.split() == unicodedata.normalize("NFC", raw).split()


@pytest.mark.parametrize(
    ("code", "other", "same"),
    [
        ("pt-BR", "pt", True), ("nb", "no", True), ("deu", "de", True), ("sr-Latn", "hr", True),
        ("zh-Hant", "zh", True), ("EN", "en", True), ("de", "nl", False), ("pt-BR", "es", False), ("und", "en", False),
    ],
)  # fmt: skip
def test_codes_of_one_language_are_known_as_such(code: str, other: str, same: bool) -> None:
    assert text.same_language(code, other) == same


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("١٤٣ دولة", {"143"}), ("1.500.000 € und 1,500,000 $", {"1500000"}), ("1\u202f007 chèvres", {"1007"}),
        ("3,5 % of 3.5", {"3.5"}), ("1,234.56", {"1234.56"}), ("３日から6日", {"3", "6"}), ("vierzig", set()),
        ("am 3.9.2024", {"3.9", "2024"}),
    ],
)  # fmt: skip
def test_numbers_are_known_in_any_script_and_grouping(content: str, found: set[str]) -> None:
    assert text.numbers(content) == found


def test_line_ends_become_one_line_break_each() -> None:
    assert text.normalise("a\r\nb\rc\n\rd\r\n\r\ne") == "a\nb\nc\n\nd\n\ne"


@given(texts)
def test_lines_hold_every_character_that_shows_and_no_outer_space(content: str) -> None:
    found = list(text.lines(content))
    assert "".join("".join(content[slice(*line)] for line in found).split()) == "".join(content.split())
    for start, end in found:
        assert content[start:end] == content[start:end].strip() != ""
        assert not set(content[start:end]) & set("\n\v\f\x85\u2028\u2029")


@given(mixed_text)
@example("word¹")
def test_words_are_the_same_in_every_normal_form_and_case(content: str) -> None:
    found = text.words(content)
    assert all(word and not word.isspace() for word in found)
    assert text.words(unicodedata.normalize("NFD", content)) == found
    level = re.sub("[¹²³⁰-ⁿ]", "", content)  # words by themselves, which NFKC forgets
    assert text.words(unicodedata.normalize("NFKC", level)) == text.words(level)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Σχολείο, 3. bis 6.", ["σχολείο", "3", "bis", "6"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("L'été à l’école", ["l", "été", "à", "l", "école"]),
        ("上海市", ["上", "上海", "海", "海市", "市"]),
        ("2024年AIとPython。", ["2024", "年", "ai", "と", "python"]),
        ("セミナー", ["セ", "セミ", "ミ", "ミナ", "ナ", "ナー", "ー"]),
        ("ไป Google", ["ไ", "ไป", "ป", "google"]),
        ("Kanz\xadlerin", ["kanzlerin"]),
        ("می\u200cرود", ["میرود"]),
        ("दुनिया शांति", ["दुनिया", "शांति"]),
        ("ﬁn ２０２４", ["fin", "2024"]),
        ("?! … 👩\u200d👧", []),
    ],
)
def test_words_of_a_text(content: str, words: list[str]) -> None:
    assert text.words(content) == words


def test_a_latin_word_is_found_whether_or_not_it_touches_another_script() -> None:
    for content in ("Pythonは楽しい", "学习Python很好", "ใช้Pythonได้", "使用 Python 编程"):
        assert "python" in text.words(content)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Wer\tist\n\ndas? ", "Wer ist das?"),
        ("a\0b", "ab"),
        ("Wer\rist\x85das\vhier\u2028und\u3000da", "Wer ist das hier und da"),
        ("\u200f\u202eWer\u202c \u2066ist\u2069 das\u200e\ufeff", "Wer ist das"),
        ("\ud83d Wer \udc00", "Wer"),
        ("\x1b[31mWer", "[31mWer"),
        ("Kanz\xadlerin", "Kanzlerin"),
        ("آیا می\u200cرود؟", "آیا می\u200cرود؟"),
        ("👩\u200d👩\u200d👧?", "👩\u200d👩\u200d👧?"),
        ("e\u0301te\u0301", "été"),
        ("\u200b\u202e\0", ""),
    ],
)
def test_a_question_loses_only_what_cannot_be_meant(raw: str, clean: str) -> None:
    assert text.clean_question(raw) == clean


@given(mixed_text)
def test_a_clean_question_is_one_printable_line(raw: str) -> None:
    clean = text.clean_question(raw)
    assert text.clean_question(clean) == clean
    assert clean == " ".join(clean.split())
    assert not {unicodedata.category(c) for c in clean} & {"Cc", "Cs", "Zl", "Zp"}
    assert {c for c in clean if unicodedata.category(c) == "Cf"} <= {"\u200c", "\u200d"}
    letters = [[c for c in unicodedata.normalize("NFD", content) if c.isalnum()] for content in (clean, raw)]
    assert letters[0] == letters[1]


NAVIGATION = next(
    line
    for line in (CORPUS / "texts" / "000_6a824d9b04851f75.txt").read_text(encoding="utf-8").splitlines()
    if "Suomalainen" in line
)


@pytest.mark.parametrize(
    "line",
    [
        NAVIGATION,
        "English | Français | Español | Русский | العربية | 中文",
        "Deutsch English Français",
        "English · 日本語 · 한국어 · ไทย",
        "",
        "----------",
        "* * *",
        "12",
        "2024-09-03 12:00",
        "|---|:--|",
        "☎ +49 30 123456",
    ],
)
def test_a_line_that_states_nothing_is_boilerplate(line: str) -> None:
    assert text.is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "Der Seminar fand in Shanghai statt",
        "Ученый Smith открыл α-частицы в 東京",
        "COVID-19のα株についてWHOが発表",
        "iPhoneはアップル社がΣ計画で開発し한국에서도 팔린다",
        "東京大学の研究者がAIでβ版を公開",
        "Иерусалим (ירושלים, القدس, Jerusalem)",
        "Tokyo 東京 Токио",
        "ภาษา Python สร้างโดย Гвидо",
        "She speaks English, French and German",
        "Sie spricht Deutsch und English, und lebt seit vielen Jahren mit ihrer Familie in Wien",
        "English and Français are official languages of Canada, Español is not, and nobody minds",
        "Languages: English, French, German, Russian and Japanese",
        "Übersetzung aus dem Русский язык ins Deutsch der Behörden für die Akten",
        "Han talar svenska, norska och danska.",
        "Svenska, danska och norska talas här.",
        "한국어",
        "ગુજરાતી ભાષા",
        "ಕನ್ನಡ",
        "മലയാളം ഒരു ഭാഷയാണ്",
        "ਪੰਜਾਬੀ",
        "සිංහල",
        "ລາວ",
        "မြန်မာ",
        "བོད་སྐད",
        "ᠮᠣᠩᠭᠣᠯ",
        "ⵜⴰⵎⴰⵣⵉⵖⵜ",
        "ᏣᎳᎩ",
        "𒀀𒁁𒂂",
        "x",
        "42 km",
    ],
)
def test_a_line_in_any_script_that_states_something_is_no_boilerplate(line: str) -> None:
    assert not text.is_boilerplate(line)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How many countries signed it?", "en"),
        ("Wer ist der Bürgermeister?", "de"),
        ("Combien de pays ont signé ?", "fr"),
        ("¿Quién es el alcalde?", "es"),
        ("Quanti paesi hanno firmato?", "it"),
        ("Quem é o prefeito?", "pt"),
        ("Kuinka monta maata allekirjoitti?", "fi"),
        ("Berapa negara yang ikut serta?", "id"),
        ("Quot civitates subscripserunt?", "la"),
        ("Ποιος είναι ο δήμαρχος;", "el"),
        ("Кто мэр города?", "ru"),
        ("市长是谁？", "zh"),
        ("市長は誰ですか？", "ja"),
        ("시장은 누구입니까?", "ko"),
        ("من هو رئيس البلدية؟", "ar"),
        ("מי ראש העיר?", "he"),
        ("महापौर कौन है?", "hi"),
        ("नगरस्य अध्यक्षः कः अस्ति?", "sa"),
        ("ใครเป็นนายกเทศมนตรี", "th"),
        ("Belediye başkanı kim?", "tr"),
        ("شهردار کیست؟", "fa"),
        ("Thị trưởng là ai?", "vi"),
    ],
)
def test_the_language_of_a_short_question(question: str, language: str) -> None:
    assert text.language_of(question) == language
    assert text.language_of(f"\n {question.upper()}\n") == language


@pytest.mark.parametrize("content", ["", " \n", "123 456", "?!", "👩\u200d👧", "-----"])
def test_without_letters_no_language_is_told(content: str) -> None:
    assert text.language_of(content) == "und"


@given(texts)
def test_any_text_has_a_language_or_none(content: str) -> None:
    assert text.language_of(content).isalpha()
    assert text.language_of(content, floor=1.1) == "und"


@pytest.mark.parametrize(
    ("content", "answer", "whole"),
    [
        ("Am 3. September 2024", "eptem", "September"),
        ("Am 3. September 2024", " September ", "September"),
        ("im Jahre 2024 war", "02", "2024"),
        ("می\u200cرود به", "رود", "رود"),
        ("上海市副市长", "海市", "海市"),
        ("วันนี้อากาศดี", "อากาศ", "อากาศ"),
        ("die 👩\u200d👩\u200d👧 da", "\u200d👩", "👩\u200d👩\u200d👧"),
        ("cafe\u0301 au", "caf", "cafe\u0301"),
        ("don't", "on", "don"),
        ("Chen Jie, Wakil", "Chen Jie,", "Chen Jie"),
        ("3.500, 40", ", 40", "40"),
        ("陈杰，上海市", "陈杰，", "陈杰"),
    ],
)
def test_an_answer_is_widened_to_whole_words_where_words_are_spaced(content: str, answer: str, whole: str) -> None:
    start = content.index(answer)
    bounds = text.whole_words(content, start, start + len(answer))
    assert bounds is not None
    assert content[slice(*bounds)] == whole


@pytest.mark.parametrize("content", ["a \n b", "a , b"])
def test_nothing_but_space_and_commas_is_no_answer(content: str) -> None:
    assert text.whole_words(content, 1, 4) is None


@given(texts)
def test_widening_loses_only_space_and_commas_and_never_leaves_the_text(content: str) -> None:
    start, end = len(content) // 3, 2 * len(content) // 3
    bounds = text.whole_words(content, start, end)
    outer = f"{content[start : bounds.start]}{content[bounds.end : end]}" if bounds else content[start:end]
    assert all(character.isspace() or character in ",;:、，；：،؛" for character in outer)
    assert bounds is None or 0 <= bounds.start < bounds.end <= len(content)


def test_strip_gives_bounds_into_the_same_text() -> None:
    assert text.strip("  ab \n", 0, 6) == Bounds(2, 4)
    assert text.strip("  ab \n", 4, 6) is None
