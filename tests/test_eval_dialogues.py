"""Evaluation of dialogues: hand-computed cases, a whole run by the command, and one dialogue with the real bot."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.__main__ import dialogues as talk_in_all
from eval.dialogues import (
    Scored,
    complete_scores,
    first_turn_scores,
    follow_up_scores,
    load_talks,
    run_complete,
    run_dialogue,
    table,
    unrelated,
)
from eval.gold import GoldDialogue, GoldError, GoldTurn, load_dialogues
from eval.metrics import Outcome
from qa.bot import Bot
from qa.records import Reply
from tests.asked import RIGHT, SPANS, WRONG, A, B, abstained, answered, failed, question
from tests.conftest import REPOSITORY

NOTHING = question()


def following(outcome: Outcome) -> Outcome:
    """The outcome of a reply that was read together with an earlier question."""
    assert outcome.reply is not None
    return replace(outcome, reply=replace(outcome.reply, follows="Where?"))


def test_a_first_turn_is_scored_by_its_first_quote() -> None:
    assert first_turn_scores(answered(RIGHT)) == {"first turn": 1.0, "error": 0.0}
    assert first_turn_scores(answered(WRONG)) == {"first turn": 0.0, "error": 0.0}
    assert first_turn_scores(failed()) == {"first turn": 0.0, "error": 1.0}
    assert first_turn_scores(abstained(gold=NOTHING)) == {"error": 0.0}


def test_a_follow_up_is_scored_in_its_dialogue_alone_and_reworded() -> None:
    assert follow_up_scores(following(answered(RIGHT)), answered(WRONG), abstained(RIGHT)) == {
        "recognised": 1.0,
        "follow-up": 1.0,
        "follow-up, alone": 0.0,
        "follow-up, standalone": 0.0,
        "error": 0.0,
    }
    assert follow_up_scores(answered(WRONG), answered(RIGHT), answered(RIGHT)) == {
        "recognised": 0.0,
        "follow-up": 0.0,
        "follow-up, alone": 1.0,
        "follow-up, standalone": 1.0,
        "error": 0.0,
    }


def test_a_follow_up_without_an_answer_asks_for_an_abstention() -> None:
    talked, standalone = following(abstained(gold=NOTHING)), answered(WRONG, gold=NOTHING)
    assert follow_up_scores(talked, abstained(gold=NOTHING), standalone) == {
        "recognised": 1.0,
        "right abstention": 1.0,
        "right abstention, standalone": 0.0,
        "error": 0.0,
    }


def test_an_error_is_a_miss_in_every_measure_and_no_abstention() -> None:
    scores = follow_up_scores(failed(), failed(), answered(RIGHT))
    assert (scores["recognised"], scores["follow-up"], scores["follow-up, alone"], scores["error"]) == (0, 0, 0, 1)
    assert follow_up_scores(failed(NOTHING), failed(NOTHING), failed(NOTHING))["right abstention"] == 0.0
    assert complete_scores(failed()) == {"false alarm": 1.0, "error": 1.0}


def test_a_complete_question_that_is_read_with_another_is_a_false_alarm() -> None:
    assert complete_scores(answered(RIGHT)) == {"false alarm": 0.0, "error": 0.0}
    assert complete_scores(following(answered(RIGHT))) == {"false alarm": 1.0, "error": 0.0}


def test_what_is_asked_before_a_complete_question_has_its_language_and_another_fact() -> None:
    asked = [
        replace(question(fact=fact, language=language), question=f"{fact}?")
        for fact, language in (("a", "en"), ("a", "en"), ("b", "en"), ("b", "de"), ("c", "en"))
    ]
    assert [(pair[0].question, pair[1]) for pair in unrelated(asked)] == [
        ("a?", "b?"),
        ("a?", "b?"),
        ("b?", "c?"),
        ("c?", "a?"),
    ]


def test_the_table_has_means_over_languages_and_over_questions() -> None:
    rows = [
        Scored(question(fact="f", language="de"), {"follow-up": 1.0, "error": 0.0}),
        Scored(question(fact="g", language="fi"), {"follow-up": 0.0, "error": 0.0}),
        Scored(question(fact="h", language="fi"), {"follow-up": 0.0, "error": 0.0}),
    ]
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table(rows))
    written = captured.get()
    assert re.search(r"macro average +– +0\.50 ", written)
    assert re.search(r"all questions +– +0\.33 ", written)
    assert re.search(r"questions +0 +3 +0 .* 3 *\n", written)


class Listener:
    """A partner that answers right when it is told of ferries before, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def ask(self, question: str, *, earlier: Sequence[str] = ()) -> Reply:
        self.asked.append((question, tuple(earlier)))
        reply = (answered(RIGHT) if earlier or "ferry" in question else answered(WRONG)).reply
        assert reply is not None
        return replace(reply, question=question, follows=earlier[-1] if earlier else None)


def dialogue() -> GoldDialogue:
    first, second, third = (
        replace(question(*SPANS), id=f"d.{i}", question=words)
        for i, words in enumerate(("When does the ferry leave?", "And arrive?", "Since when?"))
    )
    turns = (
        GoldTurn(first, first.question),
        GoldTurn(second, "When does the ferry arrive?"),
        GoldTurn(third, "Since when does the ferry run?"),
    )
    return GoldDialogue("d", "f", "en", turns, "")


def test_each_turn_is_asked_after_those_before_it_and_by_itself_in_both_wordings() -> None:
    partner = Listener()
    rows = run_dialogue(partner, dialogue())
    assert partner.asked == [
        ("When does the ferry leave?", ()),
        ("And arrive?", ("When does the ferry leave?",)),
        ("And arrive?", ()),
        ("When does the ferry arrive?", ()),
        ("Since when?", ("When does the ferry leave?", "And arrive?")),
        ("Since when?", ()),
        ("Since when does the ferry run?", ()),
    ]
    assert [row.scores.get("first turn") for row in rows] == [1.0, None, None]
    for row in rows[1:]:
        assert (row.scores["follow-up"], row.scores["follow-up, alone"], row.scores["follow-up, standalone"]) == (
            1,
            0,
            1,
        )
    assert run_complete(partner, question(*SPANS), "Where?").scores == {"false alarm": 1.0, "error": 0.0}


def line(**change: Any) -> str:
    span = {"document": "a", "start": 9, "end": 19, "text": "143 Länder"}
    turn = {"question": "Wie viele?", "standalone": "Wie viele Länder?", "answerable": True, "spans": [span]}
    record = {"id": "d.de.1", "fact": "d", "language": "de", "turns": [turn, turn], "note": ""}
    return json.dumps({**record, **change})


def test_dialogues_are_read_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "dialogues.jsonl"
    file.write_text(line(), encoding="utf-8")
    (found,) = load_dialogues([file], [A, B])
    assert [turn.asked.id for turn in found.turns] == ["d.de.1.1", "d.de.1.2"]
    assert found.turns[1].standalone == "Wie viele Länder?"
    assert found.turns[1].asked.spans == SPANS[:1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"turns": []}, "two turns or more, this one 0"),
        ({"language": 5}, "language must be str"),
        ({"turns": [{"question": "Who?"}] * 2}, "turn 1: expected the fields question, standalone, answerable, spans"),
        (
            {"turns": [{"question": "a", "standalone": "a", "answerable": True, "spans": []}] * 2},
            "turn 1: an answerable question needs spans",
        ),
    ],
)
def test_a_faulty_dialogue_is_named_with_file_and_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = tmp_path / "dialogues.jsonl"
    file.write_text(f"\n{line(**change)}\n", encoding="utf-8")
    with pytest.raises(GoldError) as caught:
        load_dialogues([file], [A, B])
    assert f"{file}:2" in str(caught.value)
    assert message in str(caught.value)


def test_the_shipped_dialogues_hold_and_another_corpus_needs_its_own() -> None:
    talks = load_talks("dev")
    assert len(talks.dialogues) == 10
    assert len(talks.complete) == 166
    more = load_talks("dev", files=[REPOSITORY / "eval/questions/dev/followups.jsonl"])
    assert len({talk.language for talk in more.dialogues}) == 14
    assert not {talk.id for talk in more.dialogues} & {talk.id for talk in talks.dialogues}
    with pytest.raises(GoldError, match="name a file with --questions"):
        load_talks("dev", corpus=Path("elsewhere"))


def test_a_gold_dialogue_with_the_real_bot(bot: Bot) -> None:
    talk = next(talk for talk in load_talks("dev").dialogues if talk.id == "talk-resolution-votes.de.1")
    rows = run_dialogue(bot, replace(talk, turns=talk.turns[:2]))
    assert [row.scores["error"] for row in rows] == [0.0] * 2
    assert rows[1].scores["recognised"] == 1.0


def test_somebodys_own_dialogues_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "ferry.txt").write_text("Die Fähre nach Helgoland legt um 9:30 Uhr ab.\n", encoding="utf-8")
    span = {"document": "ferry.txt", "start": 33, "end": 41, "text": "9:30 Uhr"}
    turns = [
        {"question": words, "standalone": words, "answerable": True, "spans": [span]}
        for words in ("Wann legt die Fähre nach Helgoland ab?", "Und um wie viel Uhr?")
    ]
    (tmp_path / "own.jsonl").write_text(line(turns=turns), encoding="utf-8")
    monkeypatch.setenv("BABELQUOTE_STORE__HOME", str(tmp_path / "home"))
    talk_in_all(corpus=papers, questions=[tmp_path / "own.jsonl"])
    assert re.search(r"macro average +1\.00 +1\.00 ", capsys.readouterr().out)
