"""Rows folded into numbers, compared, gated, written and read: on cases computed by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.bootstrap import Resampler
from eval.compare import CompareError, compare
from eval.fold import consistency, matrix, summarise
from eval.gate import GateError, check, load_thresholds
from eval.metrics import Outcome
from eval.result import Result, ResultError, Row, load, save
from eval.score import Ground, score
from qa.records import Hit
from tests.asked import MADE, OTHER, PASSAGES, RIGHT, WRONG, A, B, abstained, answered, failed, question

GROUND = Ground({"a": A, "b": B}, PASSAGES)


def row(outcome: Outcome, fact: str, language: str) -> Row:
    """The outcome's row, as if it had been to another question."""
    spans = outcome.question.spans
    return score(replace(outcome, question=question(*spans, fact=fact, language=language)), GROUND)


def result(*rows: Row) -> Result:
    return Result(MADE, rows)


def german(**outcomes: Outcome) -> Result:
    """By fact, each asked in German."""
    return result(*(row(outcome, fact, "de") for fact, outcome in outcomes.items()))


def refusing(*, right: bool) -> Outcome:
    return (abstained if right else answered)(WRONG, gold=question())


ROWS = (
    row(answered(RIGHT), "f", "de"),
    row(answered(OTHER), "f", "en"),
    row(abstained(RIGHT), "g", "de"),
    row(failed(), "h", "de"),
    row(refusing(right=True), "u", "de"),
    row(refusing(right=False), "v", "en"),
)


def test_every_language_counts_the_same_in_the_macro_average() -> None:
    summary = summarise(result(*ROWS))
    assert summary.languages["de"]["hit@1"].value == pytest.approx(1 / 3)  # the error stays in the denominator
    assert summary.languages["en"]["hit@1"].value == 1.0
    assert summary.macro["hit@1"].value == pytest.approx((1 / 3 + 1) / 2)
    assert summary.pooled["hit@1"].value == pytest.approx(2 / 4)
    assert summary.worst("hit@1")[0] == "de"
    assert summary.macro["error"].value == pytest.approx((1 / 4 + 0) / 2)
    assert summary.whole["abstention recall"].value == pytest.approx(1 / 2)
    assert summary.whole["abstention precision"].value == pytest.approx(1 / 2)


def test_errors_make_every_measure_of_confidence_worse() -> None:
    good = [row(answered(RIGHT), "f", "de"), row(refusing(right=True), "u", "de")]
    whole = summarise(result(*good)).whole
    assert (whole["abstention AUROC"].value, whole["risk-coverage area"].value) == (1.0, 1 / 4)
    for broken in (failed(), failed(question())):
        worse = summarise(result(*good, row(broken, "h", "de"))).whole
        assert worse["abstention AUROC"].value == pytest.approx(1 / 2)
        assert worse["risk-coverage area"].value == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
        assert worse["calibration error"].value > whole["calibration error"].value
        assert worse["abstention recall"].value <= whole["abstention recall"].value


def test_a_measure_that_a_language_has_no_question_for_is_no_zero() -> None:
    summary = summarise(result(row(answered(RIGHT), "f", "de"), row(refusing(right=True), "u", "en")))
    assert math.isnan(summary.languages["en"]["hit@1"].value)
    assert summary.macro["hit@1"].value == 1.0
    assert summary.value("right abstention").value == 1.0


def test_intervals_hold_the_value_and_shrink_with_more_facts() -> None:
    def width(count: int) -> float:
        values = np.array([i % 2 for i in range(count)], dtype=float)
        estimate = Resampler([str(i) for i in range(count)], seed=1).mean(values)
        assert estimate.low < estimate.value == 0.5 < estimate.high
        return estimate.high - estimate.low

    assert width(400) < width(40) / 2
    assert width(400) == pytest.approx(2 * 1.96 * 0.5 / 400**0.5, rel=0.1)  # of the normal approximation


def test_questions_on_one_fact_are_drawn_together() -> None:
    values = np.array([0.0] * 50 + [1.0] * 50)
    apart = Resampler([str(i) for i in range(100)], seed=1).mean(values)
    together = Resampler(["no"] * 50 + ["yes"] * 50, seed=1).mean(values)
    assert (together.low, together.high) == (0.0, 1.0)
    assert apart.low > 0.3


def test_the_same_seed_draws_the_same() -> None:
    facts, values = [str(i) for i in range(20)], np.arange(20.0)
    assert Resampler(facts, seed=3).mean(values) == Resampler(facts, seed=3).mean(values)
    assert Resampler(facts, seed=3).mean(values) != Resampler(facts, seed=4).mean(values)


def test_consistency_asks_in_how_many_languages_a_fact_is_found_and_where() -> None:
    rows = [
        row(answered(RIGHT), "same", "de"), row(answered(RIGHT), "same", "en"), row(abstained(RIGHT), "same", "fr"),
        row(answered(RIGHT), "apart", "de"), row(answered(OTHER), "apart", "en"),
        row(answered(WRONG), "alone", "de"),
    ]  # fmt: skip
    found = consistency(rows, seed=1)
    assert found["found in"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found["found in all"].value == pytest.approx(1 / 2)
    assert found["same evidence"].value == pytest.approx((1 / 3 + 0) / 2)  # one of three pairs; none of one
    assert found["found in"].count == 2  # a fact asked in one language says nothing


def test_the_matrix_tells_how_often_each_language_of_evidence_is_found() -> None:
    german, _, english, _ = PASSAGES
    outcome = answered(RIGHT)
    first = replace(outcome, hits=[Hit(german, 1.0), Hit(english, 0.5)])
    second = replace(outcome, hits=[Hit(german, 1.0)])
    rows = [row(first, "f", "fi"), row(second, "g", "fi")]
    assert matrix(rows, within=2) == {("fi", "de"): 1.0, ("fi", "en"): 0.5}
    assert matrix(rows, within=1) == {("fi", "de"): 1.0, ("fi", "en"): 0.0}


def test_times_are_told_by_median_and_p95_warm_and_cold() -> None:
    rows = [replace(ROWS[0], seconds=seconds) for seconds in (0.1, 0.2, 0.3, 0.4, 1.4)]
    whole = summarise(replace(result(*rows), cold_seconds=(5.0, 7.0))).whole
    assert whole["seconds warm, median"].value == pytest.approx(0.3)
    assert whole["seconds warm, p95"].value == pytest.approx(0.4 + 0.8 * (1.4 - 0.4))  # between the 4th and 5th of 5
    assert whole["seconds cold, median"].value == pytest.approx(6.0)
    assert whole["seconds cold, p95"].value == pytest.approx(6.9)
    assert "seconds cold, median" not in summarise(result(*rows)).whole


def test_comparing_names_what_got_better_worse_or_different() -> None:
    before = german(a=answered(WRONG), b=answered(RIGHT), c=answered(RIGHT), d=failed())
    after = german(a=answered(RIGHT), b=abstained(RIGHT), c=answered(OTHER), e=failed())
    comparison = compare(before, after)
    kinds = {change.after.question.fact: (change.better, change.worse, change.other) for change in comparison.changes}
    assert kinds == {"a": (True, False, False), "b": (False, True, False), "c": (False, False, True)}
    assert comparison.differences["hit@1"].value == 0.0
    assert comparison.differences["F1"].value == pytest.approx((2 / 3 - 2 / 3 + 1 - 2 / 3) / 3)
    assert [note for note in comparison.notes if "d.de" in note or "e.de" in note] == [
        "1 questions only before, left out: d.de",
        "1 questions only after, left out: e.de",
    ]


def test_comparing_says_what_else_differs_and_refuses_strangers() -> None:
    one = result(row(answered(RIGHT), "f", "de"))
    other = replace(one, provenance=replace(MADE, model="new", settings='{"answer": {"threshold": 0.4}}'))
    notes = compare(replace(one, provenance=replace(MADE, settings='{"answer": {"threshold": 0.3}}')), other).notes
    assert notes == ("answer.threshold differs: 0.3 → 0.4", "model differs: m → new")
    with pytest.raises(CompareError, match="no question in common"):
        compare(one, result(row(answered(RIGHT), "g", "de")))


def test_the_gate_names_the_threshold_that_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text('[at_least]\n"hit@1" = 0.9\n"verbatim" = 0.5\n[at_most]\n"calibration error" = 1.0\n')
    checks = check(summarise(result(*ROWS)), load_thresholds(file))
    assert [(item.measure, item.passed) for item in checks] == [
        ("hit@1", False),
        ("verbatim", True),
        ("calibration error", True),
    ]


def test_a_measure_without_a_value_does_not_pass_the_gate(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text('[at_most]\n"abstention AUROC" = 1.0\n')
    assert not check(summarise(result(ROWS[0])), load_thresholds(file))[0].passed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[at_least]\n"hit@7" = 1', "no measure 'hit@7'; measures: "),
        ("[least]\na = 1", "expected the sections at_least and at_most"),
        ('[at_least]\n"hit@1" = "high"', "must be a number, not 'high'"),
        ("[", "cannot read the thresholds"),
    ],
)
def test_a_bad_file_of_thresholds_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(content)
    with pytest.raises(GateError) as caught:
        check(summarise(result(*ROWS)), load_thresholds(file))
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = replace(result(*ROWS), cold_seconds=(7.5,))
    save(kept, tmp_path / "new" / "result.json")
    assert load(tmp_path / "new" / "result.json") == kept


def test_a_file_that_is_no_result_is_named_with_what_mends_it(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="cannot read"):
        load(tmp_path / "none.json")
    file = tmp_path / "old.json"
    file.write_text('{"provenance": {}, "rows": []}')
    with pytest.raises(ResultError, match=r"not a result of this version: provenance\.system: .*python -m eval --out"):
        load(file)
