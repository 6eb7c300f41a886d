"""A reply as HTML: the quotes with their numbered citations, or why there is none."""

from html import escape
from itertools import pairwise

from qa.page.markup import address, provenance, spoken, text
from qa.page.words import Words
from qa.records import Abstention, Answer, Quote, Reason, Reply

LEVELS = ((0.85, "high"), (0.55, "good"), (0.4, "even"), (0.0, "low"))
"""From which confidence on each word holds."""
NEAREST = 3
"""Passages that are shown beside an abstention."""


def reply_html(reply: Reply, words: Words, *, filtered: bool = False) -> str:
    """The reply, safe to insert as it is. `filtered`: only part of the documents was searched."""
    head = _follows(reply, words)
    if isinstance(reply, Answer):
        return f'<div class="bq-answer">{head}{_answer(reply, words)}</div>'
    return f'<div class="bq-abstention">{head}{_abstention(reply, words, filtered=filtered)}</div>'


def spoken_summary(reply: Reply, words: Words) -> str:
    """What a screen reader says when the reply arrives; plain text."""
    if isinstance(reply, Abstention):
        return f"{words('abstained')}. {words(str(reply.reason))}"
    quote = reply.quotes[0]
    judged = f"{_judgement(reply.confidence, words)} ({words.percent(reply.confidence)})"
    return f"{judged}. {quote.text} – {quote.document.title}"


def level(confidence: float) -> str:
    """The word for a calibrated probability: "high", "good", "even" or "low"."""
    return next(name for least, name in LEVELS if confidence >= least)


def _judgement(confidence: float, words: Words) -> str:
    return words(f"confidence_{level(confidence)}")


def _answer(reply: Answer, words: Words) -> str:
    first, *others = reply.quotes
    return _quote(first, reply, words) + _confidence(reply.confidence, words) + _others(others, reply, words)


def _confidence(confidence: float, words: Words) -> str:
    explained = escape(words("confidence_explained", count=round(confidence * 100)))
    return (
        f'<p class="bq-confidence bq-{level(confidence)}" title="{explained}">'
        f'<svg class="bq-meter" viewBox="0 0 40 6" aria-hidden="true"><rect width="40" height="6" rx="3"/>'
        f'<rect width="{40 * confidence:.1f}" height="6" rx="3"/></svg>'
        f"<span>{escape(_judgement(confidence, words))}</span> "
        f'<span class="bq-number-of">{escape(words.percent(confidence))}</span>'
        f'<span class="bq-hidden">. {explained}</span></p>'
    )


def _others(others: list[Quote], reply: Answer, words: Words) -> str:
    if not others:
        return ""
    count = words.counted("more_sources", len(others))
    own = reply.quotes[0].language
    languages = dict.fromkeys(quote.language for quote in others if quote.language not in (own, "und"))
    named = words("also_in", languages=words.listed([words.language_name(code) for code in languages]))
    summary = f"{escape(named)} <span>{escape(count)}</span>" if languages else escape(count)
    inner = "".join(_quote(quote, reply, words) for quote in others)
    return f'<details class="bq-more bq-fold"><summary>{summary}</summary>{inner}</details>'


def _abstention(reply: Abstention, words: Words, *, filtered: bool) -> str:
    reason = words("nothing_retrieved" if reply.reason is Reason.NOTHING_RETRIEVED else "below_threshold")
    hint = words("abstained_filtered" if filtered else "abstained_hint")
    parts = [
        f'<p class="bq-none">{escape(words("abstained"))}</p>',
        f'<p class="bq-why">{escape(reason)} {escape(hint)}</p>',
    ]
    if nearest := reply.nearest[:NEAREST]:
        inner = "".join(_quote(quote, reply, words, answers=False) for quote in nearest)
        parts.append(f'<details class="bq-more bq-fold"><summary>{escape(words("nearest"))}</summary>{inner}</details>')
    return "".join(parts)


def _follows(reply: Reply, words: Words) -> str:
    if reply.follows is None:
        return ""
    earlier = f"<q {spoken('und')}>{text(reply.follows)}</q>"
    return (
        f'<p class="bq-follows">{escape(words("follows")).format(question=earlier)} '
        f'<button type="button" class="bq-quiet" data-do="alone">{escape(words("ask_alone"))}</button></p>'
    )


def _quote(quote: Quote, reply: Reply, words: Words, *, answers: bool = True) -> str:
    """One quote with its citation. `answers`: whether the marked part is meant as the answer."""
    quote.check()
    document, language = quote.document, quote.language
    whole, at = document.text, (quote.start, quote.answer_start, quote.answer_end, quote.end)
    before, exact, after = (text(whole[a:b]) for a, b in pairwise(at))
    marked = f"<mark>{exact}</mark>" if answers else exact
    asked = reply.question_language
    note = (
        words("note_language", quote=words.language_name(language), question=words.language_name(asked))
        if language != asked and "und" not in (language, asked)
        else ""
    )
    opens = escape(words("open_quote", number=quote.number, title=document.title))
    link = escape(address(quote))
    return (
        f'<figure class="bq-quote"><blockquote {spoken(language)}>'
        f'<span class="bq-text">{before}{marked}{after}</span>'
        f'&#8288;<a class="bq-cite" href="{link}" aria-label="{opens}" title="{opens}">{quote.number}</a>'
        f"</blockquote><figcaption>"
        f'<a class="bq-title" tabindex="-1" href="{link}" {spoken(document.language)}>'
        f"{text(document.title)}</a>"
        f'<span class="bq-about">{provenance(document, language, quote.page, words)}</span></figcaption>'
        + (f'<p class="bq-note">{escape(note)}</p>' if note else "")
        + "</figure>"
    )
