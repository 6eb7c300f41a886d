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

from qa.embed import load_encoder
from qa.read.spans import Window, windows
from qa.records import Bounds
from qa.sentences import sentences

MIX = {
    "mlqa": 12_000,
    "tydiqa": 5_000,
    "idkmrc": 4_000,
    "piaf": 5_000,
    "squad2-backtranslated": 16_000,
    "squad2-mt": 3_000,
    "squad2-crossed": 6_000,
    "squadshifts_newwiki": 5_000,
    "squad-train-slice": 4_300,
    "jsquad": 2_500,
    "drcd": 2_500,
    "cmrc": 2_000,
    "pquad_validation": 3_000,
    "qed_nq": 2_000,
    "thquad2020": 2_000,
    "iapp_wiki_qa": 1_500,
    "squad-mt": 1_200,
    "faquad": 500,
    "pira": 300,
    "nq-mt": 500,
    "afriqa": 500,
    "afriqa_xl": 500,
    "facqa": 300,
}
"""Questions of each set, all its languages together; a set that has fewer is gone through again."""
MAX_TOKENS, STRIDE = 224, 64
SHORT = (40, 110)
"""Bounds of the budget, in tokens, of a passage that stands for one of an index."""
SHORT_SHARE = 0.45
"""Of the questions, how many are asked of short passages, the others of whole paragraphs."""


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
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = [] if qa.get("is_impossible") else qa.get("answers", [])
                texts = tuple(answer["text"] for answer in answers)
                start = answers[0]["answer_start"] if answers else 0
                bounds = Bounds(start, start + len(texts[0])) if answers else None
                asked_in, language = languages.split("-")
                found.append(
                    Example(
                        str(qa["id"]), qa["question"], paragraph["context"], language, bounds, texts, name, asked_in
                    )
                )
    return found


def mix(folder: Path, seed: int) -> list[Example]:
    """The training questions of `MIX`, shuffled."""
    chance = random.Random(seed)
    chosen: list[Example] = []
    for name, count in MIX.items():
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


def groups(tokenizer: Any, examples: Sequence[Example], seed: int) -> Iterator[Group]:
    """Windows for all examples: `SHORT_SHARE` of them with passages that do not answer.

    Such a passage stands in the same context, or is the one nearest to the question in the encoder's space among
    those of a thousand other questions of its set, in any of its languages.
    """
    chance = random.Random(seed)
    whole: list[Example] = []
    short: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        (short[example.name] if chance.random() < SHORT_SHARE else whole).append(example)
    for example in whole:
        if target := _one_window(tokenizer, example, chance):
            yield (target,)
    encoder = load_encoder()
    for block in (part[i : i + 1000] for part in short.values() for i in range(0, len(part), 1000)):
        cut = [_short_passages(tokenizer, example, chance) for example in block]
        own = [next((p for p in passages if p.answer), chance.choice(passages)) for passages in cut]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            queries = encoder.encode_queries([example.question for example in block])
            documents = encoder.encode_passages([passage.context for passage in own])
        nearest = np.argsort(-(queries @ documents.T), axis=1)[:, :20]
        for example, passage, passages, row in zip(block, own, cut, nearest, strict=True):
            far = [own[i].context for i in row if own[i].key != example.key and own[i].context not in example.context]
            far = [context for context in far if not any(answer in context for answer in example.texts)]
            near = [other.context for other in passages if other is not passage and not other.answer]
            others = chance.sample(near, min(1, len(near))) + far[: 2 if near else 3]
            group = tuple(
                target
                for part in (passage, *(replace(passage, context=other, answer=None) for other in others))
                if (target := _one_window(tokenizer, part, chance))
            )
            if group:
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
    found = list(windows(tokenizer, example.question, [example.context], max_tokens=MAX_TOKENS, stride=STRIDE))
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
