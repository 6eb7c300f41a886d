"""Marks answers in passages of which is only known that they answer: where the reader sees one, in whatever language it
is asked.

    python -m qa.training.silver DATA/retrieval/questions --output work/silver

The folder holds SQuAD-format files without answers, named `NAME.QUESTION-CONTEXT.json.gz`; those of one name share
ids of questions across languages. A question is read in all its languages on the same passage, and the mean of the
readings' log-probabilities is taken: it errs less than any of them, and each language's question then learns from what
the others saw (self-training by agreement). Only answers that are sure are written.
"""

import argparse
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from qa import text
from qa.read.spans import SpanModel, Window, best_spans, load_model, pad, windows
from qa.records import Bounds
from qa.training.examples import Example, load
from qa.training.loop import keep_freed_memory

SURE = 0.4
"""Probability, the geometric mean of start's and end's, from which on an answer is written."""
MAX_TOKENS = 512
"""Of question and passage; longer ones are left out."""
BATCH_TOKENS = 6000

Scores = NDArray[np.float32]


def marked(model: SpanModel, tokenizer: Any, examples: Sequence[Example]) -> Iterator[tuple[float, Example]]:
    """The examples with an answer and its probability, those of one key and context with the same."""
    asked: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        asked[example.key, example.context].append(example)
    fitting = []
    for group in asked.values():
        parts = [list(windows(tokenizer, e.question, [e.context], max_tokens=MAX_TOKENS, stride=0)) for e in group]
        if all(len(each) == 1 and each[0].offsets for each in parts):
            fitting.append((group, [window for (window,) in parts]))
    fitting.sort(key=lambda one: max(len(window.ids) for window in one[1]))
    for part in _packed(fitting):
        scores = iter(_log_probabilities(model, [window for _, found in part for window in found]))
        for group, found in part:
            start, end = np.mean([next(scores) for _ in found], axis=0)
            probability, bounds = _best(start, end, found[0], group[0].context)
            if bounds:
                said = group[0].context[bounds.start : bounds.end]
                for example in group:
                    yield probability, replace(example, answer=bounds, texts=(said,))


Asked = tuple[list[Example], list[Window]]


def _packed(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """Consecutive questions, at most `BATCH_TOKENS` with padding together."""
    part: list[Asked] = []
    for one in asked:
        rows = sum(len(found) for _, found in part) + len(one[1])
        if part and rows * max(len(window.ids) for window in one[1]) > BATCH_TOKENS:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


@torch.inference_mode()
def _log_probabilities(model: SpanModel, found: Sequence[Window]) -> Iterator[Scores]:
    """Of each passage token, as start and as end, given that the passage answers. *Shape* (2, tokens) each."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = torch.stack(model(*pad([window.ids for window in found]))).float()
    for row, window in enumerate(found):
        places = slice(window.first, window.first + len(window.offsets))
        yield scores[:, row, places].log_softmax(dim=1).numpy()


def _best(start: Scores, end: Scores, window: Window, context: str) -> tuple[float, Bounds | None]:
    """The most probable answer; `None` if no word is left of it."""
    plain = Window(0, (), 1, window.offsets)
    before = np.zeros(1, np.float32)
    ((score, a, b),) = best_spans(np.concatenate((before, start)), np.concatenate((before, end)), plain, limit=1)
    return math.exp(score / 2), text.whole_words(context, a, b)


def write(examples: Iterable[Example], folder: Path) -> None:
    """SQuAD-format files, one for each set and pair of languages."""
    files: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        files[f"{example.name}.{example.asked_in}-{example.language}.json.gz"].append(example)
    for name, found in files.items():
        with gzip.open(folder / name, "wt", encoding="utf-8") as stream:
            json.dump({"data": [{"title": e.title, "paragraphs": [_paragraph(e)]} for e in found]}, stream)


def _paragraph(example: Example) -> dict[str, Any]:
    assert example.answer
    answer = {"text": example.texts[0], "answer_start": example.answer.start}
    return {"context": example.context, "qas": [{"id": example.key, "question": example.question, "answers": [answer]}]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path, help="folder with NAME.QUESTION-CONTEXT.json.gz")
    parser.add_argument("--output", type=Path, default=Path("work/silver"))
    parser.add_argument("--limit", type=int, help="questions of a file that are read, the first ones")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    tokenizer, model = load_model()
    model.eval()
    names: dict[str, list[Example]] = defaultdict(list)
    for file in sorted(options.questions.glob("*.json.gz")):
        names[file.name.split(".")[0]] += load(file)[: options.limit]
    for name, examples in names.items():
        found = [e for p, e in track(marked(model, tokenizer, examples), name, total=len(examples)) if p >= SURE]
        write(found, options.output)
        print(f"{name}: {len(found)} of {len(examples)}", flush=True)


if __name__ == "__main__":
    main()
