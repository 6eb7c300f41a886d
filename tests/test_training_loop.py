"""The training loop: it learns, and a run that was killed goes on where it was saved."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import Dropout, Linear, Sequential, functional

from qa.training.loop import adamw, claim, place, train

INPUTS = torch.randn(40, 8, 4, generator=torch.Generator().manual_seed(1))
TARGETS = INPUTS @ torch.tensor([[1.0], [-2.0], [3.0], [0.5]])


class Killed(Exception):
    """The process ended."""


def run(work: Path, *, killed_at: int = 41) -> tuple[Linear, int]:
    """Trains on the inputs, 40 steps; the model and how many steps were gone in all."""
    work.mkdir(exist_ok=True)
    torch.manual_seed(1)
    model = Linear(4, 1)

    def loss_of(number: int) -> Tensor:
        if number == killed_at:
            raise Killed
        return functional.mse_loss(model(INPUTS[number]), TARGETS[number])

    steps, _ = train(
        model, adamw((list(model.parameters()), 0.3)), range(40), loss_of, work=work, minutes=10, warmup=5,
        save_every=10,
    )  # fmt: skip
    return model, steps


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path: Path) -> None:
    whole, steps = run(tmp_path / "whole")
    assert steps == 40
    assert functional.mse_loss(whole(INPUTS), TARGETS) < 0.5
    with pytest.raises(Killed):
        run(tmp_path / "killed", killed_at=25)
    resumed, steps = run(tmp_path / "killed")
    assert steps == 40
    torch.testing.assert_close(resumed.weight, whole.weight)


def test_a_model_is_where_it_is_said_to_be_and_on_a_cpu_without_dropout() -> None:
    model = Sequential(Linear(4, 4), dropout := Dropout(0.5))
    device = place(model)
    assert {parameter.device.type for parameter in model.parameters()} == {device.type}
    assert dropout.p == (0.5 if torch.cuda.is_available() else 0.0)


def test_a_work_folder_is_one_run_s(tmp_path: Path) -> None:
    claim(tmp_path / "work", {"seed": 1, "rate": 6e-5})
    (tmp_path / "work" / "checkpoint.pt").touch()
    claim(tmp_path / "work", {"rate": 6e-5, "seed": 1})
    for other in ({"seed": 2, "rate": 6e-5}, {"seed": 1}):
        with pytest.raises(SystemExit, match="holds another run"):
            claim(tmp_path / "work", other)
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "checkpoint.pt").touch()
    with pytest.raises(SystemExit, match="--work"):
        claim(tmp_path / "older", {"seed": 1})
