"""The measures on cases computed by hand, the checks of question files, and the shipped questions themselves."""

import json
from pathlib import Path

import numpy as np
import pytest

from eval import metrics
from eval.calibrate import Judged, expected_error, fit, held_out, judge
from eval.gold import GoldError, GoldQuestion, GoldSpan, load_questions, split_files
from eval.metrics import Outcome
from qa.answer import Candidate
from qa.bot import Bot
from qa.ingest import find_sources, read_document
from qa.records import Abstention, Answer, Bounds, Document, Hit, Passage, Quote, Reason, Span
from qa.settings import IngestSettings
from tests.conftest import CORPUS

A = Document(id="a", title="A", source="s", language="de", text="Es waren 143 Länder. Mehr nicht.")
B = Document(id="b", title="B", source="s", language="en", text="It was 143 countries. No more.")
SPANS = (GoldSpan("a", 9, 19, "143 Länder"), GoldSpan("b", 7, 20, "143 countries"))


def question(*spans: GoldSpan, fact: str = "f") -> GoldQuestion:
    return GoldQuestion("q", fact, "number", "en", "How many?", bool(spans), spans, "")


def quote(document: Document, start: int, end: int, answer: tuple[int, int]) -> Quote:
    return Quote(
        number=1, document=document, start=start, end=end, text=document.text[start:end], language=document.language,
        answer_start=answer[0], answer_end=answer[1], score=0.9,
    )  # fmt: skip


def answered(*quotes: Quote, confidence: float = 0.9, gold: GoldQuestion | None = None) -> Outcome:
    reply = Answer(question="How many?", question_language="en", confidence=confidence, quotes=quotes)
    return Outcome(gold or question(*SPANS), reply, None, 0.1)


RIGHT = quote(A, 0, 20, (9, 12))
WRONG = quote(A, 21, 32, (21, 25))
OTHER = quote(B, 0, 21, (7, 20))


def test_hit_asks_for_the_whole_gold_span_inside_a_quote() -> None:
    assert metrics.hit(answered(RIGHT))
    assert not metrics.hit(answered(WRONG, RIGHT))
    assert metrics.hit(answered(WRONG, RIGHT), 2)
    assert metrics.hit(answered(WRONG, OTHER), None)
    assert not metrics.hit(answered(quote(A, 0, 18, (9, 12))))  # cuts the span's last letter


def test_answer_f1_is_of_the_first_quotes_marked_words_with_the_best_gold_span() -> None:
    assert metrics.answer_f1(answered(RIGHT)) == pytest.approx(2 * 1 / (1 + 2))  # "143" for "143 Länder"
    assert metrics.answer_f1(answered(OTHER)) == 1.0
    assert metrics.answer_f1(answered(WRONG)) == 0.0


def test_citations_are_counted_against_every_document_that_answers() -> None:
    assert metrics.citation_precision(answered(RIGHT, WRONG)) == 0.5
    assert metrics.citation_recall(answered(RIGHT, WRONG)) == 0.5
    assert metrics.citation_recall(answered(RIGHT, OTHER)) == 1.0


def test_an_error_is_a_miss_and_no_abstention() -> None:
    outcome = Outcome(question(*SPANS), None, "broken", 0.1)
    assert not metrics.hit(outcome)
    assert not outcome.abstained
    assert metrics.answer_f1(outcome) == metrics.citation_recall(outcome) == 0.0
    nothing = Abstention(question="x", question_language="en", confidence=0.1, reason=Reason.BELOW_THRESHOLD)
    assert Outcome(question(), nothing, None, 0.1).abstained


def test_verbatim_compares_with_the_documents_of_today() -> None:
    assert metrics.verbatim(answered(RIGHT), {"a": A})
    changed = Document(id="a", title="A", source="s", language="de", text=A.text.replace("143", "144"))
    assert not metrics.verbatim(answered(RIGHT), {"a": changed})
    assert not metrics.verbatim(answered(RIGHT), {})


def judged(number: int, reader: float, *, right: bool) -> Judged:
    passage = Passage(document_id="a", start=0, end=32, text=A.text, language="de", sentences=(Bounds(0, 20),))
    best, other = (
        Candidate(Hit(passage, 0.5, 0.5), Span(0, 9, 12, score), Bounds(0, 20), score, score, 0.8 + number % 7 / 100)
        for score in (reader, -8.0)
    )
    return Judged(question(*SPANS, fact=f"f{number}"), (best, other), (right, False))


def test_calibration_gives_back_the_rate_of_right_answers() -> None:
    items = [judged(i, reader, right=i % 10 < rate) for reader, rate in ((-2.0, 2), (2.0, 8)) for i in range(200)]
    calibration = fit(items)
    low, high = (np.mean([item.best(calibration)[0] for item in part]) for part in (items[:200], items[200:]))
    assert low == pytest.approx(0.2, abs=0.02)
    assert high == pytest.approx(0.8, abs=0.02)
    assert expected_error(held_out(items)) < 0.1
    assert expected_error([(0.9, True), (0.9, False)]) == pytest.approx(0.4)


def test_a_candidate_is_right_if_its_sentences_hold_a_gold_span() -> None:
    candidate = judged(0, 1.0, right=True).candidates[0]
    assert judge(question(*SPANS), [candidate]).right == (True,)
    assert judge(question(GoldSpan("a", 21, 25, "Mehr")), [candidate]).right == (False,)


GOOD = {"id": "x", "fact": "f", "kind": "number", "language": "de", "question": "Wie viele?", "answerable": True,
        "spans": [{"document": "a", "start": 9, "end": 12, "text": "143"}], "note": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spans": [{"document": "a", "start": 8, "end": 12, "text": "143"}]}, "is ' 143', not '143'"),
        ({"spans": [{"document": "z", "start": 9, "end": 12, "text": "143"}]}, "no document 'z'; documents: a, b"),
        ({"spans": []}, "answerable question needs spans"),
        ({"answerable": "yes"}, "answerable must be bool"),
        ({"colour": "red"}, "expected the fields id, fact"),
    ],
)
def test_a_wrong_question_is_named_by_file_and_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps({**GOOD, "id": "y", **change}) + "\n", encoding="utf-8")
    with pytest.raises(GoldError) as caught:
        load_questions([file], [A, B])
    assert f"{file}:2" in str(caught.value)
    assert message in str(caught.value)


def test_a_duplicate_id_a_broken_line_and_an_empty_file_are_named(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    for content, message in (
        (2 * (json.dumps(GOOD) + "\n"), "'x' is used twice"),
        ("{", "not JSON"),
        ("", "no questions"),
    ):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(GoldError, match=message):
            load_questions([file], [A, B])


def test_the_shipped_questions_hold_and_every_reply_to_them_is_verbatim(bot: Bot) -> None:
    documents = [read_document(source, IngestSettings()) for source in find_sources([CORPUS])[0]]
    gold = load_questions(split_files(["dev"]), documents)
    assert len({question.language for question in gold}) >= 10
    assert sum(not question.answerable for question in gold) * 4 >= len(gold)
    known = {document.id: document for document in documents}
    outcomes = [Outcome(question, bot.ask(question.question), None, 0.0) for question in gold]
    assert all(metrics.verbatim(outcome, known) for outcome in outcomes)
    answerable = [outcome for outcome in outcomes if outcome.question.answerable]
    assert sum(metrics.hit(outcome) for outcome in answerable) > 0.4 * len(answerable)
