"""`python -m eval`: asks the gold questions and prints how the answers fare, language by language."""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval import metrics
from eval.calibrate import expected_error, fit, thresholds
from eval.gold import GoldQuestion, load_questions, split_files
from eval.metrics import Outcome
from qa.bot import Bot, open_corpus
from qa.errors import BabelquoteError
from qa.ingest import find_sources, read_document
from qa.records import Document
from qa.settings import Settings, load_settings

CORPUS = Path(__file__).parents[1] / "corpus"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(width=110)


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    split: Annotated[str, typer.Option(help="dev, test, or all")] = "dev",
    corpus: Annotated[Path, typer.Option(help="Folder of the documents")] = CORPUS,
    questions: Annotated[list[Path] | None, typer.Option(help="Question files, instead of the shipped ones")] = None,
    misses: Annotated[bool, typer.Option(help="List the questions that went wrong")] = False,
) -> None:
    """Asks the gold questions and prints a table."""
    if context.invoked_subcommand:
        return
    outcomes, exact = _ask(split, corpus, questions, settings=load_settings())
    console.print(_table(outcomes))
    seconds = [outcome.seconds for outcome in outcomes]
    median, p95 = statistics.median(seconds), sorted(seconds)[int(0.95 * len(seconds))]
    errors = sum(outcome.error is not None for outcome in outcomes)
    console.print(f"{sum(exact)} of {len(exact)} replies verbatim; {errors} errors")
    console.print(f"seconds a question: median {median:.3f}, p95 {p95:.3f}")
    console.print(f"resident memory: {resident_megabytes()} MB")
    if misses:
        for outcome in filter(_missed, outcomes):
            given = outcome.quotes[0].text if outcome.quotes else outcome.error or "(abstained)"
            expected = outcome.question.spans[0].text if outcome.question.spans else "(abstention)"
            console.print(
                f"{outcome.question.id}: {outcome.question.question}\n  expected {expected}\n  given {given}",
                markup=False,
            )
    if not all(exact):
        raise typer.Exit(1)


@app.command()
def calibrate(split: Annotated[str, typer.Option(help="dev; never fit on test")] = "dev") -> None:
    """Fits the probability that the first quote is right, and shows what each threshold would do."""
    settings = load_settings()
    always = replace(settings, answer=replace(settings.answer, threshold=0.0))
    outcomes, _ = _ask(split, CORPUS, None, settings=always)
    calibration = fit(outcomes)
    console.print(f"{calibration}\nexpected calibration error, cross-validated by fact: {expected_error(outcomes):.3f}")
    console.print(thresholds(outcomes, calibration))


def _ask(
    split: str, corpus: Path, files: Sequence[Path] | None, *, settings: Settings
) -> tuple[list[Outcome], list[bool]]:
    documents = _documents(corpus)
    gold = load_questions(files or split_files(["dev", "test"] if split == "all" else [split]), documents)
    bot = open_corpus(corpus, settings=settings)
    bot.ask("warm up")
    outcomes = [ask(bot, question) for question in track(gold, "asking", console=Console(stderr=True))]
    known = {document.id: document for document in documents}
    return outcomes, [metrics.verbatim(outcome, known) for outcome in outcomes]


def ask(bot: Bot, question: GoldQuestion) -> Outcome:
    """One outcome; an error is kept as such."""
    began = time.perf_counter()
    try:
        reply, error = bot.ask(question.question), None
    except BabelquoteError as raised:
        reply, error = None, str(raised)
    return Outcome(question, reply, error, time.perf_counter() - began)


def resident_megabytes() -> int:
    """What this process holds in memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def _documents(corpus: Path) -> list[Document]:
    settings = load_settings()
    return [read_document(source, settings.ingest) for source in find_sources([corpus])[0]]


def _missed(outcome: Outcome) -> bool:
    return not (metrics.hit(outcome) if outcome.question.answerable else outcome.abstained)


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title=f"{len(outcomes)} questions", title_justify="left")
    names = [
        "language",
        "asked",
        "hit@1",
        "hit@n",
        "answer F1",
        "cited: precision",
        "recall",
        "false abst.",
        "unansw.",
        "right abst.",
    ]
    for name in names:
        table.add_column(name, justify="left" if name == "language" else "right")
    languages = sorted({outcome.question.language for outcome in outcomes})
    rows = {language: _row([o for o in outcomes if o.question.language == language]) for language in languages}
    for language, row in rows.items():
        table.add_row(language, *map(_cell, row))
    table.add_section()
    columns = list(zip(*rows.values(), strict=True))
    table.add_row("macro average", *map(_cell, (_mean(c for c in column if c is not None) for column in columns)))
    table.add_row("all questions", *map(_cell, _row(outcomes)))
    hits = {language: row[1] for language, row in rows.items() if row[1] is not None}
    worst = min(hits, key=lambda language: hits[language], default="none")
    table.caption = f"worst language by hit@1: {worst}"
    return table


def _row(outcomes: Sequence[Outcome]) -> list[float | None]:
    answerable = [outcome for outcome in outcomes if outcome.question.answerable]
    others = [outcome for outcome in outcomes if not outcome.question.answerable]
    answered = [outcome for outcome in answerable if outcome.quotes]

    def mean(measure: Callable[[Outcome], float], over: Sequence[Outcome]) -> float | None:
        return _mean(float(measure(outcome)) for outcome in over)

    return [
        len(answerable),
        mean(metrics.hit, answerable),
        mean(lambda outcome: metrics.hit(outcome, None), answerable),
        mean(metrics.answer_f1, answerable),
        mean(metrics.citation_precision, answered),
        mean(metrics.citation_recall, answerable),
        mean(lambda outcome: outcome.abstained, answerable),
        len(others),
        mean(lambda outcome: outcome.abstained, others),
    ]


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.fmean(found) if found else None


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    app()
