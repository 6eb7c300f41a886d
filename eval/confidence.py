"""Measures of confidence and abstention over many questions. Pure functions of arrays, one entry a question.

`confidence` is that of the best candidate, given or withheld; `right` whether that candidate answers, which it cannot
where the corpus does not. An error enters as a wrong answer of confidence 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Abstaining:
    """How well abstentions fall on the questions that have no answer, 0..1 each."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions of like confidence: the mean of it, the share that is right, and how many they are."""

    confidence: float
    accuracy: float
    count: int


def abstaining(abstained: Flags, answerable: Flags) -> Abstaining:
    """Abstention as a classifier of unanswerable questions; 0 where nothing is to be divided."""
    true = float((abstained & ~answerable).sum())
    precision, recall = (true / count if (count := float(flags.sum())) else 0.0 for flags in (abstained, ~answerable))
    return Abstaining(precision, recall, 2 * precision * recall / (precision + recall) if true else 0.0)


def auroc(confidence: Floats, positive: Flags) -> float:
    """Probability that a positive has more confidence than a negative, a tie counting half (Hanley and McNeil 1982).

    `nan` without both kinds.
    """
    if not positive.any() or positive.all():
        return float("nan")
    difference = confidence[positive][:, None] - confidence[~positive][None, :]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def risk_coverage(confidence: Floats, right: Flags) -> tuple[Floats, Floats]:
    """The curve of El-Yaniv and Wiener (2010): answering the k surest of n questions.

    Coverage k/n and the share of wrong answers, *Shape* (n,) each. Questions of equal confidence enter together, at
    their mean risk, so that no order among them is luck.
    """
    order = np.argsort(-confidence, kind="stable")
    _, group, sizes = np.unique(-confidence[order], return_inverse=True, return_counts=True)
    wrong = ~right[order]
    mean = np.bincount(group, weights=wrong) / sizes
    answered = np.arange(1, len(order) + 1)
    return answered / len(order), np.cumsum(mean[group]) / answered


def area_under_risk_coverage(risk: Floats) -> float:
    """AURC (Geifman et al. 2019): the mean risk of the curve; 0 is best."""
    return float(risk.mean())


def reliability(confidence: Floats, right: Flags, *, bins: int = 10) -> list[Bin]:
    """Bins of equal width over 0..1, empty ones left out: what a reliability diagram shows."""
    rows = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(float(confidence[rows == b].mean()), float(right[rows == b].mean()), int((rows == b).sum()))
        for b in np.unique(rows)
    ]


def expected_calibration_error(confidence: Floats, right: Flags, *, bins: int = 10) -> float:
    """ECE (Guo et al. 2017), 0..1: mean gap of confidence and accuracy over `reliability`."""
    gaps = [abs(b.confidence - b.accuracy) * b.count for b in reliability(confidence, right, bins=bins)]
    return sum(gaps) / len(confidence)
