"""What changed from one run to another: measure by measure, and question by question."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import Estimate, Resampler
from eval.fold import WHOLE, Certainty, certainty
from eval.result import Provenance, Result, Row, Verdict
from qa.errors import BabelquoteError


class CompareError(BabelquoteError):
    """Two results that have no question in common."""


@dataclass(frozen=True, slots=True)
class Change:
    """One question in both runs."""

    before: Row
    after: Row

    @property
    def reworded(self) -> bool:
        """Its words differ: what is asked may, too."""
        return self.before.question.question != self.after.question.question

    @property
    def better(self) -> bool:
        """It is right now, and was not."""
        return self.after.verdict == Verdict.RIGHT != self.before.verdict

    @property
    def worse(self) -> bool:
        """It was right, and is not now."""
        return self.before.verdict == Verdict.RIGHT != self.after.verdict

    @property
    def other(self) -> bool:
        """As right or wrong as before, but with another verdict or another first quote."""
        if self.better or self.worse:
            return False
        return self.before.verdict != self.after.verdict or _place(self.before) != _place(self.after)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`changes` are the questions of both runs; `differences` are after minus before over them, with intervals that
    resample both alike; `notes` say what else differs: questions, corpus, model …"""

    changes: tuple[Change, ...]
    differences: dict[str, Estimate]
    notes: tuple[str, ...]


def compare(before: Result, after: Result) -> Comparison:
    """Pairs the questions by id; those that were reworded are no pairs. Raises `CompareError` if no question is in
    both."""
    rows = {row.question.id: row for row in before.rows}
    pairs = [Change(rows[row.question.id], row) for row in after.rows if row.question.id in rows]
    changes = tuple(pair for pair in pairs if not pair.reworded)
    if not changes:
        raise CompareError(
            f"the results have no question in common; they are of {before.provenance.questions!r} and "
            f"{after.provenance.questions!r}"
        )
    reworded = [pair.after.question.id for pair in pairs if pair.reworded]
    notes = (*_notes(before, after), *_left_out("with one id but other words", reworded))
    return Comparison(changes, _differences(changes, seed=after.provenance.seed), notes)


def _differences(changes: tuple[Change, ...], *, seed: int) -> dict[str, Estimate]:
    resampler = Resampler([change.after.question.fact for change in changes], seed=seed)
    names = dict.fromkeys(name for change in changes for name in change.after.scores if name in change.before.scores)
    found = {
        name: resampler.mean(
            np.array([c.after.scores.get(name, np.nan) - c.before.scores.get(name, np.nan) for c in changes])
        )
        for name in names
    }
    old, new = certainty([change.before for change in changes]), certainty([change.after for change in changes])
    return found | {
        name: resampler.statistic(partial(_difference, measure, old, new)) for name, measure in WHOLE.items()
    }


def _difference(
    measure: Callable[[Certainty], float], old: Certainty, new: Certainty, rows: NDArray[np.int64]
) -> float:
    return measure(new[rows]) - measure(old[rows])


def _notes(before: Result, after: Result) -> list[str]:
    notes = []
    old, new = _made_with(before.provenance), _made_with(after.provenance)
    for name in dict.fromkeys((*new, *old)):
        if old.get(name) != new.get(name):
            notes.append(f"{name} differs: {_short(old.get(name))} → {_short(new.get(name))}")
    for name, mine, theirs in (("before", before, after), ("after", after, before)):
        others = {row.question.id for row in theirs.rows}
        notes += _left_out(f"only {name}", [row.question.id for row in mine.rows if row.question.id not in others])
        if caveat := mine.provenance.caveat:
            notes.append(f"{name}: {caveat}")
    return notes


def _left_out(why: str, ids: Sequence[str]) -> list[str]:
    return [f"{len(ids)} questions {why}, left out: {', '.join(ids[:5])}{' …' * (len(ids) > 5)}"] if ids else []


def _made_with(provenance: Provenance) -> dict[str, str]:
    """What may explain a difference, by name; every setting apart."""
    settings = {
        f"{section}.{key}": str(value)
        for section, values in json.loads(provenance.settings).items()
        for key, value in values.items()
        if section != "store"
    }
    fields = ("system", "questions_digest", "corpus_digest", "model", "weights", "device", "seed")
    return settings | {field.replace("_", " "): str(getattr(provenance, field)) for field in fields}


def _short(value: str | None) -> str:
    """A digest by its first eight characters."""
    return "nothing" if value is None else value[:8] if len(value) == 64 else value


def _place(row: Row) -> tuple[str, int, int] | None:
    return (row.quotes[0].document, row.quotes[0].start, row.quotes[0].end) if row.quotes else None
