"""The chat page's HTML: quotes word for word, places that open, nothing of a document that acts."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.page.answers import level, reply_html, spoken_summary
from qa.page.shelf import list_html, shelf_html
from qa.page.source import STEP, WINDOW, missing_html, place, source_html
from qa.page.uploads import reports_html
from qa.page.welcome import EXAMPLES, welcome_html
from qa.page.words import words
from qa.records import Bounds, Document, FileReport, FileStatus, Filters, Listing, Overview, Reason
from tests.html import Html
from tests.strategies import mixed_text
from tests.test_render import DOCUMENT, EVIL, abstention, answer, evil_reply, quote

EN = words("en")
FRENCH = Document(id="fr", title="t", source="s", language="fr", text="143 pays ont signé.")
OUR_TAGS = {
    "a", "b", "bdi", "blockquote", "button", "details", "div", "fieldset", "figcaption", "figure", "h1", "h2", "h3",
    "header", "input", "label", "legend", "li", "mark", "p", "q", "rect", "small", "span", "strong", "summary", "svg",
    "ul", "use",
}  # fmt: skip
browser_text = mixed_text.map(lambda text: text.replace("\x00", "").replace("\r", ""))
"""What a document can hold: ingest leaves no NUL and no CR, which a browser would change."""


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
    assert parse_qs(urlsplit(link).query) == {
        "document": ["shanghai-de"], "start": ["8"], "end": ["54"], "answer": ["29-39"],
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


# The source


def test_the_source_marks_the_quote_and_the_answer_word_for_word() -> None:
    shown = place(DOCUMENT, 8, 54, Bounds(29, 39))
    assert shown
    html = Html(source_html(shown, EN))
    assert html.text(".bq-whole") == DOCUMENT.text[8:54]
    assert html.text(".bq-exact") == "143 Länder"
    assert html.text(".bq-body") == DOCUMENT.text
    assert html.text("h3") == "Das Seminar"
    assert "machine translation" in html.text(".bq-about")
    assert html.texts(".bq-edge") == ["Beginning of the document", "End of the document"]
    assert "shanghai-de, characters 8–54" in html.text(".bq-offsets")


@given(browser_text, browser_text, browser_text)
def test_whatever_a_document_holds_is_shown_character_for_character(before: str, inside: str, after: str) -> None:
    document = replace(DOCUMENT, text=f"{before}{inside}{after}")
    shown = place(document, len(before), len(before) + len(inside))
    assert shown
    html = Html(source_html(shown, EN))
    assert html.text(".bq-whole") == inside
    assert html.text(".bq-body") == document.text


def test_of_a_huge_document_a_window_is_shown_that_can_grow() -> None:
    text = "word " * 500_000 + "The answer is here." + " word" * 500_000
    document = replace(DOCUMENT, text=text)
    start = text.index("The answer")
    shown = place(document, start, start + 19)
    assert shown
    html = Html(source_html(shown, EN))
    assert html.text(".bq-whole") == "The answer is here."
    assert 2 * WINDOW < len(html.text(".bq-body")) < 2 * WINDOW + 300
    assert set(html.text(".bq-body").replace("The answer is here.", "").split()) == {"word"}
    assert [value for value in html.values("data-do") if value] == ["more-before", "more-after"]
    larger = Html(source_html(shown, EN, before=WINDOW + STEP))
    assert len(larger.text(".bq-body")) >= 2 * WINDOW + STEP


def test_a_line_of_ten_megabytes_is_cut_to_the_window() -> None:
    document = replace(DOCUMENT, text="字" * 10_000_000)
    shown = place(document, 5_000_000, 5_000_003)
    assert shown
    assert len(source_html(shown, EN)) < 2 * WINDOW + 3_000


def test_pages_are_drawn_and_are_no_text() -> None:
    document = replace(DOCUMENT, pages=(0, 8, 54))
    shown = place(document, 8, 54)
    assert shown
    assert shown.page == 2
    html = Html(source_html(shown, EN))
    assert html.values("data-page") == ["page 1", "page 2", "page 3"]
    assert html.text(".bq-body") == document.text


@pytest.mark.parametrize("bounds", [(0, 64), (-1, 3), (9, 8), (63, 64)])
def test_a_place_that_the_document_has_not_is_none(bounds: tuple[int, int]) -> None:
    assert len(DOCUMENT.text) == 63
    assert place(DOCUMENT, *bounds) is None


def test_an_answer_outside_its_quote_is_no_place() -> None:
    assert place(DOCUMENT, 8, 54, Bounds(0, 10)) is None
    assert place(DOCUMENT, 8, 54, Bounds(20, 20)) is None


def test_a_document_opens_without_a_quote() -> None:
    shown = place(DOCUMENT, 0, 0)
    assert shown
    html = Html(source_html(shown, EN))
    assert "mark" not in html.tags
    assert html.text(".bq-body") == DOCUMENT.text


def test_a_place_that_is_gone_is_said_so() -> None:
    assert "not in the collection" in missing_html(EN, document=False)
    assert "no longer stands there" in missing_html(EN, document=True)


# The documents


GERMAN = Overview(1, {"de": 1}, {"Amt": 1})


def listing(*documents: Document, count: int | None = None) -> Listing:
    return Listing(tuple(document.entry for document in documents), len(documents) if count is None else count)


def test_only_uploads_can_be_removed() -> None:
    mine = replace(DOCUMENT, id="uploads/z.md", title="Zzz")
    html = Html(list_html(listing(mine, DOCUMENT), EN, added={mine.id}, chosen=Filters(documents=(mine.id,))))
    assert html.texts(".bq-title") == ["Zzz", "Das Seminar"]
    assert html.values("aria-label").count("Remove Zzz") == 1
    assert "Remove Das Seminar" not in html.values("aria-label")
    assert html.values("aria-pressed") == ["true", "false"]


def test_a_list_says_how_many_it_leaves_out() -> None:
    html = Html(list_html(listing(DOCUMENT, FRENCH, count=120), EN, added=(), chosen=Filters()))
    assert len(html.texts("li")) == 2
    assert "2 of 120 documents" in html.text(".bq-small")
    assert "bq-small" not in list_html(listing(DOCUMENT), EN, added=(), chosen=Filters())
    assert "No document has this" in list_html(listing(), EN, added=(), chosen=Filters())


def test_languages_and_sources_can_be_chosen_where_there_are_several() -> None:
    both = Overview(2, {"de": 1, "fr": 1}, {"Amt": 1, "s": 1})
    html = Html(shelf_html(both, listing(DOCUMENT), EN, added=(), chosen=Filters(languages=("fr",)), adding=None))
    assert html.texts("label") == ["French 1", "German 1", "Amt 1", "s 1"]
    assert ("input", "checked", None) in html.attributes
    one = shelf_html(GERMAN, listing(DOCUMENT), EN, added=(), chosen=Filters(), adding=None)
    assert "fieldset" not in Html(one).tags


def test_files_are_taken_only_where_there_is_a_library() -> None:
    def panel(adding: int | None) -> str:
        return shelf_html(GERMAN, listing(DOCUMENT), EN, added=(), chosen=Filters(), adding=adding)

    assert 'type="file"' not in panel(None)
    assert "up to 20 MB each" in panel(20_000_000)


def test_each_file_gets_its_report() -> None:
    reports = [
        FileReport(name="a.pdf", status=FileStatus.ADDED, message="", language="fr", pages=3, passages=1),
        FileReport(name="b.txt", status=FileStatus.ALREADY_THERE, message="the same file is there already"),
        FileReport(name=EVIL, status=FileStatus.LEFT_OUT, message=EVIL),
    ]
    html = Html(reports_html(reports, EN))
    assert html.texts("b") == ["a.pdf", "b.txt", EVIL]
    assert html.texts(".bq-report")[:2] == ["a.pdfAdded · French · 3 pages · 1 passage", "b.txtAlready there"]
    assert html.texts(".bq-refused") == [f"{EVIL}Left out: {EVIL}"]


# The welcome


def test_the_shipped_corpus_comes_with_questions_and_others_with_advice() -> None:
    assert Html(welcome_html(GERMAN, EN, shipped=True)).texts("span") == [question for _, question in EXAMPLES]
    other = welcome_html(GERMAN, EN, shipped=False)
    assert "bq-example" not in other
    assert "word for word from 1 document (German)" in other
    assert "no document yet" in welcome_html(Overview(0, {}, {}), EN, shipped=False)


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
