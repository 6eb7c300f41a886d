"""Texts to vectors. `load_encoder` is the one way to an encoder; retrieval, reading and training share it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.errors import ModelError
from qa.settings import EncoderSettings

EMBEDDED = "multilingual-e5-small"
Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What retrieval and reading need of an embedding model.

    `name` changes whenever the vectors would: it keys caches and stamps. `dimension` is the length of a vector.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Questions to unit rows. *Shape* (len(texts), dimension), float32."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Passages to unit rows. *Shape* (len(texts), dimension), float32."""
        ...

    def fits(self, text: str) -> bool:
        """Whether a passage is read whole, prompt and special tokens included."""
        ...


class SentenceTransformerEncoder:
    """Any sentence-transformers model. Prompts are the model's own ("query" and "document")."""

    def __init__(self, model: Any, *, name: str, batch_tokens: int) -> None:
        self.model = model
        self.name = name
        self.dimension: int = model.get_embedding_dimension()
        self._batch_tokens = batch_tokens

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self.model.encode_query, prompt="query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self.model.encode_document, prompt="document")

    def fits(self, text: str) -> bool:
        limit = self.model.max_seq_length
        prompt = self.model.prompts.get("document") or ""
        return limit is None or len(self.model.tokenizer(prompt + text, verbose=False)["input_ids"]) <= limit

    def _encode(self, texts: Sequence[str], encode: Any, *, prompt: str) -> Vectors:
        """In batches of similar length: in mixed ones more than half of the work goes into padding."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        if not texts:
            return vectors
        extra = len(self.model.prompts.get(prompt) or "")
        limit = self.model.max_seq_length or 512
        encoded = self.model.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        lengths = [min(len(ids) + extra, limit) for ids in encoded]
        for rows in _batches(lengths, self._batch_tokens):
            vectors[rows] = encode([texts[row] for row in rows], batch_size=len(rows), show_progress_bar=False,
                                   normalize_embeddings=True)  # fmt: skip
        return vectors


class CachedEncoder:
    """An encoder that looks passages up in a cache first, and remembers the last questions.

    `cached`: an encoder's name and texts to those vectors that are known.
    """

    def __init__(self, encoder: Encoder, cached: Callable[[str, Sequence[str]], dict[str, Vectors]]) -> None:
        self._encoder = encoder
        self._cached = cached
        self.name = encoder.name
        self.dimension = encoder.dimension
        self.fits = encoder.fits
        self._query = lru_cache(maxsize=64)(lambda question: encoder.encode_queries([question])[0])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        if len(texts) == 1:
            return self._query(texts[0])[None]
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        known = self._cached(self.name, texts)
        if unknown := [content for content in dict.fromkeys(texts) if content not in known]:
            known = known | dict(zip(unknown, self._encoder.encode_passages(unknown), strict=True))
        return np.stack([known[content] for content in texts]) if texts else np.empty((0, self.dimension), np.float32)


def _batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices, longest first, in runs whose padded size stays within the budget (or of one text)."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def load_encoder(settings: EncoderSettings | str | None = None) -> SentenceTransformerEncoder:
    """The encoder that the settings name; a bare string is a model name. Loaded once per process.

    >>> load_encoder().encode_queries(["Wo liegt Jakarta?"]).shape
    (1, 384)

    Raises `ModelError` if the model is neither embedded nor found by sentence-transformers.
    """
    if isinstance(settings, str):
        settings = EncoderSettings(model=settings)
    return _load(settings or EncoderSettings())


@cache
def _load(settings: EncoderSettings) -> SentenceTransformerEncoder:
    if settings.model == EMBEDDED:
        from qa.layers import shipped
        from qa.weights import load_embedded

        projection = language_projection() if settings.projection else None
        added = [projection.tobytes()] if projection is not None else []
        if settings.layers:
            added.append(shipped("retriever").read_bytes())
        suffix = f"+{hashlib.sha256(b''.join(added)).hexdigest()[:8]}" if added else ""
        model = load_embedded(projection=projection, layers="retriever" if settings.layers else None)
        return SentenceTransformerEncoder(model, name=f"{EMBEDDED}-q4{suffix}", batch_tokens=settings.batch_tokens)
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(settings.model, device="cpu")
    except Exception as error:  # whatever hub, file system and model code may raise
        raise ModelError(
            f"sentence-transformers cannot load {settings.model!r} ({error}); name a folder or a model that this "
            f"machine has or can download, or unset BABELQUOTE_ENCODER__MODEL to use the embedded {EMBEDDED}"
        ) from error
    name = f"{settings.model}+{_revision(model, Path(settings.model))}"
    return SentenceTransformerEncoder(model, name=name, batch_tokens=settings.batch_tokens)


def _revision(model: Any, folder: Path) -> str:
    """Tells a model from another of the same name: by its files, or by the hub's commit. Of large files a thousandth
    is enough: training changes weights everywhere."""
    if not folder.is_dir():
        config = getattr(getattr(model[0], "auto_model", None), "config", None)
        return str(getattr(config, "_commit_hash", None) or "unknown")[:8]
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)} {size}\0".encode())
        with path.open("rb") as file:
            for start in range(0, size, 1 << 20):
                file.seek(start)
                digest.update(file.read(1 << 20 if size < 1 << 24 else 1 << 10))
    return digest.hexdigest()[:8]


def language_projection() -> Vectors:
    """The shipped projection, *Shape* (384, 384): identity minus the directions that tell languages apart.

    Estimated by `python -m qa.training.projection` from parallel sentences.
    """
    with as_file(files("qa") / "data" / "language_directions.npy") as path:
        try:
            directions = np.load(path)
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} is missing or damaged ({error}); reinstall babelquote") from error
    return (np.eye(directions.shape[1]) - directions.T @ directions).astype(np.float32)
