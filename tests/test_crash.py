"""A run that is killed at any moment harms nothing, and what it had done is not done again."""

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from qa.store import Store
from qa.truth import Truth
from tests.conftest import REPOSITORY
from tests.light import LOCAL, LightEncoder, about, ask, live_passages, novel, update, verify, write

FIRST = {f"{number}.txt": novel(number, sentences=30) for number in range(1, 25)}
SECOND = {
    **{f"{number}.txt": novel(number, sentences=30) for number in range(1, 5)},
    **{f"{number}.txt": novel(number, version="second", sentences=30) for number in range(5, 21)},
    **{f"{number}.txt": novel(number, version="second", sentences=30) for number in range(31, 41)},
}
QUESTIONS = [about(number) for number in (3, 7, 22, 35)]


def run_and_kill(corpus: Path, index: Path, *, stage: str, share: float, delay: float) -> int:
    """Kills a run `delay` seconds after it has done this share of the stage. Returns its exit status."""
    command = [sys.executable, "-m", "tests.light", "index", str(corpus), str(index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.split()[0] == stage and int(line.split()[1]) >= share * int(line.split()[2]):
                break
        try:
            return run.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            run.kill()
            return run.wait()


def known_texts(index: Path, texts: set[str]) -> set[str]:
    with closing(Truth(index / "truth.sqlite3")) as truth:
        return set(truth.cached_vectors(LightEncoder().name, sorted(texts)))


def staged_keys(index: Path) -> set[int]:
    with closing(Truth(index / "truth.sqlite3")) as truth:
        return set(truth.staged_keys())


def row_counts(index: Path) -> dict[str, int]:
    with closing(sqlite3.connect(index / "truth.sqlite3")) as connection:
        return {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("documents", "passages", "words")
        }


def test_a_killed_run_harms_nothing_and_the_next_goes_on_from_there(tmp_path: Path) -> None:
    corpus, original, fresh = tmp_path / "corpus", tmp_path / "original", tmp_path / "fresh"
    update(write(corpus, FIRST), original)
    old_answers, old = [ask(original, question) for question in QUESTIONS], set(live_passages(original).values())
    encoder = LightEncoder()
    update(write(corpus, SECOND), fresh, encoder=encoder)
    new_answers, new = [ask(fresh, question) for question in QUESTIONS], set(live_passages(fresh).values())
    assert old_answers != new_answers
    needed = set(encoder.seen)
    chance = random.Random(20261124)
    work_left, statuses = set[int](), list[int]()
    for number in range(20):
        index = tmp_path / f"index{number}"
        shutil.copytree(original, index)
        for stage in (("read", "embed", "index", "index")[number % 4], *(["embed"] if number % 5 == 0 else [])):
            share = 1.0 if stage == "index" else chance.random() * 0.9
            status = run_and_kill(corpus, index, stage=stage, share=share, delay=chance.random() * 0.08)
            statuses.append(status)
            verify(index)
            assert set(live_passages(index).values()) in (old, new)
            is_new = set(live_passages(index).values()) == new
            assert [ask(index, question) for question in QUESTIONS] == (new_answers if is_new else old_answers)
        known, staged = known_texts(index, needed), staged_keys(index)
        next_run = LightEncoder()
        report = update(corpus, index, encoder=next_run)
        assert set(next_run.seen) == needed - known
        assert report.embedded == len(next_run.seen) == len(needed) - len(known)
        assert staged <= live_passages(index).keys()
        assert set(live_passages(index).values()) == new
        assert [ask(index, question) for question in QUESTIONS] == new_answers
        verify(index)
        assert row_counts(index) == {"documents": len(SECOND), "passages": len(new), "words": len(new)}
        generations = {path.name for path in index.glob("vectors-*")}
        assert f"vectors-{Store(index, LOCAL).state()['generation']}" in generations
        assert len(generations) <= 2
        assert {path.name.split("-")[0] for path in index.iterdir()} <= {"lock", "truth.sqlite3", "vectors"}
        work_left.add(report.embedded)
        shutil.rmtree(index)
    # Most runs were indeed killed, some of them before everything was embedded and some after.
    assert statuses.count(-9) >= 12
    assert min(work_left) == 0 < max(work_left)
