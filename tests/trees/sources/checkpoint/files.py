"""Files written by hand, as no library would write them."""

import gc
import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from app.trees.sources.checkpoint.contents import Contents

Pairs = Sequence[tuple[str, object]]


def safetensors_bytes(header: bytes | Mapping[str, object], data: bytes = b"") -> bytes:
    """Return a file of that header and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: str, shape: Sequence[int], begin: int, end: int) -> dict[str, object]:
    """Return the description of one tensor."""
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def write(path: Path, data: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(data)
    return path


def torch_bytes(value: object, **options: object) -> bytes:
    """Return what `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def archive_of(pickle: bytes, storages: Mapping[str, bytes] | None = None, folder: str = "archive") -> bytes:
    """Return a `.pt` file of a pickle written by hand."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{folder}/data.pkl", pickle)
        archive.writestr(f"{folder}/byteorder", b"little")
        for key, data in (storages or {}).items():
            archive.writestr(f"{folder}/data/{key}", data)
        archive.writestr(f"{folder}/version", b"3\n")
    return buffer.getvalue()


def rezipped(data: bytes, change: Mapping[str, bytes | None], *, method: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive with some files changed, added, or left out (None)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", method) as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in change.items():
            if name not in old.namelist() and content is not None:
                new.writestr(name, content)
    return buffer.getvalue()


def global_(module: str, name: str) -> bytes:
    """Return the opcode that names a global."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def text(value: str) -> bytes:
    """Return the opcode of a string."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def columns(contents: Contents) -> list[object]:
    """Return what two readings are compared by."""
    kinds = [contents.kinds[number] for number in contents.kind]
    return [
        contents.name,
        kinds,
        list(contents.offset),
        list(contents.same),
        contents.strides,
        contents.metadata,
        contents.modules,
        contents.requires_grad,
        contents.stored_bytes,
    ]


def held() -> tuple[int, int]:
    """Return how many files this process has open, and how many bytes of memory are resident.

    Sockets and pipes are those of what runs the tests, and come and go.
    """
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return sum(map(_is_file, os.listdir("/proc/self/fd"))), resident  # noqa: PTH208


def _is_file(descriptor: str) -> bool:
    try:
        return stat.S_ISREG(os.fstat(int(descriptor)).st_mode)
    except OSError:
        return False
