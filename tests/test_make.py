"""`make`, where it does more than call a program: a question is passed on as typed, a broken environment is mended."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose set-up is done, and whose `babelquote` prints what it is given."""
    shutil.copyfile(REPOSITORY / "Makefile", tmp_path / "Makefile")
    (tmp_path / "pyproject.toml").touch()
    program(tmp_path / ".venv/bin/babelquote", 'test "$1" = index || printf "<%s>" "$@"')
    for stamp in (".pip", ".runtime"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", *arguments], cwd=folder, capture_output=True, text=True, env={**kept, **variables}, check=False
    )


@pytest.mark.parametrize(
    "question", ["Berapa negara?", 'Who said "the bridge is closed"?', "It's $5, `echo RUN` or $(HOME)?", "-n", "谁?"]
)
def test_a_question_arrives_as_it_was_typed(checkout: Path, question: str) -> None:
    assert make(checkout, "ask", f"Q={question}").stdout == f"<ask><--><{question}>"
    assert make(checkout, "ask", Q=question).stdout == f"<ask><--><{question}>"


def test_no_question_is_a_usage_error(checkout: Path) -> None:
    done = make(checkout, "ask")
    assert done.returncode == 2
    assert 'make ask Q="your question"' in done.stdout


FAKE = """
case "$1$2" in
  -c*) exit 0 ;;
  -mvenv) mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo made >> made.txt ;;
esac
test -e pip.txt"""


def test_an_environment_that_failed_is_made_anew(tmp_path: Path) -> None:
    """As on Debian without python3-venv: `-m venv` fails, and leaves a Python without pip."""
    shutil.copyfile(REPOSITORY / "Makefile", tmp_path / "Makefile")
    python = program(tmp_path / "fake", FAKE)
    assert make(tmp_path, ".venv/.pip", f"PYTHON={python}").returncode == 2
    assert (tmp_path / ".venv/bin/python").exists()
    assert make(tmp_path, ".venv/.pip", f"PYTHON={python}").returncode == 2
    (tmp_path / "pip.txt").touch()  # what was missing is installed; that Python stands for one that has pip now
    for _ in range(2):
        assert make(tmp_path, ".venv/.pip", f"PYTHON={python}").returncode == 0
    assert (tmp_path / "made.txt").read_text() == "made\n" * 2
