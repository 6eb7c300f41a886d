"""The answer in bold, as a reader of Markdown sees it: never as asterisks, whatever stands beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from qa.records import Answer, Document, Quote
from qa.render import shown, to_markdown
from tests.strategies import mixed_text


def seen(before: str, answer: str, after: str, *, around: str = "") -> list[tuple[str, bool]]:
    """The quote as Markdown renders it: its pieces, and whether each is bold."""
    text = before + answer + after
    start = len(around) + len(before)
    document = Document(id="d", title="t", source="s", language="th", text=around + text + around)
    quote = Quote(
        number=1, document=document, start=len(around), end=len(around) + len(text), text=text, answer_start=start,
        answer_end=start + len(answer), language="th", score=0.9,
    )  # fmt: skip
    reply = Answer(question="อะไร", question_language="th", confidence=0.9, quotes=(quote,))
    (line,) = (line for line in to_markdown(reply).split("\n") if line.startswith("> "))
    (inline,) = (token for token in MarkdownIt().parse(line) if token.type == "inline")
    pieces, bold = [], False
    for token in inline.children or []:
        assert token.type in ("text", "text_special", "strong_open", "strong_close"), token
        bold = token.type == "strong_open" or (bold and token.type != "strong_close")
        pieces.append((token.content, bold))
    return pieces


def bold_of(*quote: str, around: str = "") -> str:
    return "".join(content for content, bold in seen(*quote, around=around) if bold)


def whole(*quote: str) -> str:
    return "".join(content for content, _ in seen(*quote))


@pytest.mark.parametrize(
    ("before", "answer", "after", "bold"),
    [
        ("ที่", "“คำ”", "นะ", "คำ"),
        ("ราคาที่", "(143)", "นะ", "143"),
        ("ថ្ងៃទី", "«១៤៣»", "នាក់", "១៤៣"),
        ("ကို", "“စကား”", "ကို", "စကား"),
        ("राशि", "(143)", "थी", "143"),
        ("คำ\u200b", "“คำ”", "\u200bคำ", "คำ"),
        ("e\u0301", "(x)", "e\u0301", "x"),
        ("about €", "“5”", "€", "5"),
        ("a", "(\u3000143 )", "b", "143"),
    ],
)
def test_bold_begins_and_ends_where_markdown_takes_it(before: str, answer: str, after: str, bold: str) -> None:
    assert bold_of(before, answer, after) == bold
    assert whole(before, answer, after) == f"{before}{answer}{after} [1]"


def test_what_stands_apart_is_bold_to_its_last_mark() -> None:
    for before, answer, after in (
        ("", "“คำ”", ""),  # what stands beyond the quote does not count
        ("Almost ", "(143 %)", " signed."),
        ("“", "“คำ”", "”"),
        ("ที่", "คำ", "นะ"),
        ("x ", "…", " y"),
        ("x ", "😀", " y"),
    ):
        assert bold_of(before, answer, after, around="ที่") == answer


@pytest.mark.parametrize("answer", ["“”", "”", "+", "( )", "€"])
def test_marks_between_letters_are_not_bold(answer: str) -> None:
    assert bold_of("ที่", answer, "นะ") == ""
    assert whole("ที่", answer, "นะ") == f"ที่{answer}นะ [1]"


@given(mixed_text, st.one_of(mixed_text, st.sampled_from(["“x”", "(143)", "*", "x*"])), mixed_text)
def test_no_asterisk_is_shown_that_does_not_stand_in_the_quote(before: str, answer: str, after: str) -> None:
    text = before + answer + after
    if not answer or not text.strip():
        return
    assert whole(before, answer, after) == shown(text.lstrip()).lstrip() + " [1]"
    exact = bold_of(before, answer, after)
    assert exact in shown(answer)
    letters = [character for character in exact if character.isalnum()]
    assert letters == [character for character in shown(answer) if character.isalnum()]
