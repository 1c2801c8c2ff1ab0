"""The loop is the tutorial's: the same five steps, the same losses."""

import pytest
import torch
from torch import Tensor, nn

from app.training.data import LineData, tensors_of
from app.training.loop import train
from app.training.losses import LOSSES as LOSS_CLASSES
from app.training.optimizers import OPTIMIZERS, build_optimizer, needs_closure
from tests.training.tutorial_run import AT_TEN, LOSSES, PREDICTIONS, bits, linear_model


def trained(epochs: int, optimizer: str = "SGD", **args: object) -> tuple[nn.Module, list[float]]:
    model = linear_model()
    x, y = tensors_of(LineData())
    built = build_optimizer(optimizer, model.parameters(), 0.01, args)
    return model, [loss for _, loss in train(model, nn.MSELoss(), built, x, y, range(epochs))]


def tutorial_loop(epochs: int, optimizer: str = "SGD") -> tuple[nn.Module, list[float]]:
    x = torch.arange(10).float().view(-1, 1)
    y = 2 * x + 1
    model = linear_model()
    stepper = OPTIMIZERS[optimizer](model.parameters(), 0.01)  # type: ignore[arg-type]
    criterion = nn.MSELoss()
    losses = []

    def evaluate() -> Tensor:
        loss: Tensor = criterion(model(x), y)
        stepper.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for _ in range(epochs):
        if needs_closure(stepper):
            losses.append(stepper.step(evaluate).item())  # type: ignore[arg-type, attr-defined]
        else:
            losses.append(evaluate().item())
            stepper.step()
    return model, losses


def test_losses_are_those_that_the_tutorial_prints() -> None:
    _, losses = trained(10)
    assert losses == pytest.approx(LOSSES, rel=1e-5)


def test_predictions_are_those_that_the_tutorial_prints() -> None:
    model, _ = trained(10)
    x, _ = tensors_of(LineData())
    with torch.no_grad():
        assert model(x).flatten().tolist() == pytest.approx(PREDICTIONS, abs=5e-5)
        assert model(torch.tensor([[10.0]])).item() == pytest.approx(AT_TEN, abs=5e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_trains_as_torch_does_to_the_bit(optimizer: str) -> None:
    ours, losses = trained(50, optimizer)
    theirs, expected = tutorial_loop(50, optimizer)
    assert losses == expected
    assert bits(ours) == bits(theirs)


@pytest.mark.parametrize("loss", LOSS_CLASSES)
@pytest.mark.filterwarnings("ignore:reduction")
def test_every_loss_gives_an_epoch(loss: str) -> None:
    model = linear_model(0.0, 0.5)
    optimizer = build_optimizer("SGD", model.parameters(), 0.01, {})
    x, y = torch.ones(2, 1), torch.full((2, 1), 0.5)
    assert [epoch for epoch, _ in train(model, LOSS_CLASSES[loss](), optimizer, x, y, range(3))] == [0, 1, 2]


def test_at_its_epoch_the_model_is_what_the_loss_was_computed_from() -> None:
    model = linear_model()
    x, y = tensors_of(LineData())
    optimizer = build_optimizer("SGD", model.parameters(), 0.01, {})
    for _, loss in train(model, nn.MSELoss(), optimizer, x, y, range(5)):
        with torch.no_grad():
            assert nn.MSELoss()(model(x), y).item() == loss


def test_the_last_step_is_taken_when_the_loop_is_exhausted() -> None:
    ours, _ = trained(1)
    theirs, _ = tutorial_loop(1)
    assert bits(ours) == bits(theirs)
    assert bits(ours) != bits(linear_model())


def test_losses_that_are_not_finite_do_not_stop_the_loop() -> None:
    model = linear_model()
    x, y = tensors_of(LineData())
    optimizer = build_optimizer("SGD", model.parameters(), 1e30, {})
    losses = [loss for _, loss in train(model, nn.MSELoss(), optimizer, x, y, range(5))]
    assert len(losses) == 5
    assert losses[-1] != losses[-1]
