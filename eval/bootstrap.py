"""Intervals by the bootstrap (Efron 1979). Facts are drawn, not questions: those on one fact rise and fall together."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, and the number of questions that it stands on. All `nan` where there are none."""

    value: float
    low: float
    high: float
    count: int


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


class Resampler:
    """The same draws for every measure, so that their differences can be compared."""

    def __init__(self, facts: Sequence[str], *, seed: int, rounds: int = 1000) -> None:
        """`facts`: of each question, in the order in which all arrays below have their rows."""
        names, column = np.unique(np.array(facts, dtype=str), return_inverse=True)
        draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds)
        self._times: NDArray[np.int64] = draws[:, column]  # how often each question was drawn in each round

    def mean(self, values: Floats) -> Estimate:
        """Mean over the rows that are not `nan`."""
        return self.macro([values])

    def macro(self, groups: Sequence[Floats]) -> Estimate:
        """Mean over groups of their means; each group is all rows, `nan` for those outside of it."""
        groups = [values for values in groups if not np.isnan(values).all()]
        if not groups:
            return NOTHING
        value = float(np.mean([np.nanmean(values) for values in groups]))
        with warnings.catch_warnings():  # a small group is sometimes not drawn at all
            warnings.simplefilter("ignore", RuntimeWarning)
            drawn = np.nanmean([self._means(values) for values in groups], axis=0)
        return self._estimate(value, drawn, sum(int((~np.isnan(values)).sum()) for values in groups))

    def statistic(self, measure: Callable[[NDArray[np.int64]], float], *, rounds: int = 200) -> Estimate:
        """Any statistic of row numbers. A row that was drawn twice comes twice."""
        rows = np.arange(self._times.shape[1])
        drawn = np.array([measure(np.repeat(rows, times)) for times in self._times[:rounds]])
        return self._estimate(measure(rows), drawn, len(rows))

    def _means(self, values: Floats) -> Floats:
        held = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            return (self._times @ np.where(held, values, 0.0)) / (self._times @ held)

    @staticmethod
    def _estimate(value: float, drawn: Floats, count: int) -> Estimate:
        drawn = drawn[~np.isnan(drawn)]
        if math.isnan(value) or not len(drawn):
            return NOTHING
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Estimate(value, float(low), float(high), count)
