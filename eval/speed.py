"""Times and memory as a user has them. Imports nothing that the bot does not need: it would count as the bot's."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from eval.gold import json_lines, split_files
from eval.progress import Track, silent
from qa.bot import Bot


def build_seconds(corpus: Path) -> float:
    """Indexing from nothing, as a whole command."""
    with TemporaryDirectory() as home:
        environment = {**os.environ, "BABELQUOTE_STORE__HOME": home}
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "qa", "index", str(corpus)], env=environment, check=True)
        return time.perf_counter() - began


def dev_questions() -> list[str]:
    """The shipped questions to develop with, as they are asked."""
    return [str(record["question"]) for _, record in json_lines(split_files(["dev"])[0])]


def warm_replies(bot: Bot, questions: Sequence[str], *, track: Track = silent) -> list[float]:
    """Seconds of each reply, one after the other, when the model is in memory."""
    bot.ask("warm up")
    seconds = []
    for question in track(questions, "asking"):
        began = time.perf_counter()
        bot.ask(question)
        seconds.append(time.perf_counter() - began)
    return seconds


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


def median_and_p95(seconds: Sequence[float]) -> str:
    """Both, for a person."""
    median, p95 = np.percentile(seconds, [50, 95])
    return f"median {1000 * median:.0f} ms, p95 {1000 * p95:.0f} ms"
