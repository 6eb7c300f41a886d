"""Results for a terminal: tables that a person reads in a minute."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eval.bootstrap import NOTHING, Estimate
from eval.compare import Change, Comparison
from eval.fold import Estimates, Summary, summarise
from eval.gate import Check
from eval.pool import Pool, Scores, first_right, matrix, measure
from eval.result import Place, Result, Row, Verdict
from eval.squad import Score
from qa.render import shown

COLUMNS = {
    "success@5": "in 5",
    "MRR": "MRR",
    "hit@1": "hit@1",
    "hit@n": "hit@n",
    "F1": "F1",
    "citation precision": "cited",
    "citation recall": "of all",
    "false abstention": "false abst.",
    "right abstention": "right abst.",
}
"""Measures of the table by language, and their headings."""

NEIGHBOURS = (
    "success@5", "MRR", "mAP", "hit@1", "best right", "F1", "false abstention", "right abstention", "abstention AUROC",
    "risk-coverage area", "calibration error", "found in", "own language first", "seconds warm, median",
)  # fmt: skip
"""Measures that systems are compared by."""


def table(result: Result, summary: Summary) -> Table:
    """Languages down, measures across; the macro average with its interval, and the worst language named."""
    made = result.provenance
    title = f"{escape(made.system)} on {escape(made.questions)}: {len(result.rows)} questions"
    asked = Counter(row.question.language for row in result.rows)
    grid = language_table(title, COLUMNS, summary, asked=asked)
    grid.add_row("95 % of macro", "", *intervals(summary.macro, COLUMNS))
    worst, value = summary.worst("hit@1")
    grid.caption = f"worst language by hit@1: {worst} ({number(value)})"
    return grid


def language_table(
    title: str, columns: Mapping[str, str], summary: Summary, *, asked: Counter[str] | None = None
) -> Table:
    """Languages down, then the mean over them and over all questions; the measures of `columns` across, under their
    headings. `asked`: how many questions each language has, for a column of its own."""
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    grid.add_column("language", no_wrap=True)
    for heading in (*(["asked"] if asked else ()), *columns.values()):
        grid.add_column(heading, justify="right")

    def add(name: str, row: Estimates) -> None:
        count = [str(asked.get(name, asked.total()))] if asked else []
        grid.add_row(name, *count, *(number(row.get(measure, NOTHING)) for measure in columns))

    for language, row in summary.languages.items():
        add(language, row)
    grid.add_section()
    add("macro average", summary.macro)
    add("all questions", summary.pooled)
    return grid


def numbers(result: Result, summary: Summary) -> Table:
    """Every measure of the whole run, with its interval."""
    grid = Table(title="over all questions; means are over languages", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("measure", "value", "95 % interval", "questions"):
        grid.add_column(heading, justify="left" if heading == "measure" else "right")
    for name, estimate in {**summary.macro, **summary.whole}.items():
        grid.add_row(name, number(estimate, digits=3), interval(estimate), str(estimate.count))
    grid.caption = result.provenance.caveat or None
    return grid


def misses(rows: Sequence[Row]) -> list[str]:
    """Every question that did not go right, with what was expected and what was given."""
    return [
        f"{row.question.id} ({row.verdict}): {shown(row.question.question)}\n"
        f"  expected {expected(row)}\n  given    {given(row)}"
        for row in rows
        if row.verdict != Verdict.RIGHT
    ]


def expected(row: Row) -> str:
    """The gold spans that differ, or that nothing answers."""
    spans = dict.fromkeys(span.text for span in row.question.spans)
    return " | ".join(map(shown, spans)) if spans else "(abstention)"


def given(row: Row) -> str:
    """The first quote, or the one that was withheld, its answer between ‹ and ›; or the error."""
    if row.error is not None:
        return f"(error) {row.error}"
    if row.abstained:
        withheld = f", would have quoted: {_marked(row.best)}" if row.best else ""
        return f"(abstained at {row.confidence:.2f}{withheld})"
    return _marked(row.quotes[0])


def side_by_side(results: Sequence[Result]) -> Table:
    """Systems across, measures down; all were asked the same."""
    first = results[0]
    grid = Table(
        title=f"systems side by side on {escape(first.provenance.questions)}: {len(first.rows)} questions",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    grid.add_column("measure", no_wrap=True)
    for result in results:
        grid.add_column(result.provenance.system, justify="right")
    summaries = [summarise(result) for result in results]
    for name in NEIGHBOURS:
        grid.add_row(name, *(number(summary.value(name), digits=3) for summary in summaries))
    caveats = [
        f"{result.provenance.system}: {result.provenance.caveat}" for result in results if result.provenance.caveat
    ]
    grid.caption = "\n".join(caveats) or None
    return grid


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Differences with their intervals, then the questions that went another way, worse ones first."""
    for note in comparison.notes:
        console.print(f"note: {note}", markup=False)
    grid = Table(
        title=f"{len(comparison.changes)} questions in both, after minus before",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("measure", "difference", "95 % interval"):
        grid.add_column(heading, justify="left" if heading == "measure" else "right")
    for name, estimate in comparison.differences.items():
        if estimate.value or estimate.low or estimate.high:
            clear = estimate.low > 0 or estimate.high < 0
            cells = (f"{estimate.value:+.3f}", f"{estimate.low:+.3f} … {estimate.high:+.3f}")
            grid.add_row(name, *cells, style="bold" if clear else None)
    console.print(grid)
    worse, better, other = (
        [change for change in comparison.changes if getattr(change, kind)] for kind in ("worse", "better", "other")
    )
    for title, changes in (("worse", worse), ("better", better)):
        console.print(f"\n{len(changes)} {title}")
        for change in changes:
            console.print(_change(change), markup=False)
    console.print(f"\n{len(other)} neither better nor worse, but another quote or another way to miss")
    for change in other:
        before, after = change.before, change.after
        console.print(f"{after.question.id}: {before.verdict} → {after.verdict}", markup=False)


def print_gate(checks: Sequence[Check], console: Console) -> None:
    """Each threshold, whether it was kept."""
    for check in checks:
        limit = f"at least {check.at_least}" if check.at_least is not None else f"at most {check.at_most}"
        console.print(
            f"{'kept  ' if check.passed else 'BROKEN'} {check.measure} {check.value:.3f}, {limit}", markup=False
        )


def number(estimate: Estimate, *, digits: int = 2) -> str:
    """The value, or a dash where there is none."""
    return "–" if math.isnan(estimate.value) else f"{estimate.value:.{digits}f}"


def interval(estimate: Estimate) -> str:
    """Its 95 % interval."""
    return "–" if math.isnan(estimate.value) else f"{estimate.low:.2f}–{estimate.high:.2f}"


def intervals(row: Estimates, columns: Mapping[str, str]) -> list[str]:
    """The intervals of these measures, short enough for narrow columns."""
    return [interval(row.get(name, NOTHING)).replace("0.", ".") for name in columns]


def _change(change: Change) -> str:
    question = change.after.question
    return (
        f"{question.id} ({change.before.verdict} → {change.after.verdict}): {shown(question.question)}\n"
        f"  expected {expected(change.after)}\n  before   {given(change.before)}\n  after    {given(change.after)}"
    )


def _marked(place: Place) -> str:
    return shown("{}‹{}›{}".format(*place.parts))


def print_squad(scores: Mapping[str, Score], console: Console) -> None:
    """F1, exact match, and F1 as MLQA's evaluation counts, in per cent, file by file; their means over files, and the
    worst file named."""
    found = Table("file", "questions", "unanswerable", "F1", "EM", "F1 as in MLQA", box=box.SIMPLE)
    for name, score in scores.items():
        values = _in_per_cent([score])
        found.add_row(escape(name), str(score.questions), str(score.unanswerable), *values)
    if len(scores) > 1:
        found.add_section()
        found.add_row("mean over files", "", "", *_in_per_cent(list(scores.values())))
        found.caption = f"worst file by F1: {escape(min(scores, key=lambda name: scores[name].f1))}"
    console.print(found)


def _in_per_cent(scores: Sequence[Score]) -> list[str]:
    """The means; a dash for a measure that not every one has."""
    columns = zip(*((score.f1, score.exact, score.mlqa_f1) for score in scores), strict=True)
    known = [[value for value in column if value is not None] for column in columns]
    return [f"{100 * fmean(values):.1f}" if len(values) == len(scores) else "–" for values in known]


def print_pool(pool: Pool, rankings: Mapping[str, Scores], console: Console) -> None:
    """Measures of each ranking, P@1 by language of the question, and the last one's R@10 by both languages."""
    measures = {name: measure(pool, scores) for name, scores in rankings.items()}
    by_language = {name: first_right(pool, scores) for name, scores in rankings.items()}
    names, languages = list(next(iter(measures.values()))), sorted(set(pool.asked_in))
    table = Table("", *names, box=box.SIMPLE)
    firsts = Table("P@1", *languages, box=box.SIMPLE)
    for name in rankings:
        table.add_row(name, *(f"{measures[name][measure]:.3f}" for measure in names))
        firsts.add_row(name, *(f"{by_language[name][language]:.3f}" for language in languages))
    name, scores = list(rankings.items())[-1]
    cells = matrix(pool, scores)
    pairs = Table(
        "question", *sorted(set(pool.languages)), box=box.SIMPLE, title=f"R@10 by language of the evidence: {name}"
    )
    for asked in languages:
        pairs.add_row(asked, *(f"{cells[asked, language]:.2f}" for language in sorted(set(pool.languages))))
    console.print(table, firsts, pairs)


def print_bitext(found: Mapping[str, Mapping[str, float]], console: Console) -> None:
    """A row a language, a column an encoder."""
    languages = list(next(iter(found.values())))
    table = Table("language", *found, box=box.SIMPLE)
    for language in languages:
        table.add_row(language, *(f"{scores[language]:.3f}" for scores in found.values()))
    table.add_row("mean", *(f"{sum(scores.values()) / len(scores):.3f}" for scores in found.values()))
    console.print(table)
