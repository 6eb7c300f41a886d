"""Averages the shipped weights of several runs: one model, as fast as each, and better than most.

    python -m qa.training.average OUTPUT FILE FILE …

Runs that began with the same weights differ by what each made of its own order of the data; the mean of their
parameters keeps what they agree on (Wortsman et al. 2022, arXiv:2203.05482).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from qa.layers import numbers, quantise


def average(files: Sequence[Path], output: Path) -> None:
    """Writes the mean of files that `qa.layers.save_layers` wrote. Raises `ValueError` if they do not hold the same."""
    runs = [load_file(file) for file in files]
    if any(run.keys() != runs[0].keys() for run in runs):
        raise ValueError(f"{', '.join(map(str, files))} are differences of other layers; average runs of one kind")
    means = {}
    for name, tensor in runs[0].items():
        mean = np.mean([numbers(run[name]) for run in runs], axis=0)
        means[name] = quantise(mean) if tensor.dtype == np.uint8 else mean.astype(np.float16)
    save_file(means, output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    average(options.files, options.output)


if __name__ == "__main__":
    main()
