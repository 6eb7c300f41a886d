"""`python -m eval`: asks the gold questions and prints how the answers fare, language by language."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from eval.gold import GoldQuestion, split_files
from qa.errors import BabelquoteError

THRESHOLDS = Path(__file__).parent / "gate.toml"

# Other modules of `eval` are imported by the command that needs them: a run of one does not load what another wants.

CORPUS = Path(__file__).parents[1] / "corpus"
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
        return
    if compare:
        _compare(*compare)
        return
    from eval import result as results
    from eval import show
    from eval.fold import summarise
    from eval.gate import check
    from eval.report import render
    from eval.run import load_exam, run

    exam = load_exam(split, corpus=corpus, files=questions or ())
    result = run(exam, system=system, seed=seed, cold=cold, track=_track)
    summary = summarise(result)
    console.print(show.numbers(summary), show.table(result, summary))
    if misses:
        console.print("\n".join(show.misses(result.rows)), markup=False)
    if out:
        results.save(result, out)
    if report:
        report.write_text(render(result, summary), encoding="utf-8")
    checks = check(summary, thresholds) if gate else []
    show.print_gate(checks, console)
    if summary.pooled["verbatim"].value < 1 or not all(item.passed for item in checks):
        raise typer.Exit(1)


@app.command()
def baselines(split: Split = "dev", corpus: Corpus = None, questions: Questions = None) -> None:
    """Asks the same questions of the bot and of every baseline, and prints their numbers side by side."""
    from eval import show
    from eval.fold import summarise
    from eval.run import load_exam, run
    from eval.systems import SYSTEMS

    exam = load_exam(split, corpus=corpus, files=questions or ())
    summaries = {}
    for system in SYSTEMS:
        console.print(f"{system} …")
        summaries[system] = summarise(run(exam, system=system, track=_track))
    console.print(show.side_by_side(summaries))


@app.command()
def dialogues(
    split: Split = "dev",
    corpus: Corpus = None,
    questions: Annotated[list[Path] | None, typer.Option(help="Dialogue files, instead of the shipped ones")] = None,
) -> None:
    """Asks the gold dialogues turn by turn, their follow-ups also alone and reworded, and, to see what is taken for a
    follow-up and is none, every complete question of the split after another."""
    from eval.dialogues import load_talks, run_complete, run_dialogue, table
    from eval.systems import Task, open_bot
    from qa.settings import load_settings

    talks = load_talks(split, corpus=corpus, files=questions or ())
    bot = open_bot(Task(talks.corpus, load_settings(), ()))
    bars = Console(stderr=True)
    rows = [row for talk in track(talks.dialogues, "talking", console=bars) for row in run_dialogue(bot, talk)]
    rows += [run_complete(bot, *pair) for pair in track(talks.complete, "complete ones", console=bars)]
    console.print(table(rows))


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="A result that --out wrote")],
    page: Annotated[Path, typer.Argument(help="The HTML file to write")],
) -> None:
    """Makes the HTML report of a result without asking again."""
    from eval.fold import summarise
    from eval.report import render
    from eval.result import load

    loaded = load(result)
    page.write_text(render(loaded, summarise(loaded)), encoding="utf-8")


@app.command()
def locate(
    draft: Annotated[Path, typer.Argument(help="Questions with their answers as text, one JSON object a line")],
    corpus: Annotated[Path, typer.Option(help="Folder of the documents")],
    out: Annotated[Path, typer.Option(help="The question file to write")],
) -> None:
    """Finds where the answers of a draft stand, and writes the question file that --questions takes."""
    from eval.draft import locate as locate_draft
    from eval.run import read_documents
    from qa.settings import load_settings

    count, passed_over = locate_draft(draft, read_documents(corpus, load_settings()), out)
    console.print(f"{count} questions in {out}", markup=False)
    if passed_over:
        console.print(f'{passed_over} of the draft are still to be judged ("answers": null) and were passed over')


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
def calibrate(split: Annotated[str, typer.Option(help="dev; never fit on test")] = "dev") -> None:
    """Fits the probability that the first quote is right, and shows what each threshold would do."""
    import numpy as np

    from eval.calibrate import fit, held_out, judge, thresholds
    from eval.confidence import expected_error
    from eval.run import load_exam
    from eval.systems import Task, open_bot

    exam = load_exam(split)
    bot = open_bot(Task(exam.corpus, exam.settings, exam.gold))
    judged = [judge(question, bot.candidates(question.question)) for question in _track(exam.gold)]
    results = held_out(judged)
    confidence, right = map(np.array, zip(*results, strict=True))
    console.print(fit(judged))
    console.print(f"expected calibration error, cross-validated by fact: {expected_error(confidence, right):.3f}")
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
    """Reads each question's own paragraph with the reader alone, and prints F1 and exact match."""
    from eval import squad
    from eval.show import print_squad
    from qa.read import load_reader

    if len({squad.prediction_name(file) for file in files}) < len(files):
        raise typer.BadParameter("two files have one name; their predictions would overwrite each other")
    reader = load_reader()
    loaded = [(file, squad.load(file)) for file in files]
    if negatives:
        from qa.embed import load_encoder

        some = [question for _, questions in loaded for question in questions[:limit]]
        known = [question for _, questions in loaded for question in questions]
        asked = track(some, "reading", console=Console(stderr=True))
        separated = squad.separation(reader, load_encoder(), asked, known)
        console.print(f"answers or not, {len(some)} questions, AUROC: {separated:.3f}")
        return
    scores = {}
    for file, questions in loaded:
        chosen = questions[:limit]
        asked = track(chosen, file.name, console=Console(stderr=True))
        given = squad.predict(reader, asked, abstain=squad.may_abstain(questions))
        scores[file.name] = squad.score(chosen, given)
        if predictions:
            squad.save(given, file, predictions)
    print_squad(scores, console)


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
    from eval.bitext import accuracy, language, load
    from eval.show import print_bitext
    from eval.systems import encoders

    pairs = {language(file): load(file, limit) for file in files}
    found = {
        name: {code: accuracy(encoder, some) for code, some in track(pairs.items(), name, console=Console(stderr=True))}
        for name, encoder in ((name, make()) for name, make in encoders().items())
    }
    print_bitext(found, console)


@app.command()
def speed(
    corpus: Annotated[Path, typer.Option(help="Folder of the documents")] = CORPUS,
    cold: Annotated[int, typer.Option(help="How many fresh processes to time")] = 5,
) -> None:
    """Times a build from nothing as a user runs it, the dev questions one after the other, and fresh processes; prints
    the memory held."""
    from eval.speed import build_seconds, cold_starts, resident_megabytes
    from eval.systems import Task, index_of, open_bot
    from qa.settings import load_settings

    settings = load_settings()
    console.print(f"index from nothing, whole command: {build_seconds(corpus):.1f} s")
    lines = split_files(["dev"])[0].read_text(encoding="utf-8").splitlines()
    questions = [str(json.loads(line)["question"]) for line in lines]
    bot = open_bot(Task(corpus, settings, ()))
    bot.ask("warm up")
    seconds = []
    for question in track(questions, "asking", console=Console(stderr=True)):
        began = time.perf_counter()
        bot.ask(question)
        seconds.append(time.perf_counter() - began)
    _print_seconds("a question", seconds)
    console.print(f"resident memory while answering: {resident_megabytes()} MB")
    bot.close()
    started = cold_starts(index_of(corpus, settings), questions, count=cold)
    _print_seconds("a question in a fresh process, whole command", started)


def _compare(before: Path, after: Path) -> None:
    from eval.compare import compare
    from eval.result import load
    from eval.show import print_comparison

    print_comparison(compare(load(before), load(after)), console)


def _print_seconds(name: str, seconds: Sequence[float]) -> None:
    import numpy as np

    median, p95 = np.percentile(seconds, [50, 95])
    console.print(f"{name}: median {1000 * median:.0f} ms, p95 {1000 * p95:.0f} ms")


def _track(gold: Sequence[GoldQuestion]) -> Iterable[GoldQuestion]:
    return track(gold, "asking", console=Console(stderr=True))


if __name__ == "__main__":
    try:
        app()
    except BabelquoteError as error:
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        sys.exit(2)
