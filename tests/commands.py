"""The command line as users run it, in a working folder of the test's own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.lightbot import CHUNKED


def environment(home: Path) -> dict[str, str]:
    """Variables for a process whose indexes are kept below `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BABELQUOTE_")}
    return {
        **kept,
        "BABELQUOTE_STORE__HOME": str(home / "home"),
        "PYTHONPATH": str(REPOSITORY),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


def run(
    home: Path, *arguments: str, status: int = 0, variables: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """One command. It must end with the status, and never with a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "qa", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=home,
        env={**environment(home), **variables},
        timeout=200,
    )
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert "Traceback" not in err, err
    assert done.returncode == status, (out[-2_000:], err[-2_000:])
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def typed(home: Path, command: str, *, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A line in a shell, where `babelquote` has light parts."""
    light = f'babelquote() {{ "{sys.executable}" -m tests.lightbot "$@"; }}'
    return subprocess.run(
        ["bash", "-c", f"{light}; {command}"], input=given, capture_output=True, cwd=home, timeout=200,
        env={**environment(home), **CHUNKED, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
