"""Training pairs for the retriever: a question or sentence, a text that answers or translates it, one that does not.

Which negatives a question meets decides what is learned. Where each language answers only its own questions, telling
languages apart would be rewarded; so such pairs stand in batches of one language. Where question and evidence are of
languages drawn independently, batches are mixed, and the wrong sentence beside the right one is of the question's own
language where there is one: what the unchanged encoder would take. It is the one of its paragraph that the shipped
encoder takes for nearest to the question, and the questions of a batch are on one topic, so that it is not enough to
know what a text is about (topic-aware sampling, Hofstätter et al. 2021).
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from qa.embed import Encoder, Vectors
from qa.records import Bounds
from qa.sentences import sentences
from qa.training.examples import Example, crossed, load, same_paragraph
from qa.training.projection import read_pairs

CROSSED = {"mlqa": 12_000, "squad2-crossed": 10_000, "afriqa_xl": 4_000}
"""Questions of each set whose context stands in any language, the question's or another."""
ALONE = {
    "tydiqa": 6_000,
    "squadshifts_newwiki": 3_500,
    "idkmrc": 3_000,
    "piaf": 3_000,
    "jsquad": 3_000,
    "iapp_wiki_qa": 3_000,
    "thquad2020": 3_000,
    "qed_nq": 2_500,
    "pquad_validation": 2_500,
    "squad-mt": 2_000,
    "drcd": 1_500,
    "cmrc": 1_500,
    "faquad": 900,
}
"""Questions of each set that are asked in their context's language."""
SILVER = {"mlqa-pairs": 14_000, "tydiqa-pairs": 2_000}
"""Questions whose passage is known and the place in it is not: `qa.training.silver` points to it."""
PARALLEL = 250
"""Sentence pairs a language, four times as many of Sanskrit."""
HELD_OUT = ("glg", "lit", "mar", "tgl", "kat")
"""Languages of the parallel pack that are never trained on, to see what the others do for them."""
SIZES = (1, 1, 1, 2, 3, 5)
"""Sentences of an evidence text: as retrieval meets them alone, in small and in large passages."""
MAX_CHARS = 1_500


@dataclass(frozen=True, slots=True)
class Pair:
    """`positive` answers `anchor` (or says the same, in a pair of translations); `negative`, if any, does not.

    Pairs of one `key` are about one paragraph, in whatever language, and never stand in one batch: what answers one may
    answer another. `kind`: batches hold pairs of one kind.
    """

    key: str
    anchor: str
    positive: str
    negative: str | None
    kind: str


def collect(
    folder: Path, silver: Path, encoder: Encoder, seed: int, *, share: float
) -> tuple[list[Pair], Vectors, list[Pair]]:
    """Questions with their evidence, their vectors, and translations; of all kinds this share.

    `folder` holds reader/train and retrieval/parallel, `silver` the output of `qa.training.silver`. *Shape* of the
    vectors: (questions, dimension).
    """
    chance = random.Random(seed)
    sets = [
        (_choose(known, share * count, chance), known, kind)
        for known, count, kind in _known(folder / "reader" / "train", silver)
    ]
    # Over all sets at once: "mlqa" and "mlqa-pairs" ask about the same paragraphs.
    paragraphs = same_paragraph((_key(example), example.context) for _, known, _ in sets for example in known)
    sources = [source for chosen, known, kind in sets for source in _sources(chosen, known, kind, chance)]
    vectors = _encode(encoder.encode_queries, [source.example.question for source in sources], "questions")
    near = _sentence_vectors(encoder, [source.beside for source in sources])
    pairs = [
        _pair(source, paragraphs, near[source.beside.context] @ vector, chance)
        for source, vector in zip(sources, vectors, strict=True)
    ]
    whole = [i for i, pair in enumerate(pairs) if pair.positive]
    return (
        [pairs[i] for i in whole],
        vectors[whole],
        list(_translations(folder / "retrieval" / "parallel", share, chance)),
    )


def _known(train: Path, silver: Path) -> Iterator[tuple[list[Example], int, str]]:
    """Of each set all questions, how many of them are wanted, and their kind."""
    for name, count in CROSSED.items():
        yield crossed(train) if name == "squad2-crossed" else _load_all(train, name), count, "crossed"
    for name, count in SILVER.items():
        yield _load_all(silver, name), count, "crossed" if name == "mlqa-pairs" else "alone"
    for name, count in ALONE.items():
        yield _load_all(train, name), count, "alone"


def _translations(folder: Path, share: float, chance: random.Random) -> Iterator[Pair]:
    for file in sorted(folder.glob("*.tsv.gz")):
        language = file.name.split(".")[1].split("-")[0]
        if language not in HELD_OUT:
            count = round(share * PARALLEL * (4 if language == "san" else 1))
            for number, sides in enumerate(read_pairs(file, count)):
                first, second = chance.sample(sides, 2)
                yield Pair(f"{file.name}:{number}", first, second, None, "parallel")


def _load_all(folder: Path, name: str) -> list[Example]:
    files = sorted(folder.glob(f"{name}.*.json.gz"))
    if not files:
        raise SystemExit(f"{folder} holds no {name}.*.json.gz")
    return [example for file in files for example in load(file)]


def _choose(examples: Sequence[Example], count: float, chance: random.Random) -> list[Example]:
    return chance.sample(examples, min(round(count), len(examples)))


class _Source(NamedTuple):
    """A question that can be answered, and the same or its translation on a paragraph that lends the negative."""

    example: Example
    beside: Example
    kind: str


def _sources(
    chosen: Iterable[Example], known: Iterable[Example], kind: str, chance: random.Random
) -> Iterator[_Source]:
    """The answerable ones of `chosen`. Six in ten take their negative from the paragraph in the question's language, if
    `known` has it."""
    contexts: Mapping[str, dict[str, Example]] = defaultdict(dict)
    for example in known:
        if example.answer:
            contexts[example.key][example.language] = example
    for example in chosen:
        if example.answer:
            own = contexts[example.key].get(example.asked_in) if chance.random() < 0.6 else None
            name = kind if kind == "crossed" else f"{example.name}.{example.language}"
            yield _Source(example, own or example, name)


def _sentence_vectors(encoder: Encoder, examples: Iterable[Example]) -> dict[str, Vectors]:
    """Of the sentences of each context, in their order."""
    texts: list[str] = []
    places: dict[str, slice] = {}
    for example in examples:
        if example.context not in places:
            found = [example.context[start:end] for start, end in sentences(example.context, language=example.language)]
            places[example.context] = slice(len(texts), len(texts) + len(found))
            texts += found
    vectors = _encode(encoder.encode_passages, texts, "sentences")
    return {context: vectors[place] for context, place in places.items()}


def _encode(encode: Callable[[Sequence[str]], Vectors], texts: Sequence[str], what: str) -> Vectors:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return np.concatenate([encode(texts[i : i + 5000]) for i in track(range(0, len(texts), 5000), what)])


def _pair(source: _Source, paragraphs: Mapping[str, str], near: Vectors, chance: random.Random) -> Pair:
    """`near`: cosines of the question and each sentence beside. The negative is the nearest; of a paragraph whose
    answer was told by the reader any, since the nearest may be right after all."""
    example, size = source.example, chance.choice(SIZES)
    order = [chance.random() for _ in near] if example.pseudo_labelled else near.tolist()
    positive, negative = _evidence(example, size, chance), _beside(source.beside, size, order)
    return Pair(paragraphs[_key(example)], example.question, positive, negative, source.kind)


def _key(example: Example) -> str:
    """The example's key among those of all sets."""
    return f"{example.name.split('-')[0]}:{example.key}"


def _split(example: Example) -> tuple[list[Bounds], list[int]]:
    """The context's sentences, and which of them the answer touches."""
    assert example.answer
    bounds = sentences(example.context, language=example.language)
    return bounds, [i for i, s in enumerate(bounds) if s.start < example.answer.end and s.end > example.answer.start]


def _evidence(example: Example, size: int, chance: random.Random) -> str:
    """`size` sentences with the answer, or more if it touches more; nothing if it touches none."""
    bounds, inside = _split(example)
    if not inside:
        return ""
    first = max(0, inside[0] - chance.randrange(size))
    return _join(example.context, bounds[first : max(inside[-1] + 1, first + size)])


def _beside(example: Example, size: int, near: Sequence[float]) -> str | None:
    """`size` sentences without an answer, the nearest among them, if the context has others than the answer's."""
    bounds, inside = _split(example)
    if not inside:
        return None
    starts = [i for i in range(len(bounds)) if i + size <= inside[0] or inside[-1] < i]
    for start in sorted(starts, key=lambda i: max(near[i : i + size]), reverse=True):
        text = _join(example.context, bounds[start : start + size])
        if not any(answer in text for answer in example.texts):
            return text
    return None


def _join(context: str, bounds: Sequence[Bounds]) -> str:
    return context[bounds[0].start : bounds[-1].end][:MAX_CHARS]


def batches(
    questions: Sequence[Pair], vectors: Vectors, translations: Sequence[Pair], seed: int, *, size: int
) -> list[list[Pair]]:
    """All pairs in batches of similar length, in random order: questions of one kind and topic, or twice as many
    translations. `vectors`: of the questions, *Shape* (questions, dimension)."""
    chance = random.Random(seed)
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, pair in enumerate(questions):
        kinds[pair.kind].append(number)
    found: list[list[Pair]] = []
    for numbers in kinds.values():
        chance.shuffle(numbers)
        for topic in topics(vectors[numbers], 4 * size):
            found += _apart(sorted((questions[numbers[i]] for i in topic), key=_length), size)
    shuffled = chance.sample(translations, len(translations))
    for i in range(0, len(shuffled), 32 * size):
        found += _apart(sorted(shuffled[i : i + 32 * size], key=_length), 2 * size)
    chance.shuffle(found)
    return [batch for batch in found if len(batch) > size // 2]


def topics(vectors: Vectors, size: int) -> Iterator[NDArray[np.intp]]:
    """Rows in groups of at most `size` that lie near each other: halves along the direction of most variation, again
    and again."""
    todo = [np.arange(len(vectors))]
    while todo:
        rows = todo.pop()
        if len(rows) <= size:
            yield rows
            continue
        centred = vectors[rows] - vectors[rows].mean(axis=0)
        direction = np.linalg.eigh(centred.T @ centred)[1][:, -1]
        order = rows[np.argsort(centred @ direction, kind="stable")]
        todo += np.array_split(order, 2)


def _apart(pairs: Sequence[Pair], rows: int) -> Iterator[list[Pair]]:
    """Consecutive batches, none with one key or one text twice."""
    rest = list(pairs)
    while rest:
        seen: set[str] = set()
        batch: list[Pair] = []
        later: list[Pair] = []
        for number, pair in enumerate(rest):
            if len(batch) == rows:
                later += rest[number:]
                break
            if seen.isdisjoint(marks := {f"\0{pair.key}", pair.anchor, pair.positive}):
                seen |= marks
                batch.append(pair)
            else:
                later.append(pair)
        yield batch
        rest = later


def _length(pair: Pair) -> int:
    return max(len(pair.positive.encode()), len((pair.negative or "").encode()))


def columns(batch: Sequence[Pair], prompts: Mapping[str, str]) -> list[list[str]]:
    """Anchors, positives, and negatives where every pair has one or can borrow one, with the encoder's prompts.

    Translations stand on either side of a search: half of the batches as questions, half as passages on both sides.
    """
    query, passage = prompts["query"], prompts["document"]
    if batch[0].kind == "parallel":
        side = query if len(batch[0].anchor) % 2 else passage
        return [[side + pair.anchor for pair in batch], [passage + pair.positive for pair in batch]]
    found = [[query + pair.anchor for pair in batch], [passage + pair.positive for pair in batch]]
    negatives = [pair.negative for pair in batch if pair.negative]
    return [*found, [passage + text for text in negatives]] if negatives else found
