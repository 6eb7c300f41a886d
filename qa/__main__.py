"""The command line: `babelquote` or `python -m qa`."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from qa.catalogue import Catalogue
from qa.errors import BabelquoteError, PlaceMissing
from qa.filters import check_filters
from qa.records import Filters, IndexReport, Reply
from qa.serve.commands import users
from qa.settings import Settings, load_settings

if TYPE_CHECKING:
    from qa.bot import Bot

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Ask a document collection in any language; get the exact words of the sources, or an honest no.",
)  # fmt: skip
app.add_typer(users, name="user")
console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

IndexOption = Annotated[
    Path | None,
    typer.Option("--index", help="Index folder; default: the one brought up to date last"),
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
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders and files, together one corpus; default: those that the index was made of"),
    ] = None,
    index: IndexOption = None,
) -> None:
    """Build the index of some documents, or bring it up to date."""
    from qa.bot import build
    from qa.folders import newest_index, roots_of

    if not paths:
        settings = load_settings()
        index = index or newest_index(settings)
        paths = roots_of(index, settings)
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
    earlier: Annotated[
        list[str] | None, typer.Option(help="A question asked before this one, oldest first; repeatable")
    ] = None,
    batch: Annotated[str | None, typer.Option(help='File, or - for standard input: one {"question": …} a line')] = None,
    index: IndexOption = None,
) -> None:
    """Answer a question, or a batch of them."""
    from qa import render
    from qa.batch import open_batch
    from qa.bot import open_index
    from qa.folders import newest_index

    if (question is None) == (batch is None):
        raise typer.BadParameter("give a QUESTION, or --batch FILE")
    if batch and earlier:
        raise typer.BadParameter('--earlier goes with a QUESTION; in a batch, give a line its "earlier": ["…"]')
    if batch and not as_json:
        raise typer.BadParameter("--batch answers in JSON: add --json")
    settings = load_settings()
    filters = Filters(tuple(language or ()), tuple(source or ()), tuple(document or ()))
    folder = index or newest_index(settings)
    check_filters(filters, lambda: _catalogue(folder, settings), mark="--")
    stream = open_batch(batch) if batch is not None else None
    bot = open_index(folder, settings=settings)
    if stream is not None:
        _ask_lines(bot, stream, filters)
    elif question is not None:
        reply = bot.ask(question, filters=filters, earlier=earlier or ())
        print(json.dumps(render.to_json(reply), ensure_ascii=False) if as_json else render.to_text(reply))


@app.command()
def chat(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders and files to index first; default: the index that was brought up to date last"),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: a free one", min=0, max=65_535)] = None,
    index: IndexOption = None,
) -> None:
    """Serve the chat page, REST and MCP; prints the address."""
    from qa.bot import open_corpus, open_index, open_library
    from qa.feedback import FeedbackLog, feedback_path
    from qa.folders import index_folder, newest_index
    from qa.serve.users import users_for

    settings = load_settings()
    users_for(host or settings.chat.host, settings)  # refuses before anything is indexed
    folder = index or (index_folder(paths, settings) if paths else newest_index(settings))
    with ProgressBars() as progress:
        if paths:
            bot = open_corpus(paths, index=folder, settings=settings, progress=progress)
        else:
            bot = open_index(folder, settings=settings)
        library = open_library(bot)
        library.complete(progress=progress)
    feedback = FeedbackLog(feedback_path(folder), settings.feedback)
    (page,) = entry_points(group="babelquote.pages", name="chat")
    host, port = host or settings.chat.host, settings.chat.port if port is None else port
    page.load()(bot, host=host, port=port, library=library, feedback=feedback)


@app.command()
def mcp(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders and files to index first; default: the index that was brought up to date last"),
    ] = None,
    index: IndexOption = None,
) -> None:
    """Serve the tools ask and show to a program on this machine, over standard input (Model Context Protocol)."""
    from qa.bot import open_corpus, open_index
    from qa.folders import index_folder, newest_index
    from qa.serve.mcp import run_stdio
    from qa.serve.service import Service

    settings = load_settings()
    folder = index or (index_folder(paths, settings) if paths else newest_index(settings))
    bot = open_corpus(paths, index=folder, settings=settings) if paths else open_index(folder, settings=settings)
    try:
        run_stdio(Service(bot, settings=settings))
    finally:
        bot.close()


@app.command()
def export_reader(
    folder: Annotated[Path, typer.Argument(help="A new folder; 490 MB")],
) -> None:
    """Write the reader as a plain Hugging Face question-answering model."""
    from qa.read.export import export_reader

    export_reader(folder)
    console.print(f"{folder}: load it with transformers' AutoModelForQuestionAnswering and AutoTokenizer")


@app.command()
def show(
    document: Annotated[str | None, typer.Argument(help="Document id; without it, all documents are listed")] = None,
    start: Annotated[int, typer.Option(help="First character", min=0)] = 0,
    end: Annotated[int | None, typer.Option(help="Character after the last", min=0)] = None,
    index: IndexOption = None,
) -> None:
    """Print a document's text, or the part that a citation names."""
    from qa.folders import newest_index
    from qa.render import describe, shown
    from qa.serve.excerpts import excerpt
    from qa.store import Store

    settings = load_settings()
    with Store(index or newest_index(settings), settings.store).snapshot() as snapshot:
        if document is None:
            for known in snapshot.catalogue.entries():
                print(*map(shown, (known.id, known.language, known.title, describe(known))), sep="\t")
            return
        found = snapshot.document(document) if _is_unicode(document) else None
        if found is None:
            ids = ", ".join(snapshot.catalogue.some("id"))
            raise PlaceMissing(f"there is no document {document!r}; some that there are: {ids}")
    part = excerpt(found, start=start, end=end).text
    print("\n".join(map(shown, part.split("\n"))) if sys.stdout.isatty() else part)


def _print_report(report: IndexReport) -> None:
    from qa.render import shown

    for problem in report.problems:
        console.print(f"left out: {shown(problem.path)}: {shown(problem.message)}", style="yellow")
    for warning in report.warnings:
        console.print(f"read in part: {shown(warning.path)}: {shown(warning.message)}", style="yellow")
    print(
        f"{report.documents} documents, {report.passages} passages "
        f"({report.added} added, {report.updated} updated, {report.removed} removed; "
        f"{report.embedded} texts embedded in {report.seconds:.1f} s)"
    )


def _ask_lines(bot: "Bot", lines: BinaryIO, filters: Filters) -> None:
    from qa.batch import Asked, answers

    def ask(asked: Asked) -> Reply:
        if asked.filters != filters:
            check_filters(asked.filters, bot.catalogue)
        return bot.ask(asked.question, filters=asked.filters, earlier=asked.earlier)

    failed = 0
    for value in answers(lines, ask, filters=filters):
        failed += value["status"] == "error"
        print(json.dumps(value, ensure_ascii=False), flush=True)
    if failed:
        console.print(f"{failed} of the questions could not be asked; see their lines (status: error)")
        raise typer.Exit(1)


@contextlib.contextmanager
def _catalogue(folder: Path, settings: Settings) -> Iterator[Catalogue]:
    from qa.store import Store

    with Store(folder, settings.store).snapshot() as snapshot:
        yield snapshot.catalogue


def _is_unicode(argument: str) -> bool:
    """Whether an argument's bytes were UTF-8; a document's id always is."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


def _open_streams() -> None:
    """Standard streams that are closed lead nowhere, so that nothing else is opened under their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def main() -> None:
    """Entry point. Errors that are meant for users end with exit status 2 and one message, without a traceback."""
    _open_streams()
    try:
        app()
    except BabelquoteError as error:
        from qa.render import shown

        console.print("babelquote: " + "\n".join(map(shown, str(error).split("\n"))), style="red")
        sys.exit(2)
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
