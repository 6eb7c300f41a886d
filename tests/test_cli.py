"""The command line as users run it: help, what is missing or makes no sense, and folders to index."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.commands import run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Working folder of every process."""
    return tmp_path_factory.mktemp("cli")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["index", "ask", "chat", "show", "exact words"]),
        (["index", "--help"], ["paths", "Folders and files", "--index"]),
        (
            ["ask", "--help"],
            ["--json", "--language", "--source", "--document", "--earlier", "--batch", "--index"],
        ),
        (["show", "--help"], ["--start", "--end", "--index"]),
        (["chat", "--help"], ["--host", "--port", "--index"]),
    ],
)
def test_help_names_every_command_and_option(home: Path, arguments: Sequence[str], words: Sequence[str]) -> None:
    written = run(home, *arguments).stdout
    assert all(word in written for word in words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", "Who?"], "nothing is indexed in .*; run: babelquote index PATH"),
        (["index"], "nothing is indexed in"),
        (["ask", "--batch", "-", "--json"], "nothing is indexed in"),
        (["show"], "nothing is indexed in"),
        (["chat"], "nothing is indexed in"),
        (["show", "--index", "nowhere"], "nowhere"),
        (["index", "nowhere"], "nowhere does not exist; name a folder or a file that does"),
        (["index", "lie"], r"manifest\.json, document 1: a\.txt is not the file that the manifest vouches for"),
        (["ask", "--document", "a", "Who?", "--index", "nowhere"], "nowhere"),
    ],
)
def test_what_is_missing_or_lies_is_one_message_and_status_2(
    home: Path, tmp_path: Path, arguments: Sequence[str], message: str
) -> None:
    lie = home / "lie"
    lie.mkdir(exist_ok=True)
    (lie / "a.txt").write_text("x", encoding="utf-8")
    entry = {"id": "a", "path": "a.txt", "sha256": "0" * 64}
    (lie / "manifest.json").write_text(json.dumps({"documents": [entry]}), encoding="utf-8")
    done = run(home, *arguments, status=2, variables={"BABELQUOTE_STORE__HOME": str(tmp_path)})
    assert done.stdout == ""
    assert re.match(f"babelquote: .*{message}", done.stderr.strip())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask"], "give a QUESTION, or --batch FILE"),
        (["ask", "Who?", "--batch", "-", "--json"], "give a QUESTION, or --batch FILE"),
        (["ask", "--batch", "-"], "add --json"),
        (["ask", "--batch", "-", "--json", "--earlier", "Who?"], 'give a line its "earlier"'),
        (["show", "--start", "-1"], "--start"),
        (["show", "--end", "x"], "--end"),
        (["nonsense"], "No such command"),
    ],
)
def test_a_command_that_makes_no_sense_is_explained(home: Path, arguments: Sequence[str], message: str) -> None:
    assert message in " ".join(run(home, *arguments, status=2).stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"BABELQUOTE_CHUNK__MAX_TOKEN": "5"}, "no setting 'max_token' in chunk"),
        ({"BABELQUOTE_ANSWER__THRESHOLD": "high"}, "answer.threshold must be float, not 'high'"),
        ({"BABELQUOTE_SETTINGS": "nowhere.toml"}, "cannot read the settings file nowhere.toml"),
    ],
)
def test_a_wrong_setting_is_one_message_and_status_2(home: Path, variables: dict[str, str], message: str) -> None:
    for command in (["show"], ["ask", "Who?"]):
        assert message in run(home, *command, status=2, variables=variables).stderr


def test_an_index_is_brought_up_to_date_without_naming_what_it_was_made_of(home: Path) -> None:
    folder = home / "two words"
    folder.mkdir()
    (folder / "a.txt").write_text("The lighthouse of Zedwick was built in 1931.")
    run(home, "index", "two words", "--index", "an index")
    (folder / "b.txt").write_text("The harbour of Zedwick was built in 1871.")
    run(home, "index", "--index", "an index")
    assert "b.txt" in run(home, "show", "--index", "an index").stdout
    assert "there is no index in none" in run(home, "index", "--index", "none", status=2).stderr


def test_a_folder_without_text_is_an_error_that_says_why(home: Path) -> None:
    folder = home / "nothing to read"
    folder.mkdir()
    (folder / "scan.txt").write_bytes(b"%PDF-1.4")
    (folder / "x.docx").write_bytes(b"PK\x03\x04")
    done = run(home, "index", "nothing to read", status=2)
    written = done.stderr[done.stderr.index("babelquote: ") :]
    assert written.startswith("babelquote: no document could be read in nothing to read")
    assert "scan.txt: this is a PDF file; give it the suffix of its kind" in written
    assert "x.docx: is not a Word document that can be read" in written
