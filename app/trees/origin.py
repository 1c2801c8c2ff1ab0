"""`Origin`: what a source says of a tree besides its structure, kept with it."""

from typing import Any

import msgspec
import numpy as np
import zstandard

from app.trees.description import Description
from app.trees.index import TreeIndex
from app.trees.sources.checkpoint.file import FileStamp
from app.trees.trace_inputs import Input


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was noted while the tree was opened, and for a checkpoint which files it came from.

    `inputs` are those that a forward is likely to take. `path` is the file that was opened, `files` it or its shards;
    `parameter_entries` and `buffer_entries` are the tensors of the checkpoint behind those of the tree, -1 for one that
    is not in it. `stored_bytes` is the data of all tensors as stored. `built_from` is the source, with its kind, that
    the architecture of a checkpoint was built from; empty where nothing but its keys said it.
    """

    notes: list[str] = []
    metadata: dict[str, str] = {}
    inputs: list[Input] = []
    format: str = ""
    path: str = ""
    files: list[FileStamp] = []
    stored_bytes: int | None = None
    parameter_entries: list[int] = []
    buffer_entries: list[int] = []
    built_from: dict[str, Any] = {}


NOWHERE = Origin()
"""Of a tree that was made here."""


def num_stored(origin: Origin, index: TreeIndex, row: int) -> int | None:
    """Return how many elements of parameters the files hold for a subtree, None for a tree that comes from no file.

    A tensor that the file has once under several names counts once.
    """
    if not origin.format:
        return None
    columns = index.parameters
    start, end = columns.start[row], columns.start[index.end[row]]
    is_stored = np.array(origin.parameter_entries[start:end], np.int64) >= 0
    is_first = columns.previous[start:end] < start
    times: list[int] = np.bincount(np.array(columns.kind[start:end])[is_stored & is_first]).tolist()
    return sum(count * kind.numel for count, kind in zip(times, index.kinds.all, strict=False))


class _Structure(msgspec.Struct):
    description: Description
    origin: Origin


_decoder = msgspec.msgpack.Decoder(_Structure)


def pack(description: Description, origin: Origin) -> bytes:
    """Return the two as compressed bytes, to be kept."""
    return zstandard.compress(msgspec.msgpack.encode(_Structure(description, origin)), 3)


def unpack(structure: bytes) -> tuple[Description, Origin]:
    """Return what `pack` was given."""
    found = _decoder.decode(zstandard.decompress(structure))
    return found.description, found.origin


def is_description(structure: bytes) -> bool:
    """Whether bytes of a kept structure are what `pack` gives, and not a tree of LinearModels."""
    with zstandard.ZstdDecompressor().stream_reader(structure) as reader:
        return reader.read(1)[0] & _KIND == _MAP


# The first byte of a msgpack object of few entries.
_KIND, _MAP = 0xF0, 0x80
