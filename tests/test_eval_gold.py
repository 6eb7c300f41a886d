"""Question files: what is refused, what a draft becomes, and what the shipped ones promise."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from eval import CORPUS
from eval.corpus import read_documents
from eval.draft import locate
from eval.gold import QUESTIONS, GoldError, GoldQuestion, load_questions, split_files
from qa.records import Document
from qa.settings import Settings
from tests.asked import A, B

LANGUAGES = {"zh", "ru", "en", "fr", "id", "sa", "ja", "de", "pt", "el", "es", "it", "fi", "la"}
ANSWERABLE = {"name", "number", "date", "place", "who-said", "why-how", "list"}
UNANSWERABLE = {"near-miss", "false-premise", "wrong-workshop", "other-world"}
GOOD = {"id": "x", "fact": "f", "kind": "number", "language": "de", "question": "Wie viele?", "answerable": True,
        "spans": [{"document": "a", "start": 9, "end": 12, "text": "143"}], "note": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spans": [{"document": "a", "start": 8, "end": 12, "text": "143"}]}, "is ' 143', not '143'"),
        ({"spans": [{"document": "z", "start": 9, "end": 12, "text": "143"}]}, "no document 'z'; documents: a, b"),
        ({"spans": []}, "answerable question needs spans"),
        ({"answerable": "yes"}, "answerable must be bool"),
        ({"colour": "red"}, "expected the fields id, fact"),
    ],
)
def test_a_wrong_question_is_named_by_file_and_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps({**GOOD, "id": "y", **change}) + "\n", encoding="utf-8")
    with pytest.raises(GoldError) as caught:
        load_questions([file], [A, B])
    assert f"{file}:2" in str(caught.value)
    assert message in str(caught.value)


def test_a_duplicate_id_a_broken_line_and_an_empty_file_are_named(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    for content, message in (
        (2 * (json.dumps(GOOD) + "\n"), "'x' is used twice"),
        ("{", "not JSON"),
        ("", "no questions"),
    ):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(GoldError, match=message):
            load_questions([file], [A, B])


DRAFT = {"language": "de", "question": "Wie viele?", "answers": {"a": ["‹143› Länder"], "b": ["143 countries"]}}


def draft(tmp_path: Path, **change: object) -> Path:
    file = tmp_path / "draft.jsonl"
    file.write_text(json.dumps({**DRAFT, **change}) + "\n", encoding="utf-8")
    return file


def test_a_draft_becomes_a_question_file_with_offsets(tmp_path: Path) -> None:
    out = tmp_path / "questions.jsonl"
    assert locate(draft(tmp_path, fact="countries"), [A, B], out) == (1, 0)
    (question,) = load_questions([out], [A, B])
    assert [(span.document, span.start, span.text) for span in question.spans] == [
        ("a", 9, "143"),
        ("b", 7, "143 countries"),
    ]
    assert (question.fact, question.language, question.answerable) == ("countries", "de", True)


def test_a_draft_without_answers_is_unanswerable(tmp_path: Path) -> None:
    locate(draft(tmp_path, answers={}), [A, B], tmp_path / "out.jsonl")
    assert not load_questions([tmp_path / "out.jsonl"], [A, B])[0].answerable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": {"a": ["144 Länder"]}}, "'144 Länder' does not stand in a"),
        ({"answers": {"a": ["e"]}}, "stands more than once in a"),
        ({"answers": {"a": ["‹143 Länder"]}}, "at most one pair of ‹ and ›"),
        ({"answers": {"z": ["143"]}}, "no document 'z'; documents: a, b"),
        ({"answers": {"a": "143"}}, "must be a list of texts"),
        ({"colour": "red"}, "expected the fields language, question, answers"),
        ({"question": 7}, "question must be str"),
    ],
)
def test_a_draft_that_cannot_be_located_is_named_and_nothing_written(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    file = draft(tmp_path, **change)
    with pytest.raises(GoldError) as caught:
        locate(file, [A, B], tmp_path / "out.jsonl")
    assert f"{file}:1" in str(caught.value)
    assert message in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draft.jsonl"]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return read_documents(CORPUS, Settings())


@pytest.fixture(scope="module")
def splits(documents: list[Document]) -> dict[str, list[GoldQuestion]]:
    return {split: load_questions(split_files([split]), documents) for split in ("dev", "test")}


def dialogues(split: str) -> list[dict[str, Any]]:
    lines = (QUESTIONS / split / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_gold_set_is_large_and_speaks_fourteen_languages(splits: dict[str, list[GoldQuestion]]) -> None:
    asked = Counter(question.language for questions in splits.values() for question in questions)
    assert asked.total() >= 250
    assert set(asked) == LANGUAGES
    assert all(asked[language] >= (30 if language in ("en", "de", "fr", "id") else 10) for language in LANGUAGES)


def test_each_split_holds_every_language_kind_and_document(splits: dict[str, list[GoldQuestion]]) -> None:
    for questions in splits.values():
        assert {question.language for question in questions} == LANGUAGES
        assert {question.kind for question in questions} == ANSWERABLE | UNANSWERABLE
        assert len({span.document for question in questions for span in question.spans}) == 5
        assert all(question.answerable == (question.kind in ANSWERABLE) for question in questions)


def test_at_least_seventy_questions_have_no_answer(splits: dict[str, list[GoldQuestion]]) -> None:
    assert sum(not question.answerable for questions in splits.values() for question in questions) >= 70


def test_no_fact_stands_in_both_splits(splits: dict[str, list[GoldQuestion]]) -> None:
    facts = [
        {question.fact for question in questions} | {dialogue["fact"] for dialogue in dialogues(split)}
        for split, questions in splits.items()
    ]
    assert facts[0].isdisjoint(facts[1])


def test_facts_are_asked_in_several_languages(splits: dict[str, list[GoldQuestion]]) -> None:
    languages: dict[str, set[str]] = {}
    for question in (question for questions in splits.values() for question in questions):
        languages.setdefault(question.fact, set()).add(question.language)
    assert sum(len(spoken) > 1 for spoken in languages.values()) > 0.9 * len(languages)


def test_twenty_dialogues_lean_on_what_came_before_and_their_spans_hold(documents: list[Document]) -> None:
    texts = {document.id: document.text for document in documents}
    every = [*dialogues("dev"), *dialogues("test")]
    assert len(every) >= 20
    for dialogue in every:
        assert len(dialogue["turns"]) >= 2
        assert any(turn["question"] != turn["standalone"] for turn in dialogue["turns"][1:])
        for turn in dialogue["turns"]:
            assert turn["answerable"] == bool(turn["spans"])
            for span in turn["spans"]:
                assert texts[span["document"]][span["start"] : span["end"]] == span["text"]


def test_no_id_is_used_twice(splits: dict[str, list[GoldQuestion]]) -> None:
    ids = [question.id for questions in splits.values() for question in questions]
    ids += [dialogue["id"] for split in splits for dialogue in dialogues(split)]
    assert len(ids) == len(set(ids))
