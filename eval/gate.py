"""Thresholds that a run must keep, in `gate.toml`."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.fold import Summary
from qa.errors import BabelquoteError

THRESHOLDS = Path(__file__).parent / "gate.toml"


class GateError(BabelquoteError):
    """A file of thresholds that cannot be used."""


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


def check(summary: Summary, thresholds: Path = THRESHOLDS) -> list[Check]:
    """Every threshold held against the summary. Raises `GateError` for a file that names no measure of it."""
    limits = _read(thresholds)
    known = {*summary.macro, *summary.whole}
    for name in (*limits["at_least"], *limits["at_most"]):
        if name not in known:
            raise GateError(f"{thresholds}: no measure {name!r}; measures: {', '.join(sorted(known))}")
    checks = [Check(name, summary.value(name).value, at_least=limit) for name, limit in limits["at_least"].items()]
    return checks + [Check(name, summary.value(name).value, at_most=limit) for name, limit in limits["at_most"].items()]


def _read(path: Path) -> Mapping[str, Mapping[str, float]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GateError(f"cannot read the thresholds in {path}: {error}") from error
    if table.keys() - {"at_least", "at_most"} or not all(isinstance(part, dict) for part in table.values()):
        raise GateError(f"{path}: expected the sections at_least and at_most, but found {', '.join(table)}")
    for part in table.values():
        for name, limit in part.items():
            if type(limit) not in (int, float):
                raise GateError(f"{path}: the threshold of {name!r} must be a number, not {limit!r}")
    return {"at_least": {}, "at_most": {}} | table
