"""Retrieval across languages, measured on a pool of parallel texts: evidence in all languages, questions in all.

From SQuAD-format files of parallel questions (MLQA, Lewis et al. 2020), named `NAME.QUESTION-CONTEXT.json.gz`: the
contexts of all files make one pool, whole or as sentences. Relevant to a question is every text of the pool that holds
the answer to the question of its id, in whatever language (as in LAReQA, Roy et al. 2020).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from eval.squad import SquadQuestion, languages_of, load
from qa.embed import Encoder, Vectors
from qa.sentences import sentences

Scores = NDArray[np.float32]
"""*Shape* (questions, texts); the higher, the nearer."""


@dataclass(frozen=True, slots=True)
class Pool:
    """`relevant`: *Shape* (questions, texts), boolean. Languages are parallel to questions and texts."""

    questions: tuple[str, ...]
    asked_in: tuple[str, ...]
    texts: tuple[str, ...]
    languages: tuple[str, ...]
    relevant: NDArray[np.bool_]


def load_pool(files: Sequence[Path], *, by_sentence: bool) -> Pool:
    """The pool of these files. Raises `SquadError` for a file that is not of the form or not named by its languages."""
    asked: dict[tuple[str, str, str], None] = {}
    texts: dict[tuple[str, str], None] = {}
    answers: dict[str, set[tuple[str, str]]] = {}
    for file in files:
        asked_in, language = languages_of(file)
        for question in load(file):
            asked[question.id, asked_in, question.question] = None
            for text, holds in _texts(question, language, by_sentence=by_sentence):
                texts[language, text] = None
                if holds:
                    answers.setdefault(question.id, set()).add((language, text))
    number = {text: i for i, text in enumerate(texts)}
    relevant = np.zeros((len(asked), len(texts)), dtype=bool)
    for row, (key, _, _) in enumerate(asked):
        relevant[row, [number[text] for text in answers.get(key, ())]] = True
    return Pool(
        questions=tuple(question for _, _, question in asked),
        asked_in=tuple(language for _, language, _ in asked),
        texts=tuple(text for _, text in texts),
        languages=tuple(language for language, _ in texts),
        relevant=relevant,
    )


def _texts(question: SquadQuestion, language: str, *, by_sentence: bool) -> list[tuple[str, bool]]:
    """The context or its sentences, and whether each holds an answer."""
    if not by_sentence:
        return [(question.context, bool(question.answers))]
    bounds = sentences(question.context, language=language)
    found = [question.context[start:end] for start, end in bounds]
    holds = [any(start <= at < end for at in question.starts) for start, end in bounds]
    return list(zip(found, holds, strict=True))


def dense(pool: Pool, encoder: Encoder) -> Scores:
    """Cosines of questions and texts."""
    questions: Vectors = encoder.encode_queries(pool.questions)
    return questions @ encoder.encode_passages(pool.texts).T


def lexical(pool: Pool, pieces: Callable[[Sequence[str]], Sequence[Sequence[int]]]) -> Scores:
    """BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.75) over subword pieces. `pieces`: texts to token ids."""
    texts, questions = _counts(pieces(pool.texts)), _counts(pieces(pool.questions))
    lengths = texts.sum(axis=1)
    seen = np.bincount(texts.indices, minlength=texts.shape[1])
    rarity = np.log1p((texts.shape[0] - seen + 0.5) / (seen + 0.5))
    row = np.repeat(np.arange(texts.shape[0]), np.diff(texts.indptr))
    damping = 1.2 * (0.25 + 0.75 * lengths[row] / lengths.mean())
    weighted = texts.copy()
    weighted.data = rarity[texts.indices] * texts.data * 2.2 / (texts.data + damping)
    found: Scores = (questions @ weighted.T).toarray().astype(np.float32)
    return found


_PIECES = 250_037


def _counts(rows: Sequence[Sequence[int]]) -> csr_array:
    pointers = np.cumsum([0, *map(len, rows)])
    ids = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    counts = csr_array((np.ones(len(ids)), ids, pointers), shape=(len(rows), _PIECES))
    counts.sum_duplicates()
    return counts


def fused(dense: Scores, lexical: Scores, weight: float) -> Scores:
    """Cosines plus `weight` times the lexical score as a share of the question's best, as `qa.retrieve` has it."""
    best = lexical.max(axis=1, keepdims=True)
    return dense + weight * np.divide(lexical, best, out=np.zeros_like(lexical), where=best > 0)


def measure(pool: Pool, scores: Scores) -> dict[str, float]:
    """mAP, P@1, R@10, complete@20 (all relevant texts among the first 20), and how often the first is merely of the
    question's own language; means over questions, 0..1."""
    order = np.argsort(-scores, axis=1, kind="stable")
    found = np.take_along_axis(pool.relevant, order, axis=1)
    count = found.sum(axis=1)
    ranks = np.arange(1, found.shape[1] + 1)
    precision = np.cumsum(found, axis=1) / ranks
    languages = np.array(pool.languages)[order[:, 0]]
    return {
        "mAP": float(((precision * found).sum(axis=1) / np.maximum(count, 1)).mean()),
        "P@1": float(found[:, 0].mean()),
        "R@10": float((found[:, :10].sum(axis=1) / np.maximum(count, 1)).mean()),
        "complete@20": float(((found[:, :20].sum(axis=1) == count) & (count > 0)).mean()),
        "own language first": float((languages == np.array(pool.asked_in)).mean()),
    }


def matrix(pool: Pool, scores: Scores) -> Mapping[tuple[str, str], float]:
    """R@10 by language of question and of evidence: of that language's relevant texts, those among the first ten."""
    first = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    shown = np.zeros_like(pool.relevant)
    np.put_along_axis(shown, first, True, axis=1)
    asked, languages = np.array(pool.asked_in), np.array(pool.languages)
    found = {}
    for a in sorted(set(pool.asked_in)):
        for b in sorted(set(pool.languages)):
            part = np.ix_(asked == a, languages == b)
            found[a, b] = float(shown[part][pool.relevant[part]].mean())
    return found


def first_right(pool: Pool, scores: Scores) -> Mapping[str, float]:
    """P@1 by language of the question."""
    right = pool.relevant[np.arange(len(pool.questions)), scores.argmax(axis=1)]
    asked = np.array(pool.asked_in)
    return {language: float(right[asked == language].mean()) for language in sorted(set(pool.asked_in))}
