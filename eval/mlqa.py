"""F1 as the evaluation that MLQA was published with counts it (Lewis et al. 2020, `mlqa_evaluation_v1.py`), to compare
with the numbers of other systems: without punctuation and the articles of the answer's language."""

import re
import string
from collections.abc import Sequence

import regex

from eval.metrics import token_f1

ARTICLES = {
    "ar": "ال",  # inside words, too, as published
    "de": r"\b(?:ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "en": r"\b(?:a|an|the)\b",
    "es": r"\b(?:un|una|unos|unas|el|la|los|las)\b",
    "hi": None,
    "vi": r"\b(?:của|là|cái|chiếc|những)\b",
    "zh": None,
}
"""By ISO 639-1 code, of the languages that have rules."""
_PUNCTUATION = regex.compile(rf"[\p{{P}}{regex.escape(string.punctuation)}]")
_CHINESE = re.compile("([\u4e00-\u9fa5])")


def mlqa_tokens(text: str, language: str) -> list[str]:
    """Words between spaces, in Chinese single characters. `language`: one of `ARTICLES`."""
    bare = _PUNCTUATION.sub("", text.lower())
    if articles := ARTICLES[language]:
        bare = re.sub(articles, " ", bare)
    return (_CHINESE.sub(r" \1 ", bare) if language == "zh" else bare).split()


def mlqa_f1(given: str, answers: Sequence[str], language: str) -> float:
    """Best F1 with an answer, 0..1; 0 where no token is common, even if none is left. Without answers, 1 if nothing is
    given, else 0."""
    if not answers:
        return float(not given)
    tokens = mlqa_tokens(given, language)
    return max(token_f1(tokens, mlqa_tokens(answer, language)) for answer in answers) if tokens else 0.0
