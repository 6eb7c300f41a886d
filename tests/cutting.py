"""Sentences as text."""

from qa.sentences import sentences


def cut(content: str, language: str = "en") -> list[str]:
    return [content[slice(*bounds)] for bounds in sentences(content, language=language)]
