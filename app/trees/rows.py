"""The rows that views list: the fields and their names are the HTTP contract's.

Structs, since a hundred thousand of them are made and encoded at once; `name` is left out where torch gives none.
"""

from typing import TypeAlias, Union

import msgspec
from msgspec import UNSET, UnsetType

Nested: TypeAlias = Union[bool, int, float, list["Nested"], None]  # noqa: UP007 (a quoted name has no |)
NestedWord: TypeAlias = Union[str, list["NestedWord"], None]  # noqa: UP007 (a quoted name has no |)


class ModuleRow(msgspec.Struct, gc=False):
    """A module at one place; counts are of the whole subtree, what is shared in it counted once.

    `class_status` is "inferred" for a class concluded from names and shapes, "unknown" where there is none to name.
    """

    path: str
    class_name: str
    module: str
    extra_repr: str
    training: bool
    depth: int
    num_children: int
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    shared_with: str | None
    shape_id: str
    name: str | UnsetType = UNSET
    class_status: str | UnsetType = UNSET


class Histogram(msgspec.Struct):
    """64 equal bins over the finite values; `edges` has one more than `counts`."""

    edges: list[float]
    counts: list[int]


class TensorStats(msgspec.Struct):
    """Statistics of all values; min to l2 are over the finite ones, null where there are too few (std needs two) or
    where float64 cannot hold them.
    """

    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    l2: float | None
    zeros: int
    nans: int
    infs: int
    histogram: Histogram | None


class TensorRow(msgspec.Struct, kw_only=True):
    """A parameter or buffer at one place.

    `values` are nested numbers up to 64 elements, a number that is not finite null; `nonfinite` then has the same
    nesting with "nan", "inf" or "-inf" at those places. `shape` is null for a tensor that has none yet; `layout` is
    there for one that is not strided.
    """

    name: str | UnsetType = UNSET
    path: str
    shape: list[int] | None
    dtype: str
    device: str
    numel: int
    num_bytes: int
    shared_with: str | None
    values: Nested
    nonfinite: NestedWord | UnsetType = UNSET
    stats: TensorStats | None = None
    layout: str | UnsetType = UNSET


class ParameterRow(TensorRow, kw_only=True):
    """A parameter at one place."""

    requires_grad: bool


class BufferRow(TensorRow, kw_only=True):
    """A buffer at one place; one that is not persistent is left out of the state dict."""

    persistent: bool


class ValuesPage(msgspec.Struct):
    """Values in row-major order from the element `start` on, of `total`; a number that is not finite is null.

    `nonfinite` then has "nan", "inf" or "-inf" in its place. A complex number is a pair.
    """

    start: int
    total: int
    values: Nested
    nonfinite: NestedWord | UnsetType = UNSET


class HeatMap(msgspec.Struct):
    """Cells of a matrix of `shape`, each the value of largest magnitude of `block` rows by columns, NaN before all.

    The last row and column of cells may stand for fewer. `index` says which matrix of a tensor of more dimensions it
    is. A cell that is not finite is null, and `nonfinite` has "nan", "inf" or "-inf" in its place, null for a row
    without one. Of complex numbers a cell is the absolute value.
    """

    index: list[int]
    shape: tuple[int, int]
    block: tuple[int, int]
    cells: list[list[float]]
    nonfinite: list[list[str | None] | None] | UnsetType = UNSET
