"""Receipts: every number at every target, counted by torch a second way."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from app.trees.index import TreeIndex
from app.trees.receipts import Receipt, receipt
from tests.models import ZOO, Maker
from tests.trees.strategies import modules


def numel(tensors: Sequence[Tensor]) -> int:
    return sum(0 if is_lazy(tensor) else tensor.numel() for tensor in tensors)


def check(root: nn.Module) -> None:
    index = TreeIndex.of(root)
    for row, module in enumerate(index.modules):
        check_one(receipt(index, row), module)


def check_one(found: Receipt, module: nn.Module) -> None:
    parameters = list(module.parameters())
    listed = [parameter for _, parameter in module.named_parameters(remove_duplicate=False)]
    buffers = dict(module.named_buffers())
    persistent = {name for name in buffers if is_persistent(module, name)}
    assert found.parameters.value == numel(parameters)
    assert found.listed.value == numel(listed)
    assert found.num_tied.value == len(listed) - len(parameters)
    assert found.trainable.value == numel([one for one in parameters if one.requires_grad])
    assert found.frozen.value == numel([one for one in parameters if not one.requires_grad])
    assert found.persistent.value == numel([one for name, one in buffers.items() if name in persistent])
    assert found.other_buffers.value == numel([one for name, one in buffers.items() if name not in persistent])
    distinct = {id(one): one for one in [*parameters, *buffers.values()]}.values()
    by_dtype: dict[str, list[int]] = {}
    for tensor in distinct:
        sums = by_dtype.setdefault(str(tensor.dtype).removeprefix("torch."), [0, 0, 0])
        for at, amount in enumerate((1, numel([tensor]), numel([tensor]) * tensor.dtype.itemsize)):
            sums[at] += amount
    assert {one.dtype: [one.num_tensors, one.num_elements, one.num_bytes] for one in found.by_dtype} == by_dtype
    assert found.num_bytes.value == sum(sums[2] for sums in by_dtype.values())
    assert found.no_shape.value == sum(map(is_lazy, parameters)) + sum(map(is_lazy, buffers.values()))


def is_persistent(module: nn.Module, name: str) -> bool:
    path, _, last = name.rpartition(".")
    return last not in module.get_submodule(path)._non_persistent_buffers_set


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_numbers_of_the_zoo_are_torchs(make: Maker) -> None:
    check(make())


@settings(max_examples=80)
@given(modules())
def test_the_numbers_of_a_random_tree_are_torchs(module: nn.Module) -> None:
    check(module)


def test_what_is_stored_is_what_the_file_says() -> None:
    index = TreeIndex.of(ZOO["tied_parameters"]())
    assert receipt(index).stored is None
    stored = receipt(index, stored=30).stored
    assert stored is not None
    assert stored.value == 30


def test_every_number_says_how_it_was_counted() -> None:
    found = receipt(TreeIndex.of(ZOO["tied_parameters"]()))
    assert "sum(p.numel() for p in module.parameters())" in found.parameters.how
    assert (found.parameters.value, found.listed.value, found.num_tied.value) == (15, 30, 1)
