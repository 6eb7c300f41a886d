"""The trained reader."""

import unicodedata
from itertools import pairwise

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qa.embed import load_encoder
from qa.read import Reader, load_reader

PASSAGE = (
    "Die Fähre nach Helgoland legt um 9:30 Uhr in Cuxhaven ab. An Bord waren gestern 214 Gäste. "
    "Kapitänin Ulrike Harms begrüßte sie mit einer kurzen Rede über das Wetter."
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Wie viele Gäste waren an Bord?", "214"),
        ("How many guests were on board?", "214"),
        ("Comment s'appelle la capitaine ?", "Ulrike Harms"),
        ("船上有多少客人？", "214"),
        ("Сколько гостей было на борту?", "214"),
    ],
)
def test_marks_the_answer_whatever_the_language_of_the_question(reader: Reader, question: str, answer: str) -> None:
    best = reader.read(question, [PASSAGE]).spans[0]
    assert answer in PASSAGE[best.start : best.end]
    assert best.end - best.start <= len(answer) + 12


def test_the_passage_that_answers_comes_first_and_scores_compare(reader: Reader) -> None:
    others = ["Der Apfelkuchen muss 40 Minuten backen.", "Der Vertrag wurde 1931 unterschrieben."]
    reading = reader.read("Wie viele Gäste waren an Bord?", [others[0], PASSAGE, others[1]])
    assert reading.spans[0].passage == 1
    assert [span.score for span in reading.spans] == sorted((span.score for span in reading.spans), reverse=True)
    alone = reader.read("Wie viele Gäste waren an Bord?", [PASSAGE])
    assert alone.spans[0].score == pytest.approx(reading.spans[0].score, abs=0.3)  # bfloat16 moves it a little


def test_a_passage_that_does_not_answer_stays_below_one_that_does(reader: Reader) -> None:
    question = "Wer begrüßte die Gäste?"
    unrelated = reader.read(question, ["Der Apfelkuchen muss 40 Minuten im Ofen backen, sonst bleibt er feucht."])
    answering = reader.read(question, [PASSAGE])
    best = max((span.score for span in unrelated.spans), default=float("-inf"))
    assert answering.spans[0].score > max(best, answering.no_answer)


def test_a_long_passage_is_read_to_its_end(reader: Reader) -> None:
    long = "Das Wetter blieb den ganzen Tag über ruhig und mild. " * 120 + PASSAGE
    best = reader.read("Wie viele Gäste waren an Bord?", [long]).spans[0]
    assert "214" in long[best.start : best.end]


def test_the_encoder_does_not_change_how_a_passage_is_read(reader: Reader) -> None:
    """They share a tokenizer, which keeps the truncation and padding that a call sets."""
    long = "Das Wetter blieb den ganzen Tag über ruhig und mild. " * 120 + PASSAGE
    before = reader.read("Wie viele Gäste waren an Bord?", [long]).spans
    load_encoder().encode_passages(["Wetter " * 600, "mild"])
    assert reader.read("Wie viele Gäste waren an Bord?", [long]).spans == before


@pytest.mark.parametrize("asked", ["How long did the workshop in {} last?", "Wie lange dauerte der Lehrgang in {}?"])
def test_a_title_tells_what_a_passage_speaks_of(reader: Reader, asked: str) -> None:
    passages = ["The workshop lasted three days.", "It went on for two days."]
    for cities in (("Lima", "Oslo"), ("Oslo", "Lima")):
        titles = [f"Workshop in {city}" for city in cities]
        for number, city in enumerate(cities):
            best = reader.read(asked.format(city), passages, titles).spans[0]
            assert best.passage == number
            assert passages[number][best.start : best.end].strip(".") in ("three days", "two days")


def test_no_passages_give_no_spans(reader: Reader) -> None:
    assert reader.read("Wer?", []).spans == ()


ALPHABET = "aé e\u0301 שלום عربي ไทยน้ำ 日本語が क्षि 👩‍👩‍👧 🇩🇪 \u200d\u0301.?12\n"


@settings(max_examples=25, deadline=None)
@example(question="1", passage="語1\u200dו")
@example(question="1", passage="1\u200d")
@given(question=st.text(ALPHABET, min_size=1, max_size=30), passage=st.text(ALPHABET, min_size=1, max_size=120))
def test_spans_never_cut_a_grapheme_nor_overlap(reader: Reader, question: str, passage: str) -> None:
    passage = unicodedata.normalize("NFC", passage)
    spans = reader.read(question, [passage]).spans
    bounds = {0, *(match.end() for match in regex.finditer(r"\X", passage))}
    for span in spans:
        assert span.start in bounds
        assert span.end in bounds
        assert passage[span.start : span.end].strip()
    ordered = sorted((span.start, span.end) for span in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))
