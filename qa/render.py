"""Replies for people and programs: JSON, plain text, Markdown. Every quote is checked again; what could act is escaped.

The HTML of the chat page is made in `qa.page`.
"""

import re
import unicodedata
from itertools import pairwise
from string import punctuation

from babel import Locale

from qa.records import Abstention, Answer, Bounds, Document, Entry, Quote, Reason, Reply
from qa.text import CONTROL

_REASONS = {
    Reason.NOTHING_RETRIEVED: "None of the passages that were searched resembles the question.",
    Reason.BELOW_THRESHOLD: "The nearest passages do not seem to answer it.",
}
_ACTING = re.compile(r"[\\`*_{}\[\]<>#|~&$]")
"""What means something to Markdown, also to its dialects."""
_LISTING = re.compile(r"^(\s*\d*)([-+.)]\s)")
"""What makes a line the item of a list."""


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
    context = [f"Read together with: {shown(reply.follows)}"] if reply.follows else []
    return "\n\n".join([*context, head, *blocks])


def to_markdown(reply: Reply) -> str:
    """The question, the quotes with the answer in bold, and numbered citations: for notes, mails and papers."""
    lines = [f"**{_markdown(reply.question)}**"]
    if reply.follows:
        lines.append(f"Read together with: {_markdown(reply.follows)}")
    if isinstance(reply, Abstention):
        return "\n\n".join([*lines, f"Not in the corpus. {_REASONS[reply.reason]}"]) + "\n"
    for quote in reply.quotes:
        quote.check()
        lines.append(f"> {_quote_markdown(quote)} \\[{quote.number}\\]")
    lines.append("\n".join(_citation(quote) for quote in reply.quotes))
    lines.append(f"Confidence: {reply.confidence:.0%}")
    return "\n\n".join(lines) + "\n"


def language_name(code: str) -> str:
    """English name of a language code; the code itself where there is none."""
    return Locale("en").languages.get(code, code)


def describe(document: Document | Entry) -> str:
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


def _citation(quote: Quote) -> str:
    """`1. *Title* (source, date, page; language), document:start-end`"""
    document = quote.document
    about = f"{_described(quote)}; {language_name(quote.language)}"
    place = f"{document.id}:{quote.start}-{quote.end}"
    return f"{quote.number}. *{_markdown(document.title)}* ({_markdown(about)}), {_markdown(place)}"


def _quote_markdown(quote: Quote) -> str:
    """The quote with its answer in bold, or plain where nothing can be bold."""
    bold = _bold(quote)
    if bold.start == bold.end:
        return _markdown(quote.text.lstrip())
    before, exact, after = map(_markdown, _cut(quote.text, 0, bold.start, bold.end, len(quote.text)))
    return f"{before.lstrip()}**{exact}**{after}"


def _bold(quote: Quote) -> Bounds:
    """Where the answer stands in the quote, without outer white space and without outer punctuation that something
    else than white space or punctuation adjoins: asterisks between a letter and a quotation mark are no bold in
    Markdown. Empty if nothing else is left."""
    content, start, end = shown(quote.text), quote.answer_start - quote.start, quote.answer_end - quote.start
    while start < end and _no_edge(content[start], content[start - 1 : start]):
        start += 1
    while start < end and _no_edge(content[end - 1], content[end : end + 1]):
        end -= 1
    return Bounds(start, end)


def _no_edge(character: str, neighbour: str) -> bool:
    """Whether what is bold cannot begin or end with this character beside that neighbour (empty: the quote's edge)."""
    if character.isspace():
        return True
    # Only ASCII's symbols are punctuation to every Markdown; to older ones, others are as letters.
    apart = neighbour.isspace() or not neighbour.strip(punctuation) or unicodedata.category(neighbour).startswith("P")
    return not apart and unicodedata.category(character).startswith(("P", "S"))


def _markdown(text: str) -> str:
    """One line that Markdown takes for plain text."""
    return _LISTING.sub(r"\1\\\2", _ACTING.sub(r"\\\g<0>", shown(text)))


def _cut(text: str, *bounds: int) -> list[str]:
    return [text[a:b] for a, b in pairwise(bounds)]
