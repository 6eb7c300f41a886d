"""The reader on files of SQuAD's form: what is read, what is written, what is scored."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval import squad
from eval.__main__ import app
from qa.embed import load_encoder
from qa.read import load_reader

CONTEXT = "Am Ende unterschrieben 143 Länder die Resolution. Die Eröffnung fand in Genf statt."


def questions_file(path: Path, *questions: dict[str, object]) -> Path:
    text = json.dumps({"version": "2.0", "data": [{"paragraphs": [{"context": CONTEXT, "qas": list(questions)}]}]})
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def asked(key: str, question: str, *answers: str) -> dict[str, object]:
    found = [{"text": answer, "answer_start": CONTEXT.index(answer)} for answer in answers]
    return {"id": key, "question": question, "answers": found, "is_impossible": not answers}


HOW_MANY = asked("a", "How many countries signed the resolution?", "143", "143 Länder")
UNANSWERED = asked("b", "Wie hoch ist der Mont Blanc?")


@pytest.mark.parametrize("name", ["dev.json", "dev.json.gz"])
def test_predictions_are_written_by_id_under_the_files_name(tmp_path: Path, name: str) -> None:
    file = questions_file(tmp_path / name, HOW_MANY, UNANSWERED)
    ended = CliRunner().invoke(app, ["squad", str(file), "--predictions", str(tmp_path / "out")])
    assert ended.exit_code == 0, ended.output
    written = json.loads((tmp_path / "out" / "dev.json").read_text(encoding="utf-8"))
    assert written.keys() == {"a", "b"}
    assert written["a"].startswith("143")
    assert written["b"] == ""


def test_where_every_question_has_an_answer_the_best_span_is_always_given(tmp_path: Path) -> None:
    hopeless = asked("b", "Wie hoch ist der Mont Blanc?", "Genf")
    questions = squad.load(questions_file(tmp_path / "dev.json", HOW_MANY, hopeless))
    assert not squad.may_abstain(questions)
    predictions = squad.predict(load_reader(), questions, abstain=False)
    assert all(prediction and prediction in CONTEXT for prediction in predictions.values())


def test_a_limit_does_not_change_whether_a_file_may_abstain(tmp_path: Path) -> None:
    file = questions_file(tmp_path / "dev.json", asked("c", UNANSWERED["question"], "Genf"), UNANSWERED)  # type: ignore[arg-type]
    ended = CliRunner().invoke(app, ["squad", str(file), "--limit", "1", "--predictions", str(tmp_path)])
    assert ended.exit_code == 0, ended.output
    assert json.loads((tmp_path / "dev.json").read_text(encoding="utf-8")) == {"c": ""}


def test_scores_by_hand(tmp_path: Path) -> None:
    questions = squad.load(questions_file(tmp_path / "dev.json", HOW_MANY, UNANSWERED))
    score = squad.score(questions, {"a": "143 Länder unterschrieben", "b": ""})
    assert score.f1 == pytest.approx((0.8 + 1) / 2)  # two of three tokens given, both of two found
    assert score.exact == 0.5
    assert squad.score(questions, {"a": "143", "b": "Genf"}).f1 == 0.5
    assert squad.score(questions, {}).f1 == 0.5
    assert (score.questions, score.unanswerable) == (2, 1)
    assert score.mlqa_f1 is None  # the contexts' language is not told


@pytest.mark.parametrize(
    ("language", "given", "gold", "f1"),
    [
        ("de", "Das Rote Kreuz", "Rote Kreuz", 1.0),
        ("en", "das Kreuz", "Kreuz", 2 / 3),
        ("en", "a state-of-the-art", "stateoftheart", 1.0),
        ("es", "los Andes", "Andes", 1.0),
        ("ar", "البحر", "بحر", 1.0),
        ("vi", "của Hà Nội", "Hà Nội", 1.0),
        ("hi", "दिल्ली में", "दिल्ली", 2 / 3),
        ("zh", "上海市", "上海", 0.8),
        ("de", "16-jährige", "16jährige", 1.0),
        ("en", "a²", "²", 0.0),  # a word, and no article
        ("en", "the", "A", 0.0),  # nothing is left, so nothing is common
    ],
)
def test_f1_as_mlqas_own_evaluation_counts(language: str, given: str, gold: str, f1: float) -> None:
    question = squad.SquadQuestion("a", "?", gold, (gold,))
    assert squad.score([question], {"a": given}, language=language).mlqa_f1 == pytest.approx(f1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\xff", "cannot read"),
        (b"[1]", "expected SQuAD's form"),
        (b'{"data": [{"paragraphs": [{"qas": []}]}]}', "data.0.paragraphs.0.context"),
        (b'{"data": []}', "holds no questions"),
    ],
)
def test_a_file_of_another_form_is_named_with_the_field(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "odd.json"
    file.write_bytes(content)
    with pytest.raises(squad.SquadError, match=message) as raised:
        squad.load(file)
    assert str(file) in str(raised.value)


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(squad.SquadError, match="used twice"):
        squad.load(questions_file(tmp_path / "dev.json", HOW_MANY, HOW_MANY))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [questions_file(tmp_path / name, HOW_MANY) for name in ("dev.json", "dev.json.gz")]
    ended = CliRunner().invoke(app, ["squad", *map(str, files)])
    assert ended.exit_code == 2
    assert "one name" in ended.output


def test_the_reader_tells_a_paragraph_that_answers_from_one_that_looks_alike(tmp_path: Path) -> None:
    """A translation of a question's paragraph answers it, too, and is no negative; nor is what holds its answer."""
    english = "In the end 143 countries signed the resolution. The opening took place in Geneva."
    near = "In the end 12 towns signed the letter. The closing took place in Bern."
    first, second = squad.load(questions_file(tmp_path / "a.json", HOW_MANY))[0], "How many towns signed the letter?"
    known = [
        first,
        squad.SquadQuestion("a", first.question, english, ("143",)),
        squad.SquadQuestion("n", second, near, ("12",)),
        squad.SquadQuestion("u", "Wie hoch ist der Mont Blanc?", CONTEXT, ()),
    ]
    assert squad.separation(load_reader(), load_encoder(), known, known) == 1.0
    # Where the nearest other paragraph answers just as well, nothing can be told apart.
    twins = [replace(first, id="x"), replace(first, id="y", context=CONTEXT.replace("143", "144"))]
    twins = [replace(twin, answers=(number,)) for twin, number in zip(twins, ("143", "144"), strict=True)]
    assert squad.separation(load_reader(), load_encoder(), twins, twins) < 0.9
