"""The loop is the tutorial's: the same five steps, the same losses; and what is asked around them is torch's too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from app.errors import CannotDo
from app.training.checkpoint import load_checkpoint, save_checkpoint
from app.training.config import EarlyStopping, RunConfig
from app.training.control import Control
from app.training.data import LineData
from app.training.loop import Epoch
from app.training.losses import LOSSES as LOSS_CLASSES
from app.training.messages import Cancel
from app.training.optimizers import OPTIMIZERS
from app.training.schedules import LR_SCHEDULERS
from app.trees.linear import LinearModel
from tests.training.loops import loop_of, plain_torch, trained
from tests.training.tutorial_run import AT_TEN, LOSSES, PREDICTIONS, bits, chain, linear_model

LINE = LineData(count=23)
# What each schedule needs besides its optimizer.
SCHEDULES: dict[str, dict[str, Any]] = {
    "CyclicLR": {"base_lr": 0.001, "max_lr": 0.01, "step_size_up": 3},
    "CosineAnnealingLR": {"T_max": 5},
    "CosineAnnealingWarmRestarts": {"T_0": 3},
    "ExponentialLR": {"gamma": 0.9},
    "MultiStepLR": {"milestones": [2, 9, 9, 14]},
    "OneCycleLR": {"max_lr": 0.01, "total_steps": 30},
    "ReduceLROnPlateau": {"patience": 1, "threshold": 0.5},
    "StepLR": {"step_size": 3},
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in a worker."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Odd(nn.Module):
    """What a checkpoint has to hold: dropout, running statistics, a tied parameter; and a module never called."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(1, 4)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(4, 1)
        self.idle = nn.Linear(2, 2)
        self.again = nn.Linear(1, 4, bias=False)
        self.again.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(self.drop(self.norm(self.first(x) + self.again(x))))
        return found


def made(seed: int = 5) -> Odd:
    torch.manual_seed(seed)
    model = Odd()
    torch.manual_seed(seed)
    return model


def everything(**more: Any) -> RunConfig:
    asked = {
        "epochs": 20,
        "lr": 0.01,
        "seed": 5,
        "data": LINE,
        "batch_size": 4,
        "validation_split": 0.2,
        "lr_scheduler": "ReduceLROnPlateau",
        "lr_scheduler_args": SCHEDULES["ReduceLROnPlateau"],
        "early_stopping": EarlyStopping(4, 0.5, "validation_loss"),
        "frozen": ("last",),
        "optimizer": "Adam",
    }
    return RunConfig(**{**asked, **more})


def test_losses_and_predictions_are_those_that_the_tutorial_prints() -> None:
    model = linear_model()
    losses = [loss for loss, *_ in trained(model, RunConfig()).epochs]
    assert losses == pytest.approx(LOSSES, rel=1e-5)
    with torch.no_grad():
        assert model(torch.arange(10).float().view(-1, 1)).flatten().tolist() == pytest.approx(PREDICTIONS, abs=5e-5)
        assert model(torch.tensor([[10.0]])).item() == pytest.approx(AT_TEN, abs=5e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_trains_as_torch_does_to_the_bit(optimizer: str) -> None:
    config = RunConfig(epochs=12, optimizer=optimizer)
    ours, theirs = linear_model(), linear_model()
    assert trained(ours, config).epochs == plain_torch(theirs, config).epochs
    assert bits(ours) == bits(theirs)


@pytest.mark.parametrize("loss", LOSS_CLASSES)
@pytest.mark.filterwarnings("ignore:reduction")
def test_every_loss_gives_an_epoch(loss: str) -> None:
    points = torch.ones(2, 1), torch.full((2, 1), 0.5)
    assert len(trained(linear_model(0.0, 0.5), RunConfig(epochs=3, loss=loss), points).epochs) == 3


@pytest.mark.parametrize("asked", [{}, {"batch_size": 3}, {"batch_size": 3, "shuffle": False}, {"batch_size": 50}])
def test_with_everything_on_an_epoch_is_torchs_to_the_bit(asked: dict[str, Any]) -> None:
    config = everything(**asked, early_stopping=None)
    theirs, ours = made(), made()
    found = trained(ours, config)
    torch.manual_seed(5)
    assert found.epochs == plain_torch(theirs, config).epochs
    assert bits(ours) == bits(theirs)
    assert torch.equal(ours.norm.running_var, theirs.norm.running_var)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LR_SCHEDULERS)
def test_every_schedule_moves_the_learning_rate_as_torch_does(name: str) -> None:
    args = SCHEDULES.get(name, {})
    config = RunConfig(epochs=20, lr_scheduler=name, lr_scheduler_args=args, optimizer_args={"momentum": 0.9})
    assert trained(linear_model(), config).epochs == plain_torch(linear_model(), config).epochs


@pytest.mark.parametrize("name", [*LR_SCHEDULERS, None])
def test_from_every_checkpoint_it_goes_on_to_the_bit(name: str | None, tmp_path: Path) -> None:
    config = everything(lr_scheduler=name, lr_scheduler_args=SCHEDULES.get(name or "", {}), epochs=12)
    config = (
        config if name != "OneCycleLR" else everything(lr_scheduler=name, lr_scheduler_args=SCHEDULES[name], epochs=12)
    )
    model = made()
    whole = loop_of(model, config)
    expected, kept = [], []
    for epoch in range(config.epochs):
        if whole.is_over:
            break
        values = {key: value.detach().clone() for key, value in model.state_dict(keep_vars=True).items()}
        save_checkpoint(tmp_path / str(epoch), values, whole.optimizer, epoch, whole.state())
        kept.append(tmp_path / str(epoch))
        begun = whole.begin()
        expected.append(begun)
        whole.finish(begun, is_watched=False)
    for path in kept[1::3]:
        checkpoint = load_checkpoint(path)
        again = made(1)
        again.load_state_dict(dict(checkpoint.tensors))
        rest = loop_of(again, config, checkpoint=checkpoint)
        found: list[Epoch] = []
        while checkpoint.epoch + len(found) < config.epochs and not rest.is_over:
            found.append(rest.begin())
            rest.finish(found[-1], is_watched=False)
        assert found == expected[checkpoint.epoch :]
        assert bits(again) == bits(model)


def test_early_stopping_ends_where_the_loss_fell_no_further() -> None:
    config = RunConfig(epochs=100, early_stopping=EarlyStopping(3, 0.01))
    found = trained(linear_model(), config)
    assert found.epochs == plain_torch(linear_model(), config).epochs
    assert 3 < len(found.epochs) < 20
    assert found.loop is not None
    assert found.loop.is_over


def test_a_loss_that_is_not_a_number_does_not_fall() -> None:
    config = RunConfig(epochs=100, lr=1e30, early_stopping=EarlyStopping(5))
    assert len(trained(linear_model(), config).epochs) < 12


def test_frozen_modules_stay_as_they_are_and_the_others_train() -> None:
    model = chain([(1.0, 0.0), (1.5, 0.5), (0.5, 0.25)])
    before = bits(model)
    trained(model, RunConfig(epochs=3, lr=1e-4, frozen=("sub.sub",)))
    after = bits(model)
    assert after[4:] == before[4:]
    assert all(one != other for one, other in zip(before[:4], after[:4], strict=True))


def test_a_sum_over_points_stays_one_in_batches() -> None:
    config = RunConfig(epochs=2, lr=0.0, loss_args={"reduction": "sum"}, batch_size=3)
    whole = RunConfig(epochs=2, lr=0.0, loss_args={"reduction": "sum"})
    (first, *_), _ = trained(linear_model(), config).epochs
    assert first == pytest.approx(trained(linear_model(), whole).epochs[0][0], rel=1e-5)


def test_the_seed_decides_the_order_of_the_points() -> None:
    def losses(seed: int) -> list[object]:
        return [loss for loss, *_ in trained(linear_model(), RunConfig(epochs=3, seed=seed, batch_size=2)).epochs]

    assert losses(1) == losses(1) != losses(2)


def test_at_its_epoch_the_model_is_what_the_loss_was_computed_from() -> None:
    model = linear_model()
    loop = loop_of(model, RunConfig())
    x = torch.arange(10).float().view(-1, 1)
    for _ in range(5):
        begun = loop.begin()
        with torch.no_grad():
            assert nn.MSELoss()(model(x), 2 * x + 1).item() == begun.loss
        loop.finish(begun, is_watched=False)


def test_many_epochs_at_once_are_the_same_and_stop_where_something_is_asked() -> None:
    control = Control()
    control.begin("r_1")
    losses = loop_of(linear_model(), RunConfig()).losses(10, control)
    assert losses == [loss for loss, *_ in trained(linear_model(), RunConfig()).epochs]
    control.ask(Cancel("r_1"))
    assert loop_of(linear_model(), RunConfig()).losses(10, control) == []


def test_losses_that_are_not_finite_do_not_stop_the_loop() -> None:
    losses = [loss for loss, *_ in trained(linear_model(), RunConfig(epochs=5, lr=1e30)).epochs]
    assert len(losses) == 5
    assert losses[-1] == "nan"


def test_a_step_that_does_not_fit_is_refused_with_why() -> None:
    with pytest.raises(CannotDo, match=r"^The fused step is that of SGD"):
        loop_of(linear_model(), RunConfig(step="fused", optimizer="Adam"))


def test_an_optimizer_over_a_tree_of_any_depth() -> None:
    root = LinearModel()
    module = root
    for _ in range(1_500):
        module.sub = LinearModel()
        module = module.sub
    root.chain = True
    trained(root, RunConfig(epochs=1))
