"""Estimates the directions in which the encoder tells languages apart, from parallel sentences.

    python -m qa.training.projection DATA/retrieval/parallel

For each file `NAME.LANGUAGE-eng.tsv.gz` (a sentence and its English translation a line) the difference of the two
sides' mean vectors is pure language: the content is the same. The leading right singular vectors of those differences
span the space that `qa.embed.language_projection` removes. No language has to be identified when it is used.
"""

import argparse
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from qa.embed import Encoder, Vectors, load_encoder
from qa.settings import EncoderSettings

OUTPUT = Path(__file__).parents[1] / "data" / "language_directions.npy"


def language_directions(differences: Vectors, count: int) -> Vectors:
    """Orthonormal directions of most variation. *Shape* (languages, d) → (count, d)."""
    return np.linalg.svd(differences, full_matrices=False)[2][:count].astype(np.float32)


def mean_difference(encoder: Encoder, pairs: Sequence[tuple[str, str]]) -> Vectors:
    """Mean vector of the first sides minus that of the second, over both prompts. *Shape* (d,)."""
    sides = zip(*pairs, strict=True)
    means = [encoder.encode_passages(side).mean(0) + encoder.encode_queries(side).mean(0) for side in sides]
    return means[0] - means[1]


def read_pairs(path: Path, limit: int) -> list[tuple[str, str]]:
    """The first `limit` pairs of a gzipped TSV; the files are shuffled already."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line, _ in zip(file, range(limit), strict=False)]
    return [(row[0], row[1]) for row in rows if len(row) == 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parallel", type=Path, help="folder of NAME.LANGUAGE-eng.tsv.gz files")
    parser.add_argument("--pairs", type=int, default=200, help="sentence pairs a file")
    parser.add_argument("--directions", type=int, default=16, help="how many to keep")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--differences", type=Path, help="also write the differences here (.npy), to try other counts")
    options = parser.parse_args()
    files = sorted(options.parallel.glob("*.tsv.gz"))
    if not files:
        parser.error(f"no *.tsv.gz in {options.parallel}")
    encoder = load_encoder(EncoderSettings(projection=False, layers=False))
    rows = [mean_difference(encoder, read_pairs(file, options.pairs)) for file in track(files, "languages")]
    if options.differences:
        np.save(options.differences, np.stack(rows))
    np.save(options.output, language_directions(np.stack(rows), options.directions))
    print(f"{len(rows)} languages, {options.directions} directions → {options.output}")


if __name__ == "__main__":
    main()
