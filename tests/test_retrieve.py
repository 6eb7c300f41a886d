"""What order passages come in."""

import numpy as np

from qa.records import Bounds, Hit, Passage
from qa.retrieve import repeats_last


def hit(document: str, content: str) -> Hit:
    return Hit(
        Passage(document_id=document, start=0, end=len(content), text=content, language="en",
                sentences=(Bounds(0, len(content)),)),
        0.5,
    )  # fmt: skip


ENGLISH, GERMAN, OTHER, AGAIN = hit("en", "143 countries"), hit("de", "143 Länder"), hit("fr", "Xi"), hit("en", "143.")
VECTORS = np.array([[1, 0], [0.96, 0.28], [0, 1], [1, 0]], np.float32)


def test_a_translation_of_a_better_passage_comes_after_a_second_fact() -> None:
    found = repeats_last([ENGLISH, GERMAN, OTHER], VECTORS[:3], 0.9)
    assert found == [ENGLISH, OTHER, GERMAN]


def test_the_same_in_one_document_is_no_repetition() -> None:
    """Overlapping passages of a document resemble each other and hold different sentences."""
    found = repeats_last([ENGLISH, OTHER, AGAIN], VECTORS[[0, 2, 3]], 0.9)
    assert found == [ENGLISH, OTHER, AGAIN]


def test_above_one_nothing_is_grouped() -> None:
    assert repeats_last([ENGLISH, GERMAN, OTHER], VECTORS[:3], 1.1) == [ENGLISH, GERMAN, OTHER]


def test_a_passage_without_a_known_vector_repeats_nothing() -> None:
    vectors = VECTORS[:3].copy()
    vectors[1] = 0
    assert repeats_last([ENGLISH, GERMAN, OTHER], vectors, 0.9) == [ENGLISH, GERMAN, OTHER]
