"""Trains the span reader on SQuAD-format question files.

    python -m qa.training.reader DATA/reader --work work/reader --minutes 60

`DATA/reader/train` and `DATA/reader/dev` hold `NAME.QUESTION-CONTEXT.json.gz`. One pass over a fixed, seeded mix of
windows; the learning rate follows the share of time or windows used, so that a run may be given minutes instead of
steps. Checkpoints go to the work folder; the same command resumes. Ends by writing the shipped weights.
"""

import argparse
import gzip
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from qa import text
from qa.read.spans import SpanModel, Window, best_spans, pad, windows
from qa.weights import read_weights, save_layers, weights_path

OUTPUT = Path(__file__).parents[1] / "data" / "reader.safetensors"

MIX = {
    "mlqa": 7_000,
    "tydiqa": 2_600,
    "idkmrc": 2_600,
    "piaf": 1_300,
    "squad2-backtranslated": 3_200,
    "squad2-mt": 1_300,
    "jsquad": 900,
    "drcd": 600,
    "cmrc": 500,
    "squadshifts_newwiki": 1_200,
    "squad-train-slice": 800,
    "pquad_validation": 700,
    "qed_nq": 700,
    "squad-mt": 500,
    "faquad": 200,
    "pira": 200,
    "thquad2020": 400,
    "iapp_wiki_qa": 300,
    "afriqa": 300,
    "facqa": 200,
}
"""Questions taken of each set (all its languages together)."""
MAX_TOKENS, STRIDE = 192, 48
BATCH = 16


@dataclass(frozen=True, slots=True)
class Example:
    """A question, a passage, and where in it the answer stands; `None` if it holds none."""

    question: str
    context: str
    answer: tuple[int, int] | None
    texts: tuple[str, ...]
    name: str


def load(file: Path) -> list[Example]:
    """All questions of one file."""
    name = file.name.removesuffix(".json.gz")
    found = []
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        data = json.load(stream)["data"]
    for article in data:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = [] if qa.get("is_impossible") else qa["answers"]
                span = (
                    (answers[0]["answer_start"], answers[0]["answer_start"] + len(answers[0]["text"]))
                    if answers
                    else None
                )
                texts = tuple(answer["text"] for answer in answers)
                found.append(Example(qa["question"], paragraph["context"], span, texts, name))
    return found


def mix(folder: Path, seed: int) -> list[Example]:
    """The training questions, and for a fifth of the answerable ones the same question with a passage that does not
    answer it: the one that shares most words with it among 30 others of its set."""
    chance = random.Random(seed)
    examples: list[Example] = []
    for name, count in MIX.items():
        files = sorted(folder.glob(f"{name}.*.json.gz"))
        pools = [load(file) for file in files]
        for pool in pools:
            chance.shuffle(pool)
        share = -(-count // max(1, len(pools)))
        for pool in pools:
            for example in pool[:share]:
                examples.append(example)
                if example.answer and chance.random() < 0.2:
                    others = [other.context for other in chance.sample(pool, min(30, len(pool)))]
                    asked = set(text.words(example.question))
                    others = [other for other in others if not any(answer in other for answer in example.texts)]
                    if others:
                        near = max(others, key=lambda other: len(asked.intersection(text.words(other))))
                        examples.append(Example(example.question, near, None, (), example.name))
    chance.shuffle(examples)
    return examples


def to_windows(tokenizer: Any, example: Example, chance: random.Random) -> Iterator[tuple[Window, int, int]]:
    """One window of the example, with the token positions of start and end (0, 0 where there is no answer)."""
    found = list(windows(tokenizer, example.question, [example.context], max_tokens=MAX_TOKENS, stride=STRIDE))
    chance.shuffle(found)
    for window in found:
        if example.answer is None:
            yield window, 0, 0
            return
        tokens = [i for i, (a, b) in enumerate(window.offsets) if a < example.answer[1] and b > example.answer[0]]
        if (
            tokens
            and window.offsets[tokens[0]][0] <= example.answer[0]
            and window.offsets[tokens[-1]][1] >= example.answer[1]
        ):
            yield window, window.first + tokens[0], window.first + tokens[-1]
            return
        if chance.random() < 0.1:
            yield window, 0, 0


def loss_of(model: SpanModel, batch: Sequence[tuple[Window, int, int]]) -> torch.Tensor:
    """Mean cross-entropy of start and end over the passage's tokens and the no-answer token."""
    ids, mask = pad([window for window, _, _ in batch])
    allowed = torch.zeros_like(mask, dtype=torch.bool)
    allowed[:, 0] = True
    for row, (window, _, _) in enumerate(batch):
        allowed[row, window.first : window.first + len(window.offsets)] = True
    with torch.autocast("cpu", dtype=torch.bfloat16):
        start, end = model(ids, mask)
    start, end = (scores.float().masked_fill(~allowed, -1e4) for scores in (start, end))
    starts, ends = torch.tensor([s for _, s, _ in batch]), torch.tensor([e for _, _, e in batch])
    return (cross_entropy(start, starts) + cross_entropy(end, ends)) / 2


def f1(prediction: str, texts: Sequence[str]) -> float:
    """Best token F1 against the gold texts; an empty prediction is right where there is none."""
    if not texts or not prediction:
        return float(bool(texts) == bool(prediction))
    scores = []
    for gold in texts:
        a, b = text.words(prediction), text.words(gold)
        common = sum(min(a.count(word), b.count(word)) for word in set(a))
        scores.append(2 * common / (len(a) + len(b)) if common else 0.0)
    return max(scores)


@torch.inference_mode()
def evaluate(model: SpanModel, tokenizer: Any, dev: dict[str, list[Example]]) -> dict[str, float]:
    """Mean F1 per group of dev questions."""
    model.eval()
    result = {}
    for group, examples in dev.items():
        total = 0.0
        for example in examples:
            found = list(windows(tokenizer, example.question, [example.context], max_tokens=MAX_TOKENS, stride=STRIDE))
            with torch.autocast("cpu", dtype=torch.bfloat16):
                start, end = model(*pad(found))
            starts, ends = start.float().numpy(), end.float().numpy()
            spans = [span for i, window in enumerate(found) for span in best_spans(starts[i], ends[i], window, limit=1)]
            score, a, b = max(spans)
            forced = group != "idkmrc"
            total += f1(example.context[a:b] if forced or score > 0 else "", example.texts)
        result[group] = total / len(examples)
    model.train()
    return result


def dev_groups(folder: Path, seed: int) -> dict[str, list[Example]]:
    """A small, fixed part of the dev files."""
    chance = random.Random(seed)
    groups: dict[str, list[Example]] = defaultdict(list)
    for file in sorted(folder.glob("*.json.gz")):
        examples = load(file)
        chance.shuffle(examples)
        name, languages, *_ = file.name.split(".")
        question, context = languages.split("-")
        group = name if name != "mlqa" else "mlqa same" if question == context else "mlqa cross"
        groups[group] += examples[: {"mlqa same": 14, "mlqa cross": 3}.get(group, 60)]
    return dict(groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with train/ and dev/")
    parser.add_argument("--work", type=Path, default=Path("work/reader"), help="checkpoints and log")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the weights to ship are written")
    parser.add_argument("--minutes", type=float, default=60, help="training time in all, resumed runs together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rate", type=float, default=1.5e-4, help="peak learning rate of the encoder; the head's is 7 times that"
    )
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    wrapped, encoder = read_weights(weights_path())
    tokenizer = wrapped.backend_tokenizer
    model = SpanModel(encoder, encoder.config.hidden_size)
    encoder.embeddings.requires_grad_(False)
    layers = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": layers, "peak": options.rate}, {"params": model.head.parameters(), "peak": 7 * options.rate}],
        weight_decay=0.01,
    )
    chance = random.Random(options.seed)
    data = [
        item for example in mix(options.data / "train", options.seed) for item in to_windows(tokenizer, example, chance)
    ]
    dev = dev_groups(options.data / "dev", options.seed)
    print(f"{len(data)} windows, {sum(start == 0 for _, start, _ in data)} without an answer; dev: "
          + ", ".join(f"{group} {len(examples)}" for group, examples in dev.items()), flush=True)  # fmt: skip
    step, used, running = 0, 0.0, 5.0
    checkpoint = options.work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, used = saved["step"], saved["used"]
    batches = list(_batches(data, options.seed))
    model.train()
    while used < options.minutes * 60 and step < len(batches):
        began = time.monotonic()
        progress = max(used / (options.minutes * 60), step / len(batches))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(step / 60, 1.0) * max(0.02, 1 - progress)
        loss = loss_of(model, batches[step])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        used += time.monotonic() - began
        running = 0.98 * running + 0.02 * float(loss)
        if step % 20 == 0:
            print(
                f"step {step}/{len(batches)}  {used / 60:.1f} min  {used / step:.2f} s/step  loss {running:.3f}",
                flush=True,
            )
        if step % 250 == 0:
            scores = evaluate(model, tokenizer, dev)
            print("dev F1: " + "  ".join(f"{group} {score:.3f}" for group, score in scores.items()), flush=True)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "used": used}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    print("dev F1: " + "  ".join(f"{g} {s:.3f}" for g, s in evaluate(model, tokenizer, dev).items()), flush=True)
    torch.save({"model": model.state_dict(), "step": step, "used": used}, options.work / "final.pt")
    pack(model, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


def pack(model: SpanModel, output: Path) -> None:
    """Writes the trained model's difference from an untrained one, which has a head of zeros."""
    _, base = read_weights(weights_path())
    before = {f"encoder.{name}": parameter.detach() for name, parameter in base.named_parameters()}
    differences = {
        name: (parameter.detach() - before.get(name, torch.zeros_like(parameter))).numpy()
        for name, parameter in model.named_parameters()
        if "embeddings" not in name
    }
    save_layers({name: value.astype(np.float32) for name, value in differences.items()}, output)


def _batches(data: Sequence[tuple[Window, int, int]], seed: int) -> Iterator[list[tuple[Window, int, int]]]:
    """Batches of windows of similar length, in random order."""
    chance = random.Random(seed)
    for i in range(0, len(data), 50 * BATCH):
        part = sorted(data[i : i + 50 * BATCH], key=lambda item: len(item[0].ids))
        batches = [part[j : j + BATCH] for j in range(0, len(part), BATCH)]
        chance.shuffle(batches)
        yield from batches


if __name__ == "__main__":
    main()
