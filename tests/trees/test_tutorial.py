"""The tutorial's worked examples, through the views, to the printed digit."""

import pytest
import torch
from torch import nn

from app.trees import views
from app.trees.apply import apply
from app.trees.edit import add_module, forward, register_buffer
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from app.trees.texts import repr_of
from app.trees.tutorial import NAME, SOURCE


def opened(root: object = None) -> LinearModel:
    return open_source({"kind": "linear", "root": root or {}}, Limits())


def as_in_the_tutorial() -> LinearModel:
    """`linear_model1.sub1 = linear_model2`, `linear_model2.sub2_1 = linear_model3`."""
    return opened({"children": {"sub1": {"children": {"sub2_1": {}}}}})


def test_parameters_are_weight_0_7849_and_bias_0_4208() -> None:
    index = TreeIndex.of(opened({"weight": 0.7849, "bias": 0.4208}))
    page = views.named_parameters(index)
    assert [(row.name, row.shape, row.requires_grad) for row in page.items] == [
        ("weight", [1], True),
        ("bias", [1], True),
    ]
    weight, bias = page.items
    assert weight.values == pytest.approx([0.7849])
    assert bias.values == pytest.approx([0.4208])
    assert views.get_parameter(index, "weight").values == weight.values


def test_a_parameter_prints_as_the_tutorial_prints_it() -> None:
    model = opened({"weight": 0.7849, "bias": 0.4208})
    assert repr(model.weight) == "Parameter containing:\ntensor([0.7849], requires_grad=True)"
    assert repr(model.bias) == "Parameter containing:\ntensor([0.4208], requires_grad=True)"


def test_register_buffer_buf_4() -> None:
    model = opened()
    register_buffer(model, "", "buf", [4])
    assert torch.equal(model.get_buffer("buf"), torch.tensor([4]))
    assert model.get_buffer("buf").dtype is torch.tensor([4]).dtype
    index = TreeIndex.of(model)
    assert [(row.name, row.values, row.dtype) for row in views.named_buffers(index).items] == [("buf", [4], "int64")]
    assert views.get_buffer(index, "buf").persistent


def test_modules_print_as_the_tutorial_prints_them() -> None:
    index = TreeIndex.of(as_in_the_tutorial())
    rows = views.named_modules(index).items
    assert [row.name for row in rows] == ["", "sub1", "sub1.sub2_1"]
    assert [repr_of(index, index.row(row.path)) for row in rows] == [
        "LinearModel(\n  (sub1): LinearModel(\n    (sub2_1): LinearModel()\n  )\n)",
        "LinearModel(\n  (sub2_1): LinearModel()\n)",
        "LinearModel()",
    ]


def test_children_are_the_direct_ones_only() -> None:
    index = TreeIndex.of(as_in_the_tutorial())
    assert [row.name for row in views.named_children(index).items] == ["sub1"]
    assert repr_of(index, index.row(views.get_submodule(index, "sub1").path)) == (
        "LinearModel(\n  (sub2_1): LinearModel()\n)"
    )


def test_the_tree_can_be_grown_step_by_step() -> None:
    model = opened()
    add_module(model, "", "sub1", {}, Limits())
    add_module(model, "sub1", "sub2_1", {}, Limits())
    assert repr(model) == repr(as_in_the_tutorial())


def test_apply_make_new_weight_gives_every_submodule_weight2_2() -> None:
    model = opened({"children": {"sub": {}}})
    apply(model, "", "make_new_weight", {})
    index = TreeIndex.of(model)
    for target in ("weight2", "sub.weight2"):
        assert views.get_parameter(index, target).values == [2.0]
        assert repr(model.get_parameter(target)) == "Parameter containing:\ntensor([2.], requires_grad=True)"


def test_the_first_example_is_the_tutorials_tree_at_the_start_of_its_run() -> None:
    model = open_source(SOURCE, Limits())
    assert NAME == "linear_model1"
    assert repr(model) == repr(as_in_the_tutorial())
    assert (model.weight.item(), model.bias.item()) == (0.9385080337524414, 0.5002855658531189)
    x = torch.arange(10).float().view(-1, 1)
    assert nn.MSELoss()(forward(model, x.tolist()), 2 * x + 1).item() == pytest.approx(37.13650131225586, rel=1e-5)


def test_the_first_example_is_the_same_each_time() -> None:
    assert open_source(SOURCE, Limits()).state_dict() == open_source(SOURCE, Limits()).state_dict()
