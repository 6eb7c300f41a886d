"""Dialogues, asked turn by turn: are follow-ups recognised and answered, and are complete questions left alone?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.table import Table

from eval import CORPUS
from eval.bootstrap import NOTHING, Resampler
from eval.corpus import read_documents
from eval.fold import means
from eval.gold import GoldDialogue, GoldError, GoldQuestion, load_dialogues, load_questions, split_files
from eval.metrics import Outcome, hit
from eval.progress import Track, silent
from eval.run import ask
from eval.show import intervals, language_table
from qa.records import Hit, Reply
from qa.settings import load_settings

COLUMNS = {
    "first turn": "first turn",
    "follow-up": "follow-up",
    "follow-up, alone": "alone",
    "follow-up, standalone": "standalone",
    "right abstention": "right abst.",
    "right abstention, standalone": "standalone",
    "recognised": "recognised",
    "false alarm": "false alarm",
    "error": "error",
}
"""Measures, and their headings. The first four are hit@1 of what can be answered."""


class Partner(Protocol):
    """Answers questions in a conversation; `qa.bot.Bot` is one."""

    def ask(self, question: str, *, earlier: Sequence[str] = ()) -> Reply:
        """An answer, or an abstention. `earlier`: the questions before, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """A partner at one point of a conversation: a system like any other, whose hits are not looked at."""

    partner: Partner
    earlier: tuple[str, ...] = ()

    def ask(self, question: str) -> Reply:
        return self.partner.ask(question, earlier=self.earlier)

    def hits(self, question: str) -> Sequence[Hit]:  # noqa: ARG002
        return ()


@dataclass(frozen=True, slots=True)
class Scored:
    """One question's measures by name; what says nothing about it is absent."""

    question: GoldQuestion
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Talks:
    """Dialogues about a corpus, and complete questions, each with an unrelated one to be asked before it."""

    corpus: Path
    dialogues: tuple[GoldDialogue, ...]
    complete: tuple[tuple[GoldQuestion, str], ...]


def load_talks(split: str = "dev", *, corpus: Path | None = None, files: Sequence[Path] = ()) -> Talks:
    """The shipped dialogues of a split ("dev", "test" or "all"), or those of `files`, perhaps on another corpus.

    Complete are the questions of the split; with `files`, the first turns of their dialogues. Raises `GoldError`,
    naming file and line, before anything is asked.
    """
    if corpus and not files:
        raise GoldError(f"the shipped dialogues are not about {corpus}; name a file with --questions")
    corpus = corpus or CORPUS
    documents = read_documents(corpus, load_settings())
    splits = ["dev", "test"] if split == "all" else [split]
    dialogues = load_dialogues(files or split_files(splits, name="dialogues.jsonl"), documents)
    complete = [talk.turns[0].asked for talk in dialogues] if files else load_questions(split_files(splits), documents)
    return Talks(corpus, tuple(dialogues), tuple(unrelated(complete)))


def run_talks(partner: Partner, talks: Talks, *, track: Track = silent) -> list[Scored]:
    """Every dialogue, then every complete question after its unrelated one."""
    rows = [row for talk in track(talks.dialogues, "talking") for row in run_dialogue(partner, talk)]
    return rows + [run_complete(partner, *pair) for pair in track(talks.complete, "complete ones")]


def run_dialogue(partner: Partner, dialogue: GoldDialogue) -> list[Scored]:
    """Every turn asked after those before it; follow-ups alone and in their standalone wording, too."""
    rows = []
    earlier: tuple[str, ...] = ()
    for turn in dialogue.turns:
        talked = ask(Point(partner, earlier), turn.asked)
        if earlier:
            alone = ask(Point(partner), turn.asked)
            # The gold question keeps its words; only what the partner is asked differs.
            standalone = ask(_Reworded(partner, turn.standalone), turn.asked)
            rows.append(Scored(turn.asked, follow_up_scores(talked, alone, standalone)))
        else:
            rows.append(Scored(turn.asked, first_turn_scores(talked)))
        earlier = (*earlier, turn.asked.question)
    return rows


def run_complete(partner: Partner, question: GoldQuestion, before: str) -> Scored:
    """A complete question asked after another that has nothing to do with it."""
    return Scored(question, complete_scores(ask(Point(partner, (before,)), question)))


def first_turn_scores(talked: Outcome) -> dict[str, float]:
    """The opening of a dialogue."""
    measures = {"first turn": float(hit(talked))} if talked.question.answerable else {}
    return measures | _errors(talked)


def follow_up_scores(talked: Outcome, alone: Outcome, standalone: Outcome) -> dict[str, float]:
    """A follow-up in its dialogue, by itself, and in its standalone wording. An error is recognised by nobody."""
    scores = {"recognised": float(_follows(talked))}
    if talked.question.answerable:
        scores["follow-up"] = float(hit(talked))
        scores["follow-up, alone"] = float(hit(alone))
        scores["follow-up, standalone"] = float(hit(standalone))
    else:
        scores["right abstention"] = float(talked.abstained)
        scores["right abstention, standalone"] = float(standalone.abstained)
    return scores | _errors(talked, alone, standalone)


def complete_scores(talked: Outcome) -> dict[str, float]:
    """A complete question after another: it must not be read together with that. An error counts as if it were."""
    return {"false alarm": float(talked.error is not None or _follows(talked))} | _errors(talked)


def unrelated(questions: Sequence[GoldQuestion]) -> list[tuple[GoldQuestion, str]]:
    """Each question with one to ask before it: the next of its language on another fact, going round. A question whose
    language has no other fact is left out."""
    pairs = []
    for i, question in enumerate(questions):
        for other in (*questions[i + 1 :], *questions[:i]):
            if other.language == question.language and other.fact != question.fact:
                pairs.append((question, other.question))
                break
    return pairs


def table(rows: Sequence[Scored], *, seed: int = 1) -> Table:
    """Languages down, measures across; the mean over languages, over all questions, and its interval."""
    resampler = Resampler([row.question.fact for row in rows], seed=seed)
    folded = means(resampler, [row.question.language for row in rows], [row.scores for row in rows])
    pooled = folded.pooled
    grid = language_table("dialogues", COLUMNS, folded)
    grid.add_row("95 % of all", *intervals(pooled, COLUMNS))
    grid.add_row("questions", *(str(pooled.get(name, NOTHING).count) for name in COLUMNS))
    return grid


@dataclass(frozen=True, slots=True)
class _Reworded:
    """A partner that is asked in other words than the gold question's."""

    partner: Partner
    words: str

    def ask(self, question: str) -> Reply:  # noqa: ARG002
        return self.partner.ask(self.words)

    def hits(self, question: str) -> Sequence[Hit]:  # noqa: ARG002
        return ()


def _follows(outcome: Outcome) -> bool:
    return outcome.reply is not None and outcome.reply.follows is not None


def _errors(*outcomes: Outcome) -> dict[str, float]:
    return {"error": float(any(outcome.error is not None for outcome in outcomes))}
