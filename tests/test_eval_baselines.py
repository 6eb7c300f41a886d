"""Baselines side by side, and those whose encoder is not the one that confidence was calibrated for."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from rich.console import Console, RenderableType

from eval import show
from eval.compare import compare
from eval.fold import summarise
from eval.report import render
from eval.result import Result
from eval.score import Ground, score
from eval.systems import SYSTEMS, unprojected
from qa.settings import EncoderSettings, Settings
from tests.asked import MADE, PASSAGES, RIGHT, A, B, answered

MEAN_NOTHING = "abstentions, abstention AUROC, risk-coverage area and calibration error mean nothing"


def result(system: str, settings: Settings, *, asked: str = "dev") -> Result:
    row = score(answered(RIGHT), Ground({"a": A, "b": B}, PASSAGES))
    made = replace(MADE, system=system, questions=asked, settings=json.dumps(asdict(settings)))
    return Result(made, (row,))


def printed(*shown: RenderableType) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(*shown)
    return " ".join(captured.get().split())


SHIPPED, OTHER = result("babelquote", Settings()), result("unprojected", unprojected(Settings()))


def test_no_baseline_with_another_encoder_groups_by_a_cosine_of_the_shipped_space() -> None:
    made = {name: recipe.settings(Settings()) for name, recipe in SYSTEMS.items()}
    others = {name: settings for name, settings in made.items() if settings.encoder != Settings().encoder}
    assert "unprojected" in others
    assert {settings.retrieve.same_fact for settings in others.values()} == {math.inf}


def test_the_table_of_all_systems_says_what_they_were_asked() -> None:
    asked = "[red]mine.jsonl"
    table = show.side_by_side([result("babelquote", Settings(), asked=asked), result("dense", Settings(), asked=asked)])
    assert printed(table).startswith(f"systems side by side on {asked}: 1 questions measure babelquote dense")


def test_the_table_of_all_systems_names_those_whose_confidence_means_nothing() -> None:
    assert MEAN_NOTHING not in printed(show.side_by_side([SHIPPED, SHIPPED]))
    shown = printed(show.side_by_side([SHIPPED, OTHER]))
    assert "unprojected: confidence was calibrated for the shipped encoder, and this is another" in shown
    assert MEAN_NOTHING in shown
    assert "babelquote: confidence" not in shown


@pytest.mark.parametrize(
    "told",
    [
        lambda made: printed(show.numbers(made, summarise(made))),
        lambda made: render(made, summarise(made)),
        lambda made: " ".join(compare(SHIPPED, made).notes),
        lambda made: " ".join(compare(made, SHIPPED).notes),
    ],
    ids=["numbers", "report", "compared with it", "comparing it"],
)
def test_wherever_numbers_of_another_encoder_are_shown_it_is_said(told: Callable[[Result], str]) -> None:
    assert MEAN_NOTHING not in told(SHIPPED)
    assert MEAN_NOTHING in told(OTHER)


def test_only_what_changes_the_space_is_another_encoder() -> None:
    def caveat(encoder: EncoderSettings) -> str:
        return result("babelquote", replace(Settings(), encoder=encoder)).provenance.caveat

    assert caveat(EncoderSettings(batch_tokens=1)) == ""
    assert caveat(EncoderSettings(layers=False))
    assert caveat(EncoderSettings(model="intfloat/multilingual-e5-base"))
