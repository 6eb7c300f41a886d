"""Fits `qa.answer.Calibration`: the reader's score → probability that the first quote is right."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from sklearn.linear_model import LogisticRegression

from eval.metrics import Outcome, hit
from qa.answer import CALIBRATION, Calibration

FOLDS = 5


def fit(outcomes: Sequence[Outcome]) -> Calibration:
    """Platt's model on outcomes of a bot that always answers (threshold 0). Right means hit@1."""
    model = LogisticRegression(C=100.0).fit(_raw(outcomes)[:, None], [hit(outcome) for outcome in outcomes])
    return Calibration(bias=round(float(model.intercept_[0]), 3), score=round(float(model.coef_[0, 0]), 3))


def expected_error(outcomes: Sequence[Outcome], bins: int = 10) -> float:
    """Expected calibration error (Guo et al. 2017), 0..1, cross-validated by fact."""
    facts = sorted({outcome.question.fact for outcome in outcomes})
    confidence, right = [], []
    for fold in range(FOLDS):
        held = set(facts[fold::FOLDS])
        calibration = fit([outcome for outcome in outcomes if outcome.question.fact not in held])
        for outcome in outcomes:
            if outcome.question.fact in held:
                confidence.append(calibration.probability(float(_raw([outcome])[0]), 0.0))
                right.append(hit(outcome))
    rows = np.minimum((np.array(confidence) * bins).astype(int), bins - 1)
    gaps = [abs(np.mean(np.array(confidence)[rows == b]) - np.mean(np.array(right)[rows == b])) * np.mean(rows == b)
            for b in set(rows.tolist())]  # fmt: skip
    return float(sum(gaps))


def thresholds(outcomes: Sequence[Outcome], calibration: Calibration) -> Table:
    """What each threshold would do: the risk–coverage curve as a table."""
    table = Table(title="threshold", title_justify="left")
    for name in (
        "threshold",
        "answered",
        "right of answered",
        "first quote right",
        "false abstentions",
        "right abstentions",
    ):
        table.add_column(name, justify="right")
    probabilities = np.array([calibration.probability(float(raw), 0.0) for raw in _raw(outcomes)])
    right = np.array([hit(outcome) for outcome in outcomes])
    answerable = np.array([outcome.question.answerable for outcome in outcomes])
    for threshold in np.arange(0.1, 0.75, 0.05):
        given = probabilities >= threshold
        shares = (
            given.mean(), right[given].mean() if given.any() else math.nan, (given & right)[answerable].mean(),
            (~given)[answerable].mean(), (~given)[~answerable].mean(),
        )  # fmt: skip
        table.add_row(f"{threshold:.2f}", *(f"{share:.3f}" for share in shares))
    return table


def _raw(outcomes: Sequence[Outcome]) -> NDArray[np.float64]:
    """The reader's scores, got back from the confidence. *Shape* (n,)."""
    p = np.clip([outcome.reply.confidence if outcome.reply else 0.0 for outcome in outcomes], 1e-9, 1 - 1e-9)
    return (np.log(p / (1 - p)) - CALIBRATION.bias) / CALIBRATION.score
