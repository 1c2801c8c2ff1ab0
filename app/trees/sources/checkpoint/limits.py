"""How much of a checkpoint is read before it is refused; every file is taken to be hostile."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """The most that the headers of a checkpoint may hold; over it, reading ends with `TooLarge`.

    `max_header_bytes` bounds the safetensors headers of all shards (the reference's own limit for one is 100 MB), and
    the characters of all names of a `.pt` file; `max_index_bytes` a shard index and the directory of a ZIP archive;
    `max_pickle_bytes` and `max_opcodes` the pickle of a `.pt` file, of which torch writes some 36 a tensor.
    """

    max_header_bytes: int = 100_000_000
    max_index_bytes: int = 32 * MIB
    max_pickle_bytes: int = 64 * MIB
    max_opcodes: int = 10_000_000
    max_tensors: int = 500_000
    max_shards: int = 4096


MAX_DIMS = 64
MAX_NAME = 65_536
"""Characters of one tensor's name."""
MAX_METADATA = 8 * MIB
"""Bytes of `__metadata__`."""
MAX_ELEMENTS = 2**62
"""Elements, and bytes, of all tensors together: totals are 64-bit."""
