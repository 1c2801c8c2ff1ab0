"""`CheckpointData`: the values of a checkpoint's tensors, read from its files when they are asked for."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, islice
from math import prod
from pathlib import Path
from typing import TypeAlias

from torch import Tensor

from app.errors import CannotDo, ModuletreeError, NotFound, UnreadableFile
from app.translation import said
from app.trees.heat_map import whole_index
from app.trees.rows import HeatMap, Nested, TensorStats, ValuesPage
from app.trees.sources.checkpoint.contents import Contents, TensorPlace
from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.file import FileStamp, reopen
from app.trees.sources.checkpoint.heat_map import read_heat_map
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.ranges import TensorReader, nested, read_page
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.checkpoint.statistics import read_stats
from app.trees.tensor_data import Reading, Ready
from app.trees.tensor_values import MAX_VALUES
from app.trees.tensors import TensorColumns

MAX_LISTED = 1_000
"""Tensors of one page whose values are listed."""
MAX_LISTED_BYTES = 256 * 1024
"""A tensor of a page whose statistics are listed: less than a millisecond's reading."""
AT_ONCE_BYTES = 8 * 1024 * 1024
"""A tensor that is read where it is asked for, in some hundredths of a second."""

Entries: TypeAlias = Sequence[int]


class CheckpointData:
    """The values of the tensors of a tree that a checkpoint's keys spell; thread-safe.

    The entries are those of `Contents` behind each parameter and each buffer, -1 for one that is not in it. The headers
    are read again with the first question. `stamps` are the files as they were when the tree was opened: of files that
    have changed since, or are gone, the structure stays, lists hold no values, and everything else raises
    `UnreadableFile`.
    """

    def __init__(
        self,
        path: Path,
        stamps: Sequence[FileStamp],
        parameter_entries: Entries,
        buffer_entries: Entries,
        limits: HeaderLimits,
        readings: Readings,
    ) -> None:
        self._path = path
        self._stamps = list(stamps)
        self._parameter_entries = parameter_entries
        self._buffer_entries = buffer_entries
        self._limits = limits
        self._readings = readings
        self._lock = threading.Lock()
        self._read: Contents | None = None

    def whole(self, columns: TensorColumns) -> Sequence[Tensor] | None:
        """Return None: a checkpoint may be larger than the memory."""
        return None

    def values(self, columns: TensorColumns, entries: Sequence[int]) -> list[Nested]:
        """Return the nested numbers of each tensor, None for one of more than 64 elements or that cannot be read.

        No more than 1,000 of a page are read, so that a page of many thousands stays quick.
        """
        found: list[Nested] = [None] * len(entries)
        with suppress(ModuletreeError):
            contents = self._contents()
            for stamp, places in groupby(self._small(contents, columns, entries), lambda each: each[1].file):
                with suppress(ModuletreeError), reopen(contents.folder, stamp) as file:
                    for position, place in places:
                        with suppress(ModuletreeError):
                            found[position] = nested(TensorReader(file, place).whole())
        return found

    def stats(self, columns: TensorColumns, entry: int) -> TensorStats | None:
        """Return the statistics of a tensor of up to 256 KiB that can be read, else None."""
        with suppress(ModuletreeError):
            contents, place = self._located(columns, entry)
            if _num_bytes(place) <= MAX_LISTED_BYTES:
                return read_stats(contents.folder, place)
        return None

    def page(self, columns: TensorColumns, entry: int, start: int, count: int) -> ValuesPage:
        """Return up to `count` values, at most 10,000, in row-major order from the element `start` on."""
        with _as_opened():
            contents, place = self._located(columns, entry)
            return read_page(contents.folder, place, start, count)

    def stats_reading(self, columns: TensorColumns, entry: int) -> Reading[TensorStats]:
        """Return the reading of a tensor's statistics."""
        with _as_opened():
            contents, place = self._located(columns, entry)
            if _num_bytes(place) <= AT_ONCE_BYTES:
                return Ready(read_stats(contents.folder, place))
            with reopen(contents.folder, place.file):
                return self._readings.stats(contents.folder, place)

    def heat_map_reading(self, columns: TensorColumns, entry: int, index: Sequence[int]) -> Reading[HeatMap]:
        """Return the reading of the heat map of a tensor's last two dimensions, at `index` in those before."""
        with _as_opened():
            contents, place = self._located(columns, entry)
            whole = whole_index(place.shape, index)
            if _num_bytes(place) <= AT_ONCE_BYTES:
                return Ready(read_heat_map(contents.folder, place, whole))
            with reopen(contents.folder, place.file):
                return self._readings.heat_map(contents.folder, place, whole)

    def _located(self, columns: TensorColumns, entry: int) -> tuple[Contents, TensorPlace]:
        number = self._entries(columns)[entry]
        if number < 0:
            raise CannotDo(
                said(
                    "%(name)r is not in the file: it is known from the config.json beside it.", name=columns.name[entry]
                )
            )
        contents = self._contents()
        return contents, contents.place(number)

    def _small(
        self, contents: Contents, columns: TensorColumns, entries: Sequence[int]
    ) -> list[tuple[int, TensorPlace]]:
        # In the order of the files and of what is in them.
        numbers = self._entries(columns)
        listed = (
            (position, number)
            for position, number in enumerate(numbers[entry] for entry in entries)
            if number >= 0 and contents.offset[number] >= 0 and _has_few(contents.kinds[contents.kind[number]].shape)
        )
        places = [(position, contents.place(number)) for position, number in islice(listed, MAX_LISTED)]
        return sorted(places, key=lambda each: _order(each[1]))

    def _entries(self, columns: TensorColumns) -> Entries:
        are_parameters = all(word.persistent is None for word in columns.words[:1])
        return self._parameter_entries if are_parameters else self._buffer_entries

    def _contents(self) -> Contents:
        with self._lock:
            if self._read is None:
                for stamp in self._stamps:
                    with reopen(self._path.parent, stamp):
                        pass
                contents = read_checkpoint(self._path, self._limits)
                if contents.files != self._stamps:
                    raise UnreadableFile(
                        said(
                            "%(name)r has changed since its header was read: open the checkpoint again.",
                            name=self._path.name,
                        )
                    )
                self._read = contents
            return self._read


@contextmanager
def _as_opened() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise UnreadableFile(
            said("%(detail)s It was there when the tree was opened: put it back to see values.", detail=error.detail)
        ) from error


def _num_bytes(place: TensorPlace) -> int:
    # What has to be gone through: a view of few elements may be spread over many.
    span = 1 + sum((size - 1) * stride for size, stride in zip(place.shape, place.strides, strict=True))
    return max(place.numel, span) * DTYPES[place.dtype].bits // 8


def _has_few(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and prod(shape) <= MAX_VALUES


def _order(place: TensorPlace) -> tuple[str, int, int]:
    return place.file.name, place.record.header_at if place.record is not None else 0, place.offset
