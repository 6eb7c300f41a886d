"""Whole runs: the shipped questions once, and somebody's own corpus by the command."""

import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from eval.fold import summarise
from eval.gate import check, load_thresholds
from eval.gold import GoldError
from eval.result import Result, Verdict, load
from eval.run import UnknownSystem, ask, load_exam, run
from eval.systems import SYSTEMS, Task, open_bot
from qa.bot import open_corpus
from qa.folders import index_folder, newest_index
from qa.records import Hit, Reply
from qa.settings import Settings, StoreSettings
from qa.shelf import uploads_folder
from tests.asked import question
from tests.conftest import REPOSITORY

FERRY = "Die Fähre nach Helgoland legt um 9:30 Uhr ab. Hunde fahren kostenlos mit.\n"
BAKER = "La boulangerie du port ouvre à six heures. Le pain de seigle coûte quatre euros.\n"
DRAFT: tuple[tuple[str, str, str, dict[str, list[str]]], ...] = (
    ("ferry", "en", "When does the ferry leave?", {"ferry.txt": ["9:30 Uhr"]}),
    ("ferry", "de", "Wann legt die Fähre ab?", {"ferry.txt": ["9:30 Uhr"]}),
    ("rye", "de", "Was kostet das Roggenbrot?", {"baker.txt": ["quatre euros"]}),
    ("moon", "en", "Who walked on the moon in 1969?", {}),
)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents that is not ours."""
    folder = tmp_path_factory.mktemp("own") / "papers"
    folder.mkdir()
    (folder / "ferry.txt").write_text(FERRY, encoding="utf-8")
    (folder / "baker.txt").write_text(BAKER, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def questions(papers: Path) -> Path:
    """Questions about it, as `python -m eval locate` makes them of a draft."""
    draft, out = papers.parent / "draft.jsonl", papers.parent / "questions.jsonl"
    lines = [json.dumps(dict(zip(("fact", "language", "question", "answers"), line, strict=True))) for line in DRAFT]
    draft.write_text("\n".join(lines), encoding="utf-8")
    done = evaluate(papers, "locate", str(draft), "--corpus", str(papers), "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def own(papers: Path) -> Settings:
    return replace(Settings(), store=StoreSettings(home=str(papers.parent / "home")))


def evaluate(papers: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m eval …`, its index beside the papers."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(papers.parent), "PYTHONPATH": str(REPOSITORY),
                   "BABELQUOTE_STORE__HOME": str(papers.parent / "home")}  # fmt: skip
    command = [sys.executable, "-m", "eval", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def dev_result(settings: Settings) -> Result:
    """The gold set's dev split, asked and scored."""
    return run(load_exam("dev", settings=settings))


def test_the_dev_split_keeps_the_gate(dev_result: Result) -> None:
    broken = [item for item in check(summarise(dev_result), load_thresholds()) if not item.passed]
    assert broken == []


def test_every_shipped_question_has_a_row_and_nothing_is_left_out(dev_result: Result) -> None:
    rows = dev_result.rows
    assert [row.question for row in rows] == list(load_exam("dev").gold)
    answerable = sum(row.question.answerable for row in rows)
    summary = summarise(dev_result)
    assert summary.pooled["hit@1"].count == answerable
    assert summary.pooled["right abstention"].count == len(rows) - answerable
    assert summary.pooled["error"].count == len(rows)
    assert len(summary.languages) == 14


def test_a_result_says_what_it_was_made_with(dev_result: Result) -> None:
    made = dev_result.provenance
    assert (made.system, made.questions, made.seed) == ("babelquote", "dev", 1)
    assert made.model.startswith("multilingual-e5-small")
    assert made.device.startswith("cpu")
    assert re.fullmatch(r"[0-9a-f]{40}\+?|unknown", made.commit)
    assert all(
        re.fullmatch("[0-9a-f]{64}", digest) for digest in (made.corpus_digest, made.questions_digest, made.weights)
    )
    assert json.loads(made.settings)["answer"]["threshold"] == Settings().answer.threshold


def test_somebodys_own_corpus_is_evaluated_compared_and_shown(papers: Path, questions: Path) -> None:
    out, page = papers.parent / "result.json", papers.parent / "report.html"
    about = ["--corpus", str(papers), "--questions", str(questions)]
    done = evaluate(papers, *about, "--out", str(out), "--report", str(page), "--misses", "--cold", "1")
    assert done.returncode == 0, done.stderr
    assert "macro average" in done.stdout
    assert "worst language by hit@1" in done.stdout
    assert "seconds cold" in done.stdout
    assert load(out).rows[0].verdict == Verdict.RIGHT
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    baseline = papers.parent / "never.json"
    assert evaluate(papers, *about, "--system", "always-abstain", "--out", str(baseline)).returncode == 0
    compared = evaluate(papers, "--compare", str(out), str(baseline))
    assert compared.returncode == 0, compared.stderr
    assert "system differs: babelquote → always-abstain" in compared.stdout
    assert "(right → withheld): When does the ferry leave?" in compared.stdout


def test_what_visitors_brought_is_no_part_of_an_evaluation(papers: Path, own: Settings) -> None:
    usual = index_folder([papers], own)
    uploads_folder(usual).mkdir(parents=True)
    (uploads_folder(usual) / "brought.txt").write_text("The ferry leaves at 7:15.", encoding="utf-8")
    with closing(open_corpus(papers, settings=own)) as bot:
        assert "uploads/brought.txt" in {document.id for document in bot.documents()}
    with closing(open_bot(Task(papers, own, ()))) as bot:
        assert "uploads/brought.txt" not in {document.id for document in bot.documents()}
    assert newest_index(own) == usual


def test_a_broken_gate_ends_with_an_error_that_names_the_threshold(papers: Path, questions: Path) -> None:
    thresholds = papers.parent / "gate.toml"
    thresholds.write_text('[at_least]\n"hit@1" = 0.5\n"verbatim" = 1.0\n')
    about = ["--corpus", str(papers), "--questions", str(questions), "--system", "always-abstain"]
    done = evaluate(papers, *about, "--gate", "--thresholds", str(thresholds))
    assert done.returncode == 1
    assert "BROKEN hit@1 0.000, at least 0.5" in done.stdout
    assert "kept   verbatim 1.000" in done.stdout


def test_a_question_file_with_a_fault_is_named_and_nothing_is_asked(papers: Path, questions: Path) -> None:
    wrong = papers.parent / "wrong.jsonl"
    first, *others = questions.read_text(encoding="utf-8").splitlines()
    wrong.write_text("\n".join([*others, first.replace("9:30", "9:31")]), encoding="utf-8")
    done = evaluate(papers, "--corpus", str(papers), "--questions", str(wrong), "--out", str(papers / "none.json"))
    assert done.returncode == 2
    assert f"{wrong}:4" in done.stdout.replace("\n", "")
    assert "Traceback" not in done.stderr
    assert not (papers / "none.json").exists()


def test_another_corpus_needs_questions_of_its_own(papers: Path) -> None:
    with pytest.raises(GoldError, match="name a file with --questions"):
        load_exam(corpus=papers)


def test_a_system_that_does_not_exist_is_refused_with_those_that_do(
    papers: Path, questions: Path, own: Settings
) -> None:
    exam = load_exam(corpus=papers, files=[questions], settings=own)
    with pytest.raises(UnknownSystem, match="'oracle'; systems: babelquote, lexical"):
        run(exam, system="oracle")


class Broken:
    """A system that cannot."""

    def ask(self, question: str) -> Reply:
        raise AssertionError(f"no reply to {question}")

    def hits(self, question: str) -> list[Hit]:
        raise AssertionError(question)


def test_whatever_a_system_raises_is_an_error_and_no_abstention() -> None:
    outcome = ask(Broken(), question())
    assert (outcome.reply, outcome.error, outcome.abstained) == (None, "AssertionError: no reply to How many?", False)


@pytest.fixture(scope="module")
def neighbours(papers: Path, questions: Path, own: Settings) -> dict[str, Result]:
    """Every system's run over somebody's own corpus."""
    exam = load_exam(corpus=papers, files=[questions], settings=own)
    return {system: run(exam, system=system) for system in SYSTEMS}


def means(result: Result, measure: str) -> float:
    return summarise(result).pooled[measure].value


def test_no_baseline_raises_and_each_has_every_measure(neighbours: dict[str, Result]) -> None:
    for system, result in neighbours.items():
        assert result.provenance.system == system
        assert means(result, "error") == 0.0
        assert means(result, "verbatim") == 1.0
        assert result.rows[0].scores.keys() == neighbours["babelquote"].rows[0].scores.keys()


def test_always_abstaining_is_right_only_where_nothing_answers(neighbours: dict[str, Result]) -> None:
    result = neighbours["always-abstain"]
    assert means(result, "right abstention") == means(result, "false abstention") == 1.0
    assert means(result, "hit@1") == 0.0


def test_never_abstaining_answers_everything(neighbours: dict[str, Result]) -> None:
    assert not any(row.abstained for row in neighbours["never-abstain"].rows)


def test_the_reader_on_gold_passages_has_a_perfect_ranking(neighbours: dict[str, Result]) -> None:
    assert means(neighbours["gold-passages"], "MRR") == means(neighbours["gold-passages"], "recall@20") == 1.0


def test_words_alone_do_not_cross_languages(neighbours: dict[str, Result]) -> None:
    rows = [row for row in neighbours["lexical"].rows if row.evidence]
    ranks = {(row.question.fact, row.question.language): row.evidence[0].rank for row in rows}
    assert ranks == {("ferry", "en"): None, ("ferry", "de"): 1, ("rye", "de"): None}


def test_the_first_sentence_is_quoted_whatever_is_asked(neighbours: dict[str, Result]) -> None:
    rows = neighbours["first-sentence"].rows
    assert {row.quotes[0].text for row in rows} <= {FERRY.split(". ")[0] + ".", BAKER.split(". ")[0] + "."}
    assert all(row.quotes[0].answer_start == row.quotes[0].start for row in rows)


def test_questions_that_all_have_no_answer_are_scored_too(papers: Path, questions: Path, own: Settings) -> None:
    moon = papers.parent / "moon.jsonl"
    moon.write_text(questions.read_text(encoding="utf-8").splitlines()[-1], encoding="utf-8")
    summary = summarise(run(load_exam(corpus=papers, files=[moon], settings=own), system="always-abstain"))
    assert summary.value("right abstention").value == 1.0
    assert summary.worst("hit@1")[0] == "none"


def test_the_unprojected_space_is_another_index(neighbours: dict[str, Result], own: Settings) -> None:
    models = {neighbours[system].provenance.model for system in ("babelquote", "unprojected")}
    assert len(models) == 2
    assert len(list(Path(own.store.home).glob("eval/*-unprojected/truth.sqlite3"))) == 1
