"""Where sentences end and where long ones are cut, case by case: figures, small letters, titles, signs."""

import pytest
import regex

from qa.records import Bounds
from qa.sentences import MAX_SENTENCE_CHARS, split_long
from tests.cutting import cut

_WORD = regex.compile(r"-?[\p{L}\p{M}\d]+(?:[.,'’٫-][\p{L}\p{M}\d]+)*")


def pieces(content: str, limit: int) -> list[str]:
    return [content[slice(*bounds)] for bounds in split_long(content, Bounds(0, len(content)), limit=limit)]


# Long sentences


@pytest.mark.parametrize("separator", ["\t", "\n", "\u2028", " ", "\u3000"])
def test_a_long_row_is_cut_between_its_cells(separator: str) -> None:
    row = separator.join(["Paris", "210,546", "-27.19", "l'homme", "c'est-à-dire", "(1.5)", "$2.50", "№7"] * 12)
    for limit in range(30, 130):
        assert separator.join(pieces(row, limit)) == row


def test_a_row_above_the_longest_sentence_is_cut_between_its_cells() -> None:
    cells = [f"{place}\t{number},546\t-{number}.19" for number in range(100, 180) for place in ("Nîmes", "L'Haÿ")]
    rows = ["\t".join(cells[:50]), "\t".join(cells)]
    found = cut("\n".join(rows), "fr")
    assert max(map(len, found)) <= MAX_SENTENCE_CHARS
    assert "\t".join(found) == "\t".join(rows)


def test_a_tab_is_a_better_place_than_a_blank_and_a_blank_than_punctuation() -> None:
    assert pieces("one two three\tfour five six", 20) == ["one two three", "four five six"]
    assert pieces("one\ttwo three four five", 20) == ["one\ttwo three four", "five"]  # the tab is in the first half
    assert pieces("one two three four,five", 20) == ["one two three", "four,five"]


@pytest.mark.parametrize("number", ["210 546", "210\xa0546", "210\u202f546", "27.19", "-27.19", "1,2", "٢٧٫١٩"])
def test_a_number_is_not_cut(number: str) -> None:
    content = f"Lyon {number} " * 12 + "Nice"
    for limit in range(30, 90):
        found = pieces(content, limit)
        assert " ".join(found) == content
        assert sum(piece.count(number) for piece in found) == 12


def test_a_blank_between_digits_is_better_than_punctuation_between_them() -> None:
    assert pieces("1,000 2,000 3,000 4,000", 20) == ["1,000 2,000 3,000", "4,000"]


@pytest.mark.parametrize(
    "content",
    ["Paris;210,546;-27.19;" * 9, 'Paris,"l\'homme",210.546,"c",' * 9, "a_b(27.19,-30)" * 9, "l'homme\xa0210\xa0" * 9],
)
def test_without_white_space_words_and_numbers_stay_whole_too(content: str) -> None:
    for limit in range(30, 80):
        found = pieces(content, limit)
        assert "".join("".join(found).split()) == "".join(content.split())
        assert [word for piece in found for word in _WORD.findall(piece)] == _WORD.findall(content)


@pytest.mark.parametrize(
    ("content", "ends", "begins"),
    [
        ("上海有210,546人，1999年27.19公里，" * 20, "，", r""),
        ("上海有210546人北京有27公里" * 20, r"\D", r"\D"),
        ("きゃっきゃっコーヒーと言った" * 20, r"", r"[^ゃっー]"),
        ("เมืองกาและเก้าะ" * 30, r"[^เแ]", r"[^าะ]"),
        ("ເມືອງກາແລະເກົ້າະ" * 30, r"[^ເແ]", r"[^າະ]"),
        ("ကာကားမြန်မာ" * 30, r"", r"\P{M}"),
        ("ភាសា\u200bខ្មែរ" * 30, r"\u200b", r""),
        ("བོད་སྐད་2,546་ཡིན་ནོ་" * 20, r"་", r""),
    ],
    ids=["zh", "zh without marks", "ja", "th", "lo", "my", "km", "bo"],
)
def test_scripts_without_spaces_are_cut_where_a_reader_would(content: str, ends: str, begins: str) -> None:
    for limit in range(60, 110):
        found = pieces(content, limit)
        assert "".join(found) == content
        assert all(limit // 2 <= len(piece) <= limit for piece in found[:-1])
        assert all(regex.search(f"{ends}$", before) for before in found[:-1])
        assert all(regex.match(begins, after) for after in found[1:])


# Small letters


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ru", "Иван... не пришёл домой."),
        ("ru", "Телеканал Матч! показал игру."),
        ("ru", "— Ты придёшь? — спросил он."),
        ("el", "Ο Γιάννης... δεν ήρθε."),
        ("el", "Τι είναι; ρώτησε ο Γιάννης."),
        ("tr", "Ben... şimdi geldim."),
        ("vi", "Tôi... đã đến."),
        ("fr", "Il a dit... à demain."),
        ("de", "Er rief Halt! ängstlich und lief davon."),
        ("en", "Panic! at the Disco is a band."),
        ("es", "—¿Vienes? —preguntó Juan."),
        ("es", "—¿Vienes?—preguntó Juan."),
        ("hu", "Ön nem volt ott? - kérdezte Jordan úr."),
        ("uk", '"У чому справа?" - запитав кролик.'),
    ],
)
def test_a_sentence_goes_on_in_a_small_letter_after_what_is_broken_off_or_called(language: str, sentence: str) -> None:
    assert cut(sentence, language) == [sentence]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "ru",
            ["Телеканал Матч! показал финал.", "телеканал матч!", "показал финал.", "— телеканал матч!", "он ушёл."],
        ),
        ("uk", ["Він гукнув Стій! і пішов.", "тричі гукнув: стій!", "їхати далі!", "3 гукнули: стій!", "іншим."]),
        ("en", ["Panic! at the Disco.", "i like panic!", "at home.", "This was the finish.", "the next is small."]),
    ],
)
def test_where_sentences_begin_with_small_letters_they_still_end(language: str, expected: list[str]) -> None:
    assert cut(" ".join(expected), language) == expected


def test_georgian_has_no_capitals_to_wait_for() -> None:
    sentence = "ეს წინადადება დასრულდა."
    assert cut(sentence + sentence, "ka") == [sentence, sentence]
    assert cut("1998 წელს მოვიდა? კი. — მოდიხარ? არა.", "ka") == ["1998 წელს მოვიდა?", "კი.", "— მოდიხარ?", "არა."]


# Titles


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("id", "Ia bertemu Ir. Soekarno dan Prof. Ir. Sutanto di Bandung."),
        ("vi", "Tôi gặp GS. Nguyễn Văn An, PGS. Trần Bình và ThS. Lê Cường."),
        ("vi", "PGS.TS. Trần Bình đã đến."),
        ("pl", "Był to inż. Kowalski z Warszawy."),
        ("tr", "Dersi Öğr. Gör. Ayşe Yılmaz ve Doç. Dr. Ali Kaya verdi."),
        ("it", "L'On. Verdi ha risposto all'on. Rossi."),
        ("it", "L’On. Verdi ha parlato."),
        ("pt", "A Exma. Senhora Silva e o Exmo. Senhor Souza vieram."),
        ("pt", "O Ilmo. Senhor Souza e a Ilma. Senhora Silva vieram."),
        ("de", "Der Dipl.-Ing. Meier und die Dr.-Ing. Schulz kamen."),
    ],
)
def test_a_title_ends_no_sentence(language: str, sentence: str) -> None:
    assert cut(sentence, language) == [sentence]
    assert cut(f"{sentence} {sentence}", language) == [sentence, sentence]


# Signs


@pytest.mark.parametrize(
    "expected",
    [
        ["ང་ཚོ་བོད་པ་ཡིན། །", "ང་ཚོ་བོད་ལ་སྡོད། །"],
        ["ང་ཚོ་བོད་པ་ཡིན།།", "ང་ཚོ་བོད་ལ་སྡོད།།"],
        ["ང་ཚོ་བོད་པ་ཡིན།  །", "ང་ཚོ་བོད་ལ་སྡོད།"],
        ["ང་ཚོ་བོད་པ་ཡིན༎ ", "ང་ཚོ་བོད་ལ་སྡོད༎ ༎"],
        ["ཁོས་《ཡིན།》ཟེར།", "ང་ཚོ་བོད་ལ་སྡོད།"],
    ],
)
def test_every_shad_stays_with_the_piece_that_it_ends(expected: list[str]) -> None:
    assert cut("".join(expected), "bo") == [sentence.strip() for sentence in expected]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("he", ['צה"ל הודיע על כך.', "הממשלה התכנסה אתמול.", "ההחלטה התקבלה ברוב קולות.", 'רה"מ נאם בכנסת.']),
        ("he", ['הדו"חות של ארה"ב פורסמו.', 'מנכ"לית החברה התפטרה.', "הדיון נדחה.", 'המו"מ נמשך.']),
        ("he", ['ב"הארץ" נכתב על צה"ל.', "הממשלה התכנסה.", 'כך נכתב ב"מעריב".', 'רה"מ גר בארה"ב.', "זה נכון."]),
        ("he", ['השר אמר: "צה"ל הודיע. כך קרה."', 'רה"מ נאם.', "הוא הלך."]),
        ("en", ['A 5" pipe costs 3 dollars.', "It is new.", 'A 6" pipe is old.']),
        ("en", ["It is 5'10\" long.", "It is new.", 'The 17"w one is old.']),
        (
            "en",
            ['He said "in 1999".', "Then he left.", 'A 6" pipe broke.', '"It is 5. It is old."', 'A 7" one is new.'],
        ),
        ("de", ['Er kam „im Jahr 1999".', "Dann ging er.", 'Er sagte "Na".']),
        ("zh", ['他在2008"奥运。会"年来了。', '1月的"会。议"结束了。', '管子5".', "是新的。", '管子6"。']),
    ],
)
def test_inches_and_hebrew_acronyms_are_no_quotations(language: str, expected: list[str]) -> None:
    assert cut(" ".join(expected), language) == expected


def test_a_chinese_or_japanese_sentence_ends_before_a_digit() -> None:
    chinese = ["他任主任。", "1990年退休。", "真的吗？", "2是偶數！", "3.14是圓周率。"]
    assert cut("".join(chinese), "zh") == chinese
    japanese = ["会議は閉会した。", "2024年に再開する。"]
    assert cut("".join(japanese), "ja") == japanese
