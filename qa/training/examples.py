"""Question files of SQuAD's form: read, and which of their questions are about one paragraph.

Files are SQuAD 2.0 JSON, gzipped, named `NAME.QUESTION-CONTEXT.json.gz` by the languages of question and context.
"""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from qa.records import Bounds


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

    @property
    def pseudo_labelled(self) -> bool:
        """Whether the answer is from `qa.training.silver`, and may be wrong."""
        return self.name.endswith("-pairs")


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
