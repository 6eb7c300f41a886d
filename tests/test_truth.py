"""What the truth finds by words, in an index of many passages."""

from contextlib import closing
from pathlib import Path

import pytest

from qa import truth as module
from qa.records import Bounds, Document, Filters, Passage
from qa.staging import WritableTruth
from qa.truth import Truth


def test_of_a_question_the_rarest_words_are_searched_for_as_far_as_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Document(id="a", title="a", source="a", language="en", text="the " * 100)
    passages = [
        Passage(document_id="a", start=4 * i, end=4 * i + 3, text="the", language="en", sentences=(Bounds(0, 3),))
        for i in range(100)
    ]
    with closing(WritableTruth(tmp_path / "truth.sqlite3")) as written:
        written.stage(document, passages, "a")
        keys = written.staged_keys()
        words = [(key, "the" + " old" * (i % 10 == 0) + " treaty" * (i == 70)) for i, key in enumerate(keys)]
        written.publish(removed=[], state={"passages": "100"}, words=words)
    with closing(Truth(tmp_path / "truth.sqlite3")) as truth:

        def found(*asked: str) -> list[int]:
            return sorted(key for key, _ in truth.search_words(asked, limit=200, filters=Filters()))

        assert found("the", "old", "treaty") == keys
        monkeypatch.setattr(module, "_MOST_READ", 50)
        assert found("the", "old", "treaty", "nowhere") == keys[::10]
        assert found("the") == []
