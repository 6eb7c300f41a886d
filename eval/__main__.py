"""`python -m eval`: asks the gold questions and prints how the answers fare, language by language."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval import metrics
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
    errors = sum(outcome.error is not None for outcome in outcomes)
    console.print(f"{sum(exact)} of {len(exact)} replies verbatim; {errors} errors")
    _print_speed(outcomes)
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
    # Not above: scikit-learn would count as ours in `speed`.
    from eval.calibrate import expected_error, fit, held_out, judge, thresholds

    gold = load_questions(split_files([split]), _documents(CORPUS))
    bot = open_corpus(CORPUS)
    judged = [judge(question, bot.candidates(question.question)) for question in _track(gold)]
    results = held_out(judged)
    console.print(fit(judged))
    console.print(f"expected calibration error, cross-validated by fact: {expected_error(results):.3f}")
    console.print(thresholds(judged, results))


@app.command()
def speed(corpus: Annotated[Path, typer.Option(help="Folder of the documents")] = CORPUS) -> None:
    """Times a build from nothing as a user runs it, then questions one after the other, and prints the memory held."""
    with TemporaryDirectory() as home:
        environment = {**os.environ, "BABELQUOTE_STORE__HOME": home}
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "qa", "index", str(corpus)], env=environment, check=True)
        console.print(f"index from nothing, whole command: {time.perf_counter() - began:.1f} s")
    outcomes, _ = _ask("dev", corpus, None, settings=load_settings())
    _print_speed(outcomes)


def _print_speed(outcomes: Sequence[Outcome]) -> None:
    seconds = sorted(outcome.seconds for outcome in outcomes)
    median, p95 = statistics.median(seconds), seconds[int(0.95 * len(seconds))]
    console.print(f"a question: median {1000 * median:.0f} ms, p95 {1000 * p95:.0f} ms")
    console.print(f"resident memory while answering: {resident_megabytes()} MB")


def _ask(
    split: str, corpus: Path, files: Sequence[Path] | None, *, settings: Settings
) -> tuple[list[Outcome], list[bool]]:
    documents = _documents(corpus)
    gold = load_questions(files or split_files(["dev", "test"] if split == "all" else [split]), documents)
    bot = open_corpus(corpus, settings=settings)
    bot.ask("warm up")
    outcomes = [ask(bot, question) for question in _track(gold)]
    known = {document.id: document for document in documents}
    return outcomes, [metrics.verbatim(outcome, known) for outcome in outcomes]


def _track(gold: Sequence[GoldQuestion]) -> Iterable[GoldQuestion]:
    return track(gold, "asking", console=Console(stderr=True))


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
