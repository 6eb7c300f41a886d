"""Two small documents, a question about them, and replies to it, for the tests of evaluation."""

from eval.gold import GoldQuestion, GoldSpan
from eval.metrics import Outcome
from eval.result import Provenance
from qa.records import Abstention, Answer, Bounds, Document, Passage, Quote, Reason

A = Document(id="a", title="A", source="s", language="de", text="Es waren 143 Länder. Mehr nicht.")
B = Document(id="b", title="B", source="s", language="en", text="It was 143 countries. No more.")
SPANS = (GoldSpan("a", 9, 19, "143 Länder"), GoldSpan("b", 7, 20, "143 countries"))


def question(*spans: GoldSpan, fact: str = "f", language: str = "en") -> GoldQuestion:
    return GoldQuestion(f"{fact}.{language}", fact, "number", language, "How many?", bool(spans), spans, "")


def quote(document: Document, start: int, end: int, answer: tuple[int, int]) -> Quote:
    return Quote(
        number=1, document=document, start=start, end=end, text=document.text[start:end], language=document.language,
        answer_start=answer[0], answer_end=answer[1], score=0.9,
    )  # fmt: skip


def answered(*quotes: Quote, confidence: float = 0.9, gold: GoldQuestion | None = None) -> Outcome:
    reply = Answer(question="How many?", question_language="en", confidence=confidence, quotes=quotes)
    return Outcome(gold or question(*SPANS), reply, None, 0.1)


def abstained(*nearest: Quote, confidence: float = 0.1, gold: GoldQuestion | None = None) -> Outcome:
    reply = Abstention(
        question="How many?", question_language="en", confidence=confidence, reason=Reason.BELOW_THRESHOLD,
        nearest=nearest,
    )  # fmt: skip
    return Outcome(gold or question(*SPANS), reply, None, 0.1)


def no(question: str = "Who paid?") -> Abstention:
    """An abstention as a reply alone, not yet judged."""
    return Abstention(question=question, question_language="en", confidence=0.1, reason=Reason.BELOW_THRESHOLD)


def failed(gold: GoldQuestion | None = None) -> Outcome:
    return Outcome(gold or question(*SPANS), None, "StoreError: broken", 0.1)


def passage(document: Document, start: int, end: int) -> Passage:
    """A passage of one sentence."""
    return Passage(
        document_id=document.id, start=start, end=end, text=document.text[start:end], language=document.language,
        sentences=(Bounds(0, end - start),),
    )  # fmt: skip


RIGHT = quote(A, 0, 20, (9, 12))
WRONG = quote(A, 21, 32, (21, 25))
OTHER = quote(B, 0, 21, (7, 20))
PASSAGES = (passage(A, 0, 20), passage(A, 21, 32), passage(B, 0, 21), passage(B, 22, 30))
"""All of both documents; the first and the third answer."""
MADE = Provenance(
    system="babelquote", questions="dev", questions_digest="q", corpus="c", corpus_digest="c", model="m", weights="w",
    device="cpu", commit="x", seed=1, made="2026-11-24T00:00:00+00:00", settings="{}",
)  # fmt: skip
