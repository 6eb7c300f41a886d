"""What our training adds to the embedded model: differences of its layers' parameters, in 4 bits, inside the package.

A Q4_0 block is one fp16 scale and 16 bytes: the low nibble of byte j is number j, the high nibble number j + 16, and a
number is (nibble - 8) * scale.
"""

from collections.abc import Mapping
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from qa.errors import ModelError

BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])


def dequantise(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """Blocks as numbers, 32 each."""
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
    blocks = np.zeros(len(rows), BLOCK)
    blocks["scale"] = extreme / -8
    scale = blocks["scale"].astype(np.float32)[:, None]
    whole = np.divide(rows, scale, out=np.zeros_like(rows), where=scale != 0)
    nibbles = np.clip(np.rint(whole) + 8, 0, 15).astype(np.uint8)
    blocks["nibbles"] = nibbles[:, :16] | (nibbles[:, 16:] << 4)
    return blocks.view(np.uint8)


def numbers(tensor: NDArray[Any]) -> NDArray[np.float32]:
    """What a stored tensor stands for, flat: bytes are Q4_0 blocks."""
    return dequantise(tensor.view(BLOCK)) if tensor.dtype == np.uint8 else tensor.astype(np.float32).reshape(-1)


def shipped(name: str) -> Traversable:
    """A difference inside the package: "reader" or "retriever"."""
    return files("qa") / "data" / f"{name}.safetensors"


def load_layers(model: torch.nn.Module, path: Traversable) -> None:
    """Adds a difference to the parameters of a model, in place: matrices as Q4_0 blocks, the rest in fp16.

    Differences are small, so that 4 bits of them cost nothing that could be measured (eval/LOG.md). Raises
    `ModelError` if the file is missing or does not fit the model.
    """
    with as_file(path) as file:
        try:
            tensors = load_file(file)
            parameters = dict(model.named_parameters())
            for name, tensor in tensors.items():
                with torch.no_grad():
                    parameters[name].add_(torch.from_numpy(numbers(tensor)).reshape(parameters[name].shape))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"the weights {file} are missing or damaged ({error!r}); reinstall babelquote") from error


def save_layers(differences: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Writes what `load_layers` adds."""
    save_file(
        {name: quantise(value) if value.ndim == 2 and value.size % 32 == 0 else value.astype(np.float16)
         for name, value in differences.items()}, path,
    )  # fmt: skip
