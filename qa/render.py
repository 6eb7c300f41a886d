"""Replies for people and programs: JSON, plain text, HTML. Every quote is checked again; all corpus text is escaped."""

from html import escape
from itertools import pairwise

from babel import Locale

from qa.records import Abstention, Answer, Document, Quote, Reason, Reply
from qa.text import CONTROL

_REASONS = {
    Reason.NOTHING_RETRIEVED: "No passage of the corpus resembles the question.",
    Reason.BELOW_THRESHOLD: "The nearest passages do not seem to answer it.",
}
SURROUNDINGS = 400
"""Characters of the source that are shown before and after a quote."""


def to_json(reply: Reply) -> dict[str, object]:
    """The one schema that command line, Python users and other programs share; see docs/json.md."""
    answered = isinstance(reply, Answer)
    value: dict[str, object] = {
        "question": reply.question,
        "question_language": reply.question_language,
        "status": "answered" if answered else "abstained",
        "reason": None if isinstance(reply, Answer) else str(reply.reason),
        "confidence": round(reply.confidence, 4),
        "follows": reply.follows,
        "quotes": [_quote_json(quote) for quote in reply.quotes] if isinstance(reply, Answer) else [],
    }
    if isinstance(reply, Abstention):
        value["nearest"] = [_quote_json(quote) for quote in reply.nearest]
    return value


def to_text(reply: Reply) -> str:
    """For a terminal: the quote, its place, then the corroborating ones. The exact answer stands between ‹ and ›."""
    if isinstance(reply, Answer):
        head = f"confidence {reply.confidence:.0%}"
        blocks = [_quote_text(quote) for quote in reply.quotes]
    else:
        head = f"Not in the corpus. {_REASONS[reply.reason]}"
        blocks = [_quote_text(quote) for quote in reply.nearest[:3]]
        if blocks:
            head += " Nearest, but not an answer:"
    return "\n\n".join([head, *blocks])


def to_html(reply: Reply) -> str:
    """For the chat page; safe to insert as it is. Holds no scripts, styles or links."""
    if isinstance(reply, Answer):
        first, *others = reply.quotes
        parts = [_quote_html(first, reply.question_language)]
        if others:
            languages = ", ".join(dict.fromkeys(language_name(quote.language) for quote in others))
            inner = "".join(_quote_html(quote, reply.question_language) for quote in others)
            count = f"{len(others)} more {'source' if len(others) == 1 else 'sources'}"
            parts.append(_details("bq-more", f"The same in {count} ({escape(languages)})", inner))
        parts.append(f'<p class="bq-confidence">Confidence: {reply.confidence:.0%}</p>')
        return f'<div class="bq-answer">{"".join(parts)}</div>'
    inner = "".join(_quote_html(quote, reply.question_language) for quote in reply.nearest[:3])
    nearest = _details("bq-more", "Nearest passages (not an answer)", inner) if inner else ""
    return (
        f'<div class="bq-abstention"><p><strong>Not in the corpus.</strong> {_REASONS[reply.reason]}</p>{nearest}</div>'
    )


def language_name(code: str) -> str:
    """English name of a language code; the code itself where there is none."""
    return Locale("en").languages.get(code, code)


def describe(document: Document) -> str:
    """Provenance in one line: source, date, machine translation."""
    parts = [document.source, document.date, "machine translation" if document.machine_translated else None]
    return ", ".join(part for part in parts if part)


def shown(text: str) -> str:
    """One line for a terminal: white space becomes spaces, and what could drive or reorder the terminal (controls,
    bidirectional overrides) the replacement character."""
    return CONTROL.sub(lambda match: " " if match[0].isspace() else "\ufffd", text)


def _described(quote: Quote) -> str:
    return describe(quote.document) + (f", p. {quote.page}" if quote.page else "")


def _quote_json(quote: Quote) -> dict[str, object]:
    quote.check()
    return {
        "number": quote.number,
        "text": quote.text,
        "answer": quote.answer,
        "document_id": quote.document.id,
        "title": quote.document.title,
        "source": quote.document.source,
        "language": quote.language,
        "start": quote.start,
        "end": quote.end,
        "answer_start": quote.answer_start,
        "answer_end": quote.answer_end,
        "page": quote.page,
        "score": round(quote.score, 4),
    }


def _quote_text(quote: Quote) -> str:
    quote.check()
    before, answer, after = _cut(quote.document.text, quote.start, quote.answer_start, quote.answer_end, quote.end)
    document = quote.document
    about = f"{document.title} ({_described(quote)}; {language_name(quote.language)})"
    place = f"{document.id}:{quote.start}-{quote.end}"
    return f"[{quote.number}] {shown(before)}‹{shown(answer)}›{shown(after)}\n    — {shown(f'{about} {place}')}"


def _quote_html(quote: Quote, question_language: str) -> str:
    quote.check()
    document, source = quote.document, quote.document.text
    before, answer, after = map(escape, _cut(source, quote.start, quote.answer_start, quote.answer_end, quote.end))
    left, right = _surroundings(quote)
    earlier, whole, later = (_lines(part) for part in _cut(source, left, quote.start, quote.end, right))
    place = (
        f'<div class="bq-surroundings" lang="{escape(quote.language)}" dir="auto">{"… " if left else ""}{earlier}'
        f'<mark class="bq-whole">{whole}</mark>{later}{" …" if right < len(source) else ""}</div>'
        f'<p class="bq-offsets"><bdi>{escape(document.id)}</bdi>, characters {quote.start}–{quote.end}</p>'
    )
    language = escape(language_name(quote.language))
    note = (
        f'<p class="bq-note">This quote is in {language}; '
        f"the question is in {escape(language_name(question_language))}.</p>"
        if quote.language != question_language and "und" not in (quote.language, question_language)
        else ""
    )
    return (
        f'<figure class="bq-quote"><blockquote lang="{escape(quote.language)}" dir="auto">'
        f"{before}<mark>{answer}</mark>{after}</blockquote>"
        f'<figcaption><span class="bq-number">[{quote.number}]</span> <cite dir="auto">{escape(document.title)}</cite> '
        f'<span class="bq-source"><bdi>{escape(_described(quote))}</bdi> · {language}</span></figcaption>'
        f"{note}{_details('bq-place', 'Open the source', place)}</figure>"
    )


def _details(name: str, summary: str, inner: str) -> str:
    return f'<details class="{name}"><summary>{summary}</summary>{inner}</details>'


def _cut(text: str, *bounds: int) -> list[str]:
    return [text[a:b] for a, b in pairwise(bounds)]


def _surroundings(quote: Quote) -> tuple[int, int]:
    """Bounds around the quote, from one white space to another if there is any near."""
    text = quote.document.text
    left, right = max(0, quote.start - SURROUNDINGS), min(len(text), quote.end + SURROUNDINGS)
    while 0 < left < quote.start and not text[left - 1].isspace() and left > quote.start - SURROUNDINGS - 80:
        left -= 1
    while quote.end < right < len(text) and not text[right].isspace() and right < quote.end + SURROUNDINGS + 80:
        right += 1
    return left, right


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
