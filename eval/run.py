"""A run: the questions checked, a system opened, every question asked and scored."""

import hashlib
import json
import platform
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

import torch

from eval import CORPUS
from eval.corpus import index_of, read_documents
from eval.fold import measured
from eval.gold import GoldError, GoldQuestion, load_questions, split_files
from eval.metrics import Outcome
from eval.progress import Track, silent
from eval.result import Provenance, Result
from eval.score import Ground, score
from eval.speed import cold_starts
from eval.systems import SYSTEMS, System, Task
from qa.bot import build
from qa.chunk import chunk
from qa.embed import load_encoder
from qa.errors import BabelquoteError
from qa.records import Document
from qa.settings import Settings, load_settings


class UnknownSystem(BabelquoteError):
    """A system that `eval.systems` does not have."""


@dataclass(frozen=True, slots=True)
class Exam:
    """Questions and the corpus they are about, checked against each other. `name` says which they are."""

    name: str
    corpus: Path
    files: tuple[Path, ...]
    gold: tuple[GoldQuestion, ...]
    documents: tuple[Document, ...]
    settings: Settings


def load_exam(
    split: str = "dev", *, corpus: Path | None = None, files: Sequence[Path] = (), settings: Settings | None = None
) -> Exam:
    """The shipped questions of a split ("dev", "test" or "all") on the shipped corpus, or those of `files` on another.

    Raises `GoldError`, naming file and line, before anything is asked.
    """
    if corpus and not files:
        raise GoldError(
            f"the shipped questions are not about {corpus}; name a file with --questions (docs/questions.md)"
        )
    corpus = corpus or CORPUS
    settings = settings or load_settings()
    documents = read_documents(corpus, settings)
    name = ", ".join(map(str, files)) if files else split
    chosen = tuple(files or split_files(["dev", "test"] if split == "all" else [split]))
    return Exam(name, corpus, chosen, tuple(load_questions(chosen, documents)), tuple(documents), settings)


def measures(exam: Exam, *, cold: int = 0) -> set[str]:
    """The names of all that `run` would measure: of failures as much is measured as of replies."""
    ground = Ground({document.id: document for document in exam.documents}, ())
    rows = [score(Outcome(question, None, "not asked", 0.0), ground) for question in exam.gold]
    return measured(rows, cold=cold > 0)


def run(exam: Exam, *, system: str = "babelquote", seed: int = 1, cold: int = 0, track: Track = silent) -> Result:
    """Asks every question of the exam. An error of the system is kept in its row; nothing is left out.

    `cold`: how many fresh processes of the shipped command to time besides, see `cold_starts`. Raises `UnknownSystem`.
    """
    if system not in SYSTEMS:
        raise UnknownSystem(f"there is no system {system!r}; systems: {', '.join(SYSTEMS)}")
    settings = SYSTEMS[system].settings(exam.settings)
    encoder = load_encoder(settings.encoder)
    passages = [
        passage for document in exam.documents for passage in chunk(document, settings.chunk, fits=encoder.fits)
    ]
    ground = Ground({document.id: document for document in exam.documents}, passages)
    if cold:
        build([exam.corpus], index=index_of(exam.corpus, exam.settings), settings=exam.settings)
    made = _provenance(replace(exam, settings=settings), system, model=encoder.name, seed=seed)
    opened = SYSTEMS[system].open(Task(exam.corpus, settings, exam.gold))
    opened.ask("warm up")
    rows = tuple(score(ask(opened, question), ground) for question in track(exam.gold, "asking"))
    started = cold_starts(index_of(exam.corpus, settings), [question.question for question in exam.gold], count=cold)
    return Result(made, rows, started)


def ask(system: System, question: GoldQuestion) -> Outcome:
    """One outcome; whatever the system raises is kept as an error.

    Only the reply is timed, not the second look at what was found for it.
    """
    began = time.perf_counter()
    try:
        reply = system.ask(question.question)
        seconds = time.perf_counter() - began
        return Outcome(question, reply, None, seconds, system.hits(question.question))
    except Exception as error:  # a defect too is the system's: it must lower the numbers, not end the run
        return Outcome(question, None, f"{type(error).__name__}: {error}", time.perf_counter() - began)


def _provenance(exam: Exam, system: str, *, model: str, seed: int) -> Provenance:
    return Provenance(
        system=system,
        questions=exam.name,
        questions_digest=_digest(path.read_bytes() for path in exam.files),
        corpus=exam.corpus.name,
        corpus_digest=_digest(f"{document.id}\0{document.text}".encode() for document in exam.documents),
        model=model,
        weights=_weights(),
        device=f"cpu, {torch.get_num_threads()} threads, {platform.machine()}",
        commit=_commit(),
        seed=seed,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=json.dumps(asdict(exam.settings), sort_keys=True),
    )


def _weights() -> str:
    with as_file(files("qa") / "data") as folder:
        return _digest(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _commit() -> str:
    """The commit of this checkout, with "+" if files differ from it; "unknown" outside of one."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changes else "")
