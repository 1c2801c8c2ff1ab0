"""A config is refused with every reason at once, before a run begins."""

import math
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid, TooLarge
from app.training import losses, optimizers, schedules
from app.training.config import MAX_EPOCHS, EarlyStopping, RunConfig, check
from app.training.data import (
    MAX_POINTS,
    CsvData,
    Data,
    LineData,
    PolynomialData,
    SineData,
    TableData,
    tensors_of,
)
from app.training.losses import LOSSES
from app.training.optimizers import ARGUMENTS, OPTIMIZERS


def misfits(**values: Any) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(Invalid) as caught:
        check(RunConfig(**values))
    return {misfit.loc: misfit.msg for misfit in caught.value.errors}


def test_the_defaults_are_the_tutorials() -> None:
    config = RunConfig()
    check(config)
    assert (config.epochs, config.lr, config.optimizer, config.loss) == (10, 0.01, "SGD", "MSELoss")
    x, y = tensors_of(config.data)
    assert x.flatten().tolist() == list(range(10))
    assert y.flatten().tolist() == [2.0 * number + 1 for number in range(10)]
    assert x.shape == y.shape == (10, 1)


def test_every_misfit_is_told_at_once() -> None:
    found = misfits(
        epochs=0,
        lr=math.nan,
        optimizer_args={"momentun": 0.9, "nesterov": "yes"},
        loss="MSELos",
        seed=2**64,
        data=LineData(slope=math.inf, count=0),
        module_stats_every=-1,
        checkpoint_every=-1,
        step="closed",
        executor="ray",
    )
    assert set(found) == {
        ("epochs",),
        ("lr",),
        ("optimizer_args", "momentun"),
        ("optimizer_args", "nesterov"),
        ("loss",),
        ("seed",),
        ("data", "count"),
        ("data", "slope"),
        ("module_stats_every",),
        ("checkpoint_every",),
        ("step",),
        ("executor",),
    }
    assert "momentum" in found["optimizer_args", "momentun"]
    assert "MSELoss" in found["loss",]


@pytest.mark.parametrize("name", ["Optimizer", "__builtins__", "lr_scheduler", "SparseAdam", "", "sgd"])
def test_only_optimizers_of_the_table_are_taken(name: str) -> None:
    assert set(misfits(optimizer=name)) == {("optimizer",)}


@pytest.mark.parametrize("name", ["Linear", "NLLLoss", "CTCLoss", "modules.loss.MSELoss"])
def test_only_losses_of_the_table_are_taken(name: str) -> None:
    assert set(misfits(loss=name)) == {("loss",)}


def test_the_table_of_losses_holds_those_with_real_targets() -> None:
    assert {"MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCELoss", "CrossEntropyLoss"} <= set(LOSSES)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("lr", [0.0, 1e-40, 0.01, 1.0, 1e10, optimizers.SOUND_LR])
def test_defaults_are_sound_at_any_lr_so_that_they_need_no_trying(name: str, lr: float) -> None:
    assert optimizers._one_step(name, lr, {}) is None


@pytest.mark.parametrize("lr", [-0.01, math.inf, -math.inf, 1e300])
def test_an_lr_that_torch_does_not_take_is_refused(lr: float) -> None:
    assert set(misfits(lr=lr)) == {("lr",)}


@pytest.mark.parametrize(
    ("optimizer", "args"),
    [
        ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 1}),
        ("Adam", {"betas": [0.9, 0.99], "amsgrad": True, "foreach": None}),
        ("Adafactor", {"eps": [None, 0.001]}),
        ("LBFGS", {"max_iter": 4, "line_search_fn": "strong_wolfe"}),
        ("LBFGS", {"max_iter": 10**9, "tolerance_grad": -1.0, "tolerance_change": -1.0}),
        ("SGD", {"fused": True}),
    ],
)
def test_arguments_that_torch_takes_are_taken(optimizer: str, args: dict[str, object]) -> None:
    check(RunConfig(optimizer=optimizer, optimizer_args=args))


@pytest.mark.parametrize(
    ("optimizer", "args", "where"),
    [
        ("SGD", {"momentum": -1}, {("optimizer_args", "momentum")}),
        ("SGD", {"momentum": True}, {("optimizer_args", "momentum")}),
        ("SGD", {"momentum": None}, {("optimizer_args", "momentum")}),
        ("SGD", {"nesterov": True}, {("optimizer_args", "nesterov")}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "weight_decay": -1}, {("optimizer_args", "weight_decay")}),
        (
            "SGD",
            {"momentum": -1, "weight_decay": -1},
            {("optimizer_args", "momentum"), ("optimizer_args", "weight_decay")},
        ),
        ("SGD", {"lr": 0.1}, {("optimizer_args", "lr")}),
        ("SGD", {"params": []}, {("optimizer_args", "params")}),
        ("SGD", {"foreach": True, "fused": True}, {("optimizer_args",)}),
        ("Adam", {"betas": [0.9]}, {("optimizer_args", "betas")}),
        ("Adam", {"betas": [0.9, 1.5]}, {("optimizer_args", "betas")}),
        ("Adam", {"betas": [0.9, [0.9]]}, {("optimizer_args", "betas")}),
        ("Adam", {"eps": 10**400}, {("optimizer_args", "eps")}),
        ("LBFGS", {"line_search_fn": "wolfe"}, {("optimizer_args", "line_search_fn")}),
        ("LBFGS", {"max_iter": 1.5}, {("optimizer_args", "max_iter")}),
    ],
)
def test_arguments_that_torch_refuses_are_refused_where_they_stand(
    optimizer: str, args: dict[str, object], where: set[tuple[str, ...]]
) -> None:
    assert set(misfits(optimizer=optimizer, optimizer_args=args)) == where


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(max_size=3), items, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_no_arguments_make_the_check_itself_fail(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(OPTIMIZERS)))
    keys = st.sampled_from([argument.name for argument in ARGUMENTS[name]]) | st.text(max_size=4)
    args = data.draw(st.dictionaries(keys, plain, max_size=3))
    for misfit in optimizers.misfits_of(name, data.draw(st.floats()), args):
        assert misfit.msg


def test_a_table_is_taken_as_it_is() -> None:
    table = TableData(x=((1.0, 2.0), (3.0, 4.0)), y=((5.0,), (6.0,)))
    check(RunConfig(data=table))
    x, y = tensors_of(table)
    assert (x.tolist(), y.tolist()) == ([[1, 2], [3, 4]], [[5], [6]])


@pytest.mark.parametrize(
    ("x", "y", "where"),
    [
        ([[1], [2]], [[1]], {("data", "y")}),
        ([], [], {("data", "x"), ("data", "y")}),
        ([[]], [[]], {("data", "x"), ("data", "y")}),
        ([[1], [2, 3]], [[1], [2]], {("data", "x", 1)}),
        ([[1], [math.nan]], [[1], [1e39]], {("data", "x", 1, 0), ("data", "y", 1, 0)}),
    ],
)
def test_a_table_with_holes_is_refused(x: Any, y: Any, where: set[tuple[str, ...]]) -> None:
    assert set(misfits(data=TableData(x=x, y=y))) == where


def test_a_table_over_the_limit_is_too_large() -> None:
    rows = ((1.0,),) * 20_000
    with pytest.raises(TooLarge) as caught:
        check(RunConfig(data=TableData(x=rows, y=rows)))
    assert caught.value.limit == 20_000


def test_a_line_that_leaves_float32_is_refused() -> None:
    assert set(misfits(data=LineData(slope=3e38, count=3))) == {("data",)}


def test_the_limits_themselves_are_taken() -> None:
    check(RunConfig(epochs=MAX_EPOCHS, seed=-(2**63), data=LineData(count=MAX_POINTS), checkpoint_every=MAX_EPOCHS))


@pytest.mark.parametrize(
    "data",
    [
        LineData(slope=0.5),
        TableData(x=((1.0,),), y=((2.0,),)),
        PolynomialData(coefficients=(1.0,), noise=0.5),
        SineData(phase=1.0),
        CsvData("d_1", ("a",), ("b",), name="a.csv", count=3),
    ],
)
def test_a_config_comes_back_from_json_as_it_was(data: Data) -> None:
    config = RunConfig(
        data=data,
        early_stopping=EarlyStopping(3),
        frozen=("a",),
        optimizer="Adam",
        optimizer_args={"betas": [0.9, 0.99]},
        seed=2**64 - 1,
    )
    assert msgspec.json.decode(msgspec.json.encode(config), type=RunConfig) == config


def test_the_points_of_a_polynomial_and_a_sine() -> None:
    x, y = tensors_of(PolynomialData((1.0, -2.0, 0.5), start=-2, stop=2, count=9))
    assert torch.equal(x, torch.linspace(-2, 2, 9).view(-1, 1))
    torch.testing.assert_close(y, 1 - 2 * x + 0.5 * x**2)
    x, y = tensors_of(SineData(amplitude=2, frequency=3, phase=0.5, offset=-1, start=0, stop=1, count=7))
    torch.testing.assert_close(y, 2 * torch.sin(6 * math.pi * x + 0.5) - 1)


def test_noise_is_what_its_seed_draws_and_has_the_standard_deviation_asked_for() -> None:
    _, plain = tensors_of(LineData(count=10_000))
    _, noisy = tensors_of(LineData(count=10_000, noise=0.5, noise_seed=3))
    assert torch.equal(noisy, tensors_of(LineData(count=10_000, noise=0.5, noise_seed=3))[1])
    assert not torch.equal(noisy, tensors_of(LineData(count=10_000, noise=0.5, noise_seed=4))[1])
    assert (noisy - plain).std().item() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (LineData(noise=-1.0), {("data", "noise")}),
        (LineData(noise_seed=2**64), {("data", "noise_seed")}),
        (PolynomialData(coefficients=()), {("data", "coefficients")}),
        (PolynomialData(coefficients=(1.0, math.nan)), {("data", "coefficients", 1)}),
        (PolynomialData(coefficients=(0.0,) * 5 + (1.0,), stop=1e30), {("data",)}),
        (SineData(start=math.inf, count=0), {("data", "start"), ("data", "count")}),
        (CsvData("d_1", (), ("a", "a"), missing="skip"), {("data", "x"), ("data", "y"), ("data", "missing")}),
    ],
)
def test_data_that_cannot_be_is_refused_at_its_place(data: Data, where: set[tuple[str | int, ...]]) -> None:
    assert set(misfits(data=data)) == where


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"batch_size": 0}, {("batch_size",)}),
        ({"batch_size": 11}, {("batch_size",)}),
        ({"batch_size": 9, "validation_split": 0.2}, {("batch_size",)}),
        ({"validation_split": 1.0}, {("validation_split",)}),
        ({"validation_split": math.nan}, {("validation_split",)}),
        ({"validation_split": 0.01}, {("validation_split",)}),
        ({"validation_split": 0.99}, {("validation_split",)}),
        ({"early_stopping": EarlyStopping(0)}, {("early_stopping", "patience")}),
        ({"early_stopping": EarlyStopping(1, -1.0)}, {("early_stopping", "min_delta")}),
        ({"early_stopping": EarlyStopping(1, monitor="accuracy")}, {("early_stopping", "monitor")}),
        ({"early_stopping": EarlyStopping(1, monitor="validation_loss")}, {("early_stopping", "monitor")}),
        ({"loss": "HuberLoss", "loss_args": {"delta": -1}}, {("loss_args", "delta")}),
        ({"loss_args": {"reduction": "none"}}, {("loss_args", "reduction")}),
        ({"loss_args": {"weight": [1.0]}}, {("loss_args", "weight")}),
        ({"lr_scheduler": "LambdaLR"}, {("lr_scheduler",)}),
        ({"lr_scheduler_args": {"gamma": 1}}, {("lr_scheduler_args",)}),
        ({"lr_scheduler": "StepLR"}, {("lr_scheduler_args", "step_size")}),
        ({"lr_scheduler": "StepLR", "lr_scheduler_args": {"step_size": 0}}, {("lr_scheduler_args", "step_size")}),
        (
            {"lr_scheduler": "MultiStepLR", "lr_scheduler_args": {"milestones": [1, 2.5]}},
            {("lr_scheduler_args", "milestones")},
        ),
        (
            {"lr_scheduler": "ReduceLROnPlateau", "lr_scheduler_args": {"factor": 2.0, "mode": "least"}},
            {("lr_scheduler_args", "mode")},
        ),
        (
            {"lr_scheduler": "ReduceLROnPlateau", "lr_scheduler_args": {"factor": 2.0, "patience": 3}},
            {("lr_scheduler_args", "factor")},
        ),
        (
            {"lr_scheduler": "OneCycleLR", "lr_scheduler_args": {"max_lr": 0.1, "total_steps": 5}},
            {("lr_scheduler_args", "total_steps")},
        ),
    ],
)
def test_what_a_run_cannot_be_asked_is_refused_where_it_stands(
    values: dict[str, Any], where: set[tuple[str, ...]]
) -> None:
    assert set(misfits(**values)) == where


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("StepLR", {"step_size": 3}),
        ("MultiStepLR", {"milestones": [3, 6], "gamma": 0.5}),
        ("ExponentialLR", {"gamma": 0.9}),
        ("CosineAnnealingLR", {"T_max": 10}),
        ("CyclicLR", {"base_lr": 0.001, "max_lr": 0.1, "cycle_momentum": False, "mode": "triangular2"}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 10}),
        ("ReduceLROnPlateau", {"patience": 2}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2}),
        ("LinearLR", {}),
    ],
)
def test_a_schedule_that_torch_takes_is_taken(name: str, args: dict[str, object]) -> None:
    check(RunConfig(lr_scheduler=name, lr_scheduler_args=args))


@given(st.data())
def test_no_arguments_make_the_check_of_losses_and_schedules_itself_fail(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*schedules.LR_SCHEDULERS, *LOSSES]))
    known = {**schedules.ARGUMENTS, **losses.ARGUMENTS}[name]
    keys = st.sampled_from([argument.name for argument in known]) | st.text(max_size=4)
    args = data.draw(st.dictionaries(keys, plain, max_size=3))
    found = losses.misfits_of(name, args) if name in LOSSES else schedules.misfits_of(name, args, "SGD", 0.01, {}, 10)
    assert all(misfit.msg for misfit in found)
