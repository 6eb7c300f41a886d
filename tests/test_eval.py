"""The measures of one question, and the fit of confidence, on cases computed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from eval import metrics
from eval.calibrate import Judged, TooFew, fit, held_out, judge
from eval.confidence import expected_calibration_error
from eval.gold import GoldSpan
from qa.answer import Candidate
from qa.records import Bounds, Document, Hit, Passage, Span
from tests.asked import OTHER, RIGHT, SPANS, WRONG, A, abstained, answered, failed, question, quote


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


def test_tokens_are_words_where_words_are_spaced_and_characters_elsewhere() -> None:
    assert metrics.tokens("Der 3. „Tag“") == ["der", "3", "tag"]
    assert metrics.tokens("上海市、AI。") == ["上", "海", "市", "ai"]
    assert metrics.tokens("コンパス") == ["コ", "ン", "パ", "ス"]
    assert metrics.tokens("ที่นี่") == ["ที่", "นี่"]  # a tone mark stays with its consonant
    assert metrics.tokens("मुंबई") == ["मुंबई"]


@pytest.mark.parametrize(
    ("given", "gold", "f1"),
    [("北京市", "北京", 0.8), ("ในกรุงเทพ", "กรุงเทพ", 2 * 6 / (8 + 6)), ("東京", "大阪", 0.0)],
)
def test_f1_counts_characters_where_words_are_not_spaced(given: str, gold: str, f1: float) -> None:
    document = Document(id="c", title="C", source="s", language="zh", text=f"{given}|{gold}")
    span = GoldSpan("c", len(given) + 1, len(document.text), gold)
    outcome = answered(quote(document, 0, len(document.text), (0, len(given))), gold=question(span))
    assert metrics.answer_f1(outcome) == pytest.approx(f1)


def test_exact_match_forgives_case_and_punctuation_only() -> None:
    assert metrics.exact_match(answered(OTHER))
    assert metrics.exact_match(answered(quote(A, 0, 20, (9, 20))))  # with the full stop
    assert not metrics.exact_match(answered(RIGHT))  # "143" is not "143 Länder"


def test_an_error_is_a_miss_and_no_abstention() -> None:
    outcome = failed()
    assert not metrics.hit(outcome)
    assert not metrics.best_right(outcome)
    assert not metrics.verbatim(outcome, {"a": A})
    assert not outcome.abstained
    assert metrics.answer_f1(outcome) == metrics.citation_recall(outcome) == metrics.citation_precision(outcome) == 0.0


def test_what_an_abstention_withholds_is_no_hit_but_counts_as_the_best() -> None:
    assert abstained(RIGHT).abstained
    assert not metrics.hit(abstained(RIGHT))
    assert metrics.best_right(abstained(RIGHT, WRONG))
    assert not metrics.best_right(abstained(WRONG, RIGHT))
    assert not metrics.best_right(abstained())


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
    confidence, hits = map(np.array, zip(*held_out(items), strict=True))
    assert expected_calibration_error(confidence, hits) < 0.1


def test_questions_without_candidates_are_passed_over_and_too_few_others_are_named() -> None:
    items = [judged(i, reader, right=i % 10 < rate) for reader, rate in ((-2.0, 2), (2.0, 8)) for i in range(20)]
    nothing = Judged(question(*SPANS, fact="nothing"), (), ())
    assert fit([*items, nothing]) == fit(items)
    for few, why in (([nothing], "no right quote"), ([judged(1, 2.0, right=True)] * 9, "or all are")):
        with pytest.raises(TooFew, match=why):
            fit(few)


def test_questions_of_another_corpus_tell_which_evidence_counts_and_not_how_often_answers_are_right() -> None:
    items = [judged(i, reader, right=i % 10 < rate) for reader, rate in ((-2.0, 2), (2.0, 8)) for i in range(200)]
    alone = fit(items)
    assert fit(items, items) == alone
    near = [replace(i, candidates=(replace(i.candidates[0], similarity=0.95), i.candidates[1])) for i in items]
    assert fit(items, near).similarity > alone.similarity + 0.1
    sure = [judged(i, 2.0, right=True) for i in range(500)]
    confidence, right = (np.array(column) for column in zip(*held_out(items, sure), strict=True))
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.03)


def test_a_candidate_is_right_if_its_sentences_hold_a_gold_span() -> None:
    candidate = judged(0, 1.0, right=True).candidates[0]
    assert judge(question(*SPANS), [candidate]).right == (True,)
    assert judge(question(GoldSpan("a", 21, 25, "Mehr")), [candidate]).right == (False,)
