"""Which questions a run of the reader's training reads, and how often passages that do not answer stand beside them."""

import random
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.training.examples import Example, crossed, load


@dataclass(frozen=True, slots=True)
class Mix:
    """`questions` of each set, all its languages together; a set that has fewer is gone through again. The "-pairs"
    have answers from `qa.training.silver`; see `Example.pseudo_labelled`.

    `short`: share of the questions that are asked of short passages, such as an index has; the others are asked of
    whole paragraphs. Of these, if they are answerable, one that does not answer stands beside `cut` (the paragraph
    itself without the sentences of the answer), `nearest` (that of the nearest other question of all) and `article`
    (that of the nearest other question about the same article, where titles tell). Whose answer is pseudo-labelled is
    never cut, and has the nearest beside it instead.
    """

    questions: Mapping[str, int]
    short: float = 0.3
    cut: float = 0.4
    nearest: float = 0.4
    article: float = 0.0


MIXES = {
    "pairs": Mix(
        {
            "mlqa-pairs": 16_000, "mlqa": 8_000, "squad2-backtranslated": 8_000, "piaf": 5_000, "idkmrc": 4_000,
            "tydiqa": 4_000, "tydiqa-pairs": 3_500, "squadshifts_newwiki": 3_000, "squad2-crossed": 5_000,
            "squad-train-slice": 2_000, "jsquad": 2_000, "drcd": 2_000, "cmrc": 2_000, "pquad_validation": 1_500,
            "qed_nq": 1_500, "squad2-mt": 2_000, "thquad2020": 1_000, "iapp_wiki_qa": 1_000, "squad-mt": 800,
            "afriqa_xl": 500, "afriqa": 400, "faquad": 300, "nq-mt": 300, "facqa": 200, "pira": 150,
        }
    ),
    "fresh": Mix(
        {
            "squad2-backtranslated": 15_000, "squad2-crossed": 8_000, "squad2-mt": 2_500, "squadshifts_newwiki": 5_000,
            "squadshifts_amazon": 1_000, "squadshifts_reddit": 1_000, "squad-train-slice": 4_000, "mlqa": 5_000,
            "mlqa-pairs": 7_000, "piaf": 3_500, "idkmrc": 3_000, "tydiqa": 2_500, "tydiqa-pairs": 800,
            "jsquad": 1_500, "drcd": 1_500, "cmrc": 1_000, "pquad_test": 1_500, "thquad2020": 1_000,
            "iapp_wiki_qa": 800, "squad-mt": 900, "qed_nq": 1_500, "nq-mt": 1_000, "afriqa_xl": 400,
        },
        cut=0.2, nearest=0.2,
    ),
    "articles": Mix(
        {
            "squad2-backtranslated": 4_500, "squad2-crossed": 3_000, "squadshifts_newwiki": 1_500, "mlqa": 2_500,
            "piaf": 1_200, "jsquad": 700, "drcd": 500, "pquad_test": 500, "thquad2020": 500, "squad-mt": 300,
        },
        short=0.25, cut=0.0, nearest=0.0, article=0.5,
    ),
    "natural": Mix(
        {
            "squad2-backtranslated": 14_000, "squad2-crossed": 5_000, "squad2-mt": 1_000, "squadshifts_newwiki": 1_500,
            "squadshifts_amazon": 1_500, "squadshifts_reddit": 1_500, "squad-train-slice": 1_500, "fairytaleqa": 2_000,
            "mlqa": 5_000, "mlqa-pairs": 5_000, "piaf": 2_000, "idkmrc": 2_000, "tydiqa": 2_000, "qed_nq": 1_500,
            "nq-mt": 1_000, "jsquad": 600, "drcd": 1_200, "cmrc": 600, "pquad_test": 700, "thquad2020": 500,
            "iapp_wiki_qa": 300, "squad-mt": 300, "afriqa_xl": 300,
        },
        cut=0.1, nearest=0.1, article=0.3,
    ),
}  # fmt: skip
"""What the seventh, the tenth, the eleventh and the twelfth run read, the last that the shipped weights come from
(docs/reader.md). The order of the sets is part of a mix: in another one, other questions would be drawn."""

Run = tuple[str, int]
"""A run's mix and seed, which tell its questions."""


def run_named(text: str) -> Run:
    """A run as it is written on the command line.

    >>> run_named("fresh:10")
    ('fresh', 10)
    """
    name, _, seed = text.partition(":")
    if name not in MIXES or not seed.isdigit():
        raise ArgumentTypeError(f"{text!r} is not MIX:SEED with one of {', '.join(MIXES)}")
    return name, int(seed)


def choose(train: Path, silver: Path, run: Run, *, after: Sequence[Run] = ()) -> list[Example]:
    """The training questions of a run, shuffled; of sets that have enough, such as no run before it has read.

    `silver`: the output of `qa.training.silver`. `after`: the runs before it, each after those named before.
    """
    read: set[tuple[str, ...]] = set()
    pools: dict[str, list[list[Example]]] = {}
    chosen: list[Example] = []
    for name, seed in [*after, run]:
        chance = random.Random(seed)
        chosen = []
        for part, count in MIXES[name].questions.items():
            if part not in pools:
                pools[part] = _pools(part, silver if part.endswith("-pairs") else train)
            unread = [left for pool in pools[part] if (left := [one for one in pool if _identity(one) not in read])]
            chosen += _take(unread if sum(map(len, unread)) >= count else pools[part], count, chance)
        chance.shuffle(chosen)
        read |= set(map(_identity, chosen))
    return chosen


def _identity(example: Example) -> tuple[str, ...]:
    return example.name, example.key, example.asked_in, example.language


def _pools(name: str, folder: Path) -> list[list[Example]]:
    """The questions of a set, a list for each of its files."""
    files = sorted(folder.glob(f"{name}.*.json.gz"))
    pools = [crossed(folder)] if name == "squad2-crossed" else [load(file) for file in files]
    if found := [pool for pool in pools if pool]:
        return found
    raise SystemExit(f"{folder} holds no {name}.*.json.gz")


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
