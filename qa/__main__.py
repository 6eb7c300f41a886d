"""The command line: `babelquote` or `python -m qa`."""

import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from qa.errors import BabelquoteError, QuestionError
from qa.records import Filters, IndexReport
from qa.settings import load_settings

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Ask a document collection in any language; get the exact words of the sources, or an honest no.",
)  # fmt: skip
console = Console(stderr=True)

MAX_LINE = 1_000_000
IndexOption = Annotated[
    Path | None, typer.Option("--index", help="Index folder; default: the one last built below .babelquote")
]


class ProgressBars:
    """One bar a stage on the terminal (standard error); shows nothing before there is something to do."""

    _TITLES = {"read": "Reading files", "embed": "Embedding", "index": "Indexing"}  # noqa: RUF012

    def __init__(self) -> None:
        self._bars = Progress(TextColumn("{task.description:>13}"), BarColumn(), MofNCompleteColumn(), console=console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "ProgressBars":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks and total:
            self._tasks[stage] = self._bars.add_task(self._TITLES[stage], total=total)
        if stage in self._tasks:
            self._bars.update(self._tasks[stage], completed=done, total=total)


@app.command()
def index(
    paths: Annotated[list[Path], typer.Argument(help="Folders and files; together they are one corpus")],
    index: IndexOption = None,
) -> None:
    """Build the index of some documents, or bring it up to date."""
    from qa.bot import build

    with ProgressBars() as progress:
        report = build(paths, index=index, progress=progress)
    _print_report(report)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="In any language")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply as JSON")] = False,
    language: Annotated[
        list[str] | None, typer.Option(help="Only passages in this language (ISO code); repeatable")
    ] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only documents of this source; repeatable")] = None,
    document: Annotated[list[str] | None, typer.Option(help="Only this document (id); repeatable")] = None,
    batch: Annotated[str | None, typer.Option(help='File, or - for standard input: one {"question": …} a line')] = None,
    index: IndexOption = None,
) -> None:
    """Answer a question, or a batch of them."""
    from qa import render
    from qa.bot import newest_index, open_index

    if (question is None) == (batch is None):
        raise typer.BadParameter("give a QUESTION, or --batch FILE")
    if batch and not as_json:
        raise typer.BadParameter("--batch answers in JSON: add --json")
    settings = load_settings()
    filters = Filters(tuple(language or ()), tuple(source or ()), tuple(document or ()))
    bot = open_index(index or newest_index(settings), settings=settings)
    if question is not None:
        reply = bot.ask(question, filters=filters)
        print(json.dumps(render.to_json(reply), ensure_ascii=False) if as_json else render.to_text(reply))
        return
    failed = 0
    for line in _lines(batch or "-"):
        try:
            value: dict[str, object] = render.to_json(bot.ask(_question(line), filters=filters))
        except QuestionError as error:
            failed += 1
            value = {"status": "error", "message": str(error)}
        print(json.dumps(value, ensure_ascii=False), flush=True)
    if failed:
        console.print(f"{failed} of the questions could not be asked; see their lines (status: error)")
        raise typer.Exit(1)


@app.command()
def chat(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders and files to index first; default: the index last built"),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on")] = None,
    index: IndexOption = None,
) -> None:
    """Open the chat page in this machine's browser."""
    from qa.bot import index_folder, newest_index, open_corpus, open_index

    settings = load_settings()
    if paths:
        with ProgressBars() as progress:
            bot = open_corpus(paths, index=index or index_folder(paths, settings), settings=settings, progress=progress)
    else:
        bot = open_index(index or newest_index(settings), settings=settings)
    (page,) = entry_points(group="babelquote.pages", name="chat")
    page.load()(bot, host=host or settings.chat.host, port=port or settings.chat.port)


@app.command()
def show(
    document: Annotated[str | None, typer.Argument(help="Document id; without it, all documents are listed")] = None,
    start: Annotated[int, typer.Option(help="First character")] = 0,
    end: Annotated[int | None, typer.Option(help="Character after the last")] = None,
    index: IndexOption = None,
) -> None:
    """Print a document's text, or the part that a citation names."""
    from qa.bot import newest_index
    from qa.render import describe
    from qa.store import Store

    settings = load_settings()
    with Store(index or newest_index(settings), settings.store).snapshot() as snapshot:
        if document is None:
            for known in snapshot.documents():
                print(f"{known.id}\t{known.language}\t{known.title}\t{describe(known)}")
            return
        found = snapshot.document(document)
        if found is None:
            ids = ", ".join(known.id for known in snapshot.documents()[:20])
            raise BabelquoteError(f"there is no document {document!r}; some that there are: {ids}")
    print(found.text[start:end])


def _print_report(report: IndexReport) -> None:
    for problem in report.problems:
        console.print(f"left out: {problem.path}: {problem.message}", style="yellow", highlight=False, markup=False)
    print(
        f"{report.documents} documents, {report.passages} passages "
        f"({report.added} added, {report.updated} updated, {report.removed} removed; "
        f"{report.embedded} texts embedded in {report.seconds:.1f} s)"
    )


def _lines(batch: str) -> Iterator[bytes]:
    """Lines of a file or of standard input, one at a time; of an overlong one only the beginning."""
    if batch == "-":
        yield from _bounded_lines(sys.stdin.buffer)
        return
    try:
        with Path(batch).open("rb") as stream:
            yield from _bounded_lines(stream)
    except OSError as error:
        raise BabelquoteError(f"cannot read {batch}: {error.strerror or error}") from error


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(MAX_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(MAX_LINE)):
            pass
        if line.strip():
            yield line


def _question(line: bytes) -> str:
    try:
        question = json.loads(line)["question"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise QuestionError(f'expected one JSON object with a "question" a line, but found {line[:60]!r}') from error
    if not isinstance(question, str):
        raise QuestionError(f'"question" must be text, not {type(question).__name__}')
    return question


def main() -> None:
    """Entry point. Errors that are meant for users end with exit status 2 and one message, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        app()
    except BabelquoteError as error:
        console.print(f"babelquote: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
