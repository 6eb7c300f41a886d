"""Replies as JSON, terminal text and Markdown: one schema, nothing that acts, and the first law checked again."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from qa.records import Document, Reason, Reply
from qa.render import describe, language_name, shown, to_json, to_markdown, to_text
from tests.shown import DOCUMENT, abstention, answer, evil_reply, quote
from tests.strategies import mixed_text


def quotes_of(value: dict[str, Any], key: str = "quotes") -> list[dict[str, Any]]:
    return list(value[key])


# JSON


def test_an_answer_in_json_has_these_keys_in_this_order() -> None:
    value = to_json(answer())
    assert list(value) == ["question", "question_language", "status", "reason", "confidence", "follows", "quotes"]
    assert {key: value[key] for key in list(value)[:6]} == {
        "question": "Wie viele?", "question_language": "de", "status": "answered", "reason": None, "confidence": 0.8765,
        "follows": None,
    }  # fmt: skip
    (found,) = quotes_of(value)
    assert list(found.items()) == [
        ("number", 1),
        ("text", "Die Resolution haben 143 Länder unterzeichnet."),
        ("answer", "143 Länder"),
        ("document_id", "shanghai-de"),
        ("title", "Das Seminar"),
        ("source", "Amt"),
        ("language", "de"),
        ("start", 8),
        ("end", 54),
        ("answer_start", 29),
        ("answer_end", 39),
        ("page", None),
        ("score", 0.9),
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_an_abstention_in_json_has_a_reason_no_quotes_and_what_came_nearest(reason: Reason) -> None:
    value = to_json(abstention(quote(score=0.3), reason=reason))
    keys = ["question", "question_language", "status", "reason", "confidence", "follows", "quotes", "nearest"]
    assert list(value) == keys
    assert (value["status"], value["reason"], value["quotes"], value["confidence"]) == (
        "abstained",
        reason.value,
        [],
        0.2,
    )
    assert [found["answer"] for found in quotes_of(value, "nearest")] == ["143 Länder"]
    assert to_json(abstention(reason=reason))["nearest"] == []


@given(mixed_text.filter(str.strip))
def test_json_offsets_find_the_quote_in_the_document_even_after_a_round_trip(content: str) -> None:
    document = Document(id="d", title="t", source="s", language="en", text=f"Vorher {content} nachher")
    value = json.loads(json.dumps(to_json(answer(quote(document, content, content))), ensure_ascii=False))
    (found,) = quotes_of(value)
    assert document.text[found["start"] : found["end"]] == found["text"] == content
    assert document.text[found["answer_start"] : found["answer_end"]] == found["answer"]


# The law


@pytest.mark.parametrize("render", [to_json, to_text, to_markdown])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "Die Resolution haben 144 Länder unterzeichnet."),
        ("start", 9),
        ("end", 53),
        ("answer_end", 29),
        ("answer_start", 7),
    ],
)
def test_a_quote_that_was_tampered_with_is_not_shown(
    render: Callable[[Reply], object], field: str, value: object
) -> None:
    tampered = quote()
    object.__setattr__(tampered, field, value)
    replies: list[Reply] = [answer(tampered), answer(quote(), tampered)]
    if render is not to_markdown:  # which shows no quotes where there is no answer
        replies.append(abstention(tampered))
    for reply in replies:
        with pytest.raises(AssertionError, match="is not what stands there"):
            render(reply)


def test_a_quote_that_is_not_what_stands_there_cannot_be_made() -> None:
    with pytest.raises(AssertionError, match="quote 0-3 of shanghai-de is not what stands there"):
        replace(quote(), start=0, end=3, text="Die", answer_start=0, answer_end=3)


# Terminal


def test_terminal_text_marks_the_answer_and_names_the_place() -> None:
    assert to_text(answer()) == (
        "confidence 88%\n\n"
        "[1] Die Resolution haben ‹143 Länder› unterzeichnet.\n"
        "    — Das Seminar (Amt, 2024-09-03, machine translation; German) shanghai-de:8-54"
    )


def test_an_abstention_on_a_terminal_says_so_first() -> None:
    assert to_text(abstention()) == "Not in the corpus. The nearest passages do not seem to answer it."
    assert to_text(abstention(reason=Reason.NOTHING_RETRIEVED)).endswith(
        "None of the passages that were searched resembles the question."
    )
    head, *blocks = to_text(abstention(*(quote(number=n) for n in range(1, 6)))).split("\n\n")
    assert head.endswith("Nearest, but not an answer:")
    assert [block[:3] for block in blocks] == ["[1]", "[2]", "[3]"]


def test_what_a_question_was_read_together_with_is_said_in_every_form() -> None:
    for reply in (replace(answer(), follows="Wer *kam*?\x1b"), replace(abstention(), follows="Wer *kam*?\x1b")):
        assert to_text(reply).startswith("Read together with: Wer *kam*?\ufffd\n\n")
        assert "Read together with: Wer \\*kam\\*?" in to_markdown(reply)
        assert to_json(reply)["follows"] == "Wer *kam*?\x1b"


def test_terminal_text_holds_nothing_that_drives_or_reorders_a_terminal() -> None:
    written = to_text(evil_reply())
    assert "<script>alert(1)</script>" in written
    assert written.count("\n") == 6
    allowed = {"\n"}
    assert {c for c in written if unicodedata.category(c) in ("Cc", "Zl", "Zp")} <= allowed
    assert not set(written) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(mixed_text)
def test_what_is_shown_is_one_line_as_long_as_the_text(content: str) -> None:
    line = shown(content)
    assert len(line) == len(content)
    assert len(line.splitlines()) <= 1
    assert all(a == b or b in " \ufffd" for a, b in zip(content, line, strict=True))


def test_joiners_emoji_and_every_script_are_shown_as_they_are() -> None:
    for content in (
        "می\u200cرود",
        "👩\u200d👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e007f",
        "Sep\xadtember",
        "क्\u200dष",
        "\u200fשלום",
        "\U0001fae9",
    ):
        assert shown(content) == content


# Markdown


def test_markdown_holds_question_quote_answer_and_citation() -> None:
    french = Document(id="fr", title="Le *séminaire*", source="s", language="fr", text="143 pays ont signé.")
    written = to_markdown(answer(quote(), quote(french, french.text, "143 pays", number=2)))
    assert written == (
        "**Wie viele?**\n\n"
        "> Die Resolution haben **143 Länder** unterzeichnet. \\[1\\]\n\n"
        "> **143 pays** ont signé. \\[2\\]\n\n"
        "1. *Das Seminar* (Amt, 2024-09-03, machine translation; German), shanghai-de:8-54\n"
        "2. *Le \\*séminaire\\** (s; French), fr:0-19\n\n"
        "Confidence: 88%\n"
    )


def test_bold_in_markdown_leaves_out_punctuation_that_letters_adjoin() -> None:
    chinese = replace(DOCUMENT, text="上海市“副市长”陈某说。")
    assert "> 上海市“**副市长**”陈某说。" in to_markdown(answer(quote(chinese, chinese.text, "“副市长”")))
    plus = replace(DOCUMENT, text="在Disney+上播出。")
    assert "> 在**Disney**+上播出。" in to_markdown(answer(quote(plus, plus.text, "Disney+")))
    english = replace(DOCUMENT, text="Almost (143 %) signed.")
    assert "> Almost **(143 %)** signed." in to_markdown(answer(quote(english, english.text, "(143 %)")))


def test_an_abstention_in_markdown_quotes_nothing() -> None:
    written = to_markdown(abstention(quote()))
    assert written == "**Wie viele?**\n\nNot in the corpus. The nearest passages do not seem to answer it.\n"


def test_markdown_of_hostile_documents_is_text() -> None:
    written = to_markdown(evil_reply())
    assert "\n>" in written
    assert not re.search(r"(?<!\\)[<`$\[\]]", written)
    assert not set(written) & set("\u202e\u2066\x1b\x07")


@pytest.mark.parametrize("beginning", ["- ", "+ ", "1. ", "12) ", "# ", "> ", "    "])
def test_a_quote_that_begins_like_a_list_stays_a_sentence_in_markdown(beginning: str) -> None:
    document = Document(id="d", title="t", source="s", language="en", text=f"{beginning}It is so.")
    (line,) = [
        line for line in to_markdown(answer(quote(document, document.text, "so"))).split("\n") if line.startswith("> ")
    ]
    assert not re.match(r"> (?: {4}|\t|[-+#>]|\d+[.)])", line)


@pytest.mark.parametrize(
    ("code", "name"),
    [("de", "German"), ("zh", "Chinese"), ("la", "Latin"), ("und", "Unknown language"), ("x-y", "x-y")],
)
def test_languages_have_english_names(code: str, name: str) -> None:
    assert language_name(code) == name


def test_a_document_is_described_by_what_is_known_of_it() -> None:
    assert describe(DOCUMENT) == "Amt, 2024-09-03, machine translation"
    assert (
        describe(Document(id="d", title="t", source="a.txt", language="en", text="x", machine_translated=False))
        == "a.txt"
    )
