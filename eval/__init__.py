"""Offline evaluation: gold questions in, a table and a result file out. Nothing here is needed to answer questions."""

from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"
"""The shipped documents, which the shipped questions are about."""

THRESHOLDS = Path(__file__).parent / "gate.toml"
"""What the dev split has to keep."""
