"""`apply`: named functions over every submodule, children first, as torch applies them."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import CannotDo, Invalid, ModuletreeError, NameRefused, TargetNotFound, TooLarge
from app.trees.apply import APPLY_FUNCTIONS, Argument, apply, children_first
from app.trees.linear import LinearModel
from tests.models import ZOO, Maker, nested_linear_models
from tests.trees.comparing import told
from tests.trees.strategies import linear_trees, modules

TARGETS = ("", "sub1", "sub1.sub2_1")


@pytest.fixture
def model() -> LinearModel:
    return nested_linear_models()


def order_of_torch(module: nn.Module) -> list[nn.Module]:
    order: list[nn.Module] = []
    module.apply(order.append)
    return order


@settings(max_examples=60)
@given(modules())
def test_children_come_before_their_parent_in_torchs_order(module: nn.Module) -> None:
    assert list(children_first(module)) == order_of_torch(module)


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_zoo_is_gone_through_in_torchs_order(make: Maker) -> None:
    module = make()
    assert list(children_first(module)) == order_of_torch(module)


@pytest.mark.parametrize("target", TARGETS)
def test_make_new_weight_is_the_tutorials(model: LinearModel, target: str) -> None:
    def make_new_weight(module: nn.Module) -> None:
        module.weight2 = nn.Parameter(torch.tensor([2.0]))

    expected = copy.deepcopy(model)
    expected.get_submodule(target).apply(make_new_weight)
    assert apply(model, target, "make_new_weight", {}) == len(list(model.get_submodule(target).modules()))
    assert told(model) == told(expected)


def test_a_new_weight_has_the_name_and_value_that_are_given(model: LinearModel) -> None:
    apply(model, "sub1", "make_new_weight", {"name": "<b>", "value": [[1, 2]]})
    assert model.get_parameter("sub1.sub2_1.<b>").tolist() == [[1.0, 2.0]]
    assert "<b>" not in model._parameters


INITIALISED: list[tuple[str, dict[str, Any]]] = [
    ("uniform_", {}),
    ("uniform_", {"a": -3, "b": 2.5}),
    ("normal_", {"mean": 5, "std": 0.1}),
    ("trunc_normal_", {"std": 2, "a": -1, "b": 1}),
    ("constant_", {"val": 7}),
    ("ones_", {}),
    ("zeros_", {}),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("fn", "arguments"), INITIALISED)
@pytest.mark.parametrize("parameter", [None, "weight"])
def test_an_initialiser_fills_what_torch_fills(
    model: LinearModel, target: str, fn: str, arguments: dict[str, Any], parameter: str | None
) -> None:
    generator = torch.Generator().manual_seed(5)
    is_random = any(argument.name == "seed" for argument in APPLY_FUNCTIONS[fn].arguments)

    def initialise(module: nn.Module) -> None:
        for name, tensor in module.named_parameters(recurse=False):
            if parameter in (None, name):
                getattr(nn.init, fn)(tensor, **arguments, **({"generator": generator} if is_random else {}))

    expected = copy.deepcopy(model)
    expected.get_submodule(target).apply(initialise)
    given_seed = {"seed": 5} if is_random else {}
    apply(model, target, fn, {**arguments, **given_seed, "parameter": parameter})
    assert told(model) == told(expected)


@pytest.mark.parametrize(
    ("fn", "shape"),
    [
        ("xavier_uniform_", (3, 4)),
        ("xavier_normal_", (3, 4)),
        ("kaiming_uniform_", (3, 4)),
        ("kaiming_normal_", (3, 4)),
        ("orthogonal_", (3, 4)),
        ("eye_", (3, 4)),
        ("dirac_", (2, 2, 3)),
    ],
)
def test_initialisers_of_matrices_fill_what_torch_fills(model: LinearModel, fn: str, shape: tuple[int, ...]) -> None:
    model.register_parameter("matrix", nn.Parameter(torch.zeros(shape)))
    seeded = any(argument.name == "seed" for argument in APPLY_FUNCTIONS[fn].arguments)
    apply(model, "", fn, {"parameter": "matrix", **({"seed": 9} if seeded else {})})
    expected = torch.zeros(shape)
    getattr(nn.init, fn)(expected, **({"generator": torch.Generator().manual_seed(9)} if seeded else {}))
    assert torch.equal(model.get_parameter("matrix"), expected)


def test_the_same_seed_gives_the_same_values_and_another_gives_others(model: LinearModel) -> None:
    outcomes = []
    for seed in (1, 1, 2, None, None):
        apply(model, "", "normal_", {"seed": seed})
        outcomes.append(repr(told(model)))
    assert outcomes[0] == outcomes[1]
    assert len(set(outcomes)) == 4


def test_requires_grad_and_zero_are_torchs(model: LinearModel) -> None:
    expected = copy.deepcopy(model)
    expected.get_submodule("sub1").requires_grad_(False)
    apply(model, "sub1", "requires_grad_", {"requires_grad": False})
    assert told(model) == told(expected)
    apply(model, "", "zero_", {})
    assert all(parameter.item() == 0 for parameter in model.parameters())
    apply(model, "", "requires_grad_", {})
    assert all(parameter.requires_grad for parameter in model.parameters())


def refused(model: nn.Module, fn: str, arguments: dict[str, Any], target: str = "") -> ModuletreeError:
    before = told(model)
    with pytest.raises(ModuletreeError) as refusal:
        apply(model, target, fn, arguments)
    assert told(model) == before
    return refusal.value


def test_a_function_that_is_not_there_is_refused_with_those_that_are(model: LinearModel) -> None:
    refusal = refused(model, "exec", {})
    assert isinstance(refusal, Invalid)
    assert "make_new_weight, requires_grad_, zero_, uniform_" in refusal.detail
    assert [misfit.loc for misfit in refusal.errors] == [("fn",)]


def test_every_misfit_of_the_arguments_is_told_at_once(model: LinearModel) -> None:
    refusal = refused(model, "uniform_", {"a": "0", "b": True, "c": 1, "seed": 2**64, "parameter": 3})
    assert isinstance(refusal, Invalid)
    assert {misfit.loc[-1]: misfit.msg for misfit in refusal.errors} == {
        "c": "uniform_ has no argument 'c'; it has a, b, parameter, seed",
        "a": "expected a number, got '0'",
        "b": "expected a number, got True",
        "parameter": "expected a string or null, got 3",
        "seed": f"expected a whole number or null, got {2**64}",
    }
    assert all(misfit.loc[0] == "args" for misfit in refusal.errors)


def test_an_argument_without_a_default_must_be_given(model: LinearModel) -> None:
    refusal = refused(model, "constant_", {})
    assert isinstance(refusal, Invalid)
    assert [(misfit.loc, misfit.msg) for misfit in refusal.errors] == [(("args", "val"), "missing")]


def test_the_functions_tell_their_arguments() -> None:
    by_name = {argument.name: argument for argument in APPLY_FUNCTIONS["uniform_"].arguments}
    assert by_name["a"] == Argument("a", "a number", 0.0)
    assert by_name["seed"] == Argument("seed", "a whole number or null", None)
    assert APPLY_FUNCTIONS["constant_"].arguments[0].is_required
    assert all(function.doc and name == function.name for name, function in APPLY_FUNCTIONS.items())


def test_a_target_that_is_missing_is_refused_in_torchs_words(model: LinearModel) -> None:
    refusal = refused(model, "zero_", {}, "sub1.missing")
    assert isinstance(refusal, TargetNotFound)
    assert refusal.detail == "LinearModel has no attribute `missing`"


@pytest.mark.parametrize("name", ["", "a.b", "forward", "training", "sub1", "sub2_1", "buffer"])
def test_a_name_that_some_module_refuses_changes_none(model: LinearModel, name: str) -> None:
    model.register_buffer("buffer", torch.ones(1))
    with pytest.raises(KeyError) as torchs:
        copy.deepcopy(model).apply(lambda module: module.register_parameter(name, None))
    refusal = refused(model, "make_new_weight", {"name": name})
    assert isinstance(refusal, NameRefused)
    assert refusal.detail == torchs.value.args[0]


def test_a_value_that_is_no_tensor_changes_nothing(model: LinearModel) -> None:
    for value in ([[1], [2, 3]], ["x"], [None]):
        refusal = refused(model, "make_new_weight", {"value": value})
        assert isinstance(refusal, Invalid)
        assert [misfit.loc for misfit in refusal.errors] == [("args", "value")]


def test_what_an_initialiser_cannot_do_is_told_in_torchs_words(model: LinearModel) -> None:
    refusal = refused(model, "xavier_uniform_", {})
    assert isinstance(refusal, CannotDo)
    assert refusal.detail.startswith("xavier_uniform_ on a LinearModel: Fan in and fan out can not be computed")


def test_numbers_past_all_bounds_are_refused(model: LinearModel) -> None:
    model.register_parameter("cube", nn.Parameter(torch.zeros(2, 2, 2)))
    for fn, arguments in (
        ("constant_", {"val": 10**400}),
        ("uniform_", {"a": -(10**400), "b": 10**400}),
        ("dirac_", {"groups": 0, "parameter": "cube"}),
    ):
        assert isinstance(refused(model, fn, arguments), CannotDo)


def test_more_elements_than_allowed_are_refused_before_they_are_made(model: LinearModel) -> None:
    refusal = refused(model, "make_new_weight", {"value": [0.0] * 4_000_000})
    assert isinstance(refusal, TooLarge)
    assert refusal.limit == 10_000_000


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 10**400, -(10**400), 2**63, 1e308, -1e308, 5e-324, 1.5]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["fan_in", "fan_out", "relu", "leaky_relu", "weight", "", "x"]),
    st.lists(st.floats(-2, 2), max_size=2),
)


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's, of empty tensors and of odd bounds
@settings(max_examples=100)
@given(linear_trees(), st.sampled_from(sorted(APPLY_FUNCTIONS)), st.data())
def test_whatever_is_asked_is_done_or_refused_for_a_reason(model: LinearModel, fn: str, data: st.DataObject) -> None:
    model.register_parameter("cube", nn.Parameter(torch.zeros(2, 2, 2)))
    function = APPLY_FUNCTIONS[fn]
    chosen = [argument for argument in function.arguments if argument.is_required or data.draw(st.booleans())]
    arguments = {argument.name: data.draw(ANYTHING) for argument in chosen}
    try:
        apply(model, "", fn, arguments)
    except ModuletreeError as refusal:
        assert refusal.detail  # noqa: PT017
