"""`Contents`: what the headers of a checkpoint say, by column; one entry for every tensor that is named."""

from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from pathlib import Path

import msgspec

from app.errors import CannotDo
from app.translation import said
from app.trees.description import Kind
from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.file import FileStamp


class Format(StrEnum):
    """How a checkpoint is written."""

    SAFETENSORS = "safetensors"
    SHARDS = "shards"
    TORCH = "torch"


class Record(msgspec.Struct, frozen=True, gc=False):
    """A file in a ZIP archive: its name, where its local header begins, the size and CRC-32 of its data."""

    name: str
    header_at: int
    size: int
    checksum: int
    is_stored: bool


class TensorPlace(msgspec.Struct, frozen=True):
    """Where the values of one tensor lie.

    `offset` is the first value's byte in the file, or, with a `record`, in the data of that record. `strides` count
    elements, as torch's do.
    """

    file: FileStamp
    offset: int
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    record: Record | None = None

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)


@dataclass(slots=True)
class Contents:
    """The tensors of a checkpoint in the order of its header, with what is known of each.

    `name` holds whole keys: the branches of a nested dict and the key in it, joined by dots. `kind` numbers `kinds`,
    `file` numbers `files`, which lie in `folder`. `same` numbers are equal for the very same tensor. `strides` are
    there for those that are not contiguous, `records` (by entry, through `record`) for those in an archive; an offset
    of -1 says that the file has a shape and no values. `requires_grad` is there for what the file calls a parameter.

    `modules` are the paths of modules that the file names besides the keys, `metadata` its texts, `notes` what does not
    agree in it without making it unreadable. `stored_bytes` is the data of all tensors as stored, shared data once.
    """

    format: Format
    folder: Path
    files: list[FileStamp]
    name: list[str] = field(default_factory=list)
    kind: "array[int]" = field(default_factory=lambda: array("q"))
    kinds: list[Kind] = field(default_factory=list)
    file: "array[int]" = field(default_factory=lambda: array("q"))
    offset: "array[int]" = field(default_factory=lambda: array("q"))
    same: "array[int]" = field(default_factory=lambda: array("q"))
    strides: dict[int, tuple[int, ...]] = field(default_factory=dict)
    record: "array[int]" = field(default_factory=lambda: array("q"))
    records: list[Record] = field(default_factory=list)
    requires_grad: dict[int, bool] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stored_bytes: int = 0

    def __len__(self) -> int:
        return len(self.name)

    def place(self, entry: int) -> TensorPlace:
        """Return where the values of a tensor lie; raises `CannotDo` when the file has none for it."""
        kind = self.kinds[self.kind[entry]]
        if self.offset[entry] < 0 or kind.shape is None:
            raise CannotDo(
                said("%(name)r is on the meta device: the file has its shape, and no values.", name=self.name[entry])
            )
        return TensorPlace(
            file=self.files[self.file[entry]],
            offset=self.offset[entry],
            dtype=kind.dtype,
            shape=kind.shape,
            strides=self.strides.get(entry) or contiguous_strides(kind.shape),
            record=self.records[self.record[entry]] if self.record else None,
        )


def num_bytes(kind: Kind) -> int:
    """Return the size of a tensor of a kind, rounded up to whole bytes."""
    if kind.shape is None:
        return 0
    return (prod(kind.shape) * DTYPES[kind.dtype].bits + 7) // 8


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return torch's strides of a contiguous tensor: the last dimension next to each other, an empty one as if one."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))
