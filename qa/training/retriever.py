"""Trains the retriever's encoder to find evidence whatever its language.

    python -m qa.training.retriever DATA --silver work/silver --work work/retriever --minutes 60

`DATA` holds reader/train and retrieval/parallel (see `qa.training.pairs`), the other folder the output of
`qa.training.silver`. The upper layers of the embedded model learn, under the shipped projection, by in-batch contrast
from questions to evidence and back (multiple negatives ranking, Henderson et al. 2017, as sentence-transformers has
it). The learning rate follows the share of time or steps used, so that a run may be given minutes. Checkpoints go to
the work folder; the same command resumes. Ends by writing the shipped weights.
"""

import argparse
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from transformers import BertModel

from qa.embed import Vectors, language_projection, load_encoder
from qa.layers import save_layers
from qa.training.loop import adamw, claim, place, train
from qa.training.pairs import Pair, batches, collect, columns
from qa.weights import PROMPTS, embedded_parts, load_embedded

OUTPUT = Path(__file__).parents[1] / "data" / "retriever.safetensors"
LOWEST = 3
"""The first layer that learns. Nine layers' differences fit into 9 MB; the steps are a sixth cheaper."""
BATCH = 64
MAX_TOKENS = 160
SCALE = 25.0
"""Inverse temperature of the contrast."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with reader/ and retrieval/")
    parser.add_argument("--silver", type=Path, default=Path("work/silver"), help="output of qa.training.silver")
    parser.add_argument("--work", type=Path, default=Path("work/retriever"), help="checkpoints")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the weights to ship are written")
    parser.add_argument("--minutes", type=float, default=60, help="training time in all, resumed runs together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--further", action="store_true", help="begin with the shipped layers, not with the embedded")
    parser.add_argument("--rate", type=float, default=6e-5, help="peak learning rate")
    parser.add_argument("--share", type=float, default=1.0, help="of all pairs, how many are gone through")
    options = parser.parse_args()
    claim(options.work, {name: value for name, value in vars(options).items() if name not in ("minutes", "output")})
    torch.manual_seed(options.seed)
    order = batches(*_prepared(options), options.seed, size=BATCH)
    print(f"{sum(map(len, order))} pairs, {len(order)} steps", flush=True)
    model = load_embedded(projection=language_projection(), layers="retriever" if options.further else None)
    device = place(model)
    learned = prepare(model)
    contrast = MultipleNegativesRankingLoss(
        model, scale=SCALE, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )

    def loss_of(pairs: Sequence[Pair]) -> torch.Tensor:
        features = [
            model.tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
            for texts in columns(pairs, PROMPTS)
        ]
        with torch.autocast(device.type, dtype=torch.bfloat16):
            return contrast([dict(column.to(device)) for column in features], torch.empty(0))

    train(
        model, adamw((learned, options.rate)), order, loss_of, work=options.work, minutes=options.minutes, warmup=60,
        save_every=100, saved=lambda _step: pack(model, options.work / "so-far.safetensors"),
    )  # fmt: skip
    pack(model, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


def prepare(model: SentenceTransformer) -> list[torch.nn.Parameter]:
    """Freezes all but the upper layers, whose parameters it returns."""
    encoder: BertModel = model[0].model  # type: ignore[assignment]
    model.requires_grad_(False)
    encoder.encoder.layer[LOWEST:].requires_grad_(True)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _prepared(options: argparse.Namespace) -> tuple[list[Pair], Vectors, list[Pair]]:
    """Questions, their vectors, and translations of this seed, from the work folder if they are there."""
    file: Path = options.work / f"pairs-{options.seed}.pickle"
    if not file.exists():
        found = collect(options.data, options.silver, load_encoder(), options.seed, share=options.share)
        file.with_suffix(".tmp").write_bytes(pickle.dumps(found))
        file.with_suffix(".tmp").replace(file)
    prepared: tuple[list[Pair], Vectors, list[Pair]] = pickle.loads(file.read_bytes())
    return prepared


def pack(model: SentenceTransformer, output: Path) -> None:
    """Writes the trained encoder's difference from the embedded one."""
    _, base = embedded_parts()
    before = dict(base.named_parameters())
    differences = {
        name: (parameter.detach().cpu() - before[name].detach()).numpy().astype(np.float32)
        for name, parameter in model[0].model.named_parameters()  # type: ignore[union-attr]
        if parameter.requires_grad
    }
    save_layers(differences, output)


if __name__ == "__main__":
    main()
