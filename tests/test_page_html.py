"""The chat page's replies: quotes word for word, links to their places, nothing of a document that acts."""

from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.page.answers import level, reply_html, spoken_summary
from qa.page.shelf import shelf_html
from qa.page.source import place, source_html
from qa.page.uploads import reports_html
from qa.page.welcome import welcome_html
from qa.page.words import words
from qa.records import Bounds, Document, FileReport, FileStatus, Filters, Overview, Reason
from tests.html import Html
from tests.shown import DOCUMENT, EVIL, FRENCH, abstention, answer, evil_reply, listing, quote
from tests.strategies import browser_text

EN = words("en")
OUR_TAGS = {
    "a", "b", "bdi", "blockquote", "button", "details", "div", "fieldset", "figcaption", "figure", "h1", "h2", "h3",
    "header", "input", "label", "legend", "li", "mark", "p", "q", "rect", "small", "span", "strong", "summary", "svg",
    "ul", "use",
}  # fmt: skip


# A reply


def test_an_answer_shows_quote_answer_place_and_confidence() -> None:
    html = Html(reply_html(answer(), EN))
    assert html.text(".bq-text") == "Die Resolution haben 143 Länder unterzeichnet."
    assert html.text("mark") == "143 Länder"
    assert html.text(".bq-title") == "Das Seminar"
    assert html.texts(".bq-about") == ["AmtSeptember 3, 2024Germanmachine translation"]
    assert html.text(".bq-confidence").startswith("Very likely right 88%")
    assert "Of 100 answers given with this confidence, about 88 are right." in html.text(".bq-confidence")
    assert ("blockquote", "lang", "de") in html.attributes
    assert ("blockquote", "dir", "ltr") in html.attributes


def test_a_citation_is_a_link_to_exactly_its_place() -> None:
    html = Html(reply_html(answer(), EN))
    (link,) = {value for tag, name, value in html.attributes if (tag, name) == ("a", "href")}
    assert link is not None
    words = sha256("Die Resolution haben 143 Länder unterzeichnet.".encode()).hexdigest()[:8]
    assert parse_qs(urlsplit(link).query) == {
        "document": ["shanghai-de"], "start": ["8"], "end": ["54"], "answer": ["29-39"], "is": [words],
    }  # fmt: skip
    assert html.text(".bq-cite") == "1"


def test_the_page_of_a_paged_document_is_named() -> None:
    paged = replace(DOCUMENT, pages=(0, 8))
    assert "page 2" in Html(reply_html(answer(quote(paged)), EN)).text(".bq-about")


def test_a_document_in_an_unknown_language_is_not_given_one() -> None:
    unknown = replace(DOCUMENT, language="und")
    html = Html(reply_html(answer(quote(unknown)), EN))
    assert ("blockquote", "lang", "") in html.attributes
    assert ("blockquote", "dir", "auto") in html.attributes
    assert "nknown" not in html.text(".bq-about")


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("he", "rtl"), ("zh", "ltr"), ("xx-q", "auto")])
def test_text_runs_in_the_direction_of_its_script(language: str, direction: str) -> None:
    document = replace(DOCUMENT, language=language)
    assert ("blockquote", "dir", direction) in Html(reply_html(answer(quote(document)), EN)).attributes


@pytest.mark.parametrize(("language", "note"), [("de", False), ("fr", True), ("und", False)])
def test_a_note_says_when_quote_and_question_differ_in_language(language: str, note: bool) -> None:
    html = Html(reply_html(answer(question_language=language), EN))
    assert html.texts(".bq-note") == (["The quote is in German, your question in French."] if note else [])


def test_other_sources_are_folded_away_and_their_languages_named() -> None:
    one = Html(reply_html(answer(quote(), quote(FRENCH, FRENCH.text, "143 pays", number=2)), EN))
    assert one.text("summary") == "Also in French 1 more source"
    same = Html(reply_html(answer(quote(), quote(number=2), quote(number=3)), EN))
    assert same.text("summary") == "2 more sources"
    assert len(same.texts(".bq-text")) == 3


@pytest.mark.parametrize(
    ("confidence", "name"),
    [(0.0, "low"), (0.39, "low"), (0.4, "even"), (0.54, "even"), (0.55, "good"), (0.85, "high"), (1.0, "high")],
)
def test_confidence_has_a_word_that_follows_the_number(confidence: float, name: str) -> None:
    assert level(confidence) == name


def test_an_abstention_says_why_and_marks_no_answer_in_what_is_near() -> None:
    html = Html(reply_html(abstention(*(quote(number=n) for n in range(1, 6))), EN))
    assert html.text(".bq-none") == "Not in the documents"
    assert "do not seem to answer it" in html.text(".bq-why")
    assert html.text("summary") == "The nearest passages – not an answer"
    assert len(html.texts(".bq-text")) == 3
    assert "mark" not in html.tags
    assert "details" not in Html(reply_html(abstention(reason=Reason.NOTHING_RETRIEVED), EN)).tags


def test_an_abstention_over_part_of_the_documents_says_so() -> None:
    assert "Only part of the documents" in reply_html(abstention(), EN, filtered=True)


def test_a_follow_up_says_what_it_was_read_together_with() -> None:
    html = Html(reply_html(replace(answer(), follows="Qui a <b>signé</b> {x}?"), EN))
    assert html.text(".bq-follows").startswith("Read together with Qui a <b>signé</b> {x}?")
    assert ("button", "data-do", "alone") in html.attributes
    assert "bq-follows" not in reply_html(answer(), EN)


def test_a_screen_reader_hears_judgement_quote_and_title() -> None:
    said = spoken_summary(answer(), EN)
    assert said == "Very likely right (88%). Die Resolution haben 143 Länder unterzeichnet. – Das Seminar"
    assert spoken_summary(abstention(), EN).startswith("Not in the documents. The nearest passages")


@pytest.mark.parametrize("field", ["start", "end", "answer_start", "answer_end"])
def test_a_quote_that_was_tampered_with_is_not_shown(field: str) -> None:
    tampered = quote()
    object.__setattr__(tampered, field, 0 if "answer" in field else 9)
    for reply in (answer(tampered), answer(quote(), tampered), abstention(tampered)):
        with pytest.raises(AssertionError, match="is not what stands there"):
            reply_html(reply, EN)


# Nothing acts


def test_hostile_documents_leave_only_our_tags_and_attributes() -> None:
    reply = evil_reply()
    document = reply.quotes[0].document
    shown = place(document, 0, len(document.text), Bounds(len(EVIL) + 1, len(EVIL) + 7))
    assert shown
    evil = Overview(2, {document.language: 1, "de": 1}, {document.source: 1, "Amt": 1})
    parts = [
        reply_html(reply, EN),
        reply_html(replace(abstention(*reply.quotes), follows=EVIL), EN),
        source_html(shown, EN),
        shelf_html(evil, listing(document, DOCUMENT), EN, added={document.id}, chosen=Filters(), adding=1),
        reports_html([FileReport(name=EVIL, status=FileStatus.LEFT_OUT, message=EVIL)], EN),
        welcome_html(evil, EN, shipped=False),
    ]
    for part in parts:
        html = Html(part)
        assert html.tags <= OUR_TAGS
        assert not [name for _, name, _ in html.attributes if name.startswith("on") or name in ("src", "style")]
        assert all(value.startswith(("?document=", "#bq-i-")) for value in html.values("href") if value is not None)
        assert html.others == []
    assert Html(parts[0]).texts(".bq-text") == [f"{EVIL} answer {EVIL}"] * 2
    assert Html(parts[2]).text(".bq-whole") == document.text


@given(browser_text.filter(str.strip), st.sampled_from(["<", "&", "&lt;", '"', "'", "</mark>", "<br>", ""]))
def test_html_text_is_the_quote_word_for_word(content: str, extra: str) -> None:
    text = content + extra
    document = Document(id="d", title="t", source="s", language="en", text=f"Vorher {text} nachher")
    assert Html(reply_html(answer(quote(document, text, text)), EN)).text(".bq-text") == text


def test_what_reorders_text_is_held_within_itself_and_named() -> None:
    document = replace(DOCUMENT, text="safe \u202eexe.txt")
    html = Html(reply_html(answer(quote(document, document.text, "safe")), EN))
    assert html.texts("bdi")[:1] == ["\u202e"]
    assert "202E" in html.values("data-code")
