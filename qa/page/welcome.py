"""What stands on the page before anything was asked."""

from html import escape

from qa.page.markup import spoken, text
from qa.page.words import Words
from qa.records import Overview

SHIPPED = frozenset({"cctv-2024-en", "shanghai-2024-de", "shanghai-2024-fr", "shanghai-2024-id", "beijing-2025-en"})
EXAMPLES = (
    ("fr", "Combien de pays ont signé la résolution ?"),
    ("fi", "Kuka piti videopuheen avajaisissa?"),
    ("zh", "上海市副市长是谁？"),
    ("en", "When was the workshop in Shanghai held?"),
)
"""Questions that the shipped corpus answers, in languages that it has and has not."""


def welcome_html(overview: Overview, words: Words, *, shipped: bool) -> str:
    """What may be asked of the documents, and examples where the `shipped` ones are among them."""
    if not overview.documents:
        return f"<h2>{escape(words('welcome'))}</h2><p>{escape(words('welcome_empty'))}</p>"
    named = sorted(words.language_name(code) for code in overview.languages if code != "und")
    lead = words(
        "welcome_lead",
        documents=words.counted("document_count", overview.documents),
        languages=words.listed(named[:6] + ["…"] * (len(named) > 6)),
    )
    below = _examples(words) if shipped else _tips(words)
    return f"<h2>{escape(words('welcome'))}</h2><p>{escape(lead)}</p>{below}"


def _examples(words: Words) -> str:
    items = "".join(
        f'<li><button type="button" class="bq-example" data-do="example"><span {spoken(code)}>{text(question)}</span>'
        f"<small>{escape(words('example_language', language=words.language_name(code)))}</small></button></li>"
        for code, question in EXAMPLES
    )
    return f'<h3>{escape(words("examples"))}</h3><ul class="bq-examples">{items}</ul>'


def _tips(words: Words) -> str:
    items = "".join(f"<li>{escape(words(key))}</li>" for key in ("tip_whole", "tip_language", "tip_check"))
    return f'<h3>{escape(words("tips"))}</h3><ul class="bq-tips">{items}</ul>'
