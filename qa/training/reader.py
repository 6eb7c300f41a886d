"""Trains the span reader on SQuAD-format question files.

    python -m qa.training.reader DATA/reader --silver work/silver --work work/reader --minutes 60

`DATA/reader/train`, `DATA/reader/dev` and the output of `qa.training.silver` hold `NAME.QUESTION-CONTEXT.json.gz`. One
pass over a fixed, seeded mix (see `qa.training.mixes` and `qa.training.groups`); the learning rate follows the share
of time or steps used, so that a run may be given minutes instead of steps. Checkpoints go to the work folder; the same
command resumes. Ends by writing the shipped weights.
"""

import argparse
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy, log_softmax

from qa import text
from qa.layers import load_layers, save_layers, shipped
from qa.read.spans import SpanModel, best_spans, pad, windows
from qa.training.examples import Example, dev_sets
from qa.training.groups import MAX_TOKENS, STRIDE, Group, batches, count_tokens, groups
from qa.training.loop import adamw, claim, place, train
from qa.training.mixes import MIXES, choose, run_named
from qa.weights import embedded_parts

OUTPUT = Path(__file__).parents[1] / "data" / "reader.safetensors"
BATCH_TOKENS = 4000
NOWHERE = -1e4
SHARED = 0.5
"""Weight of the comparison between passages."""
DEV = {"mlqa same": 30, "mlqa cross": 8, "idkmrc": 200, "piaf": 100, "cmrc-trial": 60}
"""Questions a file that are scored during training."""


def loss_of(model: SpanModel, batch: Sequence[Group]) -> torch.Tensor:
    """Mean cross-entropy of start and end over each window's passage and its no-answer token; for questions of which
    several windows were read, the same again over all passages together, scores relative to no answer: what is
    compared when an answer is chosen (shared normalisation, Clark and Gardner 2018)."""
    targets = [target for group in batch for target in group]
    device = model.head.weight.device
    ids, mask = (rows.to(device) for rows in pad([target.ids for target in targets]))
    allowed = torch.zeros_like(mask, dtype=torch.bool)
    allowed[:, 0] = True
    for row, target in enumerate(targets):
        allowed[row, target.passage.start : target.passage.end] = True
    with torch.autocast(device.type, dtype=torch.bfloat16):
        scores = torch.stack(model(ids, mask))  # start and end
    scores = scores.float().masked_fill(~allowed, NOWHERE)
    gold = torch.tensor([[target.start for target in targets], [target.end for target in targets]], device=device)
    own = cross_entropy(scores.flatten(0, 1), gold.flatten())
    relative = scores[:, :, 1:] - scores[:, :, :1]
    shared, row = [], 0
    for group in batch:
        if len(group) > 1 and group[0].start:
            together = log_softmax(relative[:, row : row + len(group)].flatten(1), dim=1)
            shared.append(-together[[0, 1], [group[0].start - 1, group[0].end - 1]].mean())
        row += len(group)
    return own + SHARED * torch.stack(shared).sum() / len(batch) if shared else own


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
    device = model.head.weight.device
    result = {}
    for group, examples in dev.items():
        total = 0.0
        for example in examples:
            found = list(windows(tokenizer, example.question, [example.context], max_tokens=MAX_TOKENS, stride=STRIDE))
            with torch.autocast(device.type, dtype=torch.bfloat16):
                scores = torch.stack(model(*(rows.to(device) for rows in pad([window.ids for window in found]))))
            starts, ends = scores.float().cpu().numpy()
            spans = [span for i, window in enumerate(found) for span in best_spans(starts[i], ends[i], window, limit=1)]
            score, a, b = max(spans)
            forced = group != "idkmrc"
            total += f1(example.context[a:b] if forced or score > 0 else "", example.texts)
        result[group] = total / len(examples)
    model.train()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with train/ and dev/")
    parser.add_argument("--silver", type=Path, default=Path("work/silver"), help="output of qa.training.silver")
    parser.add_argument("--work", type=Path, default=Path("work/reader"), help="checkpoints and log")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the weights to ship are written")
    parser.add_argument("--minutes", type=float, default=60, help="training time in all, resumed runs together")
    parser.add_argument("--mix", choices=MIXES, default="fresh", help="see qa.training.mixes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--after", type=run_named, nargs="*", default=[], metavar="MIX:SEED",
        help="runs before, in their order: of what they read, nothing is read again as far as there is enough else",
    )  # fmt: skip
    parser.add_argument(
        "--rate", type=float, default=1e-4, help="peak learning rate of the encoder; the head's is 7 times that"
    )
    parser.add_argument("--further", action="store_true", help="begin with the shipped reader, not with the encoder")
    options = parser.parse_args()
    claim(options.work, {name: value for name, value in vars(options).items() if name not in ("minutes", "output")})
    torch.manual_seed(options.seed)
    tokenizer, encoder = embedded_parts()
    model = SpanModel(encoder, encoder.config.hidden_size)
    if options.further:
        load_layers(model, shipped("reader"))
    place(model)
    encoder.embeddings.requires_grad_(False)
    layers = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    optimizer = adamw((layers, options.rate), (list(model.head.parameters()), 7 * options.rate))
    data = _prepared(tokenizer, options)
    order = list(batches(data, options.seed, tokens=BATCH_TOKENS))
    dev = dev_sets(options.data / "dev", DEV)
    size = f"{len(data)} questions, {sum(map(len, data))} windows, {count_tokens(data) / 1e6:.1f} million tokens"
    print(f"{size}, {len(order)} steps; dev: {', '.join(f'{name} {len(part)}' for name, part in dev.items())}")

    def saved(step: int) -> None:
        if step % 1000 == 0:
            _print_scores(evaluate(model, tokenizer, dev))

    step, used = train(
        model, optimizer, order, lambda batch: loss_of(model, batch), work=options.work, minutes=options.minutes,
        warmup=100, save_every=250, saved=saved,
    )  # fmt: skip
    _print_scores(evaluate(model, tokenizer, dev))
    torch.save({"model": model.state_dict(), "step": step, "used": used}, options.work / "final.pt")
    pack(model, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


def _prepared(tokenizer: Any, options: argparse.Namespace) -> list[Group]:
    """The groups of this seed, from the work folder if they are there."""
    file: Path = options.work / f"groups-{options.seed}.pickle"
    if file.exists():
        return list(pickle.loads(file.read_bytes()))
    data = []
    run = options.mix, options.seed
    examples = choose(options.data / "train", options.silver, run, after=options.after)
    for group in groups(tokenizer, examples, MIXES[options.mix], options.seed):
        data.append(group)
        if len(data) % 1000 == 0:
            print(f"{len(data)} questions prepared", flush=True)
    file.with_suffix(".tmp").write_bytes(pickle.dumps(data))
    file.with_suffix(".tmp").replace(file)
    return data


def _print_scores(scores: dict[str, float]) -> None:
    print("dev F1: " + "  ".join(f"{name} {score:.3f}" for name, score in scores.items()), flush=True)


def pack(model: SpanModel, output: Path) -> None:
    """Writes the trained model's difference from an untrained one, which has a head of zeros."""
    _, base = embedded_parts()
    before = {f"encoder.{name}": parameter.detach() for name, parameter in base.named_parameters()}
    differences = {
        name: (parameter.detach().cpu() - before.get(name, torch.zeros(parameter.shape))).numpy()
        for name, parameter in model.named_parameters()
        if "embeddings" not in name
    }
    save_layers({name: value.astype(np.float32) for name, value in differences.items()}, output)


if __name__ == "__main__":
    main()
