"""Fits `qa.answer.Calibration`: from the evidence for a candidate to the probability that it is a right first quote."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from eval.confidence import expected_calibration_error
from eval.gold import GoldQuestion
from eval.progress import Track, silent
from eval.run import Exam
from eval.systems import Task, open_bot
from qa.answer import Calibration, Candidate
from qa.errors import BabelquoteError

FOLDS = 5
PENALTY = 0.01


class TooFew(BabelquoteError):
    """Questions that do not tell right quotes from wrong ones; nothing can be fitted."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question's candidates, and which of them hold a gold span."""

    question: GoldQuestion
    candidates: tuple[Candidate, ...]
    right: tuple[bool, ...]

    def best(self, calibration: Calibration) -> tuple[float, bool]:
        """Probability of the candidate that would be quoted first, and whether it is right."""
        ranked = zip(map(calibration.probability, self.candidates), self.right, strict=True)
        return max(ranked, key=lambda pair: pair[0], default=(0.0, False))


def ask(exam: Exam, track: Track = silent) -> list[Judged]:
    """Asks the gold questions of an exam and judges what the bot would choose from."""
    bot = open_bot(Task(exam.corpus, exam.settings, exam.gold))
    return [judge(question, bot.candidates(question.question)) for question in track(exam.gold, "asking")]


def judge(question: GoldQuestion, candidates: Sequence[Candidate]) -> Judged:
    """Compares candidates with the gold spans."""
    right = []
    for candidate in candidates:
        passage = candidate.hit.passage
        start, end = (passage.start + bound for bound in candidate.around)
        right.append(
            any(
                span.document == passage.document_id and start <= span.start and span.end <= end
                for span in question.spans
            )
        )
    return Judged(question, tuple(candidates), tuple(right))


def fit(judged: Sequence[Judged], more: Sequence[Judged] = ()) -> Calibration:
    """Two models in one: the weights are those of a conditional logit (McFadden 1974), which sets a question's right
    candidates against its wrong ones; scale and bias are then fitted on each question's best candidate (Platt 1999),
    since the best of many looks better than it is.

    `more`: questions about another corpus, which count for the weights as much as `judged`, and not for the rest: how
    often a first quote is right differs from corpus to corpus. Raises `TooFew`.
    """
    sets = [choices for part in (judged, more) if (choices := _choices(part))]
    if not _choices(judged):
        raise TooFew("no right quote is among the candidates of any question; ask more questions")
    spread = np.concatenate([rows for choices in sets for rows, _ in choices]).std(axis=0)

    def loss(weights: NDArray[np.float64]) -> float:
        wrong = []
        for choices in sets:
            scores = [(rows / spread @ weights, right) for rows, right in choices]
            wrong.append(np.mean([logsumexp(row) - logsumexp(row[right]) for row, right in scores]))
        return float(np.mean(wrong) + PENALTY * weights @ weights)

    weights = minimize(loss, np.zeros(len(spread))).x / spread
    best = [
        max((float(np.dot(_evidence(candidate), weights)), right) for candidate, right in item)
        for item in (list(zip(item.candidates, item.right, strict=True)) for item in judged)
        if item
    ]
    if len({right for _, right in best}) < 2:
        raise TooFew("no first quote is right, or all are; ask more questions")
    scale = LogisticRegression(C=100.0).fit([[score] for score, _ in best], [right for _, right in best])
    slope, bias = float(scale.coef_[0, 0]), float(scale.intercept_[0])
    return Calibration(round(bias, 3), *(round(slope * float(weight), 3) for weight in weights))


def _choices(judged: Sequence[Judged]) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Evidence for the candidates of each question that has a right one, *Shape* (candidates, 3), and which are."""
    return [
        (np.array([_evidence(candidate) for candidate in item.candidates]), np.array(item.right))
        for item in judged
        if any(item.right)
    ]


def held_out(judged: Sequence[Judged], more: Sequence[Judged] = ()) -> list[tuple[float, bool]]:
    """Each question's confidence and whether its first quote is right, by a model fitted on the other facts and on
    `more`; see `fit`."""
    facts = sorted({item.question.fact for item in judged})
    results = []
    for fold in range(FOLDS):
        held = set(facts[fold::FOLDS])
        calibration = fit([item for item in judged if item.question.fact not in held], more)
        results += [(item, item.best(calibration)) for item in judged if item.question.fact in held]
    order = {id(item): i for i, item in enumerate(judged)}
    return [best for item, best in sorted(results, key=lambda result: order[id(result[0])])]


def held_out_error(results: Sequence[tuple[float, bool]]) -> float:
    """The calibration error of what `held_out` gives."""
    confidence, right = (np.array(column) for column in zip(*results, strict=True))
    return expected_calibration_error(confidence, right)


def thresholds(judged: Sequence[Judged], results: Sequence[tuple[float, bool]], *, shipped: float) -> Table:
    """What each threshold would do, the `shipped` one among them: the risk–coverage curve as a table."""
    table = Table(title="thresholds, cross-validated by fact", title_justify="left")
    for name in ("threshold", "answered", "right of answered", "first right", "false abst.", "right abst."):
        table.add_column(name, justify="right")
    confidence, right = (np.array(column) for column in zip(*results, strict=True))
    answerable = np.array([item.question.answerable for item in judged])
    for threshold in sorted({*np.arange(10, 75, 5) / 100, shipped}):
        given = confidence >= threshold
        shares = (
            given.mean(),
            right[given].mean() if given.any() else math.nan,
            (given & right)[answerable].mean(),
            (~given)[answerable].mean(),
            (~given)[~answerable].mean(),
        )
        table.add_row(f"{threshold:.2f}", *(f"{share:.3f}" for share in shares))
    return table


def _evidence(candidate: Candidate) -> tuple[float, float, float]:
    return candidate.reader, candidate.agreement, candidate.similarity
