"""A config is refused with every reason at once, before a run begins."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid, TooLarge
from app.training import optimizers
from app.training.config import MAX_EPOCHS, RunConfig, check
from app.training.data import MAX_POINTS, LineData, TableData, tensors_of
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
        module_stats_every=10,
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


@pytest.mark.parametrize("data", [LineData(slope=0.5), TableData(x=((1.0,),), y=((2.0,),))])
def test_a_config_comes_back_from_json_as_it_was(data: LineData | TableData) -> None:
    config = RunConfig(data=data, optimizer="Adam", optimizer_args={"betas": [0.9, 0.99]}, seed=2**64 - 1)
    assert msgspec.json.decode(msgspec.json.encode(config), type=RunConfig) == config
