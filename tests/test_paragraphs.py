"""Which line ends are meant: those of headings, lists, verse and tables; not those of wrapped text."""

import textwrap
import unicodedata

import pytest
from hypothesis import given

from qa import text
from qa.paragraphs import paragraphs
from tests.conftest import CORPUS
from tests.cutting import cut
from tests.strategies import texts


@given(texts.map(text.normalise))
def test_paragraphs_hold_every_character_that_shows_once_and_in_order(content: str) -> None:
    position = 0
    for start, end in paragraphs(content):
        assert position <= start < end
        assert not content[position:start].strip()
        position = end
    assert not content[position:].strip()


@pytest.mark.parametrize(
    "content",
    [
        "Ministry opens seminar in Shanghai\nOn September 3 the seminar opened.",
        "MINISTRY OPENS SEMINAR IN SHANGHAI ON TUESDAY MORNING, WITH FORTY\nBy Anna Li, Xinhua\nSHANGHAI, Sept. 3",
        "Ministry opens a seminar on artificial intelligence in Shanghai\nBy Anna Li\nThe Ministry said so.",
        "外交部发言人：中国将继续致力于向国际社会提供更多公共产品和服务\n新华社\n九月三日，外交部发言人主持例行记者会",
        "# Heading\nText below it.\n## Another\nMore text",
        "Heading\n=======\nText",
        "- milk\n- bread and butter and a very long item that nearly fills the line up\n- eggs\n- a second one",
        "1. Milk and bread and butter and a long item that nearly fills up the line\n2. Eggs\n3. Another",
        "(a) alpha and a long line that goes on and on and on until it is full up\n(b) beta\n(c) gamma",
        "一、上海市人民政府外事办公室和中华人民共和国外交部有关部门负责同志\n二、北京市\n三、天津市",
        "From: Anna Li <anna@example.org>\nTo: Bernd\nSubject: A rather long subject line that goes on\nDate: Mon",
        "| Name | Age | A column that is rather long and holds much |\n|---|---|---|\n| Dr. Li | 42 | and so on |",
        "Name\tAge\tPlace of birth and other things that are of interest\nLi\t42\tShanghai\nMa\t43\tBeijing",
        "Two roads diverged in a yellow wood,\nAnd sorry I could not travel both\nAnd be one traveler, long I stood",
        "床前明月光\n疑是地上霜\n举头望明月\n低头思故乡",
        "北京市\n上海市\n天津市\n重庆市",
        "apples\noranges and other fruit of the season from the garden\nbread\nmilk\nbutter",
        "name\tage\tplace of birth and some other things\nli\t42\tshanghai, a large city in the east\nma\t43\tbeijing",
        "name    age    place of birth and more of it\nli      42     shanghai, a large city\nma      43     beijing",
        "```\ntotal = the_first_of_many_variables + the_second_of_many_variables +\nthe_third_of_many + one_more\n```",
        "2024-01-01 12:00:00 INFO  server started on port 8\n2024-01-01 12:00:01 WARN  server stopped on port 8",
        "first line\u2028second line\u2029third line\x0bfourth",
    ],
    ids=lambda content: content[:25].replace("\n", "/"),
)
def test_line_ends_that_are_meant_end_a_sentence(content: str) -> None:
    lines = [content[slice(*line)] for line in text.lines(content)]
    assert [content[slice(*paragraph)] for paragraph in paragraphs(content)] == lines


@pytest.mark.parametrize(
    "mail",
    [
        ">I have looked at the budget again and I think that we should meet before\n>the end of the month, since the "
        "board wants to see the numbers by then and\n>\n>nothing is decided yet.",
        f"> {'long ' * 14}\n> {'long ' * 14}\n>\n>\n> nothing is decided yet.",
    ],
)
def test_empty_lines_of_a_quoted_mail_end_a_paragraph(mail: str) -> None:
    assert cut(mail, "en")[-1].endswith("nothing is decided yet.")


def unwrapped(content: str) -> list[str]:
    return [paragraph.strip() for paragraph in content.split("\n") if paragraph.strip()]


def columns(content: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in content)


def wrap_by_columns(content: str, width: int) -> str:
    """As a terminal editor wraps Chinese and Japanese: at any character, but no line begins with a closing mark."""
    rows = [""]
    for character in content:
        if (
            columns(rows[-1] + character) > width
            and character not in "。、，」）"
            and not (character.isascii() and character.isalnum())
        ):
            rows.append("")
        rows[-1] += character
    return "\n".join(rows)


@pytest.mark.parametrize("name", sorted(path.name for path in (CORPUS / "texts").glob("*.txt")))
@pytest.mark.parametrize("width", [60, 72, 100])
def test_wrapped_paragraphs_have_the_sentences_of_unwrapped_ones(name: str, width: int) -> None:
    original = unwrapped((CORPUS / "texts" / name).read_text(encoding="utf-8"))
    wrapped = "\n\n".join(
        line if text.is_boilerplate(line) else textwrap.fill(line, width, break_on_hyphens=False) for line in original
    )
    expected = [" ".join(sentence.split()) for line in original for sentence in cut(line)]
    assert [" ".join(sentence.split()) for sentence in cut(wrapped)] == expected


CHINESE = [
    "九月三日，外交部发言人毛宁主持例行记者会。有记者问，人工智能能力建设研讨班已经在上海开班，请发言人介绍有关情况。毛宁说，当前，人工智能技术快速发展，"
    "广泛应用，已经成为新一轮科技革命和产业变革的重要驱动力。中国作为人工智能大国，高度重视人工智能技术发展。",
    "作为决议的后续行动，中国与联合国于九月三日至六日在上海共同举办人工智能能力建设研讨班，来自近四十个国家的代表参加，联合国秘书长古特雷斯出席了开幕式并致辞。",
]

JAPANESE = [
    "九月三日、外務省の報道官は定例の記者会見を開いた。記者は、人工知能の能力構築に関するセミナーが上海で始まったと述べ、報道官に説明を求めた。報道官は、"
    "現在、人工知能の技術が急速に発展し、広く応用され始めており、新しい科学技術革命の重要な原動力になっていると語った。",
    "「中国は重視しています。」と報道官は答えた。国連は決議の後続として、九月三日から六日まで上海で研修会を共催し、およそ四十か国の代表が参加した。",
]


@pytest.mark.parametrize(("language", "original"), [("zh", CHINESE), ("ja", JAPANESE)])
@pytest.mark.parametrize("width", [48, 72, 78])
def test_wrapped_chinese_and_japanese_have_the_sentences_of_unwrapped(
    language: str, original: list[str], width: int
) -> None:
    wrapped = "\n\n".join(wrap_by_columns(line, width) for line in original)
    assert wrapped.count("\n") >= 5
    expected = [sentence for line in original for sentence in cut(line, language)]
    assert [sentence.replace("\n", "") for sentence in cut(wrapped, language)] == expected


@pytest.mark.parametrize(
    ("language", "paragraph"),
    [
        (
            "ar",
            "قال المتحدث باسم وزارة الخارجية إن الندوة افتتحت في شنغهاي يوم الثلاثاء بحضور "
            "ممثلين من أربعين دولة. وأضاف أن الصين تولي أهمية كبيرة لتطوير تكنولوجيا الذكاء "
            "الاصطناعي وتعزيز التعاون الدولي في هذا المجال.",
        ),
        (
            "he",
            "דובר משרד החוץ אמר כי הסמינר נפתח בשנחאי ביום שלישי בהשתתפות נציגים מארבעים "
            "מדינות. הוא הוסיף כי סין מייחסת חשיבות רבה לפיתוח טכנולוגיות הבינה המלאכותית "
            "ולחיזוק שיתוף הפעולה הבין־לאומי בתחום זה.",
        ),
        (
            "hi",
            "विदेश मंत्रालय के प्रवक्ता ने कहा कि संगोष्ठी मंगलवार को शंघाई में चालीस देशों "
            "के प्रतिनिधियों की उपस्थिति में शुरू हुई। उन्होंने कहा कि चीन कृत्रिम "
            "बुद्धिमत्ता प्रौद्योगिकी के विकास और अंतरराष्ट्रीय सहयोग को बहुत महत्व देता है।",
        ),
        (
            "ko",
            "외교부 대변인은 화요일 상하이에서 사십 개국 대표가 참석한 가운데 "
            "세미나가 시작되었다고 말했다. 그는 중국이 인공지능 기술의 발전과 이 분야의 "
            "국제 협력 강화를 매우 중요하게 여긴다고 덧붙였다.",
        ),
    ],
)
def test_wrapped_paragraphs_without_capitals_have_the_sentences_of_unwrapped_ones(
    language: str, paragraph: str
) -> None:
    assert [" ".join(sentence.split()) for sentence in cut(textwrap.fill(paragraph, 44), language)] == cut(
        paragraph, language
    )


MAIL = """\
From: Anna Li <anna.li@example.org>
To: Bernd Maier
Subject: Meeting of the third of May, and what we shall need for it there

Dear Bernd,

I write to tell you that the meeting, which was planned for the third of
May, will now take place on the fifth. Please bring your own laptop. We
shall meet in the large room 12, as usual, with Dr. Smith and with Prof.
Jones of Oxford. The address is
https://example.org/a/very/long/address/that/cannot/be/wrapped/because/it/has/no/space/in/it/at/all/and/goes/on/and/on

> I have heard that the meeting was moved to another day. Is that really
> true, and who is going to be there? I should like to know before we
> buy the tickets.

We need three things:

- a projector
- a screen, which should be a large one so that people in the last row
  can read it
- chairs

Anna
"""


def test_a_wrapped_mail_is_cut_into_its_sentences() -> None:
    assert [" ".join(sentence.split()) for sentence in cut(MAIL)] == [
        "From: Anna Li <anna.li@example.org>",
        "To: Bernd Maier",
        "Subject: Meeting of the third of May, and what we shall need for it there",
        "Dear Bernd,",
        "I write to tell you that the meeting, which was planned for the third of May, will now take place on "
        "the fifth.",
        "Please bring your own laptop.",
        "We shall meet in the large room 12, as usual, with Dr. Smith and with Prof. Jones of Oxford.",
        "The address is",
        "https://example.org/a/very/long/address/that/cannot/be/wrapped/because/it/has/no/space/in/it/at/all/and/goes/on/and/on",
        "> I have heard that the meeting was moved to another day.",
        "Is that really > true, and who is going to be there?",
        "I should like to know before we > buy the tickets.",
        "We need three things:",
        "- a projector",
        "- a screen, which should be a large one so that people in the last row can read it",
        "- chairs",
        "Anna",
    ]


WRAPPED = (
    "The seminar on capacity building was held in Shanghai from the third\n"
    "to the sixth of September, and forty countries were represented by the\n"
    "officials who had prepared it"
)


@pytest.mark.parametrize(
    "following",
    [
        "(b) the next item",
        "# A heading",
        "| a | table |",
        "=" * 60,
        "- - - - - - - - - - - - - - - - - - - -",
        "> quoted",
        "a\tb",
    ],
)
def test_a_wrapped_paragraph_ends_where_something_else_begins(following: str) -> None:
    """Also where the last line is full by chance."""
    full = WRAPPED + " for more than a whole year of hard work"
    assert cut(f"{full}\n{following}\n{WRAPPED}.") == [full, *cut(following), WRAPPED + "."]


def test_lines_set_by_hand_leave_room_and_are_wrapped_all_the_same() -> None:
    mail = (
        "I write to tell you that the meeting, which was planned for the\n"
        "third of May, will now take place on the fifth. Please bring your\n"
        "own laptop. We shall meet in room 12, as usual, with all of the\n"
        "others from Oxford and so on and on.\n"
    )
    assert len(cut(mail)) == 3
    assert len(cut(mail.replace("Please bring your\n", "Please bring\n"))) == 3


def test_a_date_at_the_beginning_of_a_wrapped_line_is_no_list_item() -> None:
    wrapped = (
        "Das Seminar zum Kapazitätsaufbau fand in diesem Jahr in Shanghai am\n"
        "12. Mai statt, und vertreten waren nach Angaben des Ministeriums mehr\n"
        "als vierzig Länder. Das nächste soll in Peking stattfinden.\n"
    )
    assert [sentence.replace("\n", " ") for sentence in cut(wrapped, "de")] == [
        "Das Seminar zum Kapazitätsaufbau fand in diesem Jahr in Shanghai am 12. Mai statt, und vertreten waren nach "
        "Angaben des Ministeriums mehr als vierzig Länder.",
        "Das nächste soll in Peking stattfinden.",
    ]
