"""What people think of replies: kept whole or not at all, and turned into the draft of a question file."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval.draft import locate
from eval.feedback import Drafted, draft
from eval.gold import GoldError, load_questions
from qa.errors import IndexUnwritable, LibraryError
from qa.feedback import FeedbackLog, Verdict, feedback_path
from qa.records import Answer, Filters, Quote
from qa.render import to_json
from qa.settings import FeedbackSettings
from tests.asked import OTHER, RIGHT, WRONG, A, B, no
from tests.conftest import REPOSITORY
from tests.disks import in_namespace


def answer(*quotes: Quote, question: str = "How many?", language: str = "en", follows: str | None = None) -> Answer:
    return Answer(question=question, question_language=language, confidence=0.8, quotes=quotes, follows=follows)


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# ── the log ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_holds_what_was_said_and_nothing_of_who_said_it(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path / "new" / "log.jsonl")
    reply = answer(RIGHT, OTHER, question="¿Cuántos? 何カ国？", language="es")
    log.add(reply, Verdict.DOWN, comment=" zu\nviele \ud800", earlier=["Wer?"], filters=Filters(languages=("es",)))
    (entry,) = entries(log.path)
    assert entry == {
        "time": entry["time"], "verdict": "down", "comment": "zu\nviele \ud800", "question": "¿Cuántos? 何カ国？",
        "earlier": ["Wer?"], "filters": {"languages": ["es"], "sources": [], "documents": []}, "reply": to_json(reply),
    }  # fmt: skip
    time = datetime.fromisoformat(str(entry["time"]))
    assert time.utcoffset() == datetime.now(UTC).utcoffset()


def test_the_log_lies_beside_the_index(tmp_path: Path) -> None:
    assert feedback_path(tmp_path / "index") == tmp_path.resolve() / "index.feedback.jsonl"


def test_an_entry_or_a_log_that_is_too_large_is_refused_and_the_rest_stays(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path / "log.jsonl", FeedbackSettings(max_entry_bytes=2_000, max_bytes=3_000))
    with pytest.raises(LibraryError, match=r"limit of 2,000; shorten the comment"):
        log.add(no(), Verdict.UP, comment="x" * 2_000)
    assert not log.path.exists()
    log.add(no(), Verdict.UP)
    room = 3_000 // log.path.stat().st_size
    for _ in range(room - 1):
        log.add(no(), Verdict.UP)
    with pytest.raises(LibraryError, match=r"limit of 3,000 bytes; move it away"):
        log.add(no(), Verdict.UP)
    assert len(entries(log.path)) == room


def test_what_a_killed_process_wrote_stays_a_line_of_its_own(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path / "log.jsonl")
    log.path.write_bytes(b'{"time": "20')
    log.add(no(), Verdict.UP)
    broken, whole = log.path.read_text().splitlines()
    assert broken == '{"time": "20'
    assert json.loads(whole)["verdict"] == "up"


def test_threads_and_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    code = (
        "import sys; from pathlib import Path; from qa.feedback import FeedbackLog, Verdict\n"
        "from tests.asked import no\n"
        "for i in range(50): FeedbackLog(Path(sys.argv[1])).add(no(), Verdict.UP, comment=f'{sys.argv[2]} {i}' * 100)"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), name], cwd=REPOSITORY) for name in "ab"]
    log = FeedbackLog(path)

    def write() -> None:
        for i in range(50):
            log.add(no(), Verdict.DOWN, comment=f"c {i}" * 100)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    found = [str(entry["comment"]) for entry in entries(path)]
    assert sorted(found) == sorted(f"{name} {i}" * 100 for name in "abcc" for i in range(50))


def test_on_a_full_or_read_only_disk_that_is_said_and_no_half_entry_stays(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    code = (
        "import sys; from pathlib import Path; from qa.feedback import FeedbackLog, Verdict\n"
        "from tests.asked import no\n"
        "try:\n  while True: FeedbackLog(Path(sys.argv[1])).add(no(), Verdict.UP, comment='x' * 3_000)\n"
        "except Exception as error: print(f'{type(error).__name__}: {error}')"
    )
    done = in_namespace(
        """
        mount -t tmpfs -o size=64k tmpfs "$1/disk"
        "$PYTHON" -c "$2" "$1/disk/log.jsonl" > "$1/full"; cp "$1/disk/log.jsonl" "$1/log.jsonl"
        mount -o remount,ro "$1/disk"; "$PYTHON" -c "$2" "$1/disk/log.jsonl" > "$1/readonly"
        """,
        tmp_path, code,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert "IndexUnwritable: the feedback could not be kept: the disk that holds" in (tmp_path / "full").read_text()
    assert "cannot be written" in (tmp_path / "readonly").read_text()
    assert len(entries(tmp_path / "log.jsonl")) > 10


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(IndexUnwritable, match=r"log\.jsonl cannot be written"):
        FeedbackLog(tmp_path / "log.jsonl").add(no(), Verdict.UP)


# ── the draft ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def log(tmp_path: Path) -> FeedbackLog:
    return FeedbackLog(tmp_path / "log.jsonl")


def test_a_confirmed_answer_becomes_a_gold_question_and_a_refused_one_waits_for_a_judge(
    tmp_path: Path, log: FeedbackLog
) -> None:
    log.add(answer(WRONG, question="Were there more?"), Verdict.DOWN, comment="that says nothing")
    log.add(answer(RIGHT, OTHER), Verdict.UP, comment="yes")
    log.add(no(), Verdict.UP)
    assert draft(log.path, tmp_path / "draft.jsonl") == Drafted(confirmed=2, to_judge=1, broken=0)
    right, unanswerable, open_question = entries(tmp_path / "draft.jsonl")
    assert (right["question"], right["language"]) == ("How many?", "en")
    assert right["answers"] == {"a": ["Es waren ‹143› Länder."]}
    assert '("yes"): Es waren ‹143› Länder. (a:0-20), It was ‹143 countries›. (b:0-21)' in str(right["note"])
    assert unanswerable["answers"] == {}
    assert open_question["answers"] is None
    assert '"that says nothing"' in str(open_question["note"])
    assert "‹Mehr› nicht." in str(open_question["note"])
    assert locate(tmp_path / "draft.jsonl", [A, B], tmp_path / "gold.jsonl") == (2, 1)
    first, second = load_questions([tmp_path / "gold.jsonl"], [A, B])
    assert [(span.document, span.start, span.text) for span in first.spans] == [("a", 9, "143")]
    assert not second.answerable


def test_entries_on_one_question_are_one_line(tmp_path: Path, log: FeedbackLog) -> None:
    for reply in (answer(RIGHT), answer(RIGHT, question="how many?"), answer(OTHER)):
        log.add(reply, Verdict.UP)
    log.add(answer(WRONG), Verdict.DOWN)
    assert draft(log.path, tmp_path / "draft.jsonl") == Drafted(confirmed=1, to_judge=0, broken=0)
    (line,) = entries(tmp_path / "draft.jsonl")
    assert line["answers"] == {"a": ["Es waren ‹143› Länder."], "b": ["It was ‹143 countries›."]}
    assert locate(tmp_path / "draft.jsonl", [A, B], tmp_path / "gold.jsonl") == (1, 0)


def test_the_same_answer_in_another_language_is_the_same_fact(tmp_path: Path, log: FeedbackLog) -> None:
    for question, language in (("How many?", "en"), ("Combien ?", "fr")):
        log.add(answer(RIGHT, question=question, language=language), Verdict.UP)
    log.add(answer(OTHER, question="And elsewhere?"), Verdict.UP)
    draft(log.path, tmp_path / "draft.jsonl")
    facts = [line["fact"] for line in entries(tmp_path / "draft.jsonl")]
    assert facts[0] == facts[1] != facts[2]


def test_what_people_disagree_about_or_a_draft_cannot_say_is_to_be_judged(tmp_path: Path, log: FeedbackLog) -> None:
    log.add(answer(RIGHT), Verdict.UP)
    log.add(answer(RIGHT), Verdict.DOWN)
    log.add(answer(RIGHT, question="And in Berlin?", follows="How many?"), Verdict.UP)
    marks = replace(A, text="Es waren ‹143› Länder.")
    log.add(answer(replace(RIGHT, document=marks, end=22, text=marks.text), question="Marks?"), Verdict.UP)
    upload = replace(A, id="uploads/a.txt")
    log.add(answer(replace(RIGHT, document=upload), question="Upload?"), Verdict.UP)
    log.add(no("Both?"), Verdict.UP)
    log.add(answer(RIGHT, question="Both?"), Verdict.UP)
    log.add(no("Not in this one?"), Verdict.UP, filters=Filters(documents=("a",)))
    assert draft(log.path, tmp_path / "draft.jsonl") == Drafted(confirmed=0, to_judge=6, broken=0)
    assert all(line["answers"] is None for line in entries(tmp_path / "draft.jsonl"))
    assert "asked after 'How many?'" in (tmp_path / "draft.jsonl").read_text()
    with pytest.raises(GoldError, match="no questions"):
        locate(tmp_path / "draft.jsonl", [A, B], tmp_path / "gold.jsonl")


def test_a_broken_line_is_passed_over_a_wrong_one_named_and_a_draft_never_overwritten(
    tmp_path: Path, log: FeedbackLog
) -> None:
    with pytest.raises(GoldError, match="cannot read"):
        draft(log.path, tmp_path / "draft.jsonl")
    log.path.write_text('{"time": "20')
    with pytest.raises(GoldError, match="no feedback in"):
        draft(log.path, tmp_path / "draft.jsonl")
    log.add(answer(RIGHT), Verdict.UP)
    assert draft(log.path, tmp_path / "draft.jsonl").broken == 1
    with pytest.raises(GoldError, match="is there already"):
        draft(log.path, tmp_path / "draft.jsonl")
    with log.path.open("a") as file:
        file.write('{"verdict": "up"}\n')
    with pytest.raises(GoldError, match=r"log\.jsonl:3: expected an entry with the fields"):
        draft(log.path, tmp_path / "other.jsonl")


def test_the_commands_say_what_there_is_and_what_is_to_do(tmp_path: Path, log: FeedbackLog) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text(A.text, encoding="utf-8")
    log.add(answer(replace(RIGHT, document=replace(A, id="a.txt"))), Verdict.UP)
    log.add(answer(WRONG, question="Why?"), Verdict.DOWN)

    def run(*arguments: str) -> str:
        return subprocess.check_output([sys.executable, "-m", "eval", *arguments], text=True, cwd=REPOSITORY)

    draft_file, gold = str(tmp_path / "draft.jsonl"), str(tmp_path / "gold.jsonl")
    assert "1 confirmed and 1 to judge" in run("feedback", str(log.path), "--out", draft_file)
    told = run("locate", draft_file, "--corpus", str(tmp_path / "corpus"), "--out", gold)
    assert "1 questions in" in told
    assert '1 of the draft are still to be judged ("answers": null)' in told
