"""A sentence-transformers model of one's own instead of the embedded one."""

from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from qa.embed import _load, load_encoder


def save_model(folder: Path, *, seed: int) -> None:
    """A small model of three words."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    weights = np.random.default_rng(seed).normal(size=(3, 8)).astype(np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(str(folder))


def test_a_model_that_was_trained_anew_in_place_is_another_one(tmp_path: Path) -> None:
    names = []
    for seed in (1, 1, 2):
        save_model(tmp_path / "model", seed=seed)
        _load.cache_clear()
        names.append(load_encoder(str(tmp_path / "model")).name)
    assert names[0] == names[1] != names[2]
    assert names[0].startswith(f"{tmp_path / 'model'}+")
