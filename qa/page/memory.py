"""Replies that a browser kept, made again from the documents; what no longer stands there is not shown."""

from collections.abc import Callable, Sequence
from itertools import accumulate

from qa.page.requests import Kept, QuoteRecord, ReplyRecord
from qa.records import Abstention, Answer, Document, Quote, Reason, Reply

MOST_LOOKUPS = 2_000
"""Documents that are looked up for the replies of one chat. A hundred replies with ten quotes each take 1,000."""


def revivable(turns: Sequence[Kept]) -> int:
    """How many of the replies, from the last, can be made again with `MOST_LOOKUPS`."""
    named = (len({quote.document_id for quote in (*turn.reply.quotes, *turn.reply.nearest)}) for turn in turns[::-1])
    return sum(total <= MOST_LOOKUPS for total in accumulate(named))


def revive(kept: ReplyRecord, document: Callable[[str], Document | None]) -> Reply | None:
    """The reply with the quotes that still stand word for word where they stood.

    `None` if the first quote, the answer itself, is gone. Quotes are the documents' words, never the browser's.
    """
    if kept.status == "answered":
        quotes = [_quote(quote, document) for quote in kept.quotes]
        if not quotes or quotes[0] is None:
            return None
        return Answer(
            question=kept.question,
            question_language=kept.question_language,
            confidence=kept.confidence,
            quotes=tuple(quote for quote in quotes if quote),
            follows=kept.follows,
        )
    return Abstention(
        question=kept.question,
        question_language=kept.question_language,
        confidence=kept.confidence,
        reason=kept.reason or Reason.BELOW_THRESHOLD,
        nearest=tuple(quote for kept_quote in kept.nearest if (quote := _quote(kept_quote, document))),
        follows=kept.follows,
    )


def _quote(kept: QuoteRecord, document: Callable[[str], Document | None]) -> Quote | None:
    owner = document(kept.document_id)
    if owner is None or owner.text[kept.start : kept.end] != kept.text:
        return None
    if not kept.start <= kept.answer_start < kept.answer_end <= kept.end:
        return None
    return Quote(
        number=kept.number,
        document=owner,
        start=kept.start,
        end=kept.end,
        text=kept.text,
        answer_start=kept.answer_start,
        answer_end=kept.answer_end,
        language=kept.language,
        score=kept.score,
    )
