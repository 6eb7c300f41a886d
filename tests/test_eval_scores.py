"""Measures of rankings and of confidence on cases computed by hand, and the row that an outcome becomes."""

from dataclasses import replace
from math import log2

import numpy as np
import pytest

from eval.confidence import (
    abstaining,
    area_under_risk_coverage,
    auroc,
    expected_calibration_error,
    reliability,
    risk_coverage,
)
from eval.gold import GoldSpan
from eval.metrics import Outcome
from eval.ranking import Evidence, evidence, ranking_scores
from eval.result import Verdict
from eval.score import Ground, score
from qa.records import Hit, Passage
from tests.asked import PASSAGES, RIGHT, SPANS, WRONG, A, B, abstained, answered, failed, question

GROUND = Ground({"a": A, "b": B}, PASSAGES)
GERMAN, MORE_GERMAN, ENGLISH, MORE_ENGLISH = PASSAGES


def hits(*passages: Passage) -> list[Hit]:
    """In this order, all with one score: the order decides."""
    return [Hit(passage, 0.5) for passage in passages]


def test_ranking_measures_of_one_right_passage_in_second_place_of_two_that_answer() -> None:
    scores = ranking_scores(hits(MORE_GERMAN, ENGLISH), question(*SPANS), PASSAGES)
    assert scores == pytest.approx(
        {
            "recall@5": 1 / 2,
            "recall@20": 1 / 2,
            "success@5": 1.0,
            "MRR": 1 / 2,
            "nDCG@10": (1 / log2(3)) / (1 + 1 / log2(3)),
            "mAP": (1 / 2) / 2,
        }
    )


def test_a_perfect_ranking_scores_one_and_an_empty_one_zero() -> None:
    perfect = ranking_scores(hits(ENGLISH, GERMAN, MORE_GERMAN), question(*SPANS), PASSAGES)
    assert perfect == dict.fromkeys(perfect, 1.0)
    assert set(ranking_scores([], question(*SPANS), PASSAGES).values()) == {0.0}


def test_a_span_that_no_passage_holds_whole_is_a_miss() -> None:
    across = GoldSpan("a", 15, 25, A.text[15:25])
    assert set(ranking_scores(hits(GERMAN), question(across), PASSAGES).values()) == {0.0}


def test_evidence_is_the_first_rank_in_each_language_that_answers() -> None:
    found = evidence(hits(MORE_GERMAN, ENGLISH), question(*SPANS), GROUND.languages)
    assert found == (Evidence("de", None), Evidence("en", 2))


def test_own_language_first_is_asked_only_where_the_corpus_has_that_language() -> None:
    def own(language: str, *passages: Passage) -> tuple[float | None, float | None]:
        outcome = Outcome(question(*SPANS, language=language), answered(RIGHT).reply, None, 0.1, hits(*passages))
        scores = score(outcome, GROUND).scores
        return scores.get("own language first"), scores.get("merely own language")

    assert own("en", ENGLISH) == (1.0, 0.0)
    assert own("en", MORE_ENGLISH, GERMAN) == (1.0, 1.0)
    assert own("en", GERMAN, ENGLISH) == (0.0, 0.0)
    assert own("en") == (0.0, 0.0)
    assert own("fi", GERMAN) == (None, None)


def test_abstentions_are_a_classifier_of_what_has_no_answer() -> None:
    found = abstaining(np.array([True, True, False, False]), np.array([True, False, False, True]))
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    never = abstaining(np.array([False, False]), np.array([True, False]))
    assert (never.precision, never.recall, never.f1) == (0.0, 0.0, 0.0)


def test_auroc_counts_pairs_and_a_tie_as_half() -> None:
    # Pairs of answerable (0.9, 0.4) and not (0.4, 0.2): three won, one tied.
    assert auroc(np.array([0.9, 0.4, 0.4, 0.2]), np.array([True, True, False, False])) == pytest.approx(3.5 / 4)
    assert np.isnan(auroc(np.array([0.9, 0.4]), np.array([True, True])))


def test_risk_coverage_answers_the_surest_first() -> None:
    coverage, risk = risk_coverage(np.array([0.2, 0.9, 0.5, 0.7]), np.array([False, True, True, False]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    assert area_under_risk_coverage(risk) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_equal_confidences_share_their_risk_whatever_their_order() -> None:
    for right in ([True, False], [False, True]):
        assert risk_coverage(np.array([0.5, 0.5]), np.array(right))[1].tolist() == [0.5, 0.5]


def test_calibration_error_is_the_mean_gap_over_bins() -> None:
    confidence, right = np.array([0.9, 0.9, 0.25, 1.0]), np.array([True, False, False, True])
    low, high = reliability(confidence, right)
    assert (low.confidence, low.accuracy, low.count) == (0.25, 0.0, 1)
    assert (high.confidence, high.accuracy) == pytest.approx((2.8 / 3, 2 / 3))
    assert high.count == 3
    assert expected_calibration_error(confidence, right) == pytest.approx((0.25 * 1 + abs(2.8 / 3 - 2 / 3) * 3) / 4)


def test_a_verdict_tells_a_withheld_answer_from_a_right_refusal_and_from_an_error() -> None:
    assert score(answered(RIGHT), GROUND).verdict == Verdict.RIGHT
    assert score(answered(WRONG), GROUND).verdict == Verdict.WRONG
    assert score(abstained(RIGHT), GROUND).verdict == Verdict.WITHHELD
    assert score(abstained(RIGHT, gold=question()), GROUND).verdict == Verdict.RIGHT
    assert score(answered(RIGHT, gold=question()), GROUND).verdict == Verdict.WRONG
    assert score(failed(), GROUND).verdict == Verdict.ERROR
    assert score(failed(question()), GROUND).verdict == Verdict.ERROR


def test_an_error_is_a_wrong_answer_of_full_confidence_in_every_denominator() -> None:
    row = score(failed(), GROUND)
    assert (row.confidence, row.best_right, row.abstained) == (1.0, False, False)
    assert row.scores.keys() == score(answered(RIGHT), GROUND).scores.keys()
    assert row.scores["error"] == 1.0
    assert sum(row.scores.values()) == 1.0
    assert score(failed(question()), GROUND).scores["right abstention"] == 0.0


def test_a_row_shows_the_gold_span_in_its_sentence() -> None:
    place = score(answered(RIGHT), GROUND).expected[0]
    assert (place.document, place.text) == ("a", "Es waren 143 Länder.")
    assert place.text[place.answer_start - place.start : place.answer_end - place.start] == "143 Länder"
    alone = score(replace(answered(RIGHT), question=question(GoldSpan("a", 15, 25, A.text[15:25]))), GROUND)
    assert alone.expected[0].text == A.text[15:25]
