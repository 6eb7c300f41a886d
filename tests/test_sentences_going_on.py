"""Where sentences go on: behind "d.C.", a Thai stop, a quotation with a particle, Khmer "etc."."""

import pytest
import regex

from qa.records import Bounds
from qa.sentences import split_long
from tests.cutting import cut

# Abbreviations with inner stops


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("it", "Nacque nel 63 a.C. a Roma e morì nel 14 d.C. a Nola."),
        ("pt", "Nasceu em 63 a.C. em Roma."),
        ("ru", "Он сказал, т.е. все должны знать."),
        ("ru", "Это было до н.э. на острове."),
        ("bg", "Дойдоха петима, т.е. всички."),
        ("nl", "Zij kwamen o.a. bijeen in Delft."),
        ("pl", "Było tam m.in. stare miasto."),
        ("sv", "Han köpte t.ex. bröd."),
        ("nb", "Han kjøpte f.eks. brød."),
        ("hu", "Az i.sz. első században élt."),
        ("lv", "Viņš dzīvoja p.m.ē. pirmajā gadsimtā."),
        ("ro", "Au cumpărat d.ex. mere."),
        ("el", "Ήρθαν ο Γιάννης κ.ά. φίλοι."),
    ],
)
def test_an_abbreviation_with_inner_stops_ends_no_sentence_before_a_small_letter(language: str, sentence: str) -> None:
    assert cut(sentence, language) == [sentence]
    assert cut(f"{sentence} {sentence}", language) == [sentence, sentence]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("pl", "Zwiedził m.in. Warszawę i tzw. Trójmiasto."),
        ("ru", "Он любит столицу, т.е. Москву, и св. Петра."),
        ("sv", "Han bor i en stad, t.ex. Lund, dvs. Skåne."),
        ("nb", "Han bor i en by, f.eks. Oslo, dvs. Norge."),
        ("da", "Han besøgte bl.a. København."),
        ("nl", "Hij was in o.a. Delft, d.w.z. Holland."),
        ("bg", "Това е столицата, т.е. София."),
        ("hr", "Vidio je npr. Zagreb, tj. glavni grad."),
        ("fr", "La capitale, c.-à-d. Paris, est belle."),
    ],
)
def test_an_abbreviation_that_announces_a_name_ends_no_sentence(language: str, sentence: str) -> None:
    assert cut(sentence, language) == [sentence]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("pt", ["Morreu em 14 d.C.", "O filho reinou."]),
        ("it", ["Morì nel 14 d.C.", "Il figlio regnò."]),
        ("it", ["morì nel 14 d.C.", "il figlio regnò."]),
    ],
)
def test_other_abbreviations_end_a_sentence_before_a_capital_or_in_a_text_without(
    language: str, expected: list[str]
) -> None:
    assert cut(" ".join(expected), language) == expected


# Thai


@pytest.mark.parametrize(
    "sentence",
    [
        "ในปีค.ศ. 1939 เขาเกิด",
        "ตามพ.ร.บ. ใหม่ของไทย",
        "พล.อ.ประยุทธ์ และดร.สมชาย",
        "พล.อ. ประยุทธ์ และ ดร. สมชาย",
        "พื้นที่ 16,392 ตร.กม. มีประชากร",
        "บริษัท ปตท. (มหาชน) ที่กรุงเทพฯ",
    ],
)
def test_a_stop_behind_a_thai_word_ends_no_sentence(sentence: str) -> None:
    for language in ("th", "en"):
        assert cut(sentence, language) == [sentence]
    assert cut(f"{sentence} จ.\n{sentence}", "th") == [f"{sentence} จ.", sentence]


def test_lao_and_other_marks_in_thai_still_end_sentences() -> None:
    assert cut("ຂ້ອຍໄປຕະຫຼາດ. ລາວໄປໂຮງຮຽນ.", "lo") == ["ຂ້ອຍໄປຕະຫຼາດ.", "ລາວໄປໂຮງຮຽນ."]
    assert cut("ใช้ได้บนวินโดวส์ 98. ไปไหน? ไปตลาด!", "th") == ["ใช้ได้บนวินโดวส์ 98.", "ไปไหน?", "ไปตลาด!"]


def test_a_long_thai_text_is_cut_between_phrases_not_about_a_figure_or_an_abbreviation() -> None:
    phrase = "เมืองนี้มีประชากร 30 ล้านคน ในปี พ.ศ. 2560 ตามที่ ดร. สมชาย กล่าวไว้ พื้นที่ 50 ตร.กม. กว้างมาก "
    content = (phrase * 9).strip()
    for limit in range(130, 200):
        found = [content[slice(*bounds)] for bounds in split_long(content, Bounds(0, len(content)), limit=limit)]
        assert " ".join(found) == content
        assert not any(regex.search(r"\d$|\p{Thai}\.$", before) for before in found[:-1])
        assert not any(regex.match(r"\d|(?:ดร|พ\.ศ|ตร\.กม)\.", after) for after in found[1:])


# Quotations


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ko", "그는 “회의가 성공적이었다.”라고 말했다."),
        ("ko", "그는 “회의가 성공적이었다.” 라고 말했다."),
        ("ko", '그는 "자연은 진공을 싫어한다."는 이론을 받아들였다.'),
        ("ko", "언론은 ‘의연한 태도를 취하고 있다.’고 미화했다."),
        ("ko", "그는 '대한 독립 만세!'를 외쳤다."),
        ("ko", "그는 “내 교회를 세우겠다.”(마태 16,18)고 말했다."),
        ("ja", "彼は「警笛を忘れていた！」（参照）と言った。"),
    ],
)
def test_a_quotation_goes_on_in_what_is_attached_to_it(language: str, sentence: str) -> None:
    assert cut(sentence, language) == [sentence]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ko", ["그렇게 말한다.", "'냉전'이라는 말이 있다."]),
        ("ko", ["그는 “좋다.”라고 말했다.", "‘냉전’이라는 말이 있다."]),
        ("ko", ["그는 말했다.", "“회의가 성공적이었다.”", "그리고 갔다."]),
        ("fi", ["Miten kosmos syntyi?", '"Tieteen isäksi" häntä kutsuttiin.']),
        ("hi", ["वे वर्तमान में जीते हैं।", "“व्यक्ति कर्मों से महान बनता है।”"]),
        ("el", ["Δεν μπορώ.", "'Ελα εδώ αμέσως."]),
        ("nl", ["Twee plus twee is vier.", "'s Avonds ga ik naar bed."]),
    ],
)
def test_an_opening_quotation_mark_stands_with_the_sentence_that_it_opens(language: str, expected: list[str]) -> None:
    assert cut(" ".join(expected), language) == expected


# Khmer


@pytest.mark.parametrize(
    "expected",
    [
        ["គាត់ទិញស្វាយ ចេក ។ល។ នៅផ្សារ។", "គាត់ទៅផ្ទះ។"],
        ["គាត់ទិញស្វាយ ចេក\u200b។\u200bល\u200b។ នៅផ្សារ។", "គាត់ទៅផ្ទះ៕"],
        ["គាត់ទិញស្វាយ ។ ល ។ នៅផ្សារ។", "គាត់ទៅផ្ទះ។"],
        ["គាត់និយាយថា «ខ្ញុំទៅ។»", "គាត់ទៅផ្ទះ។"],
        ["គាត់និយាយថា “ខ្ញុំទៅ៕”)", "គាត់ទៅផ្ទះ។"],
        ['គាត់និយាយថា "ខ្ញុំទៅ។"', "គាត់ទៅផ្ទះ។", '"បាទ។"', "គាត់ទៅ។"],
    ],
)
def test_khmer_goes_on_behind_etc_and_ends_behind_closing_marks(expected: list[str]) -> None:
    assert cut(" ".join(expected), "km") == expected


def test_a_khmer_quotation_mark_that_touches_the_next_sentence_opens_it() -> None:
    assert cut('គាត់ទៅ។"ខ្ញុំទៅ។" គាត់ទៅ។', "km") == ["គាត់ទៅ។", '"ខ្ញុំទៅ។"', "គាត់ទៅ។"]
