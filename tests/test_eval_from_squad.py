"""`from-squad`: paragraphs become documents, answers become gold spans, and nothing that is there is written over."""

import gzip
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.corpus import read_documents
from eval.from_squad import DOCUMENTS, QUESTIONS, make
from eval.gold import GoldError, GoldQuestion, load_questions
from eval.output import OutputError
from eval.squad import SquadError
from qa.records import Document
from qa.settings import load_settings

GERMAN = "Das Treffen war in Genf. Danach fuhren alle nach Rom."
ENGLISH = "They met for a day.\r\nThe meeting was in Geneva."
FRENCH = unicodedata.normalize("NFD", "Le Café Élysée ferme à huit heures.")


def write(folder: Path, pair: str, context: str, *asked: tuple[str, str, Sequence[str]]) -> Path:
    """A file of one paragraph and the questions on it: id, question, answers."""
    qas = [
        {
            "id": key,
            "question": question,
            "is_impossible": not answers,
            "answers": [{"text": answer, "answer_start": context.index(answer)} for answer in answers],
        }
        for key, question, answers in asked
    ]
    file = folder / f"made.{pair}.json.gz"
    data = {"data": [{"title": f"On {pair[-2:]}", "paragraphs": [{"context": context, "qas": qas}]}]}
    file.write_bytes(gzip.compress(json.dumps(data).encode()))
    return file


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    nothing = ("2", "Wer zahlte?", ())
    return [
        write(tmp_path, "de-de", GERMAN, ("1", "Wo war das Treffen?", ["Genf"]), nothing),
        write(tmp_path, "de-en", ENGLISH, ("1", "Wo war das Treffen?", ["Geneva"])),
        write(tmp_path, "en-de", GERMAN, ("1", "Where was the meeting?", ["Genf"])),
        write(tmp_path, "fr-fr", FRENCH, ("3", "Quand ferme-t-il ?", ["huit heures"])),
    ]


def loaded(out: Path) -> tuple[list[Document], list[GoldQuestion]]:
    documents = read_documents(out / DOCUMENTS, load_settings())
    return documents, load_questions([out / QUESTIONS], documents)


def test_a_question_is_answered_in_every_document_that_answers_its_id(files: list[Path], tmp_path: Path) -> None:
    made = make(files, tmp_path / "out", limit=None, left_out=0, seed=1)
    documents, questions = loaded(tmp_path / "out")
    assert (made.documents, made.answerable, made.unanswerable) == (3, 3, 1)
    assert {(document.language, document.title) for document in documents} == {
        ("de", "On de"),
        ("en", "On en"),
        ("fr", "On fr"),
    }
    answers = {question.question: {(span.document[:2], span.text) for span in question.spans} for question in questions}
    assert answers == {
        "Wo war das Treffen?": {("de", "Genf"), ("en", "Geneva")},
        "Where was the meeting?": {("de", "Genf"), ("en", "Geneva")},
        "Wer zahlte?": set(),
        "Quand ferme-t-il ?": {("fr", "huit heures")},
    }
    facts = {question.question: question.fact for question in questions}
    assert facts["Wo war das Treffen?"] == facts["Where was the meeting?"] == "made-1"


def test_a_question_without_a_word_is_left_out(tmp_path: Path) -> None:
    file = write(tmp_path, "de-de", GERMAN, ("1", "Wo?", ["Genf"]), ("2", " ?", ["Rom"]), ("3", "", ["alle"]))
    make([file], tmp_path / "out", limit=None, left_out=0, seed=1)
    assert [question.question for question in loaded(tmp_path / "out")[1]] == ["Wo?"]


def test_of_a_paragraph_left_out_every_translation_is(files: list[Path], tmp_path: Path) -> None:
    seen = set()
    for seed in range(6):
        make(files, tmp_path / str(seed), limit=None, left_out=0.5, seed=seed)
        documents, questions = loaded(tmp_path / str(seed))
        there = tuple(document.language for document in documents)
        assert there in {("de", "en"), ("fr",)}
        assert {question.language for question in questions if question.answerable} == set(there)
        assert {question.question for question in questions} == {
            "Wo war das Treffen?",
            "Where was the meeting?",
            "Wer zahlte?",
            "Quand ferme-t-il ?",
        }
        seen.add(there)
    assert len(seen) == 2


def test_questions_are_drawn_at_random_and_the_same_for_one_seed(files: list[Path], tmp_path: Path) -> None:
    def drawn(name: str, seed: int) -> bytes:
        make(files, tmp_path / name, limit=2, left_out=0, seed=seed)
        return (tmp_path / name / QUESTIONS).read_bytes()

    assert drawn("a", 1) == drawn("b", 1)
    assert len({drawn(f"other-{seed}", seed) for seed in range(5)}) > 1
    assert drawn("c", 2).count(b"\n") == 2


def test_a_question_whose_answer_is_not_where_the_file_says_is_left_out(tmp_path: Path) -> None:
    file = write(tmp_path, "en-en", ENGLISH, ("1", "Where?", ["Geneva"]), ("2", "How long?", ["a day"]))
    data = json.loads(gzip.decompress(file.read_bytes()))
    data["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] += 1
    file.write_bytes(gzip.compress(json.dumps(data).encode()))
    make([file], tmp_path / "out", limit=None, left_out=0, seed=1)
    _, questions = loaded(tmp_path / "out")
    assert [question.question for question in questions] == ["How long?"]


def test_nothing_that_is_there_is_written_over(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("a week's work", encoding="utf-8")
    make(files, tmp_path / "made", limit=None, left_out=0, seed=1)
    for folder in ("mine", "made"):
        before = {path: path.read_bytes() for path in (tmp_path / folder).rglob("*") if path.is_file()}
        with pytest.raises(OutputError, match="is not empty"):
            make(files, tmp_path / folder, limit=None, left_out=0, seed=2)
        assert {path: path.read_bytes() for path in (tmp_path / folder).rglob("*") if path.is_file()} == before
    with pytest.raises(OutputError, match="cannot write"):
        make(files, tmp_path / "mine" / "notes.txt", limit=None, left_out=0, seed=1)


def test_files_that_do_not_tell_their_languages_or_leave_no_document_are_refused(
    files: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(GoldError, match="no document"):
        make(files, tmp_path / "out", limit=None, left_out=1, seed=1)
    odd = files[0].rename(files[0].with_name("made.json.gz"))
    with pytest.raises(SquadError, match="the two languages"):
        make([odd], tmp_path / "out", limit=None, left_out=0, seed=1)
    assert not (tmp_path / "out").exists()


def test_the_command_says_how_much_it_made_and_how_to_ask_it(files: list[Path], tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["from-squad", *map(str, files), "--out", str(tmp_path / "out"), "--left-out", "0"])
    assert ended.exit_code == 0, ended
    assert "3 documents, 3 questions and 1 without an answer" in ended.output
    asked = f"--corpus {tmp_path / 'out' / DOCUMENTS} --questions {tmp_path / 'out' / QUESTIONS}"
    assert asked in ended.output


def test_a_file_without_an_answer_anywhere_makes_questions_that_cannot_be_answered(tmp_path: Path) -> None:
    file = write(tmp_path, "de-de", GERMAN, ("1", "Wer zahlte?", ()))
    made = make([file], tmp_path / "out", limit=None, left_out=0, seed=1)
    assert (made.answerable, made.unanswerable) == (0, 1)
