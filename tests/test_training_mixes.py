"""Which questions a run of training reads: of each set as many as its mix says, unread ones first."""

import re
from argparse import ArgumentTypeError
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from qa.read.spans import load_model
from qa.records import Bounds
from qa.training import mixes, silver
from qa.training.examples import Example
from qa.training.groups import groups
from qa.training.mixes import Mix, choose, run_named

SETS = {"first": 30, "second": 8}
"""Questions of each set in its file."""


def asked(name: str, number: int) -> Example:
    """A question, its paragraph, and one of three articles that the paragraph is from."""
    context = f"Bridge {number} crosses the river. It was opened in {1800 + number}."
    year = str(1800 + number)
    start = context.index(year)
    return Example(
        str(number), f"When was bridge {number} opened?", context, "en", Bounds(start, start + 4), (year,), name, "en",
        f"Article {number % 3}",
    )  # fmt: skip


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    silver.write([asked(name, number) for name, size in SETS.items() for number in range(size)], tmp_path)
    monkeypatch.setitem(mixes.MIXES, "small", Mix({"first": 10, "second": 10}))
    return tmp_path


def read(train: Path, seed: int, *before: int) -> list[tuple[str, str]]:
    chosen = choose(train, train, ("small", seed), after=[("small", each) for each in before])
    return [(example.name, example.key) for example in chosen]


def test_a_run_takes_as_many_of_each_set_as_its_mix_says_and_the_same_ones_again(train: Path) -> None:
    chosen = read(train, 1)
    assert Counter(name for name, _ in chosen) == {"first": 10, "second": 10}
    assert len(set(chosen)) == 18  # the second set has eight
    assert chosen == read(train, 1)
    assert set(chosen) != set(read(train, 2))


def test_a_later_run_takes_what_those_before_it_left(train: Path) -> None:
    runs = [{key for name, key in read(train, seed, *range(1, seed)) if name == "first"} for seed in (1, 2, 3)]
    assert [len(run) for run in runs] == [10, 10, 10]
    assert len(set.union(*runs)) == 30
    assert len(read(train, 4, 1, 2, 3)) == 20  # nothing is left, so all are there again


@pytest.mark.usefixtures("train")
def test_a_set_that_is_not_there_and_a_run_that_is_none_are_named(tmp_path: Path) -> None:
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=r"holds no first"):
        choose(empty, empty, ("small", 1))
    for text in ("small", "small:x", "none:1"):
        with pytest.raises(ArgumentTypeError, match=f"'{text}' is not MIX:SEED"):
            run_named(text)
    assert run_named("small:3") == ("small", 3)


def test_a_paragraph_of_the_same_article_stands_beside_its_question() -> None:
    examples = [asked("mlqa", number) for number in range(45)] + [replace(asked("drcd", 50), title="")]
    tokenizer, _ = load_model()
    made = list(groups(tokenizer, examples, Mix({}, short=0, cut=0, nearest=0, article=1), 1))
    assert sorted(map(len, made)) == [1, *[2] * 45]
    for group in made:
        texts = ["".join(tokenizer.convert_ids_to_tokens(each.ids[slice(*each.passage)].tolist())) for each in group]
        own, *others = [int(re.findall("18[0-9]{2}", text)[0]) for text in texts]
        assert all(other != own and other % 3 == own % 3 for other in others)
