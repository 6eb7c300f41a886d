"""The reader outside this package."""

import sys
from pathlib import Path
from subprocess import run

import pytest

from qa.errors import BabelquoteError
from qa.read import load_reader
from qa.read.export import export_reader

PASSAGE = "Die Fähre nach Helgoland legt um 9:30 Uhr in Cuxhaven ab. An Bord waren gestern 214 Gäste."
QUESTIONS = [
    "Wie viele Gäste waren an Bord?",
    "When does the ferry leave?",
    "船从哪里出发？",
    "Сколько гостей было на борту?",
]
# A program of somebody else's: it knows transformers, and nothing of us.
PROGRAM = """
import sys, torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer
folder, passage, *questions = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
for question in questions:
    pair = tokenizer(question, passage, return_tensors="pt", return_offsets_mapping=True)
    offsets = pair.pop("offset_mapping")[0].tolist()
    first = len(tokenizer(question)["input_ids"]) + 1
    with torch.no_grad():
        scores = model(**pair)
    start, end = scores.start_logits[0], scores.end_logits[0]
    places = range(first, len(offsets) - 1)
    spans = [(float(start[a] + end[b]), a, b) for a in places for b in places if a <= b < a + 40]
    _, a, b = max(spans)
    print(offsets[a][0], offsets[b][1])
assert not any(name == "qa" or name.startswith("qa.") for name in sys.modules)
"""


def test_transformers_alone_finds_the_same_spans(tmp_path: Path) -> None:
    export_reader(tmp_path / "model")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "model"), PASSAGE, *QUESTIONS]
    done = run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = [PASSAGE[slice(*map(int, line.split()))] for line in done.stdout.splitlines()]
    reader = load_reader()
    ours = [reader.read(question, [PASSAGE]).spans[0] for question in QUESTIONS]
    assert [PASSAGE[span.start : span.end].strip(" .") for span in ours] == [text.strip(" .") for text in theirs]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BabelquoteError, match="new folder"):
        export_reader(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
