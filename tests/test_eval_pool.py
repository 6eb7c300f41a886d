"""Retrieval over a pool of parallel texts: what is relevant, how words rank, measures by hand."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, P, Qrel, R, ScoredDoc

from eval.pool import Pool, first_right, fused, lexical, load_pool, matrix, measure
from eval.squad import SquadError

GERMAN = "Das Treffen war in Genf. Danach fuhren alle nach Rom."
ENGLISH = "They met for a day. The meeting was in Geneva."


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    def write(pair: str, question: str, context: str, answer: str) -> Path:
        qa = {"id": "1", "question": question, "answers": [{"text": answer, "answer_start": context.index(answer)}]}
        file = tmp_path / f"made.{pair}.json.gz"
        data = {"data": [{"paragraphs": [{"context": context, "qas": [qa]}]}]}
        file.write_bytes(gzip.compress(json.dumps(data).encode()))
        return file

    return [
        write("de-de", "Wo war das Treffen?", GERMAN, "Genf"),
        write("de-en", "Wo war das Treffen?", ENGLISH, "Geneva"),
        write("en-de", "Where was the meeting?", GERMAN, "Genf"),
    ]


def test_relevant_is_the_answers_sentence_in_every_language_for_the_question_in_every_language(
    files: list[Path],
) -> None:
    pool = load_pool(files, by_sentence=True)
    assert pool.questions == ("Wo war das Treffen?", "Where was the meeting?")
    assert pool.texts == (*GERMAN.replace(". ", ".|").split("|"), *ENGLISH.replace(". ", ".|").split("|"))
    assert pool.languages == ("de", "de", "en", "en")
    assert pool.relevant.tolist() == [[True, False, False, True]] * 2


def test_whole_contexts_stand_in_the_pool_once(files: list[Path]) -> None:
    pool = load_pool(files, by_sentence=False)
    assert pool.texts == (GERMAN, ENGLISH)
    assert pool.relevant.all()


def test_a_file_not_named_by_its_languages_is_refused(files: list[Path]) -> None:
    odd = files[0].rename(files[0].with_name("made.json.gz"))
    with pytest.raises(SquadError, match="the two languages"):
        load_pool([odd], by_sentence=True)


POOL = Pool(
    questions=("a", "b"),
    asked_in=("de", "en"),
    texts=("p", "q", "r"),
    languages=("de", "en", "en"),
    relevant=np.array([[True, False, True], [False, True, False]]),
)
SCORES = np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.7]], dtype=np.float32)


def test_measures_by_hand() -> None:
    found = measure(POOL, SCORES)
    assert found["mAP"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)
    assert found["P@1"] == 0.5
    assert found["complete@20"] == found["R@10"] == 1.0
    assert found["own language first"] == 0.5
    assert first_right(POOL, SCORES) == {"de": 1.0, "en": 0.0}


def test_a_question_that_nothing_answers_is_complete_nowhere() -> None:
    pool = replace(POOL, relevant=np.zeros_like(POOL.relevant))
    assert measure(pool, SCORES)["complete@20"] == 0


def test_measures_agree_with_ir_measures() -> None:
    chance = np.random.default_rng(1)
    relevant = chance.random((20, 60)) < 0.1
    relevant[:, 0] = True
    scores = chance.random((20, 60)).astype(np.float32)
    pool = Pool(("q",) * 20, ("de",) * 20, ("t",) * 60, ("de",) * 60, relevant)
    wanted = [Qrel(str(q), str(t), 1) for q, t in np.argwhere(relevant).tolist()]
    run = [ScoredDoc(str(q), str(t), float(scores[q, t])) for q in range(20) for t in range(60)]
    theirs = ir_measures.calc_aggregate([AP, P @ 1, R @ 10], wanted, run)
    ours = measure(pool, scores)
    assert [ours["mAP"], ours["P@1"], ours["R@10"]] == pytest.approx([theirs[AP], theirs[P @ 1], theirs[R @ 10]])


def test_the_matrix_counts_the_relevant_of_each_language_among_the_first_ten() -> None:
    many = Pool(("a",), ("de",), ("t",) * 12, ("de",) * 6 + ("en",) * 6, np.ones((1, 12), dtype=bool))
    cells = matrix(many, np.arange(12, 0, -1, dtype=np.float32)[None])
    assert cells == {("de", "de"): 1.0, ("de", "en"): pytest.approx(4 / 6)}


def test_words_rank_by_rarity_and_by_the_length_of_the_text() -> None:
    ids = {"a": [7], "b": [8], "p": [7, 9, 9, 9], "q": [7, 8], "r": [9]}
    scores = lexical(POOL, lambda texts: [ids[text] for text in texts])
    assert scores[0].argsort()[::-1].tolist() == [1, 0, 2]  # the shorter text with the word first
    assert scores[1, 1] > scores[0, 1] > 0  # a rare word weighs more
    assert scores[1, [0, 2]].tolist() == [0, 0]


def test_words_count_as_a_share_of_the_best_and_not_at_all_where_none_match() -> None:
    cosines = np.array([[0.8, 0.7], [0.5, 0.6]], np.float32)
    words = np.array([[2.0, 8.0], [0.0, 0.0]], np.float32)
    np.testing.assert_allclose(fused(cosines, words, 0.2), [[0.85, 0.9], [0.5, 0.6]], atol=1e-6)
