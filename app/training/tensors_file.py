"""Tensors in a safetensors file that appears under its name only whole."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write the file beside its name, then rename it; it is on the disk when this returns."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, dict(metadata) if metadata else None)
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file, in memory of their own, and its metadata.

    They are trained in place, and the file may be deleted meanwhile: it is read, not mapped.
    """
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return load(data), metadata
