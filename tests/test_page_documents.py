"""The documents on the chat page: one opened at a quote, the list of them, and the welcome over them."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given

from qa.page.markup import digest
from qa.page.shelf import list_html, shelf_html
from qa.page.source import STEP, WINDOW, missing_html, place, source_html
from qa.page.uploads import reports_html
from qa.page.welcome import EXAMPLES, welcome_html
from qa.page.words import words
from qa.records import Bounds, FileReport, FileStatus, Filters, Overview
from tests.html import Html
from tests.shown import DOCUMENT, EVIL, FRENCH, listing
from tests.strategies import browser_text

EN = words("en")
GERMAN = Overview(1, {"de": 1}, {"Amt": 1})


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


def test_a_link_opens_the_words_that_it_is_to_and_no_others() -> None:
    meant = digest(DOCUMENT.text[8:54])
    shown = place(DOCUMENT, 8, 54, Bounds(29, 39), meant=meant)
    assert shown
    html = Html(source_html(shown, EN))
    assert html.texts(".bq-small") == []
    (link,) = html.values("href")
    assert parse_qs(urlsplit(str(link)).query)["is"] == [meant]
    changed = replace(DOCUMENT, text=DOCUMENT.text.replace("143", "144"))
    assert place(changed, 8, 54, Bounds(29, 39), meant=meant) is None
    assert place(DOCUMENT, 8, 54, meant="") is None


def test_a_link_that_does_not_say_its_words_says_that_it_does_not() -> None:
    shown = place(DOCUMENT, 8, 54)
    assert shown
    assert "does not say which words" in Html(source_html(shown, EN)).text(".bq-small")


def test_a_document_opens_without_a_quote() -> None:
    shown = place(DOCUMENT, 0, 0)
    assert shown
    html = Html(source_html(shown, EN))
    assert "mark" not in html.tags
    assert html.texts(".bq-small") == []
    assert html.text(".bq-body") == DOCUMENT.text


def test_a_place_that_is_gone_is_said_so() -> None:
    assert "not in the collection" in missing_html(EN, document=False)
    assert "no longer stands there" in missing_html(EN, document=True)


# The documents


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
        FileReport(name="c.pdf", status=FileStatus.ADDED, message=f"page 2 is a picture {EVIL}", passages=2),
    ]
    html = Html(reports_html(reports, EN))
    assert html.texts("b") == ["a.pdf", "b.txt", EVIL, "c.pdf"]
    assert html.texts(".bq-report")[:2] == ["a.pdfAdded · French · 3 pages · 1 passage", "b.txtAlready there"]
    assert html.texts(".bq-report")[3] == f"c.pdfAdded · 2 passages page 2 is a picture {EVIL}"
    assert html.texts(".bq-refused") == [f"{EVIL}Left out: {EVIL}"]


# The welcome


def test_the_shipped_corpus_comes_with_questions_and_others_with_advice() -> None:
    assert Html(welcome_html(GERMAN, EN, shipped=True)).texts("span") == [question for _, question in EXAMPLES]
    other = welcome_html(GERMAN, EN, shipped=False)
    assert "bq-example" not in other
    assert "word for word from 1 document (German)" in other
    assert "no document yet" in welcome_html(Overview(0, {}, {}), EN, shipped=False)
