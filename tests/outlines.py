"""What the page's outline is held to: trees of the zoo as their shapes tell them, and every fact of each place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from torch import nn

from app.pages.hues import hues
from app.trees.fold import run_totals, runs
from app.trees.gradient import Reach
from app.trees.index import TreeIndex
from app.trees.likeness import Likeness
from app.trees.shape_graph import shape_graph
from app.trees.skeleton import skeleton
from app.trees.tensors import TensorColumns
from tests.models import ZOO, chain_of, holding

FIXTURE = Path(__file__).parent / "js" / "outlines.json"
TREES = (
    "nested_linear_models", "nothing", "shared_under_two_parents", "shared_siblings", "shared_within_shared",
    "tied_parameters", "tied_in_one_module", "parameter_that_is_a_buffer_too", "nones", "non_persistent_buffers",
    "odd_names", "odd_dtypes", "frozen", "partly_in_eval_mode", "container_with_tensors_of_its_own",
    "parameters_in_two_lists", "ways_not_taken", "tied_and_half_frozen", "lazy_and_shared", "twins",
)  # fmt: skip


def tangle() -> nn.Module:
    """A shared module holds a shared module and a tied weight, and both stand outside of it too, before and after."""
    inner, outer = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
    outer.weight = inner.weight
    outer.register_buffer("same", inner.bias)
    shared = holding(a=inner, b=nn.Linear(2, 3), c=inner)
    return holding(x=holding(first=shared, again=shared), y=outer, z=holding(third=shared, d=inner, e=nn.ReLU()))


def blocks() -> nn.Module:
    """Blocks with names that count, some of them frozen, in eval mode, or with a tie of their own."""
    model = nn.ModuleList(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2)) for _ in range(14))
    for block in model[2:5]:
        block.requires_grad_(False)
    for at in (6, 7):
        model.get_submodule(f"{at}.2").eval()
    for at in (9, 10):
        model.get_submodule(f"{at}.1").weight = model.get_submodule(f"{at}.0").weight
    model.insert(12, model[13])
    return model


def facts_of(module: nn.Module) -> dict[str, Any]:
    """The answer of a tree's shapes, and what its index says of every place."""
    index = TreeIndex.of(module)
    rows, reach, likeness = range(len(index)), Reach(index), Likeness(index)
    columns = json.loads(skeleton(index, 1))
    return {
        "answer": json.loads(msgspec.json.encode(shape_graph(index))),
        "skeleton": columns,
        "paths": list(index.paths(rows)),
        "depth": index.depth.tolist(),
        "num_modules": index.totals.num_modules.tolist(),
        "eval": [not index.training[row] for row in rows],
        "no_grad": [not reach(row) for row in rows],
        "hues": hues(columns["classes"]),
        "runs": [list(_runs(index, row, likeness)) for row in rows],
        "tensors": [list(_tensors(index, row)) for row in rows],
        "listed": {
            "modules": index.listed(0).tolist(),
            "parameters": _listed(index, index.parameters),
            "buffers": _listed(index, index.buffers),
        },
    }


def _runs(index: TreeIndex, row: int, likeness: Likeness) -> Iterator[list[int]]:
    for run in runs(index, row, likeness):
        yield [run.rows[0], len(run.rows), run_totals(index, run).num_parameters]


def _tensors(index: TreeIndex, row: int) -> Iterator[list[object]]:
    for columns, is_buffer in ((index.parameters, False), (index.buffers, True)):
        for entry in index.own(columns, row):
            kind, first = index.kinds.all[columns.kind[entry]], int(columns.first[entry])
            tied_to = "" if first == entry else _name(index, columns, first)
            flag = bool(columns.flag[entry])
            yield [columns.name[entry], is_buffer, kind.numel, kind.num_bytes, kind.dtype_name, flag, tied_to]


def _listed(index: TreeIndex, columns: TensorColumns) -> list[str]:
    return [_name(index, columns, entry) for entry in columns.listed(0, len(columns), remove_duplicate=True).tolist()]


def _name(index: TreeIndex, columns: TensorColumns, entry: int) -> str:
    path = index.path(columns.owner[entry])
    return f"{path}.{columns.name[entry]}" if path else columns.name[entry]


def fixture() -> dict[str, Any]:
    """The facts of every tree, by its name."""
    made = {name: facts_of(ZOO[name]()) for name in TREES}
    return {**made, "tangle": facts_of(tangle()), "blocks": facts_of(blocks()), "deep": facts_of(chain_of(60))}


if __name__ == "__main__":
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(facts)}" for name, facts in fixture().items())
    FIXTURE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
