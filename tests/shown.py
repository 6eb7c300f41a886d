"""What is shown: an ordinary document, one that means harm, replies that quote them, and a list."""

from qa.records import Abstention, Answer, Document, Listing, Quote, Reason

DOCUMENT = Document(
    id="shanghai-de",
    title="Das Seminar",
    source="Amt",
    language="de",
    text="Vorher.\nDie Resolution haben 143 Länder unterzeichnet. Nachher.",
    date="2024-09-03",
    machine_translated=True,
)
FRENCH = Document(id="fr", title="t", source="s", language="fr", text="143 pays ont signé.")
EVIL = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> <a href='javascript:alert(3)'>link</a> "
    '" onmouseover="alert(4)" \' x=\'1 </blockquote></mark> &lt;b&gt; &amp; <!-- --> ]]> <svg/onload=alert(5)> '
    "\u202eטקסט \u2066x\u2069 \x1b[31mred\x1b[0m \x07 \x9b2J \x85 \u2028 $\\sqrt{x}$ **bold** `code`"
)


def quote(
    document: Document = DOCUMENT, text: str = "", answer: str = "", *, number: int = 1, score: float = 0.9
) -> Quote:
    """The quote of a text in a document, by default its second sentence."""
    text = text or "Die Resolution haben 143 Länder unterzeichnet."
    answer = answer or "143 Länder"
    start = document.text.index(text)
    answer_start = document.text.index(answer, start)
    return Quote(
        number=number, document=document, start=start, end=start + len(text), text=text, answer_start=answer_start,
        answer_end=answer_start + len(answer), language=document.language, score=score,
    )  # fmt: skip


def answer(*quotes: Quote, question_language: str = "de") -> Answer:
    return Answer(
        question="Wie viele?", question_language=question_language, confidence=0.87654, quotes=quotes or (quote(),)
    )


def abstention(*nearest: Quote, reason: Reason = Reason.BELOW_THRESHOLD) -> Abstention:
    return Abstention(question="Wie viele?", question_language="de", confidence=0.2, reason=reason, nearest=nearest)


def evil_reply() -> Answer:
    document = Document(
        id=EVIL, title=EVIL, source=EVIL, language='x" onload="y', text=f"{EVIL} answer {EVIL}", date=EVIL
    )
    return answer(
        quote(document, document.text, "answer"),
        quote(document, document.text, EVIL, number=2),
        question_language="<i>",
    )


def listing(*documents: Document, count: int | None = None) -> Listing:
    return Listing(tuple(document.entry for document in documents), len(documents) if count is None else count)
