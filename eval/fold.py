"""Rows folded: means per language and over languages, and what only many questions together can show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import NOTHING, Estimate, Resampler
from eval.confidence import (
    Flags,
    Floats,
    abstaining,
    area_under_risk_coverage,
    auroc,
    expected_calibration_error,
    risk_coverage,
)
from eval.result import Given, Result, Row

Estimates = Mapping[str, Estimate]
"""By the name of the measure."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers.

    `languages`: means of each language's questions. `macro`: means of those means, every language counting the same.
    `pooled`: means over all questions. `whole`: measures of all questions together (`WHOLE`, `consistency`, seconds).
    """

    languages: Mapping[str, Estimates]
    macro: Estimates
    pooled: Estimates
    whole: Estimates = field(default_factory=dict)

    def value(self, measure: str) -> Estimate:
        """The one number for a measure: over all questions together, or else the macro average."""
        return self.whole.get(measure) or self.macro.get(measure) or NOTHING

    def worst(self, measure: str) -> tuple[str, Estimate]:
        """The language with the lowest mean, the first by code among equals."""
        means = {language: row.get(measure, NOTHING) for language, row in self.languages.items()}
        asked = [(language, mean) for language, mean in means.items() if mean.count]
        return min(asked, key=lambda item: (item[1].value, item[0]), default=("none", NOTHING))


@dataclass(frozen=True, slots=True)
class Certainty:
    """The columns that measures of confidence need, a question a row; see `eval.confidence`."""

    confidence: Floats
    right: Flags
    abstained: Flags
    answerable: Flags
    failed: Flags

    def __getitem__(self, rows: NDArray[np.int64]) -> "Certainty":
        return Certainty(*(getattr(self, column.name)[rows] for column in fields(self)))


WHOLE: Mapping[str, Callable[[Certainty], float]] = {
    "abstention precision": lambda c: abstaining(c.abstained, c.answerable).precision,
    "abstention recall": lambda c: abstaining(c.abstained, c.answerable).recall,
    "abstention F1": lambda c: abstaining(c.abstained, c.answerable).f1,
    # An error on an answerable question must not look like one that was surely answered.
    "abstention AUROC": lambda c: auroc(np.where(c.failed & c.answerable, 0.0, c.confidence), c.answerable),
    "risk-coverage area": lambda c: area_under_risk_coverage(risk_coverage(c.confidence, c.right)[1]),
    "calibration error": lambda c: expected_calibration_error(c.confidence, c.right),
}
CONSISTENCY = "found in", "found in all", "same evidence"
_PERCENTILES = {"median": 50, "p95": 95}


def summarise(result: Result) -> Summary:
    """All numbers of a result, with intervals drawn by its seed."""
    rows = result.rows
    seed = result.provenance.seed
    resampler = Resampler([row.question.fact for row in rows], seed=seed)
    found = means(resampler, [row.question.language for row in rows], [row.scores for row in rows])
    certain = certainty(rows)
    whole = {name: resampler.statistic(partial(_of_all, measure, certain)) for name, measure in WHOLE.items()}
    return replace(found, whole={**whole, **consistency(rows, seed=seed), **_seconds(result, seed)})


def measured(rows: Sequence[Row], *, cold: bool) -> set[str]:
    """The names of what `summarise` makes of such rows; `cold`: of fresh processes too."""
    kinds = ("warm", "cold") if cold else ("warm",)
    seconds = {_seconds_name(kind, statistic) for kind in kinds for statistic in _PERCENTILES}
    return {name for row in rows for name in row.scores} | {*WHOLE, *CONSISTENCY} | seconds


def means(resampler: Resampler, spoken: Sequence[str], scores: Sequence[Mapping[str, float]]) -> Summary:
    """Of each language, over languages, over all; nothing of the whole. `spoken`: each question's language; `scores`:
    its measures by name, those left out that say nothing about it."""
    names = list(dict.fromkeys(name for row in scores for name in row))
    columns = {name: np.array([row.get(name, np.nan) for row in scores]) for name in names}
    asked_in = np.array(spoken)
    languages = sorted(set(spoken))
    groups = {
        name: [np.where(asked_in == language, column, np.nan) for language in languages]
        for name, column in columns.items()
    }
    by_language = {
        language: {name: resampler.mean(groups[name][i]) for name in names} for i, language in enumerate(languages)
    }
    macro = {name: resampler.macro(groups[name]) for name in names}
    return Summary(by_language, macro, {name: resampler.mean(column) for name, column in columns.items()})


def certainty(rows: Sequence[Row]) -> Certainty:
    """The rows' columns. An error is a wrong answer of confidence 1."""
    return Certainty(
        np.array([row.confidence for row in rows], dtype=float),
        np.array([row.best_right for row in rows]),
        np.array([row.abstained for row in rows]),
        np.array([row.question.answerable for row in rows]),
        np.array([row.error is not None for row in rows]),
    )


def consistency(rows: Sequence[Row], *, seed: int) -> dict[str, Estimate]:
    """Whether the language of a question decides what is found; over the facts that are asked in several languages.

    "found in": share of a fact's questions whose first quote is right; "found in all": whether that is all of them;
    "same evidence": share of the pairs of languages whose first quotes are right and overlap. `count` is of facts.
    """
    facts: dict[str, list[Row]] = {}
    for row in rows:
        if row.question.answerable:
            facts.setdefault(row.question.fact, []).append(row)
    asked = [group for group in facts.values() if len({row.question.language for row in group}) > 1]
    if not asked:
        return dict.fromkeys(CONSISTENCY, NOTHING)
    resampler = Resampler([group[0].question.fact for group in asked], seed=seed)
    found = np.array([np.mean([_found(row) for row in group]) for group in asked])
    return {
        "found in": resampler.mean(found),
        "found in all": resampler.mean((found == 1).astype(float)),
        "same evidence": resampler.mean(np.array([_same_evidence(group) for group in asked])),
    }


def matrix(rows: Sequence[Row], *, within: int) -> dict[tuple[str, str], float]:
    """(question language, document language) to the share of questions which documents of that language answer, and
    for which one of the first `within` passages found is in it and does."""
    cells: dict[tuple[str, str], list[bool]] = {}
    for row in rows:
        for item in row.evidence:
            found = item.rank is not None and item.rank <= within
            cells.setdefault((row.question.language, item.language), []).append(found)
    return {cell: float(np.mean(found)) for cell, found in sorted(cells.items())}


def _found(row: Row) -> bool:
    return row.scores["hit@1"] == 1.0


def _same_evidence(rows: Sequence[Row]) -> float:
    pairs = [(a, b) for a, b in combinations(rows, 2) if a.question.language != b.question.language]
    return float(np.mean([_found(a) and _found(b) and _overlap(a.quotes[0], b.quotes[0]) for a, b in pairs]))


def _overlap(a: Given, b: Given) -> bool:
    return a.document == b.document and a.start < b.end and b.start < a.end


def _seconds(result: Result, seed: int) -> dict[str, Estimate]:
    """Wall time of a reply when the model is in memory ("warm"), and of a whole command in a fresh process ("cold")."""
    estimates = {}
    for name, values in (("warm", [row.seconds for row in result.rows]), ("cold", result.cold_seconds)):
        if values:
            seconds = np.array(values)
            resampler = Resampler([str(i) for i in range(len(seconds))], seed=seed)
            for statistic, percent in _PERCENTILES.items():
                estimates[_seconds_name(name, statistic)] = resampler.statistic(partial(_percentile, seconds, percent))
    return estimates


def _seconds_name(kind: str, statistic: str) -> str:
    return f"seconds {kind}, {statistic}"


def _of_all(measure: Callable[[Certainty], float], columns: Certainty, rows: NDArray[np.int64]) -> float:
    return measure(columns[rows])


def _percentile(values: Floats, percent: int, rows: NDArray[np.int64]) -> float:
    return float(np.percentile(values[rows], percent))
