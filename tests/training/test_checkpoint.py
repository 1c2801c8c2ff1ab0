"""A run that goes on from a checkpoint is the run that was never stopped, bit by bit."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn, optim

from app.training.checkpoint import epoch_of, load_checkpoint, name_of, restore, save_checkpoint
from app.training.data import LineData, tensors_of
from app.training.optimizers import OPTIMIZERS, build_optimizer
from app.training.steps import torch_step
from tests.training.tutorial_run import bits


class Noisy(nn.Module):
    """Draws random numbers in its forward, as Dropout does."""

    def __init__(self, packed: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(packed[0:1])
        self.bias = nn.Parameter(packed[1:2])

    def forward(self, x: Tensor) -> Tensor:
        noisy: Tensor = x * self.weight + self.bias + torch.rand(1) / 100
        return noisy


def started(packed: Tensor, optimizer: str) -> tuple[Noisy, optim.Optimizer]:
    model = Noisy(packed)
    return model, build_optimizer(optimizer, model.parameters(), 0.01, {})


def losses_of(model: nn.Module, optimizer: optim.Optimizer, epochs: int) -> list[float]:
    x, y = tensors_of(LineData())
    step = torch_step(model, nn.MSELoss(), optimizer)
    losses = []
    for _ in range(epochs):
        losses.append(step.loss(x, y))
        step.take()
    return losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_to_the_bit(optimizer: str, tmp_path: Path) -> None:
    packed = torch.tensor([0.9, 0.5])
    model, stepper = started(packed, optimizer)
    torch.manual_seed(7)
    losses_of(model, stepper, 20)
    save_checkpoint(tmp_path / "one", {"float32": packed}, stepper, 20)
    expected = losses_of(model, stepper, 20)

    torch.manual_seed(0)
    checkpoint = load_checkpoint(tmp_path / "one")
    again, restepper = started(checkpoint.tensors["float32"], optimizer)
    restore(checkpoint, restepper)
    assert losses_of(again, restepper, 40 - checkpoint.epoch) == expected
    assert bits(again) == bits(model)


def test_the_epoch_stands_in_the_name() -> None:
    assert epoch_of(name_of("r_abc", 120)) == 120


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    packed = torch.tensor([0.9, 0.5])
    _, stepper = started(packed, "SGD")
    save_checkpoint(tmp_path / "one", {"float32": packed}, stepper, 1)
    save_checkpoint(tmp_path / "one", {"float32": packed}, stepper, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert load_checkpoint(tmp_path / "one").epoch == 2
