"""Documents to passages: exact offsets, whole sentences, the budget, and what the encoder reads."""

from itertools import pairwise

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from qa import text
from qa.chunk import chunk, count_tokens
from qa.ingest import find_sources, read_document
from qa.records import Bounds, Document, Passage
from qa.sentences import sentences
from qa.settings import ChunkSettings, IngestSettings
from tests.conftest import CORPUS
from tests.strategies import texts

BUDGETS = st.builds(ChunkSettings, max_tokens=st.integers(1, 120), overlap_tokens=st.integers(0, 40))


def document(content: str, language: str = "en") -> Document:
    return Document(id="d", title="t", source="s", language=language, text=text.normalise(content))


def within(passage: Passage) -> list[str]:
    return [passage.text[slice(*bounds)] for bounds in passage.sentences]


def check_law(source: Document, passages: list[Passage]) -> None:
    """Passages are stretches of their document; sentences are stretches of their passage, in order."""
    for passage in passages:
        assert passage.document_id == source.id
        assert source.text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        position = 0
        for start, end in passage.sentences:
            assert position <= start < end <= len(passage.text)
            assert passage.text[start:end] == passage.text[start:end].strip()
            position = end


@given(texts, BUDGETS)
@example("word ค.ศ. ค.ศ. ቃል.", ChunkSettings(max_tokens=12, overlap_tokens=6))
def test_passages_are_stretches_of_the_document_and_hold_every_sentence(content: str, settings: ChunkSettings) -> None:
    source = document(content)
    passages = chunk(source, settings)
    check_law(source, passages)
    covered: set[int] = set()
    for before, after in pairwise(passages):
        assert before.start < after.start
        assert before.end < after.end
    for passage in passages:
        covered.update(range(passage.start, passage.end))
    for start, end in sentences(source.text):
        assert covered.issuperset(range(start, end))
        whole = [passage for passage in passages if passage.start <= start and end <= passage.end]
        assert whole
        if not text.is_boilerplate(source.text[start:end]):
            assert all(Bounds(start - passage.start, end - passage.start) in passage.sentences for passage in whole)


@given(texts, BUDGETS)
def test_the_budget_is_kept_unless_one_sentence_alone_exceeds_it(content: str, settings: ChunkSettings) -> None:
    source = document(content)
    whole = set(sentences(source.text))
    for passage in chunk(source, settings):
        if count_tokens(passage.text) > settings.max_tokens:
            assert Bounds(passage.start, passage.end) in whole


@given(texts, BUDGETS)
def test_consecutive_passages_share_whole_sentences_within_the_overlap(content: str, settings: ChunkSettings) -> None:
    source = document(content)
    bounds = sentences(source.text)
    passages = chunk(source, settings)
    for before, after in pairwise(passages):
        shared = [s for s in bounds if after.start <= s.start and s.end <= before.end]
        if after.start < before.end:
            assert (shared[0].start, shared[-1].end) == (after.start, before.end)
            assert count_tokens(source.text[after.start : before.end]) <= settings.overlap_tokens


def test_the_overlap_is_as_long_as_it_may_be() -> None:
    source = document("One two three. Four five six. Seven eight nine. Ten eleven twelve.")
    each = count_tokens("One two three.")
    passages = chunk(source, ChunkSettings(max_tokens=3 * each + 2, overlap_tokens=2 * each))
    assert [passage.text for passage in passages] == [
        "One two three. Four five six. Seven eight nine.",
        "Four five six. Seven eight nine. Ten eleven twelve.",
    ]
    passages = chunk(source, ChunkSettings(max_tokens=3 * each + 2, overlap_tokens=0))
    assert [passage.text for passage in passages] == [
        "One two three. Four five six. Seven eight nine.",
        "Ten eleven twelve.",
    ]


def test_a_sentence_above_the_budget_is_a_passage_alone_and_no_other_is_lost_or_said_twice() -> None:
    long = "This sentence " + "goes on and on " * 30 + "to its end."
    source = document(f"Short one. {long} Short two.")
    passages = chunk(source, ChunkSettings(max_tokens=20, overlap_tokens=8))
    assert [passage.text for passage in passages] == ["Short one.", long, "Short two."]


@given(texts, BUDGETS, st.integers(60, 200))
def test_no_passage_is_longer_than_the_encoder_reads(content: str, settings: ChunkSettings, limit: int) -> None:
    source = document(content)
    passages = chunk(source, settings, fits=lambda part: len(part) <= limit)
    check_law(source, passages)
    assert all(len(passage.text) <= limit for passage in passages)
    covered = set().union(*(range(passage.start, passage.end) for passage in passages)) if passages else set()
    assert all(place in covered for place, character in enumerate(source.text) if not character.isspace())


@given(st.sampled_from(["👩\u200d👩\u200d👧", "e\u0301\u0323", "क्षि", "각", "🇫🇷"]), st.integers(30, 60))
def test_what_the_encoder_cannot_read_whole_is_cut_between_graphemes(grapheme: str, limit: int) -> None:
    source = document(grapheme * 100)
    passages = chunk(source, ChunkSettings(max_tokens=5, overlap_tokens=0), fits=lambda part: len(part) <= limit)
    assert "".join(passage.text for passage in passages) == source.text
    starts = {match.start() for match in regex.finditer(r"\X", source.text)}
    assert all(passage.start in starts for passage in passages)


def test_what_fits_nothing_ends_at_single_characters() -> None:
    source = document("Ab c. De\u0323\u0301f")
    passages = chunk(source, ChunkSettings(), fits=lambda part: len(part) <= 1)
    assert [passage.text for passage in passages] == [c for c in source.text if not c.isspace()]


def test_boilerplate_is_found_but_never_evidence() -> None:
    source = document(
        "A headline\n\nEnglish Français Deutsch Русский 日本語\n\n----\n\n12\n\nThe seminar was held in Shanghai."
    )
    (passage,) = chunk(source, ChunkSettings())
    assert "Français" in passage.text
    assert within(passage) == ["A headline", "The seminar was held in Shanghai."]


def test_a_document_of_boilerplate_has_passages_without_sentences() -> None:
    (passage,) = chunk(document("1 2 3\n\n4 5 6"), ChunkSettings())
    assert passage.sentences == ()


def test_an_empty_document_has_no_passages() -> None:
    assert chunk(document(" \n \n"), ChunkSettings()) == []


GERMAN = "Das Seminar wurde vom Außenministerium und den Vereinten Nationen gemeinsam ausgerichtet. " * 4
CHINESE = "外交部长在研讨班开幕式上发表讲话，强调国际合作是必要的，发展中国家也应当有代表参加。" * 3


@pytest.mark.parametrize(("content", "language"), [(GERMAN, "de"), (CHINESE, "zh"), ("Kurz.", "en"), ("中文。", "en")])
def test_a_passage_has_its_own_language_if_it_is_long_enough_to_tell(content: str, language: str) -> None:
    (passage,) = chunk(document(content, language="en"), ChunkSettings(max_tokens=1_000))
    assert passage.language == language


@pytest.mark.parametrize("gap", [" " * 1_200_000, "\t" * 1_200_000, "\n" * 1_200_000])
def test_a_gap_of_any_length_is_no_more_than_a_gap(gap: str) -> None:
    passages = chunk(document(f"Before it.{gap}After it."), ChunkSettings())
    said = [passage.text[slice(*bounds)] for passage in passages for bounds in passage.sentences]
    assert [sentence.split() for sentence in said] in (
        [["Before", "it."], ["After", "it."]],
        [["Before", "it.", "After", "it."]],
    )


def test_text_that_spells_a_special_token_is_text() -> None:
    assert count_tokens("<|endoftext|>") > 1
    (passage,) = chunk(document("Say <|endoftext|> and <|fim_prefix|>."), ChunkSettings())
    assert passage.text == "Say <|endoftext|> and <|fim_prefix|>."


def test_a_passage_keeps_its_documents_code_where_the_language_agrees() -> None:
    long = document(GERMAN + "\n\n" + GERMAN, language="de-AT")
    assert {passage.language for passage in chunk(long, ChunkSettings(max_tokens=1_000))} == {"de-AT"}


@pytest.mark.parametrize("source", find_sources([CORPUS])[0], ids=lambda source: source.document_id)
def test_the_shipped_corpus_is_cut_into_passages_that_keep_the_law(source: object) -> None:
    from qa.records import SourceFile

    assert isinstance(source, SourceFile)
    read = read_document(source, IngestSettings())
    passages = chunk(read, ChunkSettings(max_tokens=64, overlap_tokens=16))
    check_law(read, passages)
    assert len(passages) > 5
    assert all(passage.language == read.language for passage in passages)


@pytest.mark.timeout(100)
@pytest.mark.parametrize(
    "content", ["x" * 5_000_000, "ab\n" * 200_000, "\n" * 300 + "a\n\n\n" * 100_000], ids=["line", "lines", "blank"]
)
def test_megabytes_are_cut_before_the_time_is_out(content: str) -> None:
    source = document(content)
    passages = chunk(source, ChunkSettings(max_tokens=64, overlap_tokens=16), fits=lambda part: len(part) < 2_000)
    assert passages[-1].end == len(source.text.rstrip())
