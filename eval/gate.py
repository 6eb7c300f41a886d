"""Thresholds that a run must keep, in `gate.toml`."""

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval import THRESHOLDS
from eval.fold import Summary
from qa.errors import BabelquoteError


class GateError(BabelquoteError):
    """A file of thresholds that cannot be used."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits that a file sets, by measure."""

    file: Path
    at_least: Mapping[str, float]
    at_most: Mapping[str, float]

    def require(self, measures: Collection[str]) -> None:
        """Raises `GateError` if one is of no such measure."""
        for name in (*self.at_least, *self.at_most):
            if name not in measures:
                raise GateError(f"{self.file}: no measure {name!r}; measures: {', '.join(sorted(measures))}")


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold and the value that was held against it. A value that is `nan` does not pass."""

    measure: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the value keeps the threshold."""
        above = self.at_least is None or self.value >= self.at_least
        below = self.at_most is None or self.value <= self.at_most
        return above and below and not math.isnan(self.value)


def load_thresholds(file: Path = THRESHOLDS) -> Thresholds:
    """The thresholds of a file. Raises `GateError`."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GateError(f"cannot read the thresholds in {file}: {error}") from error
    if table.keys() - {"at_least", "at_most"} or not all(isinstance(part, dict) for part in table.values()):
        raise GateError(f"{file}: expected the sections at_least and at_most, but found {', '.join(table)}")
    for part in table.values():
        for name, limit in part.items():
            if type(limit) not in (int, float):
                raise GateError(f"{file}: the threshold of {name!r} must be a number, not {limit!r}")
    return Thresholds(file, **({"at_least": {}, "at_most": {}} | table))


def check(summary: Summary, thresholds: Thresholds) -> list[Check]:
    """Every threshold held against the summary. Raises `GateError` if one is of no measure of it."""
    thresholds.require({*summary.macro, *summary.whole})
    least = [Check(name, summary.value(name).value, at_least=limit) for name, limit in thresholds.at_least.items()]
    return least + [Check(name, summary.value(name).value, at_most=limit) for name, limit in thresholds.at_most.items()]
