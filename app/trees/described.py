"""The columns of a tree that is known by its description only."""

from array import array

import numpy as np

from app.errors import TooLarge
from app.translation import N_, said
from app.trees.columns import Columns
from app.trees.description import Description, Kind, TensorTable
from app.trees.dtypes import num_bits
from app.trees.tensors import Kinds, TensorColumns, TensorKind

# Totals are 64-bit; half of that leaves room for sums on the way.
MAX_ELEMENTS = 2**62


def columns_of(description: Description) -> Columns:
    """Return the columns of a description; raises `TooLarge` where totals would not be exact in 64 bits."""
    kinds = Kinds([_kind(kind) for kind in description.kinds])
    _check_totals(kinds, description)
    num_rows = len(description.parent)
    return Columns(
        parent=array("q", description.parent),
        name=description.name,
        end=_ends(description.parent),
        identity=np.array(description.same, np.int64),
        class_id=array("q", description.class_id),
        classes=description.classes,
        extra_repr=description.extra_repr,
        training=bytearray(description.training),
        none_children=description.none_children,
        none_places=description.none_places,
        kinds=kinds,
        parameters=_tensors(description.parameters, num_rows, are_parameters=True),
        buffers=_tensors(description.buffers, num_rows, are_parameters=False),
    )


def _ends(parent: list[int]) -> "array[int]":
    end = array("q", range(1, len(parent) + 1))
    for row in range(len(parent) - 1, 0, -1):
        above = parent[row]
        end[above] = max(end[above], end[row])
    return end


def _kind(kind: Kind) -> TensorKind:
    numel = 0
    if kind.shape is not None:
        numel = 1
        for size in kind.shape:
            numel *= size
    num_bytes = (numel * num_bits(kind.dtype) + 7) // 8
    return TensorKind(kind.shape, numel, num_bytes, kind.dtype, kind.device, kind.layout)


def _check_totals(kinds: Kinds, description: Description) -> None:
    count = np.zeros(len(kinds.all), np.int64)
    for table in (description.parameters, description.buffers):
        count += np.bincount(np.array(table.kind, np.int64), minlength=len(count))
    for what in ("numel", "num_bytes"):
        total = sum(times * int(getattr(kind, what)) for times, kind in zip(count.tolist(), kinds.all, strict=True))
        if total > MAX_ELEMENTS:
            raise TooLarge(
                said(
                    N_("The tensors of the tree come to %(total)s elements: more than %(limit)s are not counted.")
                    if what == "numel"
                    else N_("The tensors of the tree come to %(total)s bytes: more than %(limit)s are not counted."),
                    total=f"{total:,}",
                    limit=f"{MAX_ELEMENTS:,}",
                ),
                MAX_ELEMENTS,
            )


def _tensors(table: TensorTable, num_rows: int, *, are_parameters: bool) -> TensorColumns:
    columns = TensorColumns(name=table.name, kind=array("q", table.kind), flag=bytearray(table.flag))
    num_own = np.bincount(np.array(table.owner, np.int64), minlength=num_rows)
    columns.start = array("q", np.concatenate(([0], np.cumsum(num_own))).astype(np.int64).tobytes())
    columns.identity = np.array(table.same, np.int64)
    columns.number(are_parameters=are_parameters)
    return columns
