"""The rows that views list: the fields and their names are the HTTP contract's.

Structs, since a hundred thousand of them are made and encoded at once; `name` is left out where torch gives none.
"""

from typing import TypeAlias, Union

import msgspec
from msgspec import UNSET, UnsetType

Nested: TypeAlias = Union[bool, int, float, list["Nested"], None]  # noqa: UP007 (a quoted name has no |)
NestedWord: TypeAlias = Union[str, list["NestedWord"], None]  # noqa: UP007 (a quoted name has no |)


class ModuleRow(msgspec.Struct, gc=False):
    """A module at one place; counts are of the whole subtree, what is shared in it counted once."""

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
    nesting with "nan", "inf" or "-inf" at those places. `shape` is null for a tensor that has none yet.
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


class ParameterRow(TensorRow, kw_only=True):
    """A parameter at one place."""

    requires_grad: bool


class BufferRow(TensorRow, kw_only=True):
    """A buffer at one place; one that is not persistent is left out of the state dict."""

    persistent: bool
