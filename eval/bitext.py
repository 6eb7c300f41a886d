"""Whether the encoder finds a sentence's translation: languages that nobody trained on must gain, too.

From files of sentence pairs, NAME.LANGUAGE-eng.tsv.gz, a pair a line: each sentence looks for its translation among
all of its file's, in both directions; the share that finds it first (bitext retrieval, as Artetxe and Schwenk 2019
measure it on Tatoeba).
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eval.progress import Track, silent
from qa.embed import Encoder
from qa.errors import BabelquoteError

Pairs = Sequence[tuple[str, str]]


class BitextError(BabelquoteError):
    """A file that is not of the form."""


def load(file: Path, limit: int | None = None) -> list[tuple[str, str]]:
    """The first `limit` pairs of a file whose both sides are new. Raises `BitextError`, naming file and line."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                sides = line.rstrip("\n").split("\t")
                if len(sides) != 2 or not all(map(str.strip, sides)):
                    raise BitextError(
                        f"{file}, line {number}: expected two sentences with a tab between: {line[:60]!r}"
                    )
                if sides[0] not in found and sides[1] not in seen:
                    found[sides[0]] = sides[1]
                    seen.add(sides[1])
                if len(found) == limit:
                    break
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BitextError(f"cannot read {file}: {error}; expected a gzipped file of sentence pairs in UTF-8") from error
    if len(found) < 2:
        raise BitextError(f"{file} holds {len(found)} pairs; expected two or more")
    return list(found.items())


def language(file: Path) -> str:
    """The language of a file NAME.LANGUAGE-eng.tsv.gz; the whole name if it is another."""
    parts = file.name.split(".")
    return parts[1].split("-")[0] if len(parts) > 2 else file.name


def accuracy(encoder: Encoder, pairs: Pairs) -> float:
    """Share of sentences whose nearest is their translation, mean of both directions, 0..1."""
    firsts, seconds = zip(*pairs, strict=True)
    right = 0
    for asked, texts in ((firsts, seconds), (seconds, firsts)):
        nearest = (encoder.encode_queries(asked) @ encoder.encode_passages(texts).T).argmax(axis=1)
        right += sum(found == i for i, found in enumerate(nearest.tolist()))
    return right / (2 * len(pairs))


def accuracies(
    files: Sequence[Path], encoders: Mapping[str, Callable[[], Encoder]], *, limit: int, track: Track = silent
) -> dict[str, dict[str, float]]:
    """Accuracy on the first `limit` pairs of each file, by the encoder's name and the file's language, or its name if
    another file has that language."""
    shared = Counter(map(language, files))
    pairs = {language(file) if shared[language(file)] == 1 else file.name: load(file, limit) for file in files}
    found = {}
    for name, make in encoders.items():
        encoder = make()
        found[name] = {code: accuracy(encoder, some) for code, some in track(list(pairs.items()), name)}
    return found
