"""One HTML file that shows a result: nothing is loaded from elsewhere, and everything from corpus and questions is
escaped (Jinja's autoescape)."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval import plots
from eval.bootstrap import Estimate
from eval.confidence import reliability, risk_coverage
from eval.fold import Summary, certainty, matrix
from eval.output import writing
from eval.result import Place, Result, Row, Verdict
from qa.render import language_name

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_TILES = {
    "hit@1": "first quote right",
    "best right": "the same, never abstaining",
    "success@5": "evidence among the first 5 passages",
    "F1": "exact answer, token F1",
    "right abstention": "right abstentions",
    "false abstention": "false abstentions",
    "calibration error": "calibration error",
    "risk-coverage area": "area under risk–coverage",
    "found in": "of a fact's languages find it",
    "verbatim": "replies word for word",
}
_GROUPS = {
    "what is found": ("recall@5", "recall@20", "success@5", "MRR", "nDCG@10", "mAP"),
    "what is quoted": ("hit@1", "hit@n", "best right", "exact match", "F1", "citation precision", "citation recall"),
    "across languages": ("found in", "found in all", "same evidence", "own language first", "merely own language"),
    "what is refused": (
        "right abstention", "false abstention", "abstention precision", "abstention recall", "abstention F1",
        "abstention AUROC", "risk-coverage area", "calibration error",
    ),
}  # fmt: skip
"""Measures that stand together; those that stand nowhere here come last."""
_WITHIN = 5, 20


@dataclass(frozen=True, slots=True)
class Number:
    """A measure as it is shown."""

    title: str
    value: str
    interval: str
    count: int


def render(result: Result, summary: Summary) -> str:
    """The page."""
    worst, value = summary.worst("hit@1")
    return _ENVIRONMENT.get_template("report.html.jinja").render(
        result=result,
        made=result.provenance,
        settings=json.dumps(json.loads(result.provenance.settings), indent=1),
        tiles=[_number(title, summary.value(name)) for name, title in _TILES.items()],
        worst=f"{language_name(worst)}, {100 * value.value:.0f} %" if value.count else "none",
        right=_bars(summary, "hit@1", ticks="best right"),
        refused=_bars(summary, "right abstention"),
        matrices=_matrices(result.rows),
        reliability=_reliability(result.rows),
        risk=_risk(result.rows),
        groups=_groups(summary),
        misses=[row for row in result.rows if row.verdict != Verdict.RIGHT],
        verdicts=[verdict for verdict in Verdict if verdict != Verdict.RIGHT],
        language_name=language_name,
        marked=marked,
        places=_places,
    )


def save(result: Result, summary: Summary, page: Path) -> None:
    """Writes the page. Raises `OutputError`."""
    content = render(result, summary)
    with writing(page):
        page.write_text(content, encoding="utf-8")


def marked(place: Place) -> Markup:
    """The place's text, escaped, the answer inside a `mark`."""
    return Markup("{}<mark>{}</mark>{}").format(*place.parts)


def _places(row: Row) -> list[Place]:
    """The first place of each document that answers."""
    return list({place.document: place for place in reversed(row.expected)}.values())[::-1]


def _groups(summary: Summary) -> dict[str, list[Number]]:
    every = {**summary.macro, **summary.whole}
    others = tuple(name for name in every if all(name not in group for group in _GROUPS.values()))
    return {
        title: [_number(name, every[name], digits=3) for name in names if name in every]
        for title, names in {**_GROUPS, "kept, and how fast": others}.items()
    }


def _number(title: str, estimate: Estimate, *, digits: int = 2) -> Number:
    if math.isnan(estimate.value):
        return Number(title, "–", "–", 0)
    interval = f"{estimate.low:.{digits}f}–{estimate.high:.{digits}f}"
    return Number(title, f"{estimate.value:.{digits}f}", interval, estimate.count)


def _bars(summary: Summary, measure: str, *, ticks: str | None = None) -> Markup | None:
    rows = {language_name(language): row for language, row in summary.languages.items()}
    bars = {name: row[measure] for name, row in rows.items() if measure in row and row[measure].count}
    ranked = dict(sorted(bars.items(), key=lambda bar: -bar[1].value))
    seconds = {name: rows[name][ticks] for name in ranked} if ticks else None
    return plots.language_bars(ranked, f"{measure} by language", ticks=seconds) if ranked else None


def _matrices(rows: Sequence[Row]) -> dict[int, Markup]:
    found = {within: matrix(rows, within=within) for within in _WITHIN}
    asked, answering = (sorted({language_name(pair[i]) for pair in found[_WITHIN[0]]}) for i in (0, 1))
    asked.sort(key=lambda name: name not in answering)  # so that a question's own language lies on the diagonal
    return {
        within: plots.heat_map(
            {(language_name(a), language_name(b)): value for (a, b), value in cells.items()},
            asked,
            answering,
            f"question language against document language, evidence among the first {within} passages",
        )
        for within, cells in found.items()
        if cells
    }


def _reliability(rows: Sequence[Row]) -> Markup:
    columns = certainty(rows)
    return plots.reliability_diagram(reliability(columns.confidence, columns.right))


def _risk(rows: Sequence[Row]) -> Markup:
    columns = certainty(rows)
    coverage, risk = risk_coverage(columns.confidence, columns.right)
    _, ideal = risk_coverage(columns.right.astype(float), columns.right)
    return plots.risk_coverage_curve(coverage, risk, ideal=ideal, answered=float(np.mean(~columns.abstained)))
