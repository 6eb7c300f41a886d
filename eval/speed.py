"""Times and memory as a user has them. Imports nothing that the bot does not need: it would count as the bot's."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory


def build_seconds(corpus: Path) -> float:
    """Indexing from nothing, as a whole command."""
    with TemporaryDirectory() as home:
        environment = {**os.environ, "BABELQUOTE_STORE__HOME": home}
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "qa", "index", str(corpus)], env=environment, check=True)
        return time.perf_counter() - began


def cold_starts(index: Path, questions: Sequence[str], *, count: int) -> tuple[float, ...]:
    """Seconds that `babelquote ask` takes as a whole command, each time in a fresh process with another question."""
    seconds = []
    for number in range(count):
        question = questions[number * len(questions) // count]
        began = time.perf_counter()
        command = [sys.executable, "-m", "qa", "ask", question, "--json", "--index", str(index)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - began)
    return tuple(seconds)


def resident_megabytes() -> int:
    """What this process holds in memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
