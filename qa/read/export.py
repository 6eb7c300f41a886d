"""The reader as a plain Hugging Face question-answering model, for other programs."""

from pathlib import Path

import torch
from transformers import BertForQuestionAnswering

from qa.errors import BabelquoteError
from qa.read.spans import load_model
from qa.weights import plain_tokenizer


def export_reader(folder: Path) -> None:
    """Writes config, weights (fp32, 470 MB) and tokenizer into a new or empty folder.

    `AutoModelForQuestionAnswering` and `AutoTokenizer` load it; question and passage are given as a pair, and the first
    token's scores stand for "no answer". Raises `BabelquoteError` if the folder holds something or cannot be written,
    `ModelError` if the reader's weights are missing.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise BabelquoteError(f"{folder} is not empty; name a new folder")
        tokenizer, reader = load_model()
        with torch.device("meta"):
            model = BertForQuestionAnswering(reader.encoder.config)
        model.bert, model.qa_outputs = reader.encoder, reader.head
        model.save_pretrained(folder)
        plain_tokenizer(tokenizer).save_pretrained(folder)
    except OSError as error:
        raise BabelquoteError(f"cannot write the reader to {folder}: {error}; name another folder") from error
