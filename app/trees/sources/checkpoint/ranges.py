"""The values of one tensor, read by ranges of its file: a page of them, or all in chunks of bounded size."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from app.errors import CannotDo, UnreadableFile
from app.translation import said
from app.trees.rows import Nested, ValuesPage
from app.trees.sources.checkpoint.archive import data_start
from app.trees.sources.checkpoint.contents import TensorPlace, contiguous_strides
from app.trees.sources.checkpoint.decoding import Values, decode, raw_dtype
from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.file import OpenedFile, reopen
from app.trees.tensor_values import MAX_PAGE, nonfinite_of

CHUNK_BYTES = 1024 * 1024
_MOST_WASTE = 4
_MOST_GAP = 1024


@contextmanager
def open_tensor(folder: Path, place: TensorPlace) -> Iterator["TensorReader"]:
    """Open the file of a tensor's values, which lies in `folder`.

    Raises `UnreadableFile` when it is no longer the file whose header was read.
    """
    with reopen(folder, place.file) as file:
        yield TensorReader(file, place)


def read_page(folder: Path, place: TensorPlace, start: int, count: int) -> ValuesPage:
    """Return up to `count` values, at most 10,000, from the element `start` on."""
    with open_tensor(folder, place) as tensor:
        found = tensor.page(start, min(count, MAX_PAGE))
    values = nested(found)
    words = nonfinite_of(values)
    return ValuesPage(start, place.numel, values, UNSET if words is None else words)


def nested(values: Values) -> Nested:
    """Return values as nested numbers, a complex one as a pair."""
    pairs = np.stack((values.real, values.imag), axis=-1) if values.dtype.kind == "c" else values
    numbers: Nested = pairs.tolist()
    return numbers


class TensorReader:
    """Reads elements of one tensor; offsets within it count elements of its storage, from the tensor's first on."""

    def __init__(self, file: OpenedFile, place: TensorPlace) -> None:
        self.place = place
        self.raw_dtype = raw_dtype(place.dtype)
        self.per_item = 8 * self.raw_dtype.itemsize // DTYPES[place.dtype].bits
        self._file = file
        self._start = place.offset + (data_start(file, place.record) if place.record is not None else 0)
        reach = sum((size - 1) * stride for size, stride in zip(place.shape, place.strides, strict=True))
        if place.numel and self._start + (reach // self.per_item + 1) * self.raw_dtype.itemsize > file.size:
            raise UnreadableFile(said("%(name)r ends before the values of the tensor do.", name=file.name))
        if self.per_item > 1 and place.strides != contiguous_strides(place.shape):
            raise CannotDo(
                said(
                    "Values of %(dtype)s are read where they lie one after the other, and these do not.",
                    dtype=place.dtype,
                )
            )

    def raw(self, offset: int, count: int) -> Values:
        """Return `count` raw elements that lie next to each other; of less than a byte each, whole bytes of them."""
        last = (offset + count - 1) // self.per_item
        first = offset // self.per_item
        buffer = np.empty(last - first + 1, self.raw_dtype)
        self._file.read_into(buffer.view(np.uint8).data, self._start + first * self.raw_dtype.itemsize)
        return buffer

    def run(self, offset: int, count: int) -> Values:
        """Return the values of `count` elements that lie next to each other."""
        skipped = offset % self.per_item
        return decode(self.raw(offset, count), self.place.dtype)[skipped : skipped + count]

    def page(self, start: int, count: int) -> Values:
        """Return the values of `count` elements in row-major order, fewer where the tensor ends."""
        count = max(0, min(count, self.place.numel - start))
        if start < 0 or count == 0:
            return decode(np.empty(0, self.raw_dtype), self.place.dtype)
        if self.place.strides == contiguous_strides(self.place.shape):
            return self.run(start, count)
        places = np.unravel_index(np.arange(start, start + count), self.place.shape)
        offsets = sum(
            (place.astype(np.int64) * stride for place, stride in zip(places, self.place.strides, strict=True)),
            start=np.zeros(count, np.int64),
        )
        return self._gather(offsets)

    def whole(self) -> Values:
        """Return all values, in the tensor's shape."""
        return self.page(0, self.place.numel).reshape(self.place.shape)

    def matrix(self, first: int, shape: tuple[int, int], strides: tuple[int, int]) -> Values:
        """Return the values of a matrix of elements that begins at an offset; strides are in descending order."""
        (rows, columns), (down, right) = shape, strides
        span = (rows - 1) * down + (columns - 1) * right + 1
        if span <= _MOST_WASTE * rows * columns:
            return _view(self.run(first, span), shape, strides)
        if rows == 1:
            return self._gather(first + right * np.arange(columns, dtype=np.int64)).reshape(shape)
        return np.concatenate([self.matrix(first + row * down, (1, columns), strides) for row in range(rows)])

    def chunks(self) -> Iterator["Chunk"]:
        """Yield the raw elements, those that the tensor repeats by strides of 0 once, in chunks of about 1 MiB.

        Raises `CannotDo` for a view in which different places share an element in another way.
        """
        dims = _dims(self.place)
        if self.place.numel:
            yield from self._chunks(0, dims, CHUNK_BYTES // self.raw_dtype.itemsize * self.per_item)

    def _chunks(self, first: int, dims: list["_Dim"], budget: int) -> Iterator["Chunk"]:
        reach = sum((dim.size - 1) * dim.stride for dim in dims)
        if reach < budget:
            yield Chunk(self._strided(first, dims, reach + 1), prod(dim.size for dim in dims))
            return
        outer, inner = dims[0], dims[1:]
        inner_reach = reach - (outer.size - 1) * outer.stride
        step = max(1, (budget - inner_reach - 1) // outer.stride + 1)
        for start in range(0, outer.size, step):
            rest = [_Dim(min(step, outer.size - start), outer.stride), *inner] if step > 1 else inner
            yield from self._chunks(first + start * outer.stride, rest, budget)

    def _strided(self, first: int, dims: list["_Dim"], span: int) -> Values:
        raw = self.raw(first, span)
        if span == prod(dim.size for dim in dims):
            return raw
        return _view(raw, tuple(dim.size for dim in dims), tuple(dim.stride for dim in dims)).reshape(-1)

    def _gather(self, offsets: NDArray[np.int64]) -> Values:
        order, inverse = np.unique(offsets, return_inverse=True)
        window = CHUNK_BYTES // self.raw_dtype.itemsize
        breaks = np.flatnonzero((np.diff(order) > _MOST_GAP) | (np.diff(order // window) > 0)) + 1
        parts = []
        for group in np.split(order, breaks):
            first = int(group[0])
            parts.append(self.run(first, int(group[-1]) - first + 1)[group - first])
        return np.concatenate(parts)[inverse]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Raw elements; of less than a byte each, `count` says how many, the first at the low end."""

    raw: Values
    count: int


@dataclass(frozen=True, slots=True)
class _Dim:
    size: int
    stride: int


def num_distinct(place: TensorPlace) -> int:
    """Return how many elements a tensor has apart from what strides of 0 repeat."""
    return prod(size for size, stride in zip(place.shape, place.strides, strict=True) if stride or size == 0)


def _dims(place: TensorPlace) -> list[_Dim]:
    """The dimensions that lead from one element to another, the widest stride first, joined where one goes on."""
    sizes = zip(place.shape, place.strides, strict=True)
    dims: list[_Dim] = []
    reach = 0
    for stride, size in sorted((stride, size) for size, stride in sizes if size > 1 and stride > 0):
        if stride <= reach:
            raise CannotDo(said("The tensor is a view in which places share elements: its values are not counted."))
        reach += (size - 1) * stride
        if dims and stride == dims[-1].size * dims[-1].stride:
            dims[-1] = _Dim(size * dims[-1].size, dims[-1].stride)
        else:
            dims.append(_Dim(size, stride))
    return dims[::-1]


def _view(values: Values, shape: tuple[int, ...], strides: tuple[int, ...]) -> Values:
    steps = tuple(stride * values.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(values, shape, steps, writeable=False)
