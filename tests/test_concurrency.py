"""Many ask while one writes: every answer is right for one version of the corpus, whole, and never an error."""

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest

from qa.errors import IndexBroken, IndexBusy, IndexStale, StoreError
from qa.records import Filters
from qa.store import Snapshot, Store
from tests.conftest import REPOSITORY
from tests.light import LOCAL, LightEncoder, Place, about, ask, live_passages, novel, update, verify, write
from tests.lightbot import light_bot

VERSIONS = (
    {f"{number}.txt": novel(number, sentences=12) for number in range(1, 13)},
    {f"{number}.txt": novel(number, version="second", sentences=12) for number in range(1, 10)},
)
QUESTIONS = [about(number) for number in range(1, 13)]
Answers = dict[str, list[Place]]


class Corpus:
    """A corpus with two versions, the index of one of them, and what is right for each."""

    def __init__(self, folder: Path) -> None:
        self.index = folder / "index"
        self.versions = [write(folder / f"version{number}", texts) for number, texts in enumerate(VERSIONS)]
        self.corpus = folder / "corpus"
        self.right: list[Answers] = []
        for number in (1, 0):
            self.switch(number)
            self.right.insert(0, {question: ask(self.index, question) for question in QUESTIONS})
        assert all(self.right[0][question] != self.right[1][question] for question in QUESTIONS)

    def switch(self, number: int) -> None:
        """Indexes that version."""
        update(write(self.corpus, VERSIONS[number]), self.index)

    def version_of(self, question: str, answer: list[Place]) -> int | None:
        """Which version it is right for; `None` if for neither."""
        return next((number for number, right in enumerate(self.right) if right[question] == answer), None)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


class Askers:
    """Threads that ask as long as the block lasts. Any wrong answer or error fails the test at its end."""

    def __init__(self, corpus: Corpus, asking: list[Callable[[str], list[Place]]]) -> None:
        self._corpus = corpus
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=pair) for pair in enumerate(asking)]
        self.counts = [0] * len(asking)
        self.versions: set[int | None] = set()
        self.wrong: list[object] = []

    def __enter__(self) -> "Askers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        assert self.wrong == []
        assert self.versions == {0, 1}
        assert min(self.counts) > 5

    def _ask(self, number: int, asking: Callable[[str], list[Place]]) -> None:
        chance = random.Random(number)
        while not self._done.is_set() and not self.wrong:
            question = chance.choice(QUESTIONS)
            try:
                answer = asking(question)
            except Exception as error:
                self.wrong.append(error)
                return
            version = self._corpus.version_of(question, answer)
            if version is None:
                self.wrong.append((question, answer))
            self.versions.add(version)
            self.counts[number] += 1


class AskingProcess:
    """A process that answers a question at a time."""

    def __init__(self, command: str, index: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.light", command, str(index)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )  # fmt: skip

    def __call__(self, question: str) -> list[Place]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(f"{question}\n")
            process.stdin.flush()
            return [tuple(place) for place in json.loads(process.stdout.readline())]
        except (OSError, ValueError) as error:
            raise AssertionError(process.stderr.read()) from error

    def close(self) -> None:
        self._process.communicate()


def test_eight_processes_get_right_answers_while_another_re_indexes(corpus: Corpus) -> None:
    with ExitStack() as stack:
        commands = ["ask", "ask", "ask", "ask", "ask-anew", "ask-anew", "ask-anew", "ask-anew"]
        asking = [stack.enter_context(closing(AskingProcess(command, corpus.index))) for command in commands]
        for process in asking:
            process(QUESTIONS[0])  # all have started
        with Askers(corpus, [*asking]):
            for number in (1, 0, 1, 0, 1, 0, 1, 0):
                corpus.switch(number)
    corpus.switch(1)
    verify(corpus.index)
    assert len(list(corpus.index.glob("vectors-*"))) <= 2


def test_threads_get_right_answers_while_another_process_swaps_many_times(corpus: Corpus) -> None:
    command = [sys.executable, "-m", "tests.light", "index", str(corpus.corpus), str(corpus.index)]
    with (
        closing(Store(corpus.index, LOCAL)) as store,
        Askers(corpus, [lambda question: ask(store, question) for _ in range(6)]),
    ):
        for number in (1, 0, 1, 0, 1):
            write(corpus.corpus, VERSIONS[number])
            subprocess.run(command, check=True, capture_output=True, cwd=REPOSITORY)


def test_a_question_that_began_before_several_swaps_is_answered_from_the_last(corpus: Corpus) -> None:
    for warm in (True, False):
        (vector,) = LightEncoder().encode_queries([QUESTIONS[0]])
        with closing(Store(corpus.index, LOCAL)) as store, store.snapshot() as old:
            if warm:
                assert old.search_vectors(vector, limit=5, filters=Filters())
            generation = old.state["generation"]
            for number in (1, 0, 1):
                corpus.switch(number)
            with pytest.raises(IndexBroken, match="babelquote index"):
                old.search_vectors(vector, limit=5, filters=Filters())
            assert ask(store, QUESTIONS[0]) == corpus.right[1][QUESTIONS[0]]
            assert not (corpus.index / f"vectors-{generation}").exists()
        corpus.switch(0)


def test_reading_begins_again_as_often_as_swaps_delete_what_it_reads(corpus: Corpus) -> None:
    (vector,) = LightEncoder().encode_queries([QUESTIONS[0]])
    generations: list[str] = []

    def work(snapshot: Snapshot) -> list[tuple[int, float]]:
        generations.append(snapshot.state["generation"])
        if len(generations) <= 4:
            for number in (1, 0):
                corpus.switch(number)
        return snapshot.search_vectors(vector, limit=1, filters=Filters())

    with closing(Store(corpus.index, LOCAL)) as store:
        ((key, _),) = store.read(work)
    assert len(set(generations)) == len(generations) == 5
    assert key in live_passages(corpus.index)


def test_one_swap_disturbs_no_question_that_has_begun(corpus: Corpus) -> None:
    (vector,) = LightEncoder().encode_queries([QUESTIONS[0]])
    with closing(Store(corpus.index, LOCAL)) as store, store.snapshot() as old:
        before = old.search_vectors(vector, limit=5, filters=Filters())
        corpus.switch(1)
        assert ask(store, QUESTIONS[0]) == corpus.right[1][QUESTIONS[0]]
        assert old.search_vectors(vector, limit=5, filters=Filters()) == before
        assert all(
            passage.text in VERSIONS[0][passage.document_id]
            for passage in old.passages([k for k, _ in before]).values()
        )


@pytest.fixture
def hectic() -> Iterator[None]:
    """Threads take turns every few instructions, so that rare orders become common."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hectic")
def test_threads_on_both_sides_of_a_swap_do_not_disturb_each_other(corpus: Corpus) -> None:
    (vector,) = LightEncoder().encode_queries([QUESTIONS[0]])
    wrong: list[object] = []

    def search(snapshot: Snapshot, expected: list[tuple[int, float]]) -> None:
        try:
            for _ in range(40):
                if snapshot.search_vectors(vector, limit=5, filters=Filters()) != expected:
                    wrong.append("another answer")
        except StoreError as error:
            wrong.append(error)

    with closing(Store(corpus.index, LOCAL)) as store, store.snapshot() as old:
        corpus.switch(1)
        with store.snapshot() as new:
            sides = [(side, side.search_vectors(vector, limit=5, filters=Filters())) for side in (old, new)]
            threads = [threading.Thread(target=search, args=side) for side in sides * 4]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert wrong == []


def test_two_writers_at_once_both_end_well(corpus: Corpus) -> None:
    write(corpus.corpus, VERSIONS[1])
    command = [sys.executable, "-m", "tests.light", "index", str(corpus.corpus), str(corpus.index)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) for _ in range(2)]
    reports = [json.loads(writer.communicate()[0].splitlines()[-1]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(report["updated"] for report in reports) == [0, 9]
    assert {question: ask(corpus.index, question) for question in QUESTIONS} == corpus.right[1]
    verify(corpus.index)


def test_of_writers_that_do_not_wait_one_writes_and_the_others_are_told(corpus: Corpus) -> None:
    write(corpus.corpus, VERSIONS[1])
    outcomes: list[object] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        try:
            outcomes.append(update(corpus.corpus, corpus.index, wait=False).updated)
        except IndexBusy as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(9) == 1
    assert set(outcomes) <= {9, 0, IndexBusy}
    assert {question: ask(corpus.index, question) for question in QUESTIONS} == corpus.right[1]
    verify(corpus.index)


def test_an_open_bot_does_not_ask_vectors_of_another_encoder(corpus: Corpus) -> None:
    """Its questions would be near to nothing that answers them, and it would be sure of something else."""
    with closing(light_bot(corpus.index)) as bot:
        assert bot.ask(QUESTIONS[0]).question == QUESTIONS[0]
        update(corpus.corpus, corpus.index, encoder=LightEncoder("other"))
        for use in (bot.ask, bot.candidates, bot.hits):
            with pytest.raises(IndexStale, match="another encoder meanwhile; start this program again"):
                use(QUESTIONS[0])
        assert bot.document("1.txt") is not None


def test_fifty_swaps_in_one_process_hold_on_to_nothing(tmp_path: Path) -> None:
    process = psutil.Process()
    corpus, index, question = tmp_path / "corpus", tmp_path / "index", QUESTIONS[0]
    measured: list[tuple[int, int, int]] = []
    with closing(Store(index, LOCAL)) as store:
        for number in range(50):
            update(write(corpus, {"1.txt": novel(1, version=f"{number}th")}), index)
            assert f"the {number}th report" in ask(store, question)[0][3]
            measured.append((process.num_fds(), process.num_threads(), process.memory_info().rss))
    # The least of ten: threads of a closed Chroma database end a moment later, what leaks is in every one.
    files, threads, memory = map(min, zip(*measured[5:15], strict=True))
    files_later, threads_later, memory_later = map(min, zip(*measured[-10:], strict=True))
    assert files_later <= files + 2
    assert threads_later <= threads + 2
    assert memory_later < memory + 50_000_000
    assert len(list(index.glob("vectors-*"))) <= 2
    assert len(live_passages(index)) == len({place[1] for place in live_passages(index).values()})
