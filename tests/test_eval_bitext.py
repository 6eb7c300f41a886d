"""Translations finding each other: files, and the measure by hand."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.bitext import BitextError, accuracies, accuracy, language, load
from qa.embed import Vectors


def write(folder: Path, *lines: str) -> Path:
    file = folder / "made.glg-eng.tsv.gz"
    file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return file


def test_a_sentence_that_comes_twice_counts_once(tmp_path: Path) -> None:
    file = write(tmp_path, "Chove.\tIt rains.", "Chove.\tIt is raining.", "Neva.\tIt snows.", "Choveu.\tIt rains.")
    assert load(file) == [("Chove.", "It rains."), ("Neva.", "It snows.")]
    assert language(file) == "glg"


@pytest.mark.parametrize("line", ["no tab", "one\ttwo\tthree", "\tempty side"])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BitextError, match="line 2"):
        load(write(tmp_path, "Chove.\tIt rains.", line))


def test_what_is_not_gzipped_is_named(tmp_path: Path) -> None:
    file = tmp_path / "plain.tsv"
    file.write_text("a\tb\n")
    with pytest.raises(BitextError, match=r"plain\.tsv"):
        load(file)


class Directions:
    """Texts are numbers: degrees on a circle."""

    name = "degrees"
    dimension = 2

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        angles = np.radians([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    encode_passages = encode_queries

    def fits(self, _text: str) -> bool:
        return True


def test_a_file_that_breaks_off_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, *(f"{number}\t{number}" for number in range(1_000)))
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(BitextError, match=r"made\.glg-eng"):
        load(file)


def test_files_of_one_language_are_measured_apart(tmp_path: Path) -> None:
    second = write(tmp_path, "0\t4", "10\t60").rename(tmp_path / "more.glg-eng.tsv.gz")
    first = write(tmp_path, "0\t10", "90\t80")
    found = accuracies([first, second], {"degrees": Directions}, limit=10)
    assert found == {"degrees": {"made.glg-eng.tsv.gz": 1.0, "more.glg-eng.tsv.gz": 0.75}}
    assert accuracies([second], {"degrees": Directions}, limit=10) == {"degrees": {"glg": 0.75}}


def test_accuracy_is_the_mean_of_both_directions() -> None:
    # 0 finds 10 and 90 finds 80; back, 10 finds 0 and 80 finds 90: all four.
    assert accuracy(Directions(), [("0", "10"), ("90", "80")]) == 1.0
    # 0 and 10 both find 4 (one right), back 4 finds 0 (right), 60 finds 10 (right).
    assert accuracy(Directions(), [("0", "4"), ("10", "60")]) == 0.75
