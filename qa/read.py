"""Question and passages to answer spans: the `Reader` protocol and the first reader, which needs no training.

`EvidenceReader` weighs sentences by the encoder's similarity and by shared words, then marks inside the best
ones the part that looks like an answer to this kind of question.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import regex
from numpy.typing import NDArray

from qa import text
from qa.embed import Encoder, load_encoder
from qa.records import Bounds, Passage, Reading, Span


class Reader(Protocol):
    """Finds answers in passages."""

    def read(self, question: str, passages: Sequence[Passage | str]) -> Reading:
        """Candidate spans over all passages, best first. Offsets point into each passage's text.

        A bare string is a passage of its own, in an unknown language.
        """
        ...


_KINDS: dict[str, tuple[str, ...]] = {
    "number": ("How many countries took part?", "Wie viele Menschen leben dort?", "Сколько стран участвовало?", "有多少人？",
               "Berapa jumlah peserta?", "Πόσες χώρες;", "कति जनाः?", "Combien de personnes ?", "Kuinka monta maata?"),
    "date": ("When did it take place?", "Wann war das?", "Когда это было?", "什么时候举行的？", "Kapan acara itu diadakan?",
             "Quando aconteceu?", "कदा अभवत्?", "Quelle est la date ?", "Milloin se pidettiin?", "いつ開かれましたか？"),
    "name": ("Who said that?", "Wer hat das gesagt?", "Кто это сказал?", "是谁说的？", "Siapa yang mengatakannya?",
             "Quem disse isso?", "कः अवदत्?", "Qui a dit cela ?", "In which city?", "Wo fand es statt?", "Где это было?", "在哪里？",
             "Di mana diadakan?", "Onde foi?", "Où cela s'est-il passé ?", "Kuka sanoi niin?", "どこで？", "誰が言いましたか？"),
    "clause": ("Why did it happen?", "Warum ist das so?", "Почему это важно?", "为什么？", "Mengapa demikian?", "Como funciona?",
               "What did he promise?", "Was wurde beschlossen?", "Что он предложил?", "他说了什么？", "Quel est le but ?",
               "किमर्थम्?", "Mitä hän sanoi?", "What does it call for?", "何を提案しましたか？"),
}  # fmt: skip
_DIGITS = regex.compile(r"\p{N}[\p{N}.,:/\u2013-]*")
_NUMBER = regex.compile(r"\p{N}[\p{N}.,]*(?:\s?\p{Han}{1,2}|\s[\p{L}\p{M}]+)?")
_DATE = regex.compile(
    r"(?:[\p{Lu}][\p{L}\p{M}]+\.?\s)?\p{N}{1,4}(?:\.|er|th|st|nd|rd)?"
    r"(?:[\s\u2013-]*(?:\p{N}{1,4}\.?|[\p{L}\p{M}]{1,3}|[\p{L}\p{M}]{3,10}(?=\s\p{N})|[\p{Lu}][\p{L}\p{M}]{2,9}))*"
)
_NAME = regex.compile(
    r"[\p{Lu}\p{Lt}][\p{L}\p{M}’'-]*(?:\s(?:(?:of|de|du|von|der|da|di|la)\s)?[\p{Lu}\p{Lt}][\p{L}\p{M}’'-]*)*"
)


class EvidenceReader:
    """Ranks sentences without training. Its `no_answer` is the score that an unrelated sentence reaches here."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        passage_weight: float = 0.3,
        word_weight: float = 0.15,
        kind_weight: float = 0.02,
    ) -> None:
        self._encoder = encoder
        self._passage_weight = passage_weight
        self._word_weight = word_weight
        self._kind_weight = kind_weight
        vectors = [encoder.encode_queries(examples) for examples in _KINDS.values()]
        self._kinds = np.stack([_unit(rows.mean(0)) for rows in vectors])

    def read(self, question: str, passages: Sequence[Passage | str]) -> Reading:
        """Best sentences of all passages, each with the part that answers. See `Reader.read`."""
        taken = [as_passage(passage) for passage in passages]
        places = [(number, bounds) for number, passage in enumerate(taken) for bounds in passage.sentences]
        if not places:
            return Reading((), 0.0)
        sentences = [taken[number].text[slice(*bounds)] for number, bounds in places]
        vector = self._encoder.encode_queries([question])[0]
        kind = list(_KINDS)[int(np.argmax(self._kinds @ vector))]
        nearness = self._encoder.encode_passages([passage.text for passage in taken]) @ vector
        scores = self._encoder.encode_passages(sentences) @ vector * (1 - self._passage_weight)
        scores += self._passage_weight * nearness[[number for number, _ in places]]
        scores += self._word_weight * _shared_words(question, sentences)
        scores += self._kind_weight * np.array([_holds(kind, sentence) for sentence in sentences])
        spans = []
        for i in np.argsort(-scores, kind="stable"):
            number, bounds = places[i]
            start, end = _answer_part(kind, question, sentences[i])
            spans.append(Span(number, bounds.start + start, bounds.start + end, float(scores[i])))
        return Reading(tuple(spans), float(np.median(scores)))


def load_reader(encoder: Encoder | None = None) -> Reader:
    """The default reader.

    >>> reading = load_reader().read("Wie viele?", ["Es waren 143 Länder."])
    >>> [(span.start, span.end) for span in reading.spans]
    [(9, 19)]
    """
    return EvidenceReader(encoder or load_encoder())


def as_passage(passage: Passage | str) -> Passage:
    """A string as a passage that is a document of its own."""
    if isinstance(passage, Passage):
        return passage
    language = text.language_of(passage)
    return Passage(document_id="", start=0, end=len(passage), text=passage, language=language,
                   sentences=tuple(text.sentences(passage, language=language)))  # fmt: skip


def _shared_words(question: str, sentences: Sequence[str]) -> NDArray[np.float32]:
    """Share (0..1) of the question's informative words that a sentence holds. A word that most sentences hold tells
    nothing, one that none holds neither. *Shape* (len(sentences),)."""
    wanted = set(text.words(question))
    held = [wanted.intersection(text.words(sentence)) for sentence in sentences]
    rarity = {word: np.log(len(held) / count) for word in wanted if (count := sum(word in words for words in held))}
    total = sum(rarity.values())
    return np.array([sum(rarity[word] for word in words) / total if total else 0.0 for words in held], np.float32)


def _holds(kind: str, sentence: str) -> bool:
    return kind in ("number", "date") and bool(_DIGITS.search(sentence))


def _answer_part(kind: str, question: str, sentence: str) -> Bounds:
    """The longest part of the sentence that looks like such an answer and is not in the question; else all of it."""
    pattern = {"number": _NUMBER, "date": _DATE, "name": _NAME}.get(kind)
    asked = set(text.words(question))
    best = Bounds(0, len(sentence))
    if pattern is None:
        return best
    parts = [Bounds(*match.span()) for match in pattern.finditer(sentence) if match.end() > match.start()]
    fresh = [part for part in parts if not asked.intersection(text.words(sentence[slice(*part)]))]
    return max(fresh, key=lambda part: part.end - part.start, default=best)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.linalg.norm(vector)
