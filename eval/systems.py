"""What can be evaluated: the bot, and the baselines that give its numbers a neighbour. All behind one interface."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eval.corpus import index_of
from eval.gold import GoldQuestion
from eval.pool import Pool, Scores, dense, fused, lexical
from eval.ranking import relevant
from qa import text
from qa.bot import Bot, open_corpus
from qa.embed import Encoder, load_encoder
from qa.records import Abstention, Answer, Bounds, Document, Filters, Hit, Passage, Quote, Reason, Reply
from qa.retrieve import Index, retrieve
from qa.settings import EncoderSettings, RetrieveSettings, Settings

_MANY = 1_000
"""More passages than a gold question's documents have in a corpus that somebody wrote gold questions for."""


class System(Protocol):
    """Answers questions. May raise `BabelquoteError`, which the evaluation counts as an error."""

    def ask(self, question: str) -> Reply:
        """An answer, or an abstention."""
        ...

    def hits(self, question: str) -> Sequence[Hit]:
        """The passages found for the question, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """What a system is opened for. `gold` is for those that are told where the evidence stands."""

    corpus: Path
    settings: Settings
    gold: Sequence[GoldQuestion]


def open_bot(task: Task) -> Bot:
    """The product, as it is shipped."""
    return open_corpus(task.corpus, index=index_of(task.corpus, task.settings), settings=task.settings)


def open_lexical(task: Task) -> Bot:
    """The bot, its passages found by their words alone; read and judged as always."""

    def by_words(
        question: str,
        vector: NDArray[np.float32],
        index: Index,
        settings: RetrieveSettings,
        *,
        filters: Filters = Filters(),
    ) -> list[Hit]:
        return retrieve(question, vector, _WordsOnly(index), settings, filters=filters)

    return open_bot(task).with_retrieval(by_words)


def open_apart(task: Task) -> Bot:
    """The bot with an index of its own, so that another encoder does not make the usual one over."""
    index = index_of(task.corpus, task.settings, "-unprojected")
    return open_corpus(task.corpus, index=index, settings=task.settings)


def open_gold_passages(task: Task) -> Bot:
    """The passages that answer are handed to the reader: what is still wrong, retrieval is not to blame for.

    Where nothing answers, passages are found as always.
    """
    asked = {text.clean_question(question.question): question for question in task.gold if question.answerable}

    def given(
        question: str,
        vector: NDArray[np.float32],
        index: Index,
        settings: RetrieveSettings,
        *,
        filters: Filters = Filters(),
    ) -> list[Hit]:
        gold = asked.get(question)
        if gold is None:
            return retrieve(question, vector, index, settings, filters=filters)
        documents = tuple(sorted({span.document for span in gold.spans}))
        every = replace(settings, candidates=_MANY, passages=_MANY)
        found = retrieve(question, vector, index, every, filters=replace(filters, documents=documents))
        return [hit for hit in found if relevant(hit.passage, gold)]

    return open_bot(task).with_retrieval(given)


class FirstSentence:
    """Quotes the first sentence of the best passage, whatever is asked; as sure of it as the passage is near."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._documents = {document.id: document for document in bot.documents()}

    def hits(self, question: str) -> Sequence[Hit]:
        return self._bot.hits(question)

    def ask(self, question: str) -> Reply:
        hit = next((hit for hit in self._bot.hits(question) if hit.passage.sentences), None)
        if hit is None:
            return _nothing(question)
        confidence = min(1.0, max(0.0, hit.similarity or 0.0))
        quote = _quote(hit.passage, hit.passage.sentences[0], self._documents, confidence)
        return Answer(
            question=question, question_language=text.language_of(question), confidence=confidence, quotes=(quote,)
        )


class AlwaysAbstain:
    """Finds nothing, says so, and is never wrong about what the corpus does not hold."""

    def hits(self, question: str) -> Sequence[Hit]:  # noqa: ARG002
        return ()

    def ask(self, question: str) -> Reply:
        return _nothing(question)


def unprojected(settings: Settings) -> Settings:
    """Passages are found by meaning alone, in the encoder's space as it came, languages apart.

    None are grouped, and no quote corroborates another: the cosine that tells the same fact is of the shipped space.
    """
    return replace(
        settings,
        encoder=replace(settings.encoder, projection=False, layers=False),
        retrieve=replace(settings.retrieve, lexical_weight=0.0, same_fact=math.inf),
    )


def wordless(settings: Settings) -> Settings:
    """Passages are found by meaning alone."""
    return replace(settings, retrieve=replace(settings.retrieve, lexical_weight=0.0))


def ungrouped(settings: Settings) -> Settings:
    """Passages that repeat another document's keep their place."""
    return replace(settings, retrieve=replace(settings.retrieve, same_fact=math.inf))


def unthresholded(settings: Settings) -> Settings:
    """Whatever comes nearest is given as the answer."""
    return replace(settings, answer=replace(settings.answer, threshold=0.0))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a system is made: what opens it, and with which settings in place of the usual ones."""

    open: Callable[[Task], System]
    settings: Callable[[Settings], Settings] = lambda settings: settings


SYSTEMS: Mapping[str, Recipe] = {
    "babelquote": Recipe(open_bot),
    "lexical": Recipe(open_lexical),
    "unprojected": Recipe(open_apart, unprojected),
    "dense": Recipe(open_bot, wordless),
    "ungrouped": Recipe(open_bot, ungrouped),
    "first-sentence": Recipe(lambda task: FirstSentence(open_bot(task))),
    "gold-passages": Recipe(open_gold_passages),
    "always-abstain": Recipe(lambda _: AlwaysAbstain()),
    "never-abstain": Recipe(open_bot, unthresholded),
}


def encoders() -> Mapping[str, Callable[[], Encoder]]:
    """The embedded encoder as it came, and with what was added to it, step by step to the shipped one."""
    return {
        "encoder unchanged": lambda: load_encoder(EncoderSettings(projection=False, layers=False)),
        "projected": lambda: load_encoder(EncoderSettings(layers=False)),
        "trained": lambda: load_encoder(EncoderSettings()),
    }


def rankers() -> Mapping[str, Callable[[Pool], Scores]]:
    """What can rank a pool: words alone, the encoders, and the shipped one with words, as retrieval fuses them."""

    def with_encoder(make: Callable[[], Encoder]) -> Callable[[Pool], Scores]:
        return lambda pool: dense(pool, make())

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = load_encoder().model.tokenizer(list(texts), add_special_tokens=False, verbose=False)[
            "input_ids"
        ]
        return ids

    return {
        "words (BM25 over subwords)": lambda pool: lexical(pool, pieces),
        **{name: with_encoder(make) for name, make in encoders().items()},
        "trained, with words": lambda pool: fused(
            dense(pool, load_encoder()), lexical(pool, pieces), RetrieveSettings().lexical_weight
        ),
    }


class _WordsOnly:
    """An index whose vectors find nothing."""

    def __init__(self, index: Index) -> None:
        self.search_words = index.search_words
        self.passages = index.passages
        self.vectors = index.vectors

    def search_vectors(
        self,
        vector: NDArray[np.float32],  # noqa: ARG002
        *,
        limit: int,  # noqa: ARG002
        filters: Filters,  # noqa: ARG002
    ) -> list[tuple[int, float]]:
        return []


def _nothing(question: str) -> Abstention:
    return Abstention(
        question=question,
        question_language=text.language_of(question),
        confidence=0.0,
        reason=Reason.NOTHING_RETRIEVED,
    )


def _quote(passage: Passage, sentence: Bounds, documents: Mapping[str, Document], score: float) -> Quote:
    start, end = passage.start + sentence.start, passage.start + sentence.end
    return Quote(
        number=1,
        document=documents[passage.document_id],
        start=start,
        end=end,
        text=passage.text[slice(*sentence)],
        answer_start=start,
        answer_end=end,
        language=passage.language,
        score=score,
    )
