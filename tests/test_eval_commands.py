"""`python -m eval`: what is refused before anything is asked, and what its commands leave to their modules."""

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from eval import run, speed, squad
from eval.__main__ import app
from eval.bitext import accuracies
from eval.fold import summarise
from eval.gate import GateError, load_thresholds
from eval.output import OutputError, ready
from eval.result import Result, save
from eval.score import Ground, score
from eval.show import print_squad
from qa.embed import Vectors
from qa.errors import BabelquoteError
from qa.records import Reading, Span
from qa.settings import Settings
from tests.asked import MADE, PASSAGES, RIGHT, SPANS, A, B, answered, question
from tests.conftest import REPOSITORY

# Whoever gets as far as asking says that there is no such system.
EVALUATE = ["--system", "none"]


def refused(*arguments: str) -> BabelquoteError:
    """What `python -m eval …` would say in red."""
    ended = CliRunner().invoke(app, [*EVALUATE, *arguments])
    assert isinstance(ended.exception, BabelquoteError), ended
    return ended.exception


@pytest.mark.parametrize("option", ["--out", "--report"])
@pytest.mark.parametrize("name", [".", "file/below", "x" * 300])
def test_a_file_that_cannot_be_written_is_named_before_anything_is_asked(
    tmp_path: Path, option: str, name: str
) -> None:
    (tmp_path / "file").write_text("there", encoding="utf-8")
    error = refused(option, str(tmp_path / name))
    assert isinstance(error, OutputError)
    assert str(tmp_path / name) in str(error)


def test_the_folders_of_result_and_report_are_made_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("kept until there is another", encoding="utf-8")
    for option, name in (("--out", "a/b.json"), ("--report", "c/d.html"), ("--out", "old.json")):
        assert isinstance(refused(option, str(tmp_path / name)), run.UnknownSystem)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "c", "old.json"]
    assert (tmp_path / "old.json").read_text(encoding="utf-8") == "kept until there is another"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the thresholds"),
        ("[", "cannot read the thresholds"),
        ("[least]\na = 1", "expected the sections"),
        ('[at_least]\n"hit@7" = 1', "no measure 'hit@7'; measures: F1, "),
        ('[at_most]\n"seconds cold, median" = 9', "no measure 'seconds cold, median'"),
    ],
)
def test_thresholds_that_cannot_be_held_are_named_before_anything_is_asked(
    tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "gate.toml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    error = refused("--gate", "--thresholds", str(file))
    assert isinstance(error, GateError)
    assert message in str(error)


@pytest.mark.parametrize("cold", [0, 2])
def test_what_a_run_will_measure_is_known_before_it(cold: int) -> None:
    gold = (question(*SPANS), question(*SPANS, language="fi"), question(fact="u"))
    exam = run.Exam("x", Path("x"), (), gold, (A, B), Settings())
    rows = tuple(score(answered(RIGHT, gold=asked), Ground({"a": A, "b": B}, PASSAGES)) for asked in gold)
    summary = summarise(Result(MADE, rows, (1.0,) * cold))
    assert run.measures(exam, cold=cold) == {*summary.macro, *summary.whole}
    load_thresholds().require(run.measures(run.load_exam("dev")))


def test_ready_leaves_a_folder_and_nothing_in_it(tmp_path: Path) -> None:
    ready(tmp_path / "new" / "file.json")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A result file of one row."""
    row = score(answered(RIGHT), Ground({"a": A, "b": B}, PASSAGES))
    save(Result(MADE, (row,)), tmp_path / "result.json")
    return tmp_path / "result.json"


def test_a_report_of_a_result_goes_into_a_new_folder_or_is_refused(tmp_path: Path, kept: Path) -> None:
    page = tmp_path / "new" / "report.html"
    assert CliRunner().invoke(app, ["report", str(kept), str(page)]).exit_code == 0
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    ended = CliRunner().invoke(app, ["report", str(kept), str(kept / "below.html")])
    assert isinstance(ended.exception, OutputError)


def test_the_commands_say_in_a_line_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(A.text, encoding="utf-8")
    (tmp_path / "draft.jsonl").write_text('{"language": "de", "question": "Wie viele?", "answers": {"a.txt": ["143"]}}')
    command = [
        "locate",
        str(tmp_path / "draft.jsonl"),
        "--corpus",
        str(tmp_path),
        "--out",
        str(tmp_path / "a.txt" / "b"),
    ]
    done = subprocess.run([sys.executable, "-m", "eval", *command], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("OutputError: cannot write")


# ── options before a command ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "named"),
    [
        (["--split", "test"], "--split"),
        (["--split", "dev"], "--split"),  # as it is by default
        (["--misses", "--seed", "2"], "--misses, --seed"),
        (["--compare", "a.json", "b.json"], "--compare"),
    ],
)
@pytest.mark.parametrize("command", [["baselines", "--questions", "none.jsonl"], ["report", "none.json", "page.html"]])
def test_options_before_a_command_are_refused_since_it_would_not_hear_them(
    before: list[str], named: str, command: list[str]
) -> None:
    ended = CliRunner().invoke(app, [*before, *command])
    assert ended.exit_code == 2
    assert f"{named} before {command[0]} has no effect" in " ".join(ended.output.replace("│", " ").split())


# ── what the commands leave to their modules ───────────────────────────────────────────────────────────────


class FirstWord:
    """Reads as the answer the first word, with as much confidence as it has letters; "no answer" weighs five."""

    def read(self, question: str, passages: Sequence[str], titles: Sequence[str] = ()) -> Reading:  # noqa: ARG002
        end = passages[0].index(" ")
        return Reading((Span(0, 0, end, float(end)),), 5.0)


def questions_file(path: Path, *answers: str) -> Path:
    asked = [
        {"id": str(number), "question": "?", "answers": [{"text": answer}] if answer else []}
        for number, answer in enumerate(answers)
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "143 Länder kamen.", "qas": asked}]}]}))
    return path


def test_files_are_read_scored_and_predicted_one_by_one(tmp_path: Path) -> None:
    may, must = questions_file(tmp_path / "may.json", "143", ""), questions_file(tmp_path / "must.json", "143", "144")
    loaded = {file: squad.load(file) for file in (may, must)}
    shown: list[tuple[int, str]] = []

    def track(items: Sequence[squad.SquadQuestion], what: str, /) -> Sequence[squad.SquadQuestion]:
        shown.append((len(items), what))
        return items

    scores = squad.read_all(FirstWord(), loaded, limit=1, folder=tmp_path / "new", track=track)  # type: ignore[arg-type]
    assert {name: (score.exact, score.questions) for name, score in scores.items()} == {
        "may.json": (0.0, 1),
        "must.json": (1.0, 1),
    }
    assert shown == [(1, "may.json"), (1, "must.json")]
    written = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "new").iterdir()}
    assert written == {"may.json": {"0": ""}, "must.json": {"0": "143"}}


def test_f1_as_mlqa_counts_is_by_the_contexts_language(tmp_path: Path) -> None:
    files = [questions_file(tmp_path / name, "die 143") for name in ("a.en-de.json", "a.de-en.json", "b.json")]
    scores = squad.read_all(FirstWord(), {file: squad.load(file) for file in files})  # type: ignore[arg-type]
    assert [score.mlqa_f1 for score in scores.values()] == [1.0, pytest.approx(2 / 3), None]
    for names, mean in ((("a.en-de.json", "a.de-en.json"), "83.3"), (("a.en-de.json", "b.json"), "–")):
        console = Console(width=120)
        with console.capture() as shown:
            print_squad({name: scores[name] for name in names}, console)
        assert shown.get().split("mean over files")[1].split()[2] == mean


def test_predictions_that_cannot_be_written_are_named_before_anything_is_read(tmp_path: Path) -> None:
    file = questions_file(tmp_path / "dev.json", "143")
    with pytest.raises(OutputError, match=r"cannot write .*dev\.json"):
        squad.read_all(None, {file: squad.load(file)}, folder=file)  # type: ignore[arg-type]


class Letters:
    """Texts as the numbers of their letters."""

    name = "letters"
    dimension = 256

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([np.bincount([ord(c) % 256 for c in text], minlength=256) for text in texts]).astype(np.float32)

    encode_passages = encode_queries

    def fits(self, _text: str) -> bool:
        return True


def test_each_encoder_is_asked_for_each_language_and_made_when_its_turn_comes(tmp_path: Path) -> None:
    for language in ("glg", "cat"):
        lines = "\n".join(f"{word}\t{word[::-1]}" for word in ("abc", "def", "ghi"))
        (tmp_path / f"made.{language}-eng.tsv.gz").write_bytes(gzip.compress(lines.encode()))
    files = sorted(tmp_path.iterdir())
    found = accuracies(files, {"letters": Letters, "again": Letters}, limit=2)
    assert found == {name: {"cat": 1.0, "glg": 1.0} for name in ("letters", "again")}


def test_speed_is_measured_with_the_dev_questions_and_told_in_milliseconds() -> None:
    questions = speed.dev_questions()
    assert len(questions) == 166
    assert questions == [asked.question for asked in run.load_exam("dev").gold]
    assert speed.median_and_p95([0.1, 0.2, 0.3]) == "median 200 ms, p95 290 ms"


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("speed(corpus=Path('nowhere'), cold=1)", {"ir_measures", "scipy", "eval.run", "eval.systems"}),
        ("locate(Path('none.jsonl'), Path('tests'), Path('gold.jsonl'))", {"ir_measures", "torch", "eval.run"}),
    ],
)
def test_a_command_loads_only_what_it_needs(tmp_path: Path, command: str, others: set[str]) -> None:
    """It fails, but not before it has loaded what it wants."""
    code = (
        "import contextlib, sys; from pathlib import Path; from eval.__main__ import locate, speed\n"
        f"with contextlib.suppress(Exception): {command}\n"
        f"print({others} & set(sys.modules))"
    )
    environment = {"PATH": "/usr/bin:/bin", "BABELQUOTE_STORE__HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done


def test_thresholds_of_a_file_say_where_they_are_from(tmp_path: Path) -> None:
    (file := tmp_path / "gate.toml").write_text('[at_least]\n"hit@1" = 0.5\n', encoding="utf-8")
    limits = load_thresholds(file)
    assert (limits.at_least, limits.at_most) == ({"hit@1": 0.5}, {})
    with pytest.raises(GateError, match=r"gate\.toml: no measure 'hit@1'; measures: MRR"):
        replace(limits).require({"MRR"})
