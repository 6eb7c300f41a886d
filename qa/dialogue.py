"""Follow-up questions: whether a question leans on those before it, and what it is then read together with.

"And in Beijing?" says too little by itself. Such questions resemble each other in an encoder's space, in whatever
language and on whatever topic, so a few hundred examples on all sorts of topics (`data/followups.json`) tell them from
complete ones. They are embedded by the encoder in use, once a process: there are no weights to keep in step with it.
"""

import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Questions to unit rows. *Shape* (len(texts), dimension)."""

RIDGE = 0.3
"""Penalty of the fit; between 0.1 and 1 it tells the same questions apart (eval/LOG.md)."""


class FollowUpClassifier:
    """Tells follow-ups, which lean on an earlier question, from complete questions. Thread-safe.

    A linear fit (ridge regression) on the examples, over the question's vector and the logarithm of its length, since
    a follow-up is short.
    """

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._lock = Lock()
        self._fit: tuple[NDArray[np.float64], float] | None = None

    def __call__(self, question: str) -> bool:
        """Whether it is one."""
        return self.score(question) > 0

    def score(self, question: str) -> float:
        """Above 0 for a follow-up; most lie between -1 and 1."""
        weights, bias = self.fit()
        return float(self._features([question])[0] @ weights) + bias

    def fit(self) -> tuple[NDArray[np.float64], float]:
        """Weights, *Shape* (dimension + 1,), and bias. The first call embeds the examples, which takes as long as
        indexing a few pages."""
        with self._lock:
            if self._fit is None:
                self._fit = self._fitted()
            return self._fit

    def _fitted(self) -> tuple[NDArray[np.float64], float]:
        follow_ups, complete = examples()
        rows = self._features([*follow_ups, *complete])
        wanted = np.repeat([1.0, -1.0], [len(follow_ups), len(complete)])
        middle = rows.mean(axis=0)
        centred = rows - middle
        # The dual form: there are fewer examples than dimensions with most encoders.
        gram = centred @ centred.T + RIDGE * np.eye(len(rows))
        weights: NDArray[np.float64] = centred.T @ np.linalg.solve(gram, wanted - wanted.mean())
        return weights, float(wanted.mean() - middle @ weights)

    def _features(self, questions: Sequence[str]) -> NDArray[np.float64]:
        # Bytes, since a character of a script like Chinese says more than one of an alphabet.
        length = [[np.log(len(question.encode()))] for question in questions]
        return np.hstack([self._embed(questions).astype(np.float64), length])


def examples() -> tuple[list[str], list[str]]:
    """Follow-ups and complete questions, in many languages."""
    by_language = json.loads((files("qa") / "data" / "followups.json").read_text(encoding="utf-8"))
    follow_ups, complete = (
        [question for kinds in by_language.values() for question in kinds[kind]] for kind in ("follow-ups", "complete")
    )
    return follow_ups, complete


def context(question: str, earlier: Sequence[str], is_follow_up: Callable[[str], bool]) -> tuple[str, ...]:
    """The earlier questions that this one is to be read with, oldest first; none if it is complete.

    That is the one before it, and while that one is a follow-up, too, the one before that. `earlier`: oldest first.

    >>> context("And his deputy?", ["Who is mayor?", "Since when?"], lambda question: question != "Who is mayor?")
    ('Who is mayor?', 'Since when?')
    """
    start = len(earlier)
    while start and is_follow_up(question):
        start -= 1
        question = earlier[start]
    return tuple(earlier[start:])


def together(question: str, context: Sequence[str]) -> str:
    """One text of a question and its context, the nearest first: who cuts long questions keeps what is asked."""
    return " ".join([question, *reversed(context)])
