"""The skeleton: the whole tree by column, as torch would tell it place by place."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from torch import nn
from torch.nn.parameter import is_lazy

from app.trees.index import TreeIndex
from app.trees.skeleton import skeleton
from tests.models import ZOO, Maker, odd_names
from tests.trees.strategies import modules

COLUMNS = (
    "parent",
    "name",
    "class",
    "num_parameters",
    "num_trainable",
    "num_buffers",
    "num_bytes",
    "shape",
    "shared_with",
)


def told(module: nn.Module, revision: int = 1) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(skeleton(TreeIndex.of(module), revision))
    return document


def check(module: nn.Module) -> None:
    document = told(module)
    places = list(module.named_modules(remove_duplicate=False))
    assert document["count"] == len(places)
    assert all(len(document[column]) == len(places) for column in COLUMNS)
    paths: list[str] = []
    first: dict[int, int] = {}
    for row, (path, place) in enumerate(places):
        parent, name = document["parent"][row], document["name"][row]
        paths.append(f"{paths[parent]}.{name}" if parent > 0 else name)
        assert paths[row] == path
        assert document["classes"][document["class"][row]] == type(place).__name__
        sizes = [0 if is_lazy(parameter) else parameter.numel() for parameter in place.parameters()]
        assert document["num_parameters"][row] == sum(sizes)
        known = first.setdefault(id(place), row)
        assert document["shared_with"][row] == (-1 if known == row else known)
    ids = TreeIndex.of(module).shapes.ids
    assert set(document["shape"]) == set(range(len(ids)))


@settings(max_examples=50)
@given(modules())
def test_a_random_tree_is_told_column_by_column(module: nn.Module) -> None:
    check(module)


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_zoo_is_told_column_by_column(make: Maker) -> None:
    check(make())


def test_the_tutorials_tree_is_told_in_full() -> None:
    assert told(ZOO["nested_linear_models"](), revision=7) == {
        "revision": 7,
        "count": 3,
        "parent": [-1, 0, 1],
        "name": ["", "sub1", "sub2_1"],
        "class": [0, 0, 0],
        "classes": ["LinearModel"],
        "num_parameters": [6, 4, 2],
        "num_trainable": [6, 4, 2],
        "num_buffers": [0, 0, 0],
        "num_bytes": [24, 16, 8],
        "shape": [0, 1, 2],
        "shared_with": [-1, -1, -1],
    }


def test_names_come_as_they_are() -> None:
    assert told(odd_names())["name"][1] == "with space"
