"""What the command line is given, in real processes with light parts: batches, places, bytes that are no text, streams
that are closed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qa.batch import MAX_VALUES
from qa.errors import BabelquoteError
from qa.serve.run import listen
from tests.commands import run, typed
from tests.conftest import REPOSITORY
from tests.light import update, write

ENGLISH = "The seminar was held in Shanghai. Forty countries took part.\n"
GERMAN = "Das Seminar fand in Schanghai statt. Vierzig Länder nahmen teil.\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with an index of two documents in `index`."""
    home = tmp_path_factory.mktemp("input")
    corpus = write(home / "corpus", {"a.txt": ENGLISH, "b.txt": GERMAN})
    update(corpus, home / "index")
    return home


def batch(home: Path, *lines: object, options: str = "") -> list[dict[str, Any]]:
    """The replies to these lines. Those that are no bytes are sent as JSON."""
    given = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    done = typed(home, f"babelquote ask --batch - --json --index index {options}", given=given)
    assert b"Traceback" not in done.stderr, done.stderr
    values = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(values) == len(lines), done.stderr
    assert done.returncode == int(any(value["status"] == "error" for value in values))
    return values


def found_in(value: dict[str, Any]) -> set[str]:
    assert value["status"] == "answered", value
    return {quote["document_id"] for quote in value["quotes"]}


# Batches


WHO = "Wer nahm am Seminar teil?"


def asked(**filters: object) -> dict[str, object]:
    return {"question": WHO, "filters": filters}


def test_a_line_restricts_its_own_question_and_no_other(home: Path) -> None:
    values = batch(
        home,
        asked(language=["de"]),
        asked(language=["en"]),
        asked(source=["a.txt"]),
        asked(document=["b.txt"]),
        asked(document=["a.txt"], language=["en", "de"]),
    )
    assert [found_in(value) for value in values] == [{"b.txt"}, {"a.txt"}, {"a.txt"}, {"b.txt"}, {"a.txt"}]


def test_a_lines_filter_replaces_that_of_the_command_line_and_joins_the_others(home: Path) -> None:
    values = batch(
        home,
        {"question": WHO},
        asked(document=["a.txt"]),
        asked(document=[], language=["en"]),
        asked(language=["en"]),
        options="--document b.txt --language de --language en",
    )
    assert [found_in(value) for value in values[:3]] == [{"b.txt"}, {"a.txt"}, {"a.txt"}]
    assert (values[3]["status"], values[3]["reason"]) == ("abstained", "nothing_retrieved")  # no English in b.txt


def test_what_else_a_line_says_is_passed_over(home: Path) -> None:
    plain, more = batch(home, {"question": WHO}, {"id": 7, "question": WHO, "language": "de", "answers": None})
    assert more == plain


def test_a_filter_that_is_wrong_is_its_lines_error(home: Path) -> None:
    lines: dict[str, str] = {
        '{"question": "Wer?", "filters": ["fr"]}': '"filters" must be an object with language, source, document',
        '{"question": "Wer?", "filters": {"languages": ["fr"]}}': '"filters" must be an object with language, source',
        '{"question": "Wer?", "filters": {"language": "de"}}': '"language" must be a list of names, not str',
        '{"question": "Wer?", "filters": {"source": [1]}}': '"source" must hold names as text, not int',
        '{"question": "Wer?", "filters": {"document": null}}': '"document" must be a list of names, not NoneType',
        '{"question": "Wer?", "filters": {"language": ["fr"]}}': "language 'fr' is not in the index; some that are: de",
        '{"question": "Wer?", "filters": {"language": ["German"]}}': "language 'German' is not a language code",
        '{"question": "Wer?", "filters": {"document": ["\\udce9"]}}': r"document '\udce9' is not in the index",
        json.dumps(asked(document=["a.txt"] * (MAX_VALUES + 1))): "at most 100 languages, sources",
    }
    *values, last = batch(home, *(line.encode() for line in lines), {"question": "Wer nahm teil?"})
    for value, message in zip(values, lines.values(), strict=True):
        assert list(value) == ["status", "message"]
        assert value["message"].startswith(message)
    assert last["status"] == "answered"


# Places


@pytest.mark.parametrize(
    ("place", "named"),
    [("--start 999999", "999999-"), ("--start 61", "61-"), ("--start 30 --end 10", "30-10"), ("--end 0", "0-0")],
)
def test_a_place_that_is_not_in_a_document_is_an_error(home: Path, place: str, named: str) -> None:
    done = run(home, "show", "a.txt", *place.split(), "--index", "index", status=2)
    assert done.stdout == ""
    assert done.stderr == f"babelquote: 'a.txt' has characters 0-{len(ENGLISH)}; there is no place {named} in it\n"


def test_a_documents_name_that_is_no_text_is_unknown(home: Path) -> None:
    for command in ("show $'caf\\xe9.txt'", "ask Who? --document $'caf\\xe9.txt'"):
        done = typed(home, f"babelquote {command} --index index")
        assert (done.returncode, done.stdout) == (2, b"")
        assert re.search(rb"document 'caf\\udce9.txt'.*: a.txt, b.txt\n$", done.stderr), done.stderr
        assert b"Traceback" not in done.stderr


# Streams that are closed


def test_a_question_needs_no_standard_input(home: Path) -> None:
    for redirection in ("<&-", "2>&-", "<&- 2>&-"):
        done = typed(home, f'babelquote ask "Who took part?" --index index {redirection}')
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"confidence")


def test_a_batch_needs_one(home: Path) -> None:
    done = typed(home, "babelquote ask --batch - --json --index index <&-")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == (
        b"babelquote: cannot read questions: standard input is closed; name a file: --batch FILE\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "status"),
    [("show --index index", 0), ("show nowhere --index index", 2), ("--help", 0), ("nonsense", 2)],
)
def test_commands_end_as_always_without_standard_error(home: Path, command: str, status: int) -> None:
    for redirection in ("2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
        done = typed(home, f"babelquote {command} {redirection}")
        assert done.returncode == status
        assert bool(done.stdout) == (status == 0 and ">&- 2" not in redirection)


def test_a_password_that_cannot_be_read_is_none(home: Path) -> None:
    done = typed(home, "babelquote user add anna <&-")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"the password has 0 characters" in done.stderr


def test_nothing_is_opened_under_the_number_of_a_closed_stream(home: Path) -> None:
    code = (
        "import os, tempfile, qa.__main__ as m; m.app = lambda: print(tempfile.TemporaryFile().fileno() > 2); m.main()"
    )
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{code}" <&- 2>&-'], capture_output=True, cwd=home, timeout=60,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.stdout == b"True\n"


# The address


@pytest.mark.parametrize(
    ("port", "bound"), [("70000", "less than or equal to 65535"), ("-1", "greater than or equal to 0")]
)
def test_a_port_that_is_none_is_refused(home: Path, port: str, bound: str) -> None:
    written = run(home, "chat", f"--port={port}", status=2).stderr
    assert bound in " ".join(written.replace("│", " ").split())


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_host_that_is_none_is_named(host: str) -> None:
    with pytest.raises(BabelquoteError, match=f"cannot listen on '{host}': it is not the name or address of a machine"):
        listen(host, 0)


def test_help_says_what_chat_does(home: Path) -> None:
    for arguments in (["--help"], ["chat", "--help"]):
        written = " ".join(run(home, *arguments).stdout.split())
        assert "Serve the chat page, REST and MCP; prints the address." in written
        assert "browser" not in written
