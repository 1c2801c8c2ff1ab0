"""The tree as a DAG of its distinct shapes: its size grows with what is distinct, not with what is there."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import TypeAlias

import msgspec
import numpy as np

from app.trees.dtypes import num_bits
from app.trees.gradient import unreached
from app.trees.index import TreeIndex
from app.trees.numbering import Numbering
from app.trees.runs_of_names import numbered, range_name
from app.trees.tensors import Ints, TensorColumns

# A name, shape and dtype; a buffer that is not persistent has False after them.
TensorFacts: TypeAlias = list[str | list[int] | bool | None]


class Shape(msgspec.Struct, rename={"class_name": "class"}, omit_defaults=True):
    """A subtree as it is at each of its places.

    `children` are `[name, shape]`; "sub1..sub10" stands for ten names that count up (no module's name has a dot).
    `module` is left out where it is that of the shape before; `none` are the names of children that are None;
    `inferred` says that the class was concluded from names and shapes, and one that is not known is "".
    """

    class_name: str
    extra_repr: str
    parameters: list[TensorFacts]
    buffers: list[TensorFacts]
    children: list[tuple[str, int]]
    module: str | None = None
    none: list[str] = []
    inferred: bool = False


class Sharing(msgspec.Struct, omit_defaults=True):
    """What is one and the same: a module at several rows, or a parameter or buffer under several names.

    What is inside a shared module is shared with it and not told again. A tensor that is a parameter in one place and
    a buffer in another is of the kind "tensor": its first name as a parameter, then that as a buffer.
    """

    kind: str
    rows: list[int]
    names: list[str] = []


class ShapeGraph(msgspec.Struct, omit_defaults=True):
    """All distinct shapes in pre-order of first appearance, which of them the tree is, and what a shape does not say.

    Rows are places in pre-order. `frozen` are the parameters without gradient, counted in pre-order of all places,
    `eval` the modules in eval mode, and `no_grad` those that the root's forward never calls, as far as that is known,
    each as `[first, count]`. `bits` is the size of an element by dtype.
    """

    shapes: list[Shape]
    root: int
    bits: dict[str, int]
    shared: list[Sharing]
    frozen: list[tuple[int, int]] = []
    eval: list[tuple[int, int]] = []
    no_grad: list[tuple[int, int]] = []


def shape_graph(index: TreeIndex, row: int = 0) -> ShapeGraph:
    """Return the graph of the module at a row and all below; rows in it count from that module."""
    end = index.end[row]
    shape = index.shapes.shape[row:end]
    numbers: Numbering[int] = Numbering()
    for number in shape:
        numbers[number]
    first_of: dict[int, int] = {}
    for place, number in enumerate(shape):
        if number not in first_of:
            first_of[number] = row + place
            if len(first_of) == len(numbers):
                break
    shapes = [_shape(index, place, numbers) for place in first_of.values()]
    for before, after in reversed(list(pairwise(shapes))):
        if before.module == after.module:
            after.module = None
    start, stop = index.parameters.start[row], index.parameters.start[end]
    return ShapeGraph(
        shapes=shapes,
        root=numbers[index.shapes.shape[row]],
        bits={str(dtype): num_bits(str(dtype)) for shape in shapes for _, _, dtype, *_ in _all_tensors(shape)},
        shared=list(_shared(index, row)),
        frozen=_zeros(index.parameters.flag[start:stop]),
        eval=_zeros(index.training[row:end]),
        no_grad=[(first - row, count) for first, count in unreached(index, row, end)],
    )


def _shape(index: TreeIndex, row: int, numbers: Numbering[int]) -> Shape:
    cls = index.classes[index.class_id[row]]
    return Shape(
        class_name=cls.name,
        module=cls.module,
        extra_repr=index.extra_repr.get(row, ""),
        parameters=list(_tensors(index, index.parameters, row, has_flag=False)),
        buffers=list(_tensors(index, index.buffers, row, has_flag=True)),
        children=_children(index, row, numbers),
        none=index.none_children.get(row, []),
        inferred=cls.inferred,
    )


def _all_tensors(shape: Shape) -> Iterator[TensorFacts]:
    yield from shape.parameters
    yield from shape.buffers


def _tensors(index: TreeIndex, columns: TensorColumns, row: int, *, has_flag: bool) -> Iterator[TensorFacts]:
    for entry in index.own(columns, row):
        kind = index.kinds.all[columns.kind[entry]]
        facts: TensorFacts = [columns.name[entry], None if kind.shape is None else list(kind.shape), kind.dtype_name]
        if has_flag and not columns.flag[entry]:
            facts.append(False)
        yield facts


def _children(index: TreeIndex, row: int, numbers: Numbering[int]) -> list[tuple[str, int]]:
    def key(item: tuple[int, int]) -> object:
        # Equal for neighbours whose names count up: the number then grows as the position does.
        position, child = item
        name = numbered(index.name[child])
        shape = index.shapes.shape[child]
        return (shape, name.prefix, name.number - position) if name else (shape, None, position)

    found = []
    for _, group in groupby(enumerate(index.children(row)), key):
        rows = [child for _, child in group]
        name = range_name(index.name[rows[0]], index.name[rows[-1]])
        found.append((name, numbers[index.shapes.shape[rows[0]]]))
    return found


def _shared(index: TreeIndex, top: int) -> Iterator[Sharing]:
    """Yield what is shared within the subtree, each thing once: modules, then parameters, then buffers."""
    end = index.end[top]
    # A place is a repeat when its module was met before in the subtree; what is below a repeat is one by that.
    is_repeat = index.previous[top:end] >= top
    above = np.asarray(index.parent[top + 1 : end], np.int64) - top
    told = np.flatnonzero(is_repeat[1:] & ~is_repeat[above]) + top + 1
    for group in _groups(index.first, np.flatnonzero(~is_repeat) + top, told):
        yield Sharing("module", [place - top for place in group])
    for kind, columns in (("parameter", index.parameters), ("buffer", index.buffers)):
        start, stop = columns.start[top], columns.start[end]
        owner = np.asarray(columns.owner[start:stop], np.int64) - top
        repeats = columns.previous[start:stop] >= start
        told = np.flatnonzero(repeats & ~is_repeat[owner]) + start
        for group in _groups(columns.first, np.flatnonzero(~repeats) + start, told):
            rows = [columns.owner[entry] - top for entry in group]
            yield Sharing(kind, rows, [columns.name[entry] for entry in group])
    yield from _of_both_kinds(index, top)


def _of_both_kinds(index: TreeIndex, top: int) -> Iterator[Sharing]:
    """Yield what is a parameter and a buffer in the subtree, by its first name as each."""
    parameters, buffers = (
        columns.listed(columns.start[top], columns.start[index.end[top]], remove_duplicate=True)
        for columns in (index.parameters, index.buffers)
    )
    of_parameters, of_buffers = index.parameters.identity[parameters], index.buffers.identity[buffers]
    _, *places = np.intersect1d(of_parameters, of_buffers, assume_unique=True, return_indices=True)
    for parameter, buffer in sorted(zip(parameters[places[0]].tolist(), buffers[places[1]].tolist(), strict=True)):
        spots = ((index.parameters, parameter), (index.buffers, buffer))
        rows = [columns.owner[entry] - top for columns, entry in spots]
        yield Sharing("tensor", rows, [columns.name[entry] for columns, entry in spots])


def _groups(identity: Ints, originals: Ints, repeats: Ints) -> Iterator[list[int]]:
    """Yield each original that has repeats, with them, in order."""
    if not len(repeats):
        return
    shared = originals[np.isin(identity[originals], identity[repeats])]
    groups = {of: [place] for of, place in zip(identity[shared].tolist(), shared.tolist(), strict=True)}
    for of, place in zip(identity[repeats].tolist(), repeats.tolist(), strict=True):
        groups[of].append(place)
    yield from groups.values()


def _zeros(flags: bytearray | bytes) -> list[tuple[int, int]]:
    """Return where the flags are off, as `[first, count]`."""
    is_off = np.concatenate(([False], np.frombuffer(flags, np.uint8) == 0, [False]))
    edges = np.flatnonzero(is_off[1:] != is_off[:-1]).tolist()
    return [(first, end - first) for first, end in zip(edges[::2], edges[1::2], strict=True)]
