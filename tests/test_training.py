"""What training is made of: which pairs meet in a batch, and the mean of runs. The runs themselves take hours."""

import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from qa.layers import numbers, save_layers
from qa.training.average import average
from qa.training.pairs import Pair, batches, same_paragraph, topics


def test_questions_of_one_paragraph_and_of_its_translations_have_one_key() -> None:
    asked = [("3", "english"), ("3", "deutsch"), ("1", "english"), ("1", "hindi"), ("2", "hindi"), ("4", "français")]
    assert same_paragraph(asked) == {"1": "1", "2": "1", "3": "1", "4": "4"}


def pairs(count: int, kind: str) -> list[Pair]:
    """As many pairs, three of each key."""
    return [Pair(f"{kind}{i // 3}", f"{kind} question {i}", f"evidence {i}", None, kind) for i in range(count)]


def test_a_batch_holds_one_kind_and_no_key_twice_and_hardly_a_pair_is_lost() -> None:
    questions = pairs(300, "crossed") + pairs(200, "alone")
    vectors = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)
    found = batches(questions, vectors, pairs(100, "parallel"), 1, size=16)
    for batch in found:
        assert len({pair.kind for pair in batch}) == 1
        assert len({pair.key for pair in batch}) == len(batch)
        assert 8 < len(batch) <= (32 if batch[0].kind == "parallel" else 16)
    used = [pair.anchor for batch in found for pair in batch]
    assert len(used) == len(set(used)) > 500
    assert found != batches(questions, vectors, pairs(100, "parallel"), 2, size=16)


def test_a_topic_is_what_lies_together() -> None:
    chance = random.Random(1)
    centres = np.eye(4, dtype=np.float32) * 10
    order = [chance.randrange(4) for _ in range(200)]
    vectors = (centres[order] + np.random.default_rng(1).normal(size=(200, 4)) / 10).astype(np.float32)
    found = list(topics(vectors, 30))
    assert sorted(np.concatenate(found).tolist()) == list(range(200))
    assert max(map(len, found)) <= 30
    alike = [np.bincount([order[row] for row in rows]).max() / len(rows) for rows in found]
    assert float(np.mean(alike)) > 0.9


def test_the_mean_of_runs_is_halfway_between_them(tmp_path: Path) -> None:
    made = np.random.default_rng(1)
    runs = [{"weight": made.normal(size=(8, 32)), "bias": made.normal(size=8)} for _ in range(2)]
    files = [tmp_path / "a", tmp_path / "b"]
    for run, file in zip(runs, files, strict=True):
        save_layers({name: value.astype(np.float32) for name, value in run.items()}, file)
    average(files, tmp_path / "mean")
    mean = load_file(tmp_path / "mean")
    for name, tensor in mean.items():
        wanted = (runs[0][name] + runs[1][name]).reshape(-1) / 2
        assert np.corrcoef(numbers(tensor), wanted)[0, 1] > 0.98
    save_layers({"other": np.zeros(3, np.float32)}, files[1])
    with pytest.raises(ValueError, match="runs of one kind"):
        average(files, tmp_path / "mean")
