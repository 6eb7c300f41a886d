"""What the reader's training reads: windows of a question's passage, and of passages beside it that do not answer."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from qa.embed import Encoder, load_encoder
from qa.read.spans import Window, windows
from qa.records import Bounds
from qa.sentences import sentences
from qa.training.examples import Example, same_paragraph
from qa.training.mixes import Mix

MAX_TOKENS, STRIDE = 224, 64
SHORT = (40, 110)
"""Bounds of the budget, in tokens, of a passage that stands for one of an index."""
TITLED = {
    "afriqa", "afriqa_xl", "cmrc", "drcd", "iapp_wiki_qa", "jsquad", "mlqa", "piaf", "pquad_validation", "qed_nq",
    "squad-mt", "squadshifts_newwiki", "thquad2020",
}  # fmt: skip
"""Sets whose titles say what the context is about."""
TITLED_SHARE = 0.5
"""Of their questions, how many are asked of a context with its title before it."""


class Target(NamedTuple):
    """A window's token ids, the bounds of the passage in them, and the positions of the answer's first and last
    token; 0, 0 where it holds none."""

    ids: NDArray[np.int32]
    passage: Bounds
    start: int
    end: int


Group = tuple[Target, ...]
"""Windows of one question; at most the first holds the answer."""


def groups(tokenizer: Any, examples: Sequence[Example], mix: Mix, seed: int) -> Iterator[Group]:
    """Windows for all examples, asked of short passages or of whole paragraphs, with such as do not answer beside them.

    Short ones stand in the same context, or are nearest to the question in the encoder's space among those of a
    thousand other questions of its set, in any of its languages. A paragraph, as often as the mix says, is the
    question's own without the sentences that answer (if somebody marked them), or the one of the nearest other question
    of all, in a language drawn from those in which the question's language is answered, or of its article; so neither
    topic, length nor language tells what answers.
    """
    chance = random.Random(seed)
    whole: list[Example] = []
    short: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        (short[example.name] if chance.random() < mix.short else whole).append(example)
    encoder = load_encoder()
    yield from _whole_groups(tokenizer, encoder, whole, mix, chance)
    for part in short.values():
        for i in range(0, len(part), 1000):
            yield from _short_groups(tokenizer, encoder, part[i : i + 1000], chance)


def _whole_groups(
    tokenizer: Any, encoder: Encoder, examples: Sequence[Example], mix: Mix, chance: random.Random
) -> Iterator[Group]:
    paragraphs = same_paragraph((example.key, example.context) for example in examples)
    articles = np.array([_article(example) for example in examples])
    languages = np.array([example.language for example in examples])
    answered = defaultdict(list)
    for example in examples:
        if example.answer:
            answered[example.asked_in].append(example.language)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        questions = encoder.encode_queries([example.question for example in examples])
    for example, vector in zip(examples, questions, strict=True):
        others: list[Example] = []
        drawn = chance.random()
        if example.answer and drawn < mix.cut and not example.pseudo_labelled:
            others = _without_answer(example, example.answer)
        elif example.answer and drawn < mix.cut + mix.nearest + mix.article:
            if drawn < mix.cut + mix.nearest:
                places = np.flatnonzero(languages == chance.choice(answered[example.asked_in]))
            else:
                places = np.flatnonzero(articles == _article(example)) if example.title else np.empty(0, int)
            near = places[np.argsort(-(questions[places] @ vector))[:50]]
            others = [examples[i] for i in near if paragraphs[examples[i].key] != paragraphs[example.key]]
        yield from _group(tokenizer, example, _silent(example, others)[:1], chance)


def _article(example: Example) -> str:
    """What the paragraphs of one article have in common: set and title, in whatever language."""
    return f"{example.name}\0{example.title}"


def _without_answer(example: Example, answer: Bounds) -> list[Example]:
    """The example with its context without the sentences that the answer touches, if anything is left of it."""
    found = sentences(example.context, language=example.language)
    touched = [sentence for sentence in found if sentence.start < answer.end and answer.start < sentence.end]
    if not touched:
        return []
    rest = example.context[: touched[0].start] + example.context[touched[-1].end :].lstrip()
    return [replace(example, context=rest)] if rest.strip() else []


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
    asked = [example, *(replace(example, context=o.context, title=o.title, name=o.name, answer=None) for o in others)]
    if any(each.name not in TITLED for each in asked) or chance.random() >= TITLED_SHARE:
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


def count_tokens(data: Iterable[Group]) -> int:
    """Tokens of all windows, without padding."""
    return sum(len(target.ids) for group in data for target in group)
