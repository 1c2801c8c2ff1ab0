"""The DAG of shapes, expanded again: every place of the tree comes back, with what is shared."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from torch import nn

from app.trees.describe import describe
from app.trees.description import ModuleClass
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.runs_of_names import SEPARATOR, numbered
from app.trees.shape_graph import ShapeGraph, shape_graph
from app.trees.sources import open_source
from app.trees.tensors import TensorColumns
from tests.models import ZOO, Maker, chain_of, holding
from tests.trees.strategies import modules


@dataclass
class Places:
    """All places of a tree in pre-order, as they are in its index or come out of its graph.

    What is the same has the first place it stands at: of a tensor, a row and a name.
    """

    modules: list[tuple[Any, ...]] = field(default_factory=list)
    parameters: list[tuple[Any, ...]] = field(default_factory=list)
    buffers: list[tuple[Any, ...]] = field(default_factory=list)
    frozen: list[bool] = field(default_factory=list)
    eval: list[bool] = field(default_factory=list)
    same_module: list[int] = field(default_factory=list)
    same_parameter: list[Any] = field(default_factory=list)
    same_buffer: list[Any] = field(default_factory=list)


def expand(document: bytes) -> Places:
    """Read the JSON of a graph back into every place, from nothing but what its documentation says."""
    graph = msgspec.json.decode(document)
    shapes, found = graph["shapes"], Places()
    module = ""
    for shape in shapes:
        module = shape.setdefault("module", module)
    parents: list[int] = []
    todo = [(-1, "", graph["root"])]
    while todo:
        parent, name, number = todo.pop()
        shape, row = shapes[number], len(parents)
        parents.append(parent)
        none = shape.get("none", [])
        found.modules.append((parent, name, shape["class"], shape["module"], shape["extra_repr"], none))
        found.parameters.extend((row, tensor[0], tensor[1], tensor[2]) for tensor in shape["parameters"])
        found.buffers.extend((row, tensor[0], tensor[1], tensor[2], len(tensor) == 3) for tensor in shape["buffers"])
        for names, child in reversed(shape["children"]):
            todo.extend((row, one, child) for one in reversed(names_in(names)))
    found.frozen = in_ranges(graph.get("frozen", []), len(found.parameters))
    found.eval = in_ranges(graph.get("eval", []), len(parents))
    share(found, graph["shared"], parents)
    return found


def names_in(text: str) -> list[str]:
    """The names that one text stands for."""
    first, _, last = text.partition(SEPARATOR)
    start, end = numbered(first), numbered(last)
    if start is None or end is None:
        return [text]
    assert start.prefix == end.prefix
    return [f"{start.prefix}{number}" for number in range(start.number, end.number + 1)]


def in_ranges(ranges: list[list[int]], count: int) -> list[bool]:
    inside = {place for first, length in ranges for place in range(first, first + length)}
    return [place in inside for place in range(count)]


def share(found: Places, shared: list[dict[str, Any]], parents: list[int]) -> None:
    """Number what is the same; below a module that stands somewhere already, all is what it is there."""
    again = {row: group["rows"][0] for group in shared if group["kind"] == "module" for row in group["rows"][1:]}
    original: list[int] = []
    twin: dict[int, tuple[int, int]] = {}
    for row, parent in enumerate(parents):
        if row in again:
            twin[row] = (row, again[row])
        elif parent in twin:
            twin[row] = twin[parent]
        original.append(row)
        if row in twin:
            start, of = twin[row]
            original[row] = original[of + row - start]
    found.same_module = original
    for kind, tensors, same in (
        ("parameter", found.parameters, found.same_parameter),
        ("buffer", found.buffers, found.same_buffer),
    ):
        tied = {}
        for group in shared:
            if group["kind"] == kind:
                spots = list(zip(group["rows"], group["names"], strict=True))
                tied.update(dict.fromkeys(spots[1:], spots[0]))
        for row, name, *_ in tensors:
            spot = (original[row], name)
            same.append(tied.get(spot, spot))


def places_of(index: TreeIndex, top: int) -> Places:
    """The same from the index, below a row."""
    found, end = Places(), index.end[top]
    rows = range(top, end)
    for row in rows:
        cls = index.classes[index.class_id[row]]
        parent, name = (index.parent[row] - top, index.name[row]) if row > top else (-1, "")
        extra = index.extra_repr.get(row, "")
        found.modules.append((parent, name, cls.name, cls.module, extra, index.none_children.get(row, [])))
    found.eval = [not index.training[row] for row in rows]
    found.same_module = firsts([int(index.first[row]) for row in rows])
    for columns, listed, has_flag in (
        (index.parameters, found.parameters, False),
        (index.buffers, found.buffers, True),
    ):
        for entry in entries(columns, top, end):
            kind = index.kinds.all[columns.kind[entry]]
            shape = None if kind.shape is None else list(kind.shape)
            more = (bool(columns.flag[entry]),) if has_flag else ()
            listed.append((columns.owner[entry] - top, columns.name[entry], shape, kind.dtype_name, *more))
    found.frozen = [not index.parameters.flag[entry] for entry in entries(index.parameters, top, end)]
    found.same_parameter = spots(index.parameters, top, end)
    found.same_buffer = spots(index.buffers, top, end)
    return found


def entries(columns: TensorColumns, top: int, end: int) -> range:
    return range(columns.start[top], columns.start[end])


def spots(columns: TensorColumns, top: int, end: int) -> list[tuple[int, str]]:
    inside = entries(columns, top, end)
    first = firsts([int(columns.first[entry]) for entry in inside])
    return [(columns.owner[inside[at]] - top, columns.name[inside[at]]) for at in first]


def firsts(numbers: list[int]) -> list[int]:
    seen: dict[int, int] = {}
    return [seen.setdefault(number, at) for at, number in enumerate(numbers)]


def encoded(graph: ShapeGraph) -> bytes:
    return msgspec.json.encode(graph)


def check(module: nn.Module) -> None:
    index = TreeIndex.of(module)
    for row in range(len(index)):
        assert expand(encoded(shape_graph(index, row))) == places_of(index, row), index.path(row)


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_graph_of_the_zoo_is_lossless_at_every_target(make: Maker) -> None:
    check(make())


@settings(max_examples=100)
@given(modules())
def test_the_graph_of_a_random_tree_is_lossless(module: nn.Module) -> None:
    check(module)


def test_111_111_linear_models_are_six_shapes_in_less_than_a_kilobyte() -> None:
    index = TreeIndex.of(open_source({"kind": "grid", "branching": 10, "depth": 5}, Limits()))
    document = encoded(shape_graph(index))
    graph = msgspec.json.decode(document)
    assert len(graph["shapes"]) == 6
    assert len(document) < 1_000
    assert (graph["root"], graph["shared"]) == (0, [])
    assert graph["shapes"][0]["children"] == [["sub1..sub10", 1]]
    assert graph["shapes"][5] == {
        "class": "LinearModel",
        "extra_repr": "",
        "parameters": [["weight", [1], "float32"], ["bias", [1], "float32"]],
        "buffers": [],
        "children": [],
    }


def test_a_grid_comes_back_from_its_shapes() -> None:
    index = TreeIndex.of(open_source({"kind": "grid", "branching": 10, "depth": 3}, Limits()))
    assert expand(encoded(shape_graph(index))) == places_of(index, 0)


def test_only_the_topmost_place_of_a_shared_module_is_told() -> None:
    graph = shape_graph(TreeIndex.of(ZOO["shared_under_two_parents"]()))
    assert [(one.kind, len(one.rows)) for one in graph.shared] == [("module", 2)]


def test_a_tied_parameter_is_told_with_its_names() -> None:
    graph = shape_graph(TreeIndex.of(ZOO["tied_parameters"]()))
    assert msgspec.to_builtins(graph.shared) == [{"kind": "parameter", "rows": [1, 2], "names": ["weight", "weight"]}]


def test_what_is_tied_to_the_outside_is_not_told_of_a_part() -> None:
    index = TreeIndex.of(holding(outer=ZOO["tied_parameters"](), other=nn.ReLU()))
    assert shape_graph(index, index.row("outer.head")).shared == []


def test_frozen_and_eval_are_ranges() -> None:
    model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(4)])
    model[1].requires_grad_(False)
    model[2].requires_grad_(False)
    model.get_submodule("3").eval()
    graph = shape_graph(TreeIndex.of(model))
    assert (graph.frozen, graph.eval) == ([(2, 4)], [(4, 1)])


def test_a_deep_chain_makes_no_recursion() -> None:
    assert len(shape_graph(TreeIndex.of(chain_of(5_000))).shapes) == 5_001


def test_modules_that_forward_never_calls_are_ranges_and_bits_are_by_dtype() -> None:
    graph = shape_graph(TreeIndex.of(ZOO["nested_linear_models"]()))
    assert (graph.no_grad, graph.bits) == ([(1, 2)], {"float32": 32})
    assert shape_graph(TreeIndex.of(ZOO["nested_linear_models"]()), 1).no_grad == [(0, 2)]
    assert shape_graph(TreeIndex.of(nn.Linear(1, 1))).no_grad == []


def test_a_tensor_that_is_a_parameter_and_a_buffer_is_told_with_both_names() -> None:
    graph = shape_graph(TreeIndex.of(ZOO["parameter_that_is_a_buffer_too"]()))
    assert msgspec.to_builtins(graph.shared) == [{"kind": "tensor", "rows": [1, 2], "names": ["weight", "weight"]}]


def test_classes_that_were_concluded_say_so() -> None:
    description = describe(nn.Sequential(nn.Linear(1, 1)), max_modules=9, max_depth=9)
    description.classes = [ModuleClass(cls.name, cls.module, cls.name == "Linear") for cls in description.classes]
    shapes = shape_graph(TreeIndex.from_description(description)).shapes
    assert [(shape.class_name, shape.inferred) for shape in shapes] == [("Sequential", False), ("Linear", True)]
