"""Numbers with a receipt: how many parameters and bytes a subtree has, by each way of counting, and how each counts."""

from collections.abc import Iterable

import msgspec
import numpy as np

from app.translation import N_
from app.trees.distinct import distinct_kinds
from app.trees.index import TreeIndex
from app.trees.tensors import Ints, Mask, TensorColumns


class Counted(msgspec.Struct, frozen=True):
    """A number with the sentence that says how it was counted."""

    value: int
    how: str


class DtypeBytes(msgspec.Struct, frozen=True):
    """What the distinct tensors of one dtype come to."""

    dtype: str
    num_tensors: int
    num_elements: int
    num_bytes: int


class Receipt(msgspec.Struct, frozen=True):
    """The numbers of a subtree; `stored` is None for a tree that comes from no file.

    `no_shape` are tensors without a shape yet, which count as no elements. `by_dtype` has the largest share first and
    comes to `num_bytes`.
    """

    parameters: Counted
    listed: Counted
    stored: Counted | None
    trainable: Counted
    frozen: Counted
    persistent: Counted
    other_buffers: Counted
    num_bytes: Counted
    num_tied: Counted
    no_shape: Counted
    by_dtype: list[DtypeBytes]


def receipt(index: TreeIndex, row: int = 0, *, stored: int | None = None) -> Receipt:
    """Return the receipt of the module at a row and all below; `stored` is what the file has for it, if it has one."""
    end = index.end[row]
    parameters, buffers = _Part(index, index.parameters, row, end), _Part(index, index.buffers, row, end)
    by_dtype = _by_dtype(index, row)
    return Receipt(
        parameters=Counted(
            parameters.elements(parameters.distinct),
            N_("every distinct parameter once: sum(p.numel() for p in module.parameters())"),
        ),
        listed=Counted(
            parameters.elements(parameters.listed),
            N_(
                "every name: a parameter that is tied or in a shared module counts again under each "
                "(named_parameters(remove_duplicate=False))"
            ),
        ),
        stored=None if stored is None else Counted(stored, N_("every element that the file holds for it")),
        trainable=Counted(
            parameters.elements(parameters.distinct & parameters.flag), N_("distinct parameters with requires_grad")
        ),
        frozen=Counted(
            parameters.elements(parameters.distinct & ~parameters.flag), N_("distinct parameters without requires_grad")
        ),
        persistent=Counted(
            buffers.elements(buffers.distinct & buffers.flag), N_("distinct buffers that the state dict holds")
        ),
        other_buffers=Counted(
            buffers.elements(buffers.distinct & ~buffers.flag), N_("distinct buffers that the state dict leaves out")
        ),
        num_bytes=Counted(
            sum(one.num_bytes for one in by_dtype),
            N_("elements times the size of the dtype, every distinct tensor once"),
        ),
        num_tied=Counted(
            int(np.count_nonzero(parameters.listed & ~parameters.distinct)),
            N_("names beyond the first that parameters have"),
        ),
        no_shape=Counted(
            parameters.num_without_shape + buffers.num_without_shape,
            N_("distinct tensors that get their shape with the first input; they count as no elements"),
        ),
        by_dtype=by_dtype,
    )


class _Part:
    """The parameters, or buffers, of a subtree as masks over their entries."""

    def __init__(self, index: TreeIndex, columns: TensorColumns, row: int, end: int) -> None:
        start, stop = columns.start[row], columns.start[end]
        kinds = index.kinds.all
        self.kind: Ints = np.asarray(columns.kind[start:stop], np.int64)
        self.numel = _of_kinds((kind.numel for kind in kinds), self.kind)
        self.flag = np.frombuffer(columns.flag[start:stop], np.uint8) != 0
        self.listed = np.ones(stop - start, np.bool_)
        self.distinct = columns.previous[start:stop] < start
        has_none = _of_kinds((kind.shape is None for kind in kinds), self.kind) != 0
        self.num_without_shape = int(np.count_nonzero(self.distinct & has_none))

    def elements(self, mask: Mask) -> int:
        """Return how many elements the entries of a mask have."""
        return int(self.numel[mask].sum())


def _by_dtype(index: TreeIndex, row: int) -> list[DtypeBytes]:
    found: dict[str, list[int]] = {}
    for number, count in distinct_kinds(index, row, index.end[row]):
        kind = index.kinds.all[number]
        sums = found.setdefault(kind.dtype_name, [0, 0, 0])
        for at, amount in enumerate((count, count * kind.numel, count * kind.num_bytes)):
            sums[at] += amount
    rows = [DtypeBytes(dtype, *sums) for dtype, sums in found.items()]
    return sorted(rows, key=lambda one: (-one.num_bytes, one.dtype))


def _of_kinds(values: Iterable[int], kind: Ints) -> Ints:
    found: Ints = np.array([*values, 0], np.int64)[kind]
    return found
