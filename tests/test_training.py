"""What training is made of: questions and what stands beside them, answers that the reader tells, which pairs meet in a
batch, the mean of runs. The runs themselves take hours."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from qa.embed import load_encoder
from qa.layers import numbers, save_layers
from qa.read.spans import load_model
from qa.records import Bounds
from qa.training import silver
from qa.training.average import average
from qa.training.examples import Example, load, same_paragraph
from qa.training.groups import groups
from qa.training.mixes import MIXES
from qa.training.pairs import ALONE, CROSSED, SILVER, Pair, batches, collect, topics


def test_questions_of_one_paragraph_and_of_its_translations_have_one_key() -> None:
    asked = [("3", "english"), ("3", "deutsch"), ("1", "english"), ("1", "hindi"), ("2", "hindi"), ("4", "français")]
    assert same_paragraph(asked) == {"1": "1", "2": "1", "3": "1", "4": "4"}


SAID = {
    "en": ("In which year was town {} founded?", "Town {} lies on a river. It was founded in {}. It is small."),
    "de": ("In welchem Jahr wurde Stadt {} gegründet?", "Stadt {} liegt am Fluss. Sie wurde {} gegründet."),
}


def example(number: int, language: str) -> Example:
    """A question with a context of its own; of one number in two languages, a translation."""
    question, context = (text.format(number, 1500 + number) for text in SAID[language])
    year = str(1500 + number)
    answer = Bounds(context.index(year), context.index(year) + len(year))
    return Example(str(number), question, context, language, answer, (year,), "mlqa", language, f"Title_{number}")


def test_what_stands_beside_a_question_does_not_answer_it_in_any_language() -> None:
    examples = [example(number, language) for number in range(60) for language in ("en", "de")]
    tokenizer, _ = load_model()

    def read(ids: NDArray[np.int32]) -> str:
        return "".join(tokenizer.convert_ids_to_tokens(ids.tolist())).replace("▁", " ")

    made = list(groups(tokenizer, examples, MIXES["pairs"], 1))
    assert len(made) == len(examples)
    beside = cut = titled = 0
    for first, *others in made:
        answer = read(first.ids[first.start : first.end + 1]).strip(" .")
        number = int(answer) - 1500
        assert f" {number} " in read(first.ids[: first.passage.start])
        assert answer in read(first.ids[slice(*first.passage)])
        titled += "Title" in read(first.ids)
        for other in others:
            said = read(other.ids[slice(*other.passage)])
            assert (other.start, other.end) == (0, 0)
            assert answer not in said
            assert ("Title" in read(other.ids)) == ("Title" in read(first.ids))
            beside += f" {number} " not in said
            cut += f" {number} " in said
    assert 40 < titled < 80
    assert beside > 20
    assert cut > 15


def test_an_answer_that_is_told_is_the_same_in_all_languages_and_stands_in_the_file(tmp_path: Path) -> None:
    context = "Die Resolution wurde am 1. Juli 2024 angenommen. Am Ende hatten 143 Länder sie unterstützt."
    asked = {
        "de": "Wie viele Länder unterstützten die Resolution?",
        "es": "¿Cuántos países apoyaron la resolución?",
        "vi": "Bao nhiêu quốc gia ủng hộ nghị quyết?",
    }
    examples = [Example("q", text, context, "de", None, (), "some-pairs", code) for code, text in asked.items()]
    overlong = replace(examples[0], key="long", context=context * 30)
    tokenizer, model = load_model()
    found = list(silver.marked(model.eval(), tokenizer, [*examples, overlong]))
    assert [one.asked_in for _, one in found] == ["de", "es", "vi"]
    assert len({(probability, one.answer, one.texts) for probability, one in found}) == 1
    probability, first = found[0]
    assert silver.SURE < probability <= 1
    assert "143" in first.texts[0]
    silver.write([one for _, one in found], tmp_path)
    written = [one for file in sorted(tmp_path.iterdir()) for one in load(file)]
    assert written == [one for _, one in found]


def test_the_negative_of_a_question_is_the_nearest_wrong_sentence_of_its_paragraph(tmp_path: Path) -> None:
    context = (
        "The Old Bridge was opened in 1905. It was the Old Bridge that was closed in 1950. Bees make honey. Rain fell."
    )
    asked = Example("q", "When was the Old Bridge opened?", context, "en", Bounds(29, 33), ("1905",), "", "en")
    data, told = tmp_path / "data", tmp_path / "silver"
    for folder, names in (
        (data / "reader" / "train", [*CROSSED, *ALONE, "squad2-backtranslated", "squad2-mt"]),
        (told, SILVER),
        (data / "retrieval" / "parallel", ()),
    ):
        folder.mkdir(parents=True)
        silver.write([replace(asked, name=name) for name in names], folder)
    found, vectors, translations = collect(data, told, load_encoder(), 1, share=1)
    assert (len(found), vectors.shape, translations) == (
        len(CROSSED) + 1 + len(ALONE) + len(SILVER),
        (len(found), 384),
        [],
    )
    known = [pair for pair in found if "-pairs" not in pair.kind and pair.key.split(":")[0] != "mlqa"]
    assert {pair.positive.split(".")[0] for pair in found} == {"The Old Bridge was opened in 1905"}
    assert {(pair.negative or "").split(".")[0] for pair in known} == {"It was the Old Bridge that was closed in 1950"}


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
