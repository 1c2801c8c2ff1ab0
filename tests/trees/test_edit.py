"""Changes: each against the same call of torch on a copy, and each refusal leaving everything as it was."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import CannotDo, Invalid, ModuletreeError, NameRefused, TargetNotFound, TooLarge
from app.trees import edit
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.values import DTYPES
from tests.models import ODD_NAMES, nested_linear_models
from tests.trees.comparing import told
from tests.trees.strategies import linear_trees, names, specs

LIMITS = Limits(max_modules=100, max_depth=10)
TARGETS = ("", "sub1", "sub1.sub2_1")

at_every_target = pytest.mark.parametrize("target", TARGETS)


@pytest.fixture
def model() -> LinearModel:
    return nested_linear_models()


def check_same(model: nn.Module, ours: Callable[[nn.Module], object], torchs: Callable[[nn.Module], object]) -> None:
    expected = copy.deepcopy(model)
    torchs(expected)
    ours(model)
    assert told(model) == told(expected)


def check_refused(
    model: nn.Module, ours: Callable[[], object], error: type[ModuletreeError], match: str | None = None
) -> ModuletreeError:
    before = told(model)
    with pytest.raises(error, match=match) as refused:
        ours()
    assert told(model) == before
    return refused.value


@at_every_target
@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("value", [4, 4.5, True, [4], [[1, 2], [3, 4]], [], [[]], [1, 2.5], [True, False]])
def test_register_buffer_is_torchs(model: LinearModel, target: str, persistent: bool, value: object) -> None:
    check_same(
        model,
        lambda root: edit.register_buffer(root, target, "buf", value, persistent=persistent),
        lambda root: root.get_submodule(target).register_buffer("buf", torch.tensor(value), persistent),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_buffer_is_of_the_dtype_that_is_named(model: LinearModel, dtype: str) -> None:
    check_same(
        model,
        lambda root: edit.register_buffer(root, "sub1", "buf", [0, 1], dtype=dtype),
        lambda root: root.get_submodule("sub1").register_buffer("buf", torch.tensor([0, 1], dtype=DTYPES[dtype])),
    )


def test_a_buffer_registered_again_takes_the_place_of_the_first(model: LinearModel) -> None:
    for persistent in (False, True, False):
        test_register_buffer_is_torchs(model, "sub1", persistent, [1.0])


@at_every_target
@pytest.mark.parametrize("requires_grad", [True, False])
def test_register_parameter_is_torchs(model: LinearModel, target: str, requires_grad: bool) -> None:
    check_same(
        model,
        lambda root: edit.register_parameter(root, target, "weight2", [2], requires_grad=requires_grad),
        lambda root: root.get_submodule(target).register_parameter(
            "weight2", nn.Parameter(torch.tensor([2.0]), requires_grad=requires_grad)
        ),
    )


def test_a_parameter_of_whole_numbers_takes_no_gradient(model: LinearModel) -> None:
    def register(requires_grad: bool) -> None:
        edit.register_parameter(model, "", "count", [2], dtype="int64", requires_grad=requires_grad)

    refusal = check_refused(model, lambda: register(True), Invalid, "only a floating-point parameter")
    assert isinstance(refusal, Invalid)
    assert [misfit.loc for misfit in refusal.errors] == [("requires_grad",)]
    register(False)
    assert model.get_parameter("count").dtype is torch.int64


@settings(max_examples=30)
@given(specs(), st.sampled_from(TARGETS), st.sampled_from(["new", "sub1", "sub2_1", *ODD_NAMES]))
def test_add_module_is_torchs(spec: dict[str, Any], target: str, name: str) -> None:
    model = nested_linear_models()
    others = [line for line in told(model) if not str(line[0]).startswith(f"{target}.{name}".strip("."))]
    edit.add_module(model, target, name, spec, LIMITS)
    child = model.get_submodule(target).get_submodule(name)
    assert isinstance(child, LinearModel)
    assert list(child._buffers) == list(spec.get("buffers", {}))
    assert list(child._modules) == list(spec.get("children", {}))
    assert [line for line in told(model) if line in others] == others


def test_a_child_that_is_replaced_keeps_its_place_among_its_siblings(model: LinearModel) -> None:
    for name in ("a", "b"):
        edit.add_module(model, "", name, {}, LIMITS)
    edit.add_module(model, "", "a", {"weight": 3}, LIMITS)
    assert [name for name, _ in model.named_children()] == ["sub1", "a", "b"]
    assert model.get_parameter("a.weight").item() == 3


def test_what_is_added_takes_the_forward_of_the_root(model: LinearModel) -> None:
    set_chain(model, True)
    edit.add_module(model, "sub1", "new", {"children": {"below": {}}}, LIMITS)
    added = model.get_submodule("sub1.new")
    assert all(module.chain for module in added.modules() if isinstance(module, LinearModel))


def test_what_is_added_is_held_to_the_limits(model: LinearModel) -> None:
    wide: dict[str, Any] = {"children": {str(number): {} for number in range(100)}}
    check_refused(model, lambda: edit.add_module(model, "", "new", wide, LIMITS), TooLarge, "more than 100 modules")


@pytest.mark.parametrize("target", ["sub1", "sub1.sub2_1", "weight", "sub1.bias", "sub1.sub2_1.buf"])
def test_delete_is_torchs(model: LinearModel, target: str) -> None:
    model.get_submodule("sub1.sub2_1").register_buffer("buf", torch.ones(1), persistent=False)
    owner, _, name = target.rpartition(".")
    check_same(model, lambda root: edit.delete(root, target), lambda root: delattr(root.get_submodule(owner), name))


@pytest.mark.parametrize("target", ["missing", "sub1.missing", "training", "chain", "forward", "sub1.", "weight.x"])
def test_what_is_not_registered_cannot_be_deleted(model: LinearModel, target: str) -> None:
    refusal = check_refused(model, lambda: edit.delete(model, target), TargetNotFound)
    assert isinstance(refusal, TargetNotFound)
    assert refusal.target in (target, target.rpartition(".")[0])


def test_the_root_cannot_be_deleted(model: LinearModel) -> None:
    check_refused(model, lambda: edit.delete(model, ""), CannotDo, "delete the tree")


@at_every_target
@pytest.mark.parametrize("on", [True, False])
def test_requires_grad_and_train_are_torchs(model: LinearModel, target: str, on: bool) -> None:
    model.get_submodule("sub1").requires_grad_(not on).train(not on)
    check_same(
        model,
        lambda root: edit.requires_grad_(root, target, on),
        lambda root: root.get_submodule(target).requires_grad_(on),
    )
    check_same(model, lambda root: edit.train(root, target, on), lambda root: root.get_submodule(target).train(on))


@settings(max_examples=40)
@given(linear_trees(), st.data())
def test_a_random_tree_is_frozen_and_put_in_eval_mode_as_by_torch(model: LinearModel, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from([name for name, _ in model.named_modules()]))
    check_same(model, lambda root: edit.train(root, target, False), lambda root: root.get_submodule(target).eval())
    check_same(
        model,
        lambda root: edit.requires_grad_(root, target, False),
        lambda root: root.get_submodule(target).requires_grad_(False),
    )


def calls(model: nn.Module, target: str, name: str) -> list[Callable[[], object]]:
    return [
        partial(edit.register_buffer, model, target, name, 1),
        partial(edit.register_parameter, model, target, name, 1.0),
        partial(edit.add_module, model, target, name, {}, LIMITS),
    ]


def torchs_calls(module: nn.Module, name: str) -> list[Callable[[], object]]:
    return [
        partial(module.register_buffer, name, None),
        partial(module.register_parameter, name, None),
        partial(module.add_module, name, None),
    ]


@pytest.mark.parametrize("name", ["", "a.b", ".", "weight", "sub2_1", "forward", "training"])
def test_a_name_that_torch_refuses_is_refused_in_its_words(model: LinearModel, name: str) -> None:
    copied = copy.deepcopy(model).get_submodule("sub1")
    refusals = []
    for ours, torchs in zip(calls(model, "sub1", name), torchs_calls(copied, name), strict=True):
        said = key_error_of(torchs)
        if said:
            refusals.append((check_refused(model, ours, NameRefused).detail, said))
    assert refusals
    assert all(ours == torchs for ours, torchs in refusals)


def key_error_of(call: Callable[[], object]) -> str:
    try:
        call()
    except KeyError as error:
        return str(error.args[0])
    return ""


@pytest.mark.parametrize("target", ["missing", "sub1.missing", "weight", "sub1.", ".sub1", "sub1..sub2_1"])
def test_a_target_that_is_missing_is_refused_in_torchs_words(model: LinearModel, target: str) -> None:
    with pytest.raises(AttributeError) as torchs:
        model.get_submodule(target)
    changes: list[Callable[[], object]] = [
        *calls(model, target, "new"),
        partial(edit.requires_grad_, model, target),
        partial(edit.train, model, target),
    ]
    for change in changes:
        refusal = check_refused(model, change, TargetNotFound)
        assert refusal.detail == str(torchs.value)


@pytest.mark.parametrize(
    ("value", "dtype", "said"),
    [
        ("x", None, "expected a number"),
        (None, None, "got null"),
        ({}, None, "expected a number"),
        ([[1], [2, 3]], None, "expected sequence of length 1"),
        ([1, [2]], None, "value"),
        ([1, "2"], None, "'2'"),
        (1e400, None, "too large for float32"),
        (1e39, None, "too large for float32"),
        (float("nan"), None, "value"),
        (2**63, None, "value"),
        (300, "uint8", "value"),
        (70_000, "float16", "too large for float16"),
        (1, "float128", "dtype 'float128' is not one of float32"),
        (1, "", "dtype"),
    ],
)
def test_a_value_that_is_no_tensor_is_refused_with_its_place(
    model: LinearModel, value: object, dtype: str | None, said: str
) -> None:
    for register in (edit.register_buffer, edit.register_parameter):
        refusal = check_refused(model, partial(register, model, "", "new", value, dtype=dtype), Invalid, said)
        assert isinstance(refusal, Invalid)
        assert [misfit.loc for misfit in refusal.errors] == [("dtype",) if "dtype" in said else ("value",)]


def test_a_value_nested_without_end_is_refused(model: LinearModel) -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    check_refused(model, partial(edit.register_buffer, model, "", "new", value), Invalid, "nested deeper than 16")
    while isinstance(value, list):  # or else Python takes it apart level in level
        value = value.pop()


@settings(max_examples=50)
@given(names())
def test_names_torch_takes_are_taken(name: str) -> None:
    for number in range(3):
        model = LinearModel()
        if key_error_of(torchs_calls(LinearModel(), name)[number]):
            with pytest.raises(NameRefused):
                calls(model, "", name)[number]()
        else:
            calls(model, "", name)[number]()
            assert name in {*model._buffers, *model._parameters, *model._modules}


def test_a_name_that_is_no_unicode_text_is_refused(model: LinearModel) -> None:
    for call in calls(model, "", "\ud800"):
        check_refused(model, call, Invalid, "Unicode")


def set_chain(model: nn.Module, chain: bool) -> None:
    for module in model.modules():
        assert isinstance(module, LinearModel)
        module.chain = chain


@pytest.mark.parametrize("x", [[[10.0]], [[1], [2]], 3, [1.5, 2.5], [[[1.0]]], []])
@pytest.mark.parametrize("chain", [False, True])
def test_forward_returns_what_torch_computes_and_changes_nothing(model: LinearModel, x: object, chain: bool) -> None:
    set_chain(model, chain)
    before = told(model)
    with torch.no_grad():
        expected = model(torch.tensor(x, dtype=torch.float32))
    assert torch.equal(edit.forward(model, x), expected)
    assert told(model) == before


def test_forward_with_an_x_that_does_not_fit_is_refused_in_torchs_words(model: LinearModel) -> None:
    edit.delete(model, "weight")
    edit.register_parameter(model, "", "weight", [1.0, 2.0])
    check_refused(model, lambda: edit.forward(model, [1.0, 2.0, 3.0]), Invalid, "must match the size")


def test_a_tree_without_its_weight_has_no_forward(model: LinearModel) -> None:
    edit.delete(model, "weight")
    check_refused(model, lambda: edit.forward(model, [[1.0]]), CannotDo, "has no attribute 'weight'")


def test_a_chain_goes_through_the_children_in_order(model: LinearModel) -> None:
    edit.add_module(model, "", "sub0", {"weight": 2, "bias": 1}, LIMITS)
    set_chain(model, True)
    expected = torch.tensor([[3.0]])
    for path in ("", "sub1", "sub1.sub2_1", "sub0"):
        module = model.get_submodule(path)
        expected = expected * module.get_parameter("weight") + module.get_parameter("bias")
    assert torch.equal(edit.forward(model, [[3.0]]), expected)
