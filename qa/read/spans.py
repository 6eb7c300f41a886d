"""The trained reader: a start and an end score for every token of a passage, read together with the question.

The encoder is the embedded multilingual-e5-small with retrained layers (its embeddings are shared, unchanged); a
linear head gives two scores a token. The first token stands for "no answer here" (as in BERT for SQuAD 2.0, Devlin et
al. 2019).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from qa import text
from qa.layers import load_layers, shipped
from qa.records import Passage, Reading, Span
from qa.weights import embedded_parts

BOS, PAD, EOS = 0, 1, 2
MAX_QUESTION = 64
MAX_TITLE = 32
"""Tokens of a question, and of a title, that are read; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one passage with the question before it: `<s> question </s> </s> title passage </s>`.

    `ids` are token ids; the passage's tokens stand from `first` on, and `offsets` (one pair each) are their bounds in
    the passage's text.
    """

    passage: int
    ids: tuple[int, ...]
    first: int
    offsets: tuple[tuple[int, int], ...]


def windows(
    tokenizer: Any, question: str, passages: Sequence[str], *, max_tokens: int, stride: int, titles: Sequence[str] = ()
) -> Iterator[Window]:
    """Windows that together cover each passage; neighbours share `stride` tokens.

    `tokenizer`: the first of `qa.weights.embedded_parts`. `titles`: one for each passage, read before it, never
    answered with.
    """
    asked, *encodings = tokenizer([question, *titles, *passages], add_special_tokens=False, verbose=False).encodings
    shared = (BOS, *asked.ids[:MAX_QUESTION], EOS, EOS)
    heads = [(*shared, *title.ids[:MAX_TITLE]) for title in encodings[: len(titles)]] or [shared] * len(passages)
    for number, (head, encoding) in enumerate(zip(heads, encodings[len(titles) :], strict=True)):
        room = max_tokens - len(head) - 1
        for start in range(0, max(1, len(encoding.ids) - stride), room - stride):
            part = slice(start, start + room)
            yield Window(number, (*head, *encoding.ids[part], EOS), len(head), tuple(encoding.offsets[part]))


class SpanModel(nn.Module):
    """Encoder and head."""

    def __init__(self, encoder: Any, hidden: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(hidden, 2)
        nn.init.zeros_(self.head.weight)  # the shipped weights are differences from this
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of every token as start and as end. *Shape* (windows, tokens) each."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        start, end = self.head(states.to(self.head.weight.dtype)).unbind(-1)
        return start, end


def pad(rows: Sequence[ArrayLike]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids of windows to one tensor, and its attention mask. *Shape* (windows, tokens of the longest)."""
    ids = pad_sequence([torch.as_tensor(row, dtype=torch.long) for row in rows], batch_first=True, padding_value=PAD)
    return ids, (ids != PAD).long()


def best_spans(
    start: NDArray[np.float32], end: NDArray[np.float32], window: Window, *, limit: int, max_tokens: int = 40
) -> list[tuple[float, int, int]]:
    """The best (score, start, end) of a window, score relative to its no-answer score, offsets in the passage.

    `start`, `end`: scores of the window's tokens. Spans of one window may overlap.
    """
    count = len(window.offsets)
    starts, ends = start[window.first : window.first + count], end[window.first : window.first + count]
    scores = starts[:, None] + ends[None, :]
    rows, columns = np.indices(scores.shape)
    scores = np.where((columns >= rows) & (columns < rows + max_tokens), scores, -np.inf)
    nothing = float(start[0] + end[0])
    best = np.argsort(-scores, axis=None, kind="stable")[:limit]
    return [
        (float(scores.flat[i]) - nothing, window.offsets[i // count][0], window.offsets[i % count][1])
        for i in best.tolist()
        if np.isfinite(scores.flat[i])
    ]


def load_model() -> tuple[Any, SpanModel]:
    """The shipped model in fp32 and its tokenizer. Raises `ModelError` if weights are missing or damaged."""
    tokenizer, encoder = embedded_parts()
    model = SpanModel(encoder, encoder.config.hidden_size)
    load_layers(model, shipped("reader"))
    return tokenizer, model


class SpanReader:
    """Reads many passages in batches of similar length, long ones by windows."""

    def __init__(
        self,
        model: SpanModel,
        tokenizer: Any,
        *,
        max_tokens: int = 256,
        stride: int = 64,
        batch_tokens: int = 1024,
        best: int = 3,
    ) -> None:
        """`best`: spans given per passage at most. `batch_tokens`: padded tokens per batch; bounds memory."""
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._stride = stride
        self._batch_tokens = batch_tokens
        self._best = best

    @staticmethod
    @cache
    def load() -> "SpanReader":
        """The shipped weights over the embedded model; embeddings and tokenizer are shared. See `load_reader`."""
        tokenizer, model = load_model()
        encoder = model.encoder
        model.requires_grad_(False)
        if torch.ops.mkldnn._is_mkldnn_bf16_supported():
            # Two and a half times faster where the processor computes in bfloat16; the scores move by a hundredth.
            encoder.encoder.to(torch.bfloat16)
            encoder.encoder.register_forward_pre_hook(lambda _, inputs: (inputs[0].to(torch.bfloat16), *inputs[1:]))
        return SpanReader(model, tokenizer)

    def read(self, question: str, passages: Sequence[Passage | str], titles: Sequence[str] = ()) -> Reading:
        """See `Reader.read`. `no_answer` is always 0: scores are relative to the no-answer score of their window."""
        texts = [passage if isinstance(passage, str) else passage.text for passage in passages]
        found: list[list[tuple[float, int, int]]] = [[] for _ in texts]
        todo = list(
            windows(self._tokenizer, question, texts, max_tokens=self._max_tokens, stride=self._stride, titles=titles)
        )
        for batch in self._batches(todo):
            starts, ends = self._scores(batch)
            for window, start, end in zip(batch, starts, ends, strict=True):
                found[window.passage] += best_spans(start, end, window, limit=8 * self._best)
        spans = [
            Span(number, start, end, score)
            for number, candidates in enumerate(found)
            for score, start, end in self._distinct(texts[number], candidates)
        ]
        return Reading(tuple(sorted(spans, key=lambda span: -span.score)), 0.0)

    @torch.inference_mode()
    def _scores(self, batch: Sequence[Window]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        start, end = self._model(*pad([window.ids for window in batch]))
        return start.numpy(), end.numpy()

    def _batches(self, todo: Sequence[Window]) -> Iterator[list[Window]]:
        batch: list[Window] = []
        for window in sorted(todo, key=lambda window: -len(window.ids)):
            if batch and len(batch[0].ids) * (len(batch) + 1) > self._batch_tokens:
                yield batch
                batch = []
            batch.append(window)
        if batch:
            yield batch

    def _distinct(self, passage: str, candidates: Sequence[tuple[float, int, int]]) -> Iterator[tuple[float, int, int]]:
        taken: list[tuple[int, int]] = []
        for score, start, end in sorted(candidates, reverse=True):
            bounds = text.whole_words(passage, start, end)
            if bounds and len(taken) < self._best and all(bounds.end <= a or b <= bounds.start for a, b in taken):
                taken.append(bounds)
                yield score, *bounds
