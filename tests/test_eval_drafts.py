"""What `locate` and `feedback` write: whose work they spare, and by what their questions are known again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eval.compare import CompareError, compare
from eval.draft import locate
from eval.feedback import draft
from eval.gold import GoldError, GoldQuestion, load_questions, split_files
from eval.output import OutputError
from eval.result import Result, Row
from eval.score import Ground, score
from qa.feedback import FeedbackLog, Verdict
from qa.records import Answer, Document, Quote
from tests.asked import MADE, OTHER, PASSAGES, RIGHT, WRONG, A, B, answered, no

GROUND = Ground({"a": A, "b": B}, PASSAGES)
HOW_MANY = {"fact": "countries", "language": "de", "question": "Wie viele?", "answers": {"a": ["143"]}}
COUNT = {"fact": "countries", "language": "en", "question": "How many?", "answers": {"a": ["143"]}}
MORE = {"language": "en", "question": "Were there more?", "answers": {}}


def write(file: Path, *lines: object) -> Path:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def located(folder: Path, *lines: object, documents: Sequence[Document] = (A, B)) -> list[GoldQuestion]:
    locate(write(folder / "draft.jsonl", *lines), documents, folder / "gold.jsonl")
    return load_questions([folder / "gold.jsonl"], documents)


# ── whose work is spared ───────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_never_overwritten_by_its_own_questions(tmp_path: Path) -> None:
    file = write(tmp_path / "draft.jsonl", COUNT)
    (tmp_path / "link.jsonl").symlink_to(file)
    before = file.read_bytes()
    for out in (file, tmp_path / "link.jsonl"):
        with pytest.raises(GoldError, match="is the draft itself"):
            locate(file, [A, B], out)
    assert file.read_bytes() == before


def test_what_is_no_question_file_is_never_overwritten(tmp_path: Path) -> None:
    file = write(tmp_path / "draft.jsonl", COUNT)
    (notes := tmp_path / "notes.txt").write_text("a week's work", encoding="utf-8")
    (torn := tmp_path / "torn.jsonl").write_bytes(b"\xff")
    (folder := tmp_path / "folder").mkdir()
    (dialogues := tmp_path / "dialogues.jsonl").write_bytes(
        split_files(["dev"], name="dialogues.jsonl")[0].read_bytes()
    )
    for out in (notes, torn, folder, dialogues, write(tmp_path / "other-draft.jsonl", MORE)):
        before = out.read_bytes() if out.is_file() else None
        with pytest.raises(GoldError, match="is there already, and is not a question file"):
            locate(file, [A, B], out)
        assert (out.read_bytes() if out.is_file() else None) == before


def test_an_older_question_file_is_made_anew_and_its_neighbours_stay(tmp_path: Path) -> None:
    """Also one whose offsets hold no longer, since the documents changed."""
    (neighbour := tmp_path / "gold.jsonl.new").write_text("somebody's", encoding="utf-8")
    assert located(tmp_path, COUNT)[0].spans[0].start == 9
    assert located(tmp_path, COUNT, documents=[replace(A, text=f"So. {A.text}"), B])[0].spans[0].start == 13
    assert neighbour.read_text(encoding="utf-8") == "somebody's"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    locate(write(tmp_path / "draft.jsonl", COUNT), [A, B], tmp_path / "new" / "folder" / "gold.jsonl")
    (log := FeedbackLog(tmp_path / "log.jsonl")).add(no(), Verdict.UP)
    draft(log.path, tmp_path / "newer" / "draft.jsonl")
    assert (tmp_path / "new" / "folder" / "gold.jsonl").stat().st_size
    assert (tmp_path / "newer" / "draft.jsonl").stat().st_size


@pytest.mark.parametrize("name", ["draft.jsonl/gold.jsonl", "x" * 300])
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / "draft.jsonl", COUNT)
    (log := FeedbackLog(tmp_path / "log.jsonl")).add(no(), Verdict.UP)
    with pytest.raises(OutputError, match=r"cannot write .*; name a file that can be written"):
        locate(file, [A, B], tmp_path / name)
    with pytest.raises(OutputError, match="cannot write"):
        draft(log.path, tmp_path / name)


# ── by what questions are known again ──────────────────────────────────────────────────────────────────────


def test_a_question_keeps_its_id_when_other_lines_come_and_go(tmp_path: Path) -> None:
    before = {question.question: question for question in located(tmp_path, HOW_MANY, COUNT, MORE)}
    after = located(tmp_path, MORE, {**MORE, "question": "Fewer?"}, COUNT)
    assert [question.id == before[question.question].id for question in after if question.question in before] == [
        True
    ] * 2
    assert [question.fact for question in after if question.question == "How many?"] == ["countries"]
    assert {question.id for question in after} - {question.id for question in before.values()} == {after[1].id}
    assert after[0].fact == before["Were there more?"].fact != after[1].fact  # where the draft names none


def test_an_id_tells_the_language_and_the_words(tmp_path: Path) -> None:
    same = {"question": "143?", "fact": "countries"}
    lines = [{**line, **same} for line in (HOW_MANY, COUNT)]
    german, english, other = located(tmp_path, *lines, {**lines[1], "question": "144?"})
    (words,) = {german.id.removeprefix("countries.de."), english.id.removeprefix("countries.en.")}
    assert other.id.startswith("countries.en.")
    assert not other.id.endswith(words)


def test_a_question_that_a_draft_asks_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match=r"draft\.jsonl:3: .* in the same words as .*draft\.jsonl:1"):
        located(tmp_path, COUNT, MORE, COUNT)


def test_results_are_paired_however_the_lines_of_the_draft_moved(tmp_path: Path) -> None:
    before = [asked(question, RIGHT) for question in located(tmp_path, HOW_MANY, COUNT, MORE)]
    after = [asked(question, WRONG) for question in located(tmp_path, COUNT, MORE)]
    comparison = compare(Result(MADE, tuple(before)), Result(MADE, tuple(after)))
    words = [(change.before.question.question, change.after.question.question) for change in comparison.changes]
    assert words == [("How many?", "How many?"), ("Were there more?", "Were there more?")]
    assert [change.worse for change in comparison.changes] == [True, False]
    assert comparison.notes == (f"1 questions only before, left out: {before[0].question.id}",)


def asked(question: GoldQuestion, *quotes: Quote) -> Row:
    return score(answered(*quotes, gold=question), GROUND)


def test_a_question_in_other_words_is_no_pair_and_counted(tmp_path: Path) -> None:
    first, second = (asked(question, RIGHT) for question in located(tmp_path, HOW_MANY, COUNT))
    other = replace(second, question=replace(second.question, question="How few?"))
    comparison = compare(Result(MADE, (first, second)), Result(MADE, (first, other)))
    assert [change.after.question.question for change in comparison.changes] == ["Wie viele?"]
    assert comparison.differences["hit@1"].count == 1
    assert comparison.notes == (f"1 questions with one id but other words, left out: {second.question.id}",)
    with pytest.raises(CompareError, match="no question in common"):
        compare(Result(MADE, (second,)), Result(MADE, (other,)))


def thumbs(file: Path, *replies: Answer) -> list[str]:
    """The facts of a draft of them, all confirmed."""
    log = FeedbackLog(file)
    for reply in replies:
        log.add(reply, Verdict.UP)
    draft(log.path, file.with_suffix(".draft"))
    lines = file.with_suffix(".draft").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["fact"] for line in lines]


def reply(quote: Quote, question: str, language: str = "en") -> Answer:
    return Answer(question=question, question_language=language, confidence=0.8, quotes=(quote,))


def test_facts_of_two_drafts_of_feedback_are_the_same_only_if_the_answer_is(tmp_path: Path) -> None:
    first = thumbs(tmp_path / "a.jsonl", reply(RIGHT, "How many?"), reply(WRONG, "And more?"))
    second = thumbs(tmp_path / "b.jsonl", reply(OTHER, "How many there?"), reply(RIGHT, "Combien ?", "fr"))
    assert len({*first, *second}) == 3
    assert first[0] == second[1]


# ── a log that a killed process or a visitor spoilt ────────────────────────────────────────────────────────


def test_a_line_torn_inside_of_a_character_is_passed_over_alone(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path / "log.jsonl")
    log.add(reply(RIGHT, "何カ国？", "ja"), Verdict.UP)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[: whole.index("何".encode()) + 1])
    log.add(reply(RIGHT, "Länder?", "de"), Verdict.UP)
    drafted = draft(log.path, tmp_path / "draft.jsonl")
    assert (drafted.confirmed, drafted.to_judge, drafted.broken) == (1, 0, 1)


def test_a_comment_that_no_utf8_says_spoils_no_draft(tmp_path: Path) -> None:
    (log := FeedbackLog(tmp_path / "log.jsonl")).add(reply(RIGHT, "How many?"), Verdict.UP, comment="zu\nviele \ud800")
    draft(log.path, tmp_path / "draft.jsonl")
    assert '(\\"zu viele \ufffd\\")' in (tmp_path / "draft.jsonl").read_text(encoding="utf-8")
