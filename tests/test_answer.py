"""Which sentences of other documents say what a quote says."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest

from qa.answer import Embed, candidates, corroborate
from qa.embed import Vectors
from qa.records import Answer, Bounds, Document, Hit, Passage, Quote, Reading, Span
from qa.settings import AnswerSettings
from tests.light import LightEncoder

EMBED = LightEncoder().encode_passages
QUESTION = "How many goats has the village?"
SAID = {
    "a": "The village has 1,007 goats.",
    "same": "The village has 1007 goats, as of 2024.",
    "words": "The village has a thousand and seven goats.",
    "other": "The village has 1003 goats.",
    "more": "The village has 1003 goats, as of 2024.",
}
DOCUMENTS = {name: Document(id=name, title=name, source="s", language="en", text=said) for name, said in SAID.items()}


def hit(name: str, language: str = "en") -> Hit:
    said = SAID[name]
    whole = Bounds(0, len(said))
    return Hit(
        Passage(document_id=name, start=0, end=len(said), text=said, language=language, sentences=(whole,)), 1.0, 1.0
    )


def test_a_sentence_with_other_numbers_corroborates_nothing() -> None:
    assert set(corroborated({})) == {"a", "same", "words"}


def corroborated(
    languages: Mapping[str, str],
    *,
    asked_in: str = "en",
    quotes: int = 8,
    among: Iterable[str] = SAID,
    embed: Embed = EMBED,
    same_fact: float = 0.3,
) -> list[str]:
    """Documents quoted, in order, where "a" was found. `languages`: those of documents that are not English."""
    answer = SAID["a"].index("1,007")
    first = Quote(
        number=1, document=DOCUMENTS["a"], start=0, end=len(SAID["a"]), text=SAID["a"],
        language=languages.get("a", "en"), answer_start=answer, answer_end=answer + len("1,007"), score=0.9,
    )  # fmt: skip
    reply = corroborate(
        Answer(question=QUESTION, question_language=asked_in, confidence=0.9, quotes=(first,)),
        [hit(name, languages.get(name, "en")) for name in among], read=lambda _texts: Reading(spans=(), no_answer=0.0),
        embed=embed, document=DOCUMENTS.get, same_fact=same_fact, settings=AnswerSettings(quotes=quotes),
    )  # fmt: skip
    assert reply.confidence == max(quote.score for quote in reply.quotes) == 0.9
    assert [quote.number for quote in reply.quotes] == list(range(1, len(reply.quotes) + 1))
    return [quote.document.id for quote in reply.quotes]


def test_what_says_the_same_in_the_questions_language_comes_first() -> None:
    assert corroborated({}) == ["a", "same", "words"]  # as they were found, the most alike first
    assert corroborated({"words": "fr"}, asked_in="fr") == ["words", "a", "same"]
    assert corroborated({"words": "fr-CA", "same": "de"}, asked_in="fr", quotes=2) == ["words", "a"]
    assert corroborated({"a": "fr", "words": "fr"}, asked_in="fr") == ["a", "words", "same"]
    assert corroborated({"other": "fr"}, asked_in="fr") == ["a", "same", "words"]  # that one states another fact
    assert corroborated({"words": "und"}, asked_in="und") == ["a", "same", "words"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((0.6, 0.7, 0.387), ["a", "same", "words"]),  # 0.6 with the quote, 0.81 with the mean of both
        ((0.1, 0.95, 0.296), ["a", "same"]),  # 0.73 with the other, 0.43 with the mean
    ],
)
def test_a_sentence_is_compared_with_all_that_says_the_same(words: tuple[float, ...], found: list[str]) -> None:
    places = {"a": (1.0, 0.0, 0.0), "same": (0.75, 0.66, 0.0), "words": words}

    def embed(texts: Sequence[str]) -> Vectors:
        rows = {SAID[name]: np.array(place, np.float32) for name, place in places.items()}
        return np.stack([rows[text] for text in texts])

    assert corroborated({}, among=("words",), embed=embed, same_fact=0.7) == ["a"]
    assert corroborated({}, among=("words", "same"), embed=embed, same_fact=0.7) == found


@pytest.mark.parametrize(("beside", "agreement"), [("same", 6.0), ("words", 6.0), ("other", 10.0)])
def test_agreement_is_of_sentences_that_state_the_same(beside: str, agreement: float) -> None:
    spans = (Span(0, 16, 21, score=10.0), Span(1, 16, 20, score=2.0))
    best, _ = candidates(
        np.zeros(LightEncoder.dimension, np.float32), [hit("a"), hit(beside)], Reading(spans=spans, no_answer=0.0),
        EMBED, same_fact=0.3,
    )  # fmt: skip
    assert best.agreement == agreement
