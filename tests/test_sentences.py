"""Sentence bounds: properties over any text, and cases from real documents."""

from itertools import pairwise

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from qa import text
from qa.records import Bounds
from qa.sentences import MAX_SENTENCE_CHARS, sentences, split_long
from tests.cutting import cut
from tests.strategies import WORDS, texts

LANGUAGES = (
    "en",
    "de",
    "fr",
    "tr",
    "ru",
    "zh",
    "ja",
    "ar",
    "fa",
    "hi",
    "th",
    "my",
    "km",
    "bo",
    "und",
    "",
    "de-AT",
    "x\0",
)


def grapheme_starts(content: str, start: int, end: int) -> set[int]:
    return {start + match.start() for match in regex.finditer(r"\X", content[start:end])} | {end}


@given(texts.map(text.normalise), st.sampled_from(LANGUAGES))
def test_sentences_hold_every_character_that_shows_once_and_in_order(content: str, language: str) -> None:
    found = sentences(content, language=language)
    position = 0
    for start, end in found:
        assert position <= start < end <= len(content)
        assert not content[position:start].strip()
        assert content[start:end] == content[start:end].strip()
        assert end - start <= MAX_SENTENCE_CHARS
        position = end
    assert not content[position:].strip()


@given(texts.map(text.normalise))
@example("Why?\u0301 x")
@example("你好。\ufe00再见")
@example("Go!\U0001f3fb x")
def test_a_sentence_never_begins_or_ends_inside_a_grapheme(content: str) -> None:
    whole = grapheme_starts(content, 0, len(content))
    for before, after in pairwise(sentences(content)):
        # White space between two sentences may carry a mark; then the space is the grapheme.
        assert any(place in whole for place in range(before.end, after.start + 1))


@given(texts, st.integers(40, 300))
def test_long_text_is_cut_to_the_limit_between_graphemes(content: str, limit: int) -> None:
    bounds = text.strip(content, 0, len(content))
    if bounds is None:
        return
    whole = grapheme_starts(content, *bounds)
    pieces = list(split_long(content, bounds, limit=limit))
    assert "".join("".join(content[slice(*piece)] for piece in pieces).split()) == "".join(content.split())
    assert all(0 < end - start <= limit for start, end in pieces)
    longest = max(b - a for a, b in pairwise(sorted(whole)))
    if longest <= limit:
        for before, after in pairwise(pieces):
            assert any(place in whole for place in range(before.end, after.start + 1))


def test_long_text_is_cut_after_white_space_or_punctuation_in_the_second_half() -> None:
    content = "aaaa bbbb, cccc dddd"
    assert [content[slice(*piece)] for piece in split_long(content, Bounds(0, 20), limit=12)] == [
        "aaaa bbbb,",
        "cccc dddd",
    ]
    assert [b - a for a, b in split_long("x" * 30, Bounds(0, 30), limit=12)] == [12, 12, 6]


def test_a_grapheme_longer_than_the_limit_is_cut_all_the_same() -> None:
    content = "a" + "\u0301" * 50
    pieces = list(split_long(content, Bounds(0, len(content)), limit=20))
    assert pieces == [Bounds(0, 20), Bounds(20, 40), Bounds(40, 51)]


def test_scripts_without_spaces_get_a_third_of_the_length() -> None:
    assert max(map(len, cut("漢字" * 1000, "ja"))) == MAX_SENTENCE_CHARS // 3
    assert max(map(len, cut("ไทย" * 1000, "th"))) <= MAX_SENTENCE_CHARS // 3
    assert max(map(len, cut("word" * 1000))) == MAX_SENTENCE_CHARS


# Single sentences and what does not end them

ONE_SENTENCE = [
    ("en", "Mr. J. R. R. Tolkien met Dr. Smith and Prof. Jones in the U.S. Senate."),
    ("en", "See fig. 2 of https://example.com/a.b?c=d.e for v1.2.3, e.g. this, i.e. that."),
    ("en", "We use ASP.NET and www.Example.Com and foo.Bar() here."),
    ("en", 'He said: "Go. Now!"'),
    ("en", '"Go away!" she said.'),
    ("pl", "„Idź!” powiedziała."),
    ("sv", "”Gå!” sa hon."),
    ("en", "It was so (really. Truly.) and so."),
    ("en", "1. first"),
    ("en", "IV. Of the sea"),
    ("en", "Footnote here.[1]"),
    ("fr", "M. Dupont a rencontré Mme. Durand et le Dr. Petit."),
    ("fr", "Selon M.\xa0Dupont, l'art.\xa05 de la loi est clair."),
    ("fr", "J.\xa0K. Rowling écrit."),
    ("es", "La Sra. Pérez y D. Juan firmaron."),
    ("pt", "O Sr. Silva mora na Av. Paulista, n.º 5."),
    ("de", "Am 3. September 2024 fand z. B. das 19. Treffen bzw. Seminar statt."),
    ("de", "Die Kanz\xadlerin hielt am 3. Sep\xadtember eine Rede."),
    ("de", "Er sagte: „Geh. Jetzt!“"),
    ("tr", "Osman'ın yerine II. Mahmud, 30. Osmanlı padişahı oldu."),
    ("pl", "Jan Kowalski żył do 1950 r. w Warszawie."),
    ("ru", "А. С. Пушкин родился в 1799 г. в Москве."),
    ("nl", "Mevr. de Vries sprak met J. Cruijff."),
    ("id", "H. Agus Salim tinggal di Jl. Sudirman No. 5."),
    ("hi", "डॉ. शर्मा आए।"),
    ("bn", "ড. ইউনূস এলেন।"),
    ("th", "เกิดเมื่อวันที่ 21 มีนาคม พ.ศ. 2469 ที่จังหวัดเชียงใหม่"),
    ("ja", "「そうですね。」と彼は言った。"),
    ("zh", "他说：“好的。我来。”"),
    ("my", "ဒါက၊ စာကြောင်းပါ။"),
    ("en", "cafe.\u0301 x"),
]


@pytest.mark.parametrize(("language", "sentence"), ONE_SENTENCE, ids=lambda value: value[:20].replace("\0", ""))
def test_a_sentence_is_not_cut_inside(language: str, sentence: str) -> None:
    assert cut(sentence, language) == [sentence]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["It ended.", "Then he left!", "Why?", "Nobody knows.", "Yes."]),
        ("en", ["So did I.", "Then he left."]),
        ("en", ["all is written small here.", "we went to the un.", "nobody else did."]),
        ("en", ["This was the finish.", "the next has a small letter."]),
        ("de", ["Das Treffen fand statt.", "Er kam.", "Sie ging."]),
        ("fr", ["Il dit : « Ça va ? »", "Puis il partit."]),
        ("es", ["¿Qué es esto?", "¡No lo sé!"]),
        ("ru", ["Это предложение.", "Это другое?"]),
        ("el", ["Τι είναι αυτό;", "Δεν ξέρω."]),
        ("ar", ["هذا نص.", "هل هو طويل؟", "نعم!"]),
        ("fa", ["این یک متن است.", "آیا می\u200cرود؟"]),
        ("ur", ["یہ ایک جملہ ہے۔", "کیا یہ دوسرا ہے؟"]),
        ("he", ["זה משפט.", "מה זה?"]),
        ("hi", ["यह एक वाक्य है।", "क्या यह दूसरा है?"]),
        ("my", ["ဒါက စာကြောင်းပါ။", "နောက်တစ်ကြောင်း။"]),
        ("am", ["ይህ ዓረፍተ ነገር ነው።", "ሌላ ነው።"]),
        ("hy", ["Սա նախադասություն է։", "Մյուսը։"]),
        ("km", ["នេះជាប្រយោគ។", "ទីពីរ។"]),
        ("bo", ["བོད་སྐད་ནི།", "སྐད་ཡིག་ཞིག་ཡིན།"]),
        ("ko", ["오늘은 날씨가 좋다.", "내일은 비가 온다!"]),
    ],
)
def test_sentences_with_a_space_between_are_told_apart(language: str, expected: list[str]) -> None:
    assert cut(" ".join(expected), language) == expected


def test_invisible_marks_do_not_hide_where_sentences_end() -> None:
    hebrew = ["השר פתח את הכנס בבוקר.\u200f", "אחריו דיבר ראש העיר.\u200f", "בערב נחתם ההסכם.\u200f"]
    assert cut(" ".join(hebrew), "he") == hebrew
    for whole in ("ראה את פרופ׳ א.\u200f כהן אתמול.", "Il a vu Mme.\u2060 Dupont hier.", "ASP.\u200bNET is here."):
        assert cut(whole, "he" if whole > "z" else "fr") == [whole]
    english = ["It is the \u202aend\u202c of the sen\xadtence.\u200b", "The next be\u2060gins here.\u2069"]
    assert cut(" ".join(english), "en") == english


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ja", ["今日は天気がいい。", "明日は雨！", "「はい。」と言った。"]),
        ("zh", ["上海市副市长出席。", "真的？！", "他说：“好的。”", "然后走了。"]),
        ("en", ["It is the end of the sentence.", "The next has lost its space."]),
        ("ar", ["هذه نهاية الجملة.", "والجملة الأخرى هنا."]),
    ],
)
def test_sentences_without_a_space_between_are_told_apart(language: str, expected: list[str]) -> None:
    assert cut("".join(expected), language) == expected


def test_spaces_that_are_not_ascii_do_not_stop_the_world() -> None:
    """sentencex panics at an initial with such a space before its full stop, and takes the process with it."""
    for space in "\xa0\u1680\u2003\u202f\u205f\u3000":
        for language in ("en", "fr", "und"):
            assert cut(f"Plan A{space}. And so on", language)[-1].endswith("And so on")


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("x" * 10_000_000, 8_334),
        ("word " * 2_000_000, 8_334),
        ("A word here. " * 770_000, 770_000),
        ("漢字" * 1_000_000, 5_000),
        ("a" + "\u0301" * 2_000_000, 1_667),
        ("ab\n" * 200_000, 200_000),
        ("Hello there, this is a line of some words\n" * 200_000, 200_000),
        ("> quoted words in a mail, and then some more of them\n" * 200_000, None),
        ("1. " * 300_000, None),
        ("a.B." * 500_000, None),
        ("พ.ศ. " * 200_000, None),
        ('។"' * 200_000, None),
        ('"' * 1_000_000, None),
        ("(" * 1_000_000, None),
        (" \n" * 2_000_000, 0),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, str) else "",
)
@pytest.mark.timeout(100)
def test_ten_megabytes_of_anything_are_cut_before_the_time_is_out(content: str, count: int | None) -> None:
    found = sentences(content)
    assert count in (None, len(found))


@given(st.sampled_from(WORDS), st.sampled_from(LANGUAGES))
def test_a_single_word_is_a_single_sentence(word: str, language: str) -> None:
    assert cut(text.normalise(word), language) == [text.normalise(word)]
