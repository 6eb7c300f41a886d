"""Training examples for the reader: question files read, mixed, cut into windows, with passages that do not answer.

Files are SQuAD 2.0 JSON, gzipped, named `NAME.QUESTION-CONTEXT.json.gz` by the languages of question and context.
"""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from qa.embed import Encoder, load_encoder
from qa.read.spans import Window, windows
from qa.records import Bounds
from qa.sentences import sentences

MIX = {
    "mlqa-pairs": 16_000,
    "mlqa": 8_000,
    "squad2-backtranslated": 8_000,
    "piaf": 5_000,
    "idkmrc": 4_000,
    "tydiqa": 4_000,
    "tydiqa-pairs": 3_500,
    "squadshifts_newwiki": 3_000,
    "squad2-crossed": 3_000,
    "squad-train-slice": 2_000,
    "jsquad": 2_000,
    "drcd": 2_000,
    "cmrc": 2_000,
    "pquad_validation": 1_500,
    "qed_nq": 1_500,
    "squad2-mt": 1_500,
    "thquad2020": 1_000,
    "iapp_wiki_qa": 1_000,
    "squad-mt": 800,
    "afriqa_xl": 500,
    "afriqa": 400,
    "faquad": 300,
    "nq-mt": 300,
    "facqa": 200,
    "pira": 150,
}
"""Questions of each set, all its languages together; a set that has fewer is gone through again. The "-pairs" have
answers from `qa.training.silver`."""
TITLED = {
    "afriqa", "afriqa_xl", "cmrc", "drcd", "iapp_wiki_qa", "jsquad", "mlqa", "piaf", "pquad_validation", "qed_nq",
    "squad-mt", "squadshifts_newwiki", "thquad2020",
}  # fmt: skip
"""Sets whose titles say what the context is about."""
TITLED_SHARE = 0.5
"""Of their questions, how many are asked of a context with its title before it."""
MAX_TOKENS, STRIDE = 224, 64
SHORT = (40, 110)
"""Bounds of the budget, in tokens, of a passage that stands for one of an index."""
SHORT_SHARE = 0.25
"""Of the questions, how many are asked of short passages, the others of whole paragraphs."""
BESIDE_SHARE = 0.3
"""Of the answerable questions asked of whole paragraphs, how many have another one beside it that does not answer."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question, a context, and where in it the answer stands; `None` if it holds none.

    `key` is the same for one question in several languages. `asked_in` is the question's language, `language` the
    context's. `texts` are all accepted answers.
    """

    key: str
    question: str
    context: str
    language: str
    answer: Bounds | None
    texts: tuple[str, ...]
    name: str
    asked_in: str
    title: str = ""


class Target(NamedTuple):
    """A window's token ids, the bounds of the passage in them, and the positions of the answer's first and last
    token; 0, 0 where it holds none."""

    ids: NDArray[np.int32]
    passage: Bounds
    start: int
    end: int


Group = tuple[Target, ...]
"""Windows of one question; at most the first holds the answer."""


def load(file: Path) -> list[Example]:
    """All questions of one file. Where answers are not given, every question counts as unanswerable."""
    name, languages, *_ = file.name.split(".")
    found = []
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        data = json.load(stream)["data"]
    for article in data:
        title = article.get("title", "")
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = [] if qa.get("is_impossible") else qa.get("answers", [])
                texts = tuple(answer["text"] for answer in answers)
                start = answers[0]["answer_start"] if answers else 0
                bounds = Bounds(start, start + len(texts[0])) if answers else None
                asked_in, language = languages.split("-")
                found.append(
                    Example(
                        str(qa["id"]),
                        qa["question"],
                        paragraph["context"],
                        language,
                        bounds,
                        texts,
                        name,
                        asked_in,
                        title,
                    )
                )
    return found


def mix(train: Path, silver: Path, seed: int) -> list[Example]:
    """The training questions of `MIX`, shuffled. `silver`: the output of `qa.training.silver`."""
    chance = random.Random(seed)
    chosen: list[Example] = []
    for name, count in MIX.items():
        folder = silver if name.endswith("-pairs") else train
        if name == "squad2-crossed":
            pools = [crossed(folder)]
        else:
            pools = [load(file) for file in sorted(folder.glob(f"{name}.*.json.gz"))]
        if not any(pools):
            raise SystemExit(f"{folder} holds no {name}.*.json.gz")
        chosen += _take(pools, count, chance)
    chance.shuffle(chosen)
    return chosen


def _take(pools: Sequence[list[Example]], count: int, chance: random.Random) -> list[Example]:
    """`count` examples in all, small pools whole, the large ones in equal parts."""
    taken: list[Example] = []
    for i, pool in enumerate(sorted(pools, key=len)):
        share = (count - len(taken)) // (len(pools) - i)
        for _ in range(1 + share // len(pool) if share > len(pool) else 1):
            taken += chance.sample(pool, min(share, len(pool), count - len(taken)))
    if len(taken) < count:  # another time through the pools
        rest = [example for pool in pools for example in pool]
        taken += chance.sample(rest, min(count - len(taken), len(rest)))
    return taken


def crossed(folder: Path) -> list[Example]:
    """English questions on Finnish contexts, and the other way round: the two translations share ids."""
    english, finnish = (
        {example.key: example for file in folder.glob(f"{name}.*.json.gz") for example in load(file)}
        for name in ("squad2-backtranslated", "squad2-mt")
    )
    shared = sorted(english.keys() & finnish.keys())
    return [replace(english[key], question=finnish[key].question, asked_in="fi") for key in shared] + [
        replace(finnish[key], question=english[key].question, asked_in="en") for key in shared
    ]


def same_paragraph(asked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Which questions are about one paragraph, in whatever language: for each key the least of those joined with it.

    `asked`: key and context of each question. A key stands for a question in all its languages, so contexts of one
    key are translations; keys of one context, and of its translations, are joined.
    """
    parents: dict[str, str] = {}

    def root(key: str) -> str:
        while parents.setdefault(key, key) != key:
            key = parents[key]
        return key

    first: dict[str, str] = {}
    for key, context in asked:
        ends = root(key), root(first.setdefault(context, key))
        parents[max(ends)] = min(ends)
    return {key: root(key) for key in list(parents)}


def groups(tokenizer: Any, examples: Sequence[Example], seed: int) -> Iterator[Group]:
    """Windows for all examples, asked of short passages or of whole paragraphs, with such as do not answer beside them.

    Short ones stand in the same context, or are nearest to the question in the encoder's space among those of a
    thousand other questions of its set, in any of its languages; a paragraph is the one of the nearest other question
    of its set. Without those, a long passage would nearly always be one that answers.
    """
    chance = random.Random(seed)
    whole: dict[str, list[Example]] = defaultdict(list)
    short: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        (short if chance.random() < SHORT_SHARE else whole)[example.name].append(example)
    encoder = load_encoder()
    for part in whole.values():
        yield from _whole_groups(tokenizer, encoder, part, chance)
    for part in short.values():
        for i in range(0, len(part), 1000):
            yield from _short_groups(tokenizer, encoder, part[i : i + 1000], chance)


def _whole_groups(
    tokenizer: Any, encoder: Encoder, examples: Sequence[Example], chance: random.Random
) -> Iterator[Group]:
    paragraphs = same_paragraph((example.key, example.context) for example in examples)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        questions = encoder.encode_queries([example.question for example in examples])
    for example, vector in zip(examples, questions, strict=True):
        others: list[Example] = []
        if example.answer and chance.random() < BESIDE_SHARE:
            near = (examples[i] for i in np.argsort(-(questions @ vector))[:50])
            others = [other for other in near if paragraphs[other.key] != paragraphs[example.key]]
        yield from _group(tokenizer, example, _silent(example, others)[:1], chance)


def _short_groups(
    tokenizer: Any, encoder: Encoder, examples: Sequence[Example], chance: random.Random
) -> Iterator[Group]:
    cut = [_short_passages(tokenizer, example, chance) for example in examples]
    own = [next((p for p in passages if p.answer), chance.choice(passages)) for passages in cut]
    paragraphs = same_paragraph((example.key, example.context) for example in examples)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        queries = encoder.encode_queries([example.question for example in examples])
        documents = encoder.encode_passages([passage.context for passage in own])
    nearest = np.argsort(-(queries @ documents.T), axis=1)[:, :20]
    for passage, passages, row in zip(own, cut, nearest, strict=True):
        far = _silent(passage, [own[i] for i in row if paragraphs[own[i].key] != paragraphs[passage.key]])
        near = [other for other in passages if other is not passage and not other.answer]
        others = chance.sample(near, min(1, len(near))) + far[: 2 if near else 3]
        yield from _group(tokenizer, passage, others, chance)


def _silent(example: Example, others: Iterable[Example]) -> list[Example]:
    """Those whose contexts hold none of the example's answers."""
    return [other for other in others if not any(answer in other.context for answer in example.texts)]


def _group(tokenizer: Any, example: Example, others: Iterable[Example], chance: random.Random) -> Iterator[Group]:
    """The example's window, and one of each other context; a title stands in all of them or in none."""
    asked = [example, *(replace(example, context=o.context, title=o.title, answer=None) for o in others)]
    if example.name not in TITLED or chance.random() >= TITLED_SHARE:
        asked = [replace(each, title="") for each in asked]
    if group := tuple(target for each in asked if (target := _one_window(tokenizer, each, chance))):
        yield group


def _short_passages(tokenizer: Any, example: Example, chance: random.Random) -> list[Example]:
    """The context as passages of whole sentences; a passage that cuts the answer is joined to the next."""
    budget = chance.randint(*SHORT)
    bounds: list[Bounds] = []
    starts = [start for start, _ in tokenizer([example.context], add_special_tokens=False, verbose=False)[0].offsets]
    size = 0
    for sentence in sentences(example.context, language=example.language):
        tokens = sum(sentence.start <= start < sentence.end for start in starts)
        cuts = example.answer and bounds and example.answer.start < bounds[-1].end < example.answer.end
        if bounds and (size + tokens <= budget or cuts):
            bounds[-1] = Bounds(bounds[-1].start, sentence.end)
            size += tokens
        else:
            bounds.append(sentence)
            size = tokens
    found = []
    for start, end in bounds:
        inside = example.answer and start <= example.answer.start and example.answer.end <= end
        answer = Bounds(example.answer.start - start, example.answer.end - start) if example.answer and inside else None
        found.append(replace(example, context=example.context[start:end], answer=answer))
    return found or [example]


def _one_window(tokenizer: Any, example: Example, chance: random.Random) -> Target | None:
    """One window of the example at random, one with the answer if it has one; now and then one without it."""
    titles = [example.title.replace("_", " ")] if example.title else []
    found = list(
        windows(tokenizer, example.question, [example.context], max_tokens=MAX_TOKENS, stride=STRIDE, titles=titles)
    )
    chance.shuffle(found)
    for window in found:
        if example.answer is None:
            return _target(window, 0, 0)
        start, end = example.answer
        tokens = [i for i, (a, b) in enumerate(window.offsets) if a < end and b > start]
        if tokens and window.offsets[tokens[0]][0] <= start and window.offsets[tokens[-1]][1] >= end:
            return _target(window, window.first + tokens[0], window.first + tokens[-1])
        if chance.random() < 0.1 and not any(
            answer in example.context[window.offsets[0][0] : window.offsets[-1][1]] for answer in example.texts
        ):
            return _target(window, 0, 0)
    return None


def _target(window: Window, start: int, end: int) -> Target:
    passage = Bounds(window.first, window.first + len(window.offsets))
    return Target(np.array(window.ids, dtype=np.int32), passage, start, end)


def batches(data: Sequence[Group], seed: int, *, tokens: int) -> Iterator[list[Group]]:
    """Groups of similar length, in random order, at most `tokens` with padding in each."""
    chance = random.Random(seed)
    order = list(data)
    chance.shuffle(order)
    for i in range(0, len(order), 1000):
        part = sorted(order[i : i + 1000], key=_longest)
        found: list[list[Group]] = [[]]
        for group in part:
            rows = sum(map(len, found[-1])) + len(group)
            if found[-1] and rows * _longest(group) > tokens:
                found.append([])
            found[-1].append(group)
        chance.shuffle(found)
        yield from found


def _longest(group: Group) -> int:
    return max(len(target.ids) for target in group)


def dev_sets(folder: Path, sizes: dict[str, int]) -> dict[str, list[Example]]:
    """A fixed part of the dev files: of each file of a set as many as `sizes` says, all where it says nothing.

    The same for every seed, so that runs compare. MLQA is told apart into "mlqa same" and "mlqa cross".
    """
    chance = random.Random(1)
    found: dict[str, list[Example]] = defaultdict(list)
    for file in sorted(folder.glob("*.json.gz")):
        examples = load(file)
        chance.shuffle(examples)
        name, languages, *_ = file.name.split(".")
        question, context = languages.split("-")
        group = name if name != "mlqa" else "mlqa same" if question == context else "mlqa cross"
        found[group] += examples[: sizes.get(group, len(examples))]
    return dict(found)


def count_tokens(data: Iterable[Group]) -> int:
    """Tokens of all windows, without padding."""
    return sum(len(target.ids) for group in data for target in group)
