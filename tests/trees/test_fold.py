"""Folding: what a run may hide, against torch's own folding of a ModuleList and against every place of the tree."""

import time

import msgspec
import pytest
from hypothesis import given, settings
from torch import nn

from app.trees.fold import Folded, fold, folded_text, run_totals, runs
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from tests.models import ZOO, Holder, Maker, chain_of, holding
from tests.trees.strategies import modules


def folded(module: nn.Module) -> Folded:
    return fold(TreeIndex.of(module))


def labels(module: nn.Module) -> list[tuple[str, int]]:
    """The children of the root as they are listed."""
    return [(row.label, row.count) for row in folded(module).rows if row.depth == 1]


def linear(in_features: int = 2, out_features: int = 2) -> nn.Module:
    return nn.Linear(in_features, out_features, device="meta")


def test_a_run_of_equal_modules_is_one_row() -> None:
    model = nn.Sequential(*[linear() for _ in range(12)])
    root, run = folded(model).rows
    assert (run.label, run.count, run.num_distinct, run.class_name) == ("0-11", 12, 12, "Linear")
    assert (run.num_parameters, run.total_parameters) == (6, 72)
    assert root.num_parameters == 72
    assert root.count == 1


def test_names_with_a_prefix_count_too() -> None:
    model = holding(**{f"sub{at}": linear() for at in range(1, 11)})
    assert labels(model) == [("sub1-sub10", 10)]


def test_only_names_that_count_up_are_folded() -> None:
    names = ["q", "k", "v", "a1", "a2", "b3", "b5", "c01", "c02", "c2", "0", "1", "-1"]
    model = holding(**{name: linear() for name in names})
    assert labels(model) == [
        *[(name, 1) for name in ("q", "k", "v")],
        ("a1-a2", 2),
        *[(name, 1) for name in ("b3", "b5")],
        ("c01-c02", 2),
        ("c2", 1),
        ("0-1", 2),
        ("-1", 1),
    ]


def test_another_shape_ends_a_run() -> None:
    model = nn.Sequential(linear(), linear(), linear(in_features=2, out_features=3), linear(), linear())
    assert labels(model) == [("0-1", 2), ("2", 1), ("3-4", 2)]


def test_what_is_frozen_differently_is_not_hidden() -> None:
    model = nn.Sequential(*[nn.Sequential(linear(), linear()) for _ in range(4)])
    model[1].requires_grad_(False)
    model[2].requires_grad_(False)
    assert labels(model) == [("0", 1), ("1-2", 2), ("3", 1)]
    # As many are frozen in both, and yet not the same ones.
    model = nn.Sequential(*[nn.Sequential(linear(), linear()) for _ in range(2)])
    model.get_submodule("0.0").requires_grad_(False)
    model.get_submodule("1.1").requires_grad_(False)
    assert labels(model) == [("0", 1), ("1", 1)]


def test_what_is_in_another_mode_is_not_hidden() -> None:
    model = nn.Sequential(*[nn.Sequential(nn.Dropout()) for _ in range(3)])
    model.get_submodule("1.0").eval()
    assert labels(model) == [("0", 1), ("1", 1), ("2", 1)]


def test_what_is_shared_inside_is_not_hidden() -> None:
    def block(*, tied: bool) -> nn.Module:
        first, second = nn.Linear(2, 2), nn.Linear(2, 2)
        if tied:
            second.weight = first.weight
        return nn.Sequential(first, second)

    assert labels(nn.Sequential(block(tied=False), block(tied=True), block(tied=True))) == [("0", 1), ("1-2", 2)]


def test_a_module_that_is_used_again_and_again_is_counted_once() -> None:
    block = linear()
    model = nn.ModuleList([block] * 6)
    run = folded(model).rows[1]
    assert (run.count, run.num_distinct, run.num_parameters, run.total_parameters) == (6, 1, 6, 6)


def test_tied_siblings_count_what_is_tied_once() -> None:
    blocks = [nn.Linear(2, 2) for _ in range(5)]
    for block in blocks:
        block.weight = blocks[0].weight
    run = folded(nn.ModuleList(blocks)).rows[1]
    assert (run.count, run.num_parameters, run.total_parameters) == (5, 6, 4 + 5 * 2)


def test_a_grid_is_six_rows() -> None:
    module = open_source({"kind": "grid", "branching": 10, "depth": 5}, Limits())
    found = folded(module)
    assert [row.label for row in found.rows] == ["", *["sub1-sub10"] * 5]
    assert [row.depth for row in found.rows] == list(range(6))
    assert found.num_places == 111_111
    assert len(msgspec.json.encode(found)) < 2_000


def test_a_long_flat_list_folds_quickly() -> None:
    module = nn.Sequential(*[nn.ReLU() for _ in range(20_000)])
    index = TreeIndex.of(module)
    began = time.perf_counter()
    assert len(fold(index).rows) == 2
    assert time.perf_counter() - began < 2


def test_a_deep_chain_folds_without_recursion() -> None:
    assert len(folded(chain_of(5_000)).rows) == 5_001


def test_depth_can_be_limited_and_the_start_chosen() -> None:
    index = TreeIndex.of(ZOO["module_containers"]())
    assert [row.label for row in fold(index, max_depth=1).rows] == ["", "blocks", "none", "by_name"]
    row = index.row("blocks")
    assert [found.label for found in fold(index, row).rows] == ["blocks", "0-2", "0", "1"]
    assert fold(index, row).num_places == 10


@pytest.mark.parametrize("make", [ZOO["module_containers"], ZOO["recurrent"]])
def test_the_text_is_torchs_where_only_module_lists_repeat(make: Maker) -> None:
    module = make()
    assert folded_text(TreeIndex.of(module)) == repr(module)


def test_the_text_folds_every_container() -> None:
    model = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)])
    assert folded_text(TreeIndex.of(model)) == (
        "Sequential(\n"
        "  (0-2): 3 x Sequential(\n"
        "    (0): Linear(in_features=2, out_features=2, bias=True)\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )


def test_the_text_ends_at_a_depth() -> None:
    model = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)])
    index = TreeIndex.of(model)
    assert folded_text(index, max_depth=1) == "Sequential(\n  (0-2): 3 x Sequential(...)\n)"
    assert folded_text(index, max_depth=0) == "Sequential(...)"
    assert folded_text(index, max_depth=2) == folded_text(index)


def test_children_that_are_none_are_in_the_text_where_they_stand() -> None:
    model = holding(a=None, b0=LinearModel(), b1=LinearModel(), c=None, d=nn.ReLU(), e=None, f=None)
    assert folded_text(TreeIndex.of(model)) == (
        "Holder(\n  (a): None\n  (b0-b1): 2 x LinearModel()\n  (c): None\n  (d): ReLU()\n  (e): None\n  (f): None\n)"
    )


def every_place(index: TreeIndex, row: int) -> list[tuple[str, int]]:
    """The names and depths of all places below, made from the folded rows alone: a run's first stands for all."""
    found: list[tuple[str, int]] = []
    todo = [(run, 1) for run in reversed(list(runs(index, row)))]
    while todo:
        run, depth = todo.pop()
        for at, place in enumerate(run.rows):
            found.append((index.name[place], depth))
            below = every_place(index, run.rows[0])
            found.extend((name, depth + level) for name, level in below)
            assert index.end[place] - place == index.end[run.rows[0]] - run.rows[0], at
    return found


@settings(max_examples=60)
@given(modules())
def test_what_is_shown_of_a_run_tells_all_of_it(module: nn.Module) -> None:
    index = TreeIndex.of(module)
    places = [(index.name[row], index.depth[row]) for row in range(1, len(index))]
    assert every_place(index, 0) == places


@settings(max_examples=60)
@given(modules())
def test_folded_rows_have_the_totals_of_torch(module: nn.Module) -> None:
    index = TreeIndex.of(holding(**{f"m{at}": module for at in range(3)}, other=Holder()))
    for row in fold(index).rows:
        found = index.modules[row.row]
        numel = sum(p.numel() for p in found.parameters())
        assert row.num_parameters == numel
        if row.num_distinct == 1:
            assert row.total_parameters == numel


@settings(max_examples=60)
@given(modules())
def test_the_totals_of_a_run_count_what_is_shared_once(module: nn.Module) -> None:
    index = TreeIndex.of(holding(m0=module, m1=module, m2=holding(inner=module), m3=Holder(), m4=Holder()))
    for row in range(len(index)):
        for run in runs(index, row):
            found, members = run_totals(index, run), nn.ModuleList([index.modules[one] for one in run.rows])
            parameters, buffers = list(members.parameters()), list(members.buffers())
            assert found.num_parameters == sum(p.numel() for p in parameters)
            assert found.num_trainable == sum(p.numel() for p in parameters if p.requires_grad)
            assert found.num_buffers == sum(b.numel() for b in buffers)
            distinct = {id(tensor): tensor for tensor in [*parameters, *buffers]}.values()
            assert found.num_bytes == sum(tensor.nbytes for tensor in distinct)


def test_a_name_that_is_no_number_begins_no_run() -> None:
    assert labels(holding(**{name: linear() for name in ("x", "x-1", "x0", "x00", "9", "10")})) == [
        ("x", 1), ("x-1", 1), ("x0", 1), ("x00", 1), ("9-10", 2),
    ]  # fmt: skip
