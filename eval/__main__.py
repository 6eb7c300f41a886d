"""`python -m eval`: asks the gold questions and prints how the answers fare, language by language."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from eval import CORPUS, THRESHOLDS
from eval.progress import bar
from qa.errors import BabelquoteError

# Other modules of `eval` are imported by the command that needs them: a run of one does not load what another wants.

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(width=120, highlight=False)

Split = Annotated[str, typer.Option(help="dev, test, or all")]
Corpus = Annotated[Path | None, typer.Option(help="Folder of the documents; default: the shipped one")]
Questions = Annotated[list[Path] | None, typer.Option(help="Question files, instead of the shipped ones")]


@app.callback(invoke_without_command=True)
def evaluate(
    context: typer.Context,
    split: Split = "dev",
    corpus: Corpus = None,
    questions: Questions = None,
    system: Annotated[str, typer.Option(help="What is asked: babelquote, or a baseline")] = "babelquote",
    out: Annotated[Path | None, typer.Option(help="Write the result, as JSON")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report, as one HTML file")] = None,
    misses: Annotated[bool, typer.Option(help="List the questions that went wrong")] = False,
    gate: Annotated[bool, typer.Option(help="Fail if a threshold is not kept")] = False,
    thresholds: Annotated[Path, typer.Option(help="File of the thresholds")] = THRESHOLDS,
    compare: Annotated[tuple[Path, Path] | None, typer.Option(help="Ask nothing; compare two results")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws behind the intervals")] = 1,
    cold: Annotated[int, typer.Option(help="Time so many starts of a fresh process, too")] = 0,
) -> None:
    """Asks the gold questions and prints a table; ends with 1 if a quote is not verbatim or the gate is not kept."""
    if context.invoked_subcommand:
        _refuse_options(context, context.invoked_subcommand)
        return
    if compare:
        _compare(*compare)
        return
    from eval import gate as gates
    from eval import report as reports
    from eval import result as results
    from eval import run, show
    from eval.fold import summarise
    from eval.output import ready

    exam = run.load_exam(split, corpus=corpus, files=questions or ())
    limits = gates.load_thresholds(thresholds) if gate else None
    if limits:
        limits.require(run.measures(exam, cold=cold))
    for file in filter(None, (out, report)):
        ready(file)
    result = run.run(exam, system=system, seed=seed, cold=cold, track=bar)
    summary = summarise(result)
    console.print(show.numbers(result, summary), show.table(result, summary))
    if misses:
        console.print("\n".join(show.misses(result.rows)), markup=False)
    if out:
        results.save(result, out)
    if report:
        reports.save(result, summary, report)
    checks = gates.check(summary, limits) if limits else []
    show.print_gate(checks, console)
    if summary.pooled["verbatim"].value < 1 or not all(item.passed for item in checks):
        raise typer.Exit(1)


@app.command()
def baselines(split: Split = "dev", corpus: Corpus = None, questions: Questions = None) -> None:
    """Asks the same questions of the bot and of every baseline, and prints their numbers side by side."""
    from eval.run import load_exam, run
    from eval.show import side_by_side
    from eval.systems import SYSTEMS

    exam = load_exam(split, corpus=corpus, files=questions or ())
    results = []
    for system in SYSTEMS:
        console.print(f"{system} …")
        results.append(run(exam, system=system, track=bar))
    console.print(side_by_side(results))


@app.command()
def dialogues(
    split: Split = "dev",
    corpus: Corpus = None,
    questions: Annotated[list[Path] | None, typer.Option(help="Dialogue files, instead of the shipped ones")] = None,
) -> None:
    """Asks the gold dialogues turn by turn, their follow-ups also alone and reworded, and, to see what is taken for a
    follow-up and is none, every complete question of the split after another."""
    from eval.dialogues import load_talks, run_talks, table
    from eval.systems import Task, open_bot
    from qa.settings import load_settings

    talks = load_talks(split, corpus=corpus, files=questions or ())
    bot = open_bot(Task(talks.corpus, load_settings(), ()))
    console.print(table(run_talks(bot, talks, track=bar)))


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="A result that --out wrote")],
    page: Annotated[Path, typer.Argument(help="The HTML file to write")],
) -> None:
    """Makes the HTML report of a result without asking again."""
    from eval.fold import summarise
    from eval.report import save
    from eval.result import load

    loaded = load(result)
    save(loaded, summarise(loaded), page)


@app.command()
def locate(
    draft: Annotated[Path, typer.Argument(help="Questions with their answers as text, one JSON object a line")],
    corpus: Annotated[Path, typer.Option(help="Folder of the documents")],
    out: Annotated[Path, typer.Option(help="The question file to write")],
) -> None:
    """Finds where the answers of a draft stand, and writes the question file that --questions takes."""
    from eval.corpus import read_documents
    from eval.draft import locate as locate_draft
    from qa.settings import load_settings

    count, passed_over = locate_draft(draft, read_documents(corpus, load_settings()), out)
    console.print(f"{count} questions in {out}", markup=False)
    if passed_over:
        console.print(f'{passed_over} of the draft are still to be judged ("answers": null) and were passed over')


@app.command()
def from_squad(
    files: Annotated[list[Path], typer.Argument(help="Questions of SQuAD's form, NAME.QUESTION-CONTEXT.json.gz")],
    out: Annotated[Path, typer.Option(help="The folder to write")],
    limit: Annotated[int | None, typer.Option(min=1, help="So many questions of all, drawn at random")] = None,
    left_out: Annotated[float, typer.Option(min=0, max=1, help="Share of the paragraphs left out of the corpus")] = 0.3,
    seed: Annotated[int, typer.Option(help="Of the draws")] = 1,
) -> None:
    """Makes a corpus of all paragraphs and a question file about it, to ask the whole bot."""
    from eval.from_squad import DOCUMENTS, QUESTIONS, make

    made = make(files, out, limit=limit, left_out=left_out, seed=seed)
    console.print(f"{made.documents} documents, {made.answerable} questions and {made.unanswerable} without an answer")
    command = ["python", "-m", "eval", "--corpus", str(out / DOCUMENTS), "--questions", str(out / QUESTIONS)]
    console.print(shlex.join(command), markup=False, soft_wrap=True)


@app.command()
def feedback(
    log: Annotated[Path, typer.Argument(help="What the chat page kept: INDEX.feedback.jsonl")],
    out: Annotated[Path, typer.Option(help="The draft to write, for a person to look through and for locate")],
) -> None:
    """Makes the draft of a question file of what people thought of replies."""
    from eval.feedback import draft

    drafted = draft(log, out)
    console.print(f"{drafted.confirmed} confirmed and {drafted.to_judge} to judge in {out}", markup=False)
    if drafted.broken:
        console.print(f"{drafted.broken} broken lines of {log} were passed over", markup=False)


@app.command()
def calibrate(
    split: Annotated[str, typer.Option(help="dev; never fit on test")] = "dev",
    corpus: Corpus = None,
    questions: Questions = None,
    more: Annotated[
        Path | None, typer.Option(help="What from-squad made: the weights of the evidence are fitted on it, too")
    ] = None,
) -> None:
    """Fits the probability that the first quote is right, and shows what each threshold would do."""
    from eval.calibrate import ask, fit, held_out, held_out_error, thresholds
    from eval.from_squad import DOCUMENTS, QUESTIONS
    from eval.run import load_exam

    exam = load_exam(split, corpus=corpus, files=questions or ())
    other = load_exam(split, corpus=more / DOCUMENTS, files=[more / QUESTIONS]) if more else None
    judged, beside = ask(exam, bar), ask(other, bar) if other else []
    results = held_out(judged, beside)
    console.print(fit(judged, beside))
    console.print(f"expected calibration error, cross-validated by fact: {held_out_error(results):.3f}")
    console.print(thresholds(judged, results, shipped=exam.settings.answer.threshold))


@app.command()
def squad(
    files: Annotated[list[Path], typer.Argument(help="Question files of SQuAD's form, plain or .gz")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many questions of each file")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Folder for the predictions, NAME.json a file")] = None,
    negatives: Annotated[
        bool, typer.Option(help="Only tell paragraphs that answer from near ones that do not")
    ] = False,
) -> None:
    """Reads each question's own paragraph with the reader alone; prints F1, exact match, and F1 as MLQA counts."""
    from eval import squad
    from eval.show import print_squad
    from qa.read import load_reader

    if len({squad.prediction_name(file) for file in files}) < len(files):
        raise typer.BadParameter("two files have one name; their predictions would overwrite each other")
    loaded = {file: squad.load(file) for file in files}
    if negatives:
        from qa.embed import load_encoder

        some = [question for questions in loaded.values() for question in questions[:limit]]
        known = [question for questions in loaded.values() for question in questions]
        separated = squad.separation(load_reader(), load_encoder(), bar(some, "reading"), known)
        console.print(f"answers or not, {len(some)} questions, AUROC: {separated:.3f}")
        return
    print_squad(squad.read_all(load_reader(), loaded, limit=limit, folder=predictions, track=bar), console)


@app.command()
def retrieval(
    files: Annotated[list[Path], typer.Argument(help="Parallel questions, NAME.QUESTION-CONTEXT.json.gz")],
    sentences: Annotated[bool, typer.Option(help="Find sentences instead of passages")] = False,
) -> None:
    """Ranks a pool of parallel texts by words, by the encoder as it came, and step by step to the shipped one."""
    from eval.pool import load_pool
    from eval.show import print_pool
    from eval.systems import rankers

    pool = load_pool(files, by_sentence=sentences)
    console.print(f"{len(pool.questions)} questions, {len(pool.texts)} texts")
    print_pool(pool, {name: ranker(pool) for name, ranker in rankers().items()}, console)


@app.command()
def bitext(
    files: Annotated[list[Path], typer.Argument(help="Sentence pairs, NAME.LANGUAGE-eng.tsv.gz")],
    limit: Annotated[int, typer.Option(min=2, help="Pairs of each file")] = 300,
) -> None:
    """How often a sentence finds its translation, by language, from the encoder as it came to the shipped one."""
    from eval.bitext import accuracies
    from eval.show import print_bitext
    from eval.systems import encoders

    print_bitext(accuracies(files, encoders(), limit=limit, track=bar), console)


@app.command()
def speed(
    corpus: Annotated[Path, typer.Option(help="Folder of the documents")] = CORPUS,
    cold: Annotated[int, typer.Option(help="How many fresh processes to time")] = 5,
) -> None:
    """Times a build from nothing as a user runs it, the dev questions one after the other, and fresh processes; prints
    the memory held."""
    from eval import speed
    from eval.corpus import index_of
    from qa.bot import open_corpus
    from qa.settings import load_settings

    settings, questions = load_settings(), speed.dev_questions()
    index = index_of(corpus, settings)
    console.print(f"index from nothing, whole command: {speed.build_seconds(corpus):.1f} s")
    bot = open_corpus(corpus, index=index, settings=settings)
    warm = speed.warm_replies(bot, questions, track=bar)
    console.print(f"a question: {speed.median_and_p95(warm)}")
    console.print(f"resident memory while answering: {speed.resident_megabytes()} MB")
    bot.close()
    cold_seconds = speed.cold_starts(index, questions, count=cold)
    console.print(f"a question in a fresh process, whole command: {speed.median_and_p95(cold_seconds)}")


def _refuse_options(context: typer.Context, command: str) -> None:
    """They would have no effect: a command has its own."""
    sources = {param.opts[0]: context.get_parameter_source(param.name or "") for param in context.command.params}
    given = [option for option, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        raise typer.BadParameter(
            f"{', '.join(given)} before {command} has no effect; what {command} takes stands after its name"
        )


def _compare(before: Path, after: Path) -> None:
    from eval.compare import compare
    from eval.result import load
    from eval.show import print_comparison

    print_comparison(compare(load(before), load(after)), console)


if __name__ == "__main__":
    try:
        app()
    except BabelquoteError as error:
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        sys.exit(2)
