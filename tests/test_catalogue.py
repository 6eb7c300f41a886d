"""What an index holds, told without its texts."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from qa.catalogue import Catalogue
from qa.records import Document, Entry
from qa.staging import WritableTruth
from qa.truth import Truth

PAPER = Document(
    id="c.pdf", title="Übersicht", source="Amt", language="de", text="Zwei Seiten. Ende.", pages=(0, 13),
    date="2024-09-03", machine_translated=False,
)  # fmt: skip
DOCUMENTS = [
    PAPER,
    Document(id="a", title="zebra", source="Ministry", language="en", text="One."),
    Document(id="b", title="ΣΊΣΥΦΟΣ", source="Ministry", language="el", text="Ένα."),
    Document(id="d'\"%_", title="100 % 'sure'", source="Ministry", language="en", text="Five."),
]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """Of four live documents; a fifth is staged only."""
    path = tmp_path / "truth.sqlite3"
    with closing(WritableTruth(path)) as truth:
        for document in DOCUMENTS:
            truth.stage(document, [], document.id)
        truth.publish(removed=[], state={}, words=[])
        truth.stage(Document(id="e", title="e", source="e", language="fr", text="e"), [], "e")
    with closing(Truth(path)) as truth:
        yield truth.catalogue


def test_documents_are_counted_by_language_and_source(catalogue: Catalogue) -> None:
    overview = catalogue.overview()
    assert overview.documents == 4
    assert list(overview.languages.items()) == [("en", 2), ("el", 1), ("de", 1)]
    assert list(overview.sources.items()) == [("Ministry", 3), ("Amt", 1)]
    assert list(catalogue.overview(sources=1).sources) == ["Ministry"]


def test_entries_say_all_but_the_text_and_go_on_from_any(catalogue: Catalogue) -> None:
    entries = list(catalogue.entries())
    assert [entry.id for entry in entries] == ["a", "b", "c.pdf", "d'\"%_"]
    assert entries[2] == PAPER.entry == Entry(
        id="c.pdf", title="Übersicht", source="Amt", language="de", characters=18, pages=2, date="2024-09-03",
        machine_translated=False,
    )  # fmt: skip
    assert entries[0] == DOCUMENTS[1].entry
    assert list(catalogue.entries(after="a", limit=2)) == entries[1:3]
    assert list(catalogue.entries(after="z")) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["100 % 'sure'", "zebra", "Übersicht", "ΣΊΣΥΦΟΣ"]),
        ("ministry", ["100 % 'sure'", "zebra", "ΣΊΣΥΦΟΣ"]),
        ("MINISTRY Zeb", ["zebra"]),
        ("σίσυφοσ", ["ΣΊΣΥΦΟΣ"]),
        ("übersicht", ["Übersicht"]),
        ("% '", ["100 % 'sure'"]),
        ("_", []),
        ("nowhere", []),
    ],
)
def test_a_search_takes_every_word_as_it_stands_in_any_case(
    catalogue: Catalogue, search: str, found: list[str]
) -> None:
    listing = catalogue.find(search, limit=10)
    assert sorted(entry.title for entry in listing.entries) == sorted(found)
    assert listing.count == len(found)


def test_a_listing_is_by_title_but_for_those_that_come_first(catalogue: Catalogue) -> None:
    titles = [entry.title for entry in catalogue.find(first=["c.pdf", "gone"], limit=10).entries]
    assert titles == ["Übersicht", "100 % 'sure'", "zebra", "ΣΊΣΥΦΟΣ"]
    cut = catalogue.find(limit=1)
    assert ([entry.title for entry in cut.entries], cut.count) == (["100 % 'sure'"], 4)


def test_what_is_there_is_told_from_what_is_not(catalogue: Catalogue) -> None:
    assert catalogue.titles(["a", "e", "gone"]) == {"a": "zebra"}
    assert catalogue.missing("id", ["gone", "a", "e"]) == ["gone", "e"]
    assert catalogue.missing("source", ["Amt", "ministry"]) == ["ministry"]
    assert catalogue.some("source") == ["Amt", "Ministry"]
    assert catalogue.some("id", limit=1) == ["a"]
