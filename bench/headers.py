"""Reading headers, over the libraries that wrote them.

    python -m bench.headers [--rounds 5]

100,000 tensors each: a .safetensors file of 105 GB (sparse: only its header is on the disk) over `safe_open`, which
maps such a file for numpy only, and a .pt file over `torch.load(mmap=True)`. The bytes are what a reading makes a fresh
process grow by.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open

from app.trees.sources.checkpoint.opening import read_checkpoint
from bench.measure import Measure, seconds, table

COUNT = 100_000
TENSOR_BYTES = 1024 * 1024


def names() -> list[str]:
    """Return names as a mixture of experts has them."""
    parts = ("gate_proj", "up_proj", "down_proj")
    return [f"model.layers.{i // 768}.mlp.experts.{i // 3 % 256}.{parts[i % 3]}.weight" for i in range(COUNT)]


def write_safetensors(path: Path) -> None:
    """Write a file whose data is a hole."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    for place, name in enumerate(names()):
        span = [place * TENSOR_BYTES, (place + 1) * TENSOR_BYTES]
        header[name] = {"dtype": "BF16", "shape": [512, 1024], "data_offsets": span}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + COUNT * TENSOR_BYTES)


def write_torch(path: Path) -> None:
    """Write a file of small tensors, each with a storage of its own."""
    torch.save({name: torch.zeros(4, 4) for name in names()}, path)


def by_safe_open(path: Path) -> object:
    """Read names, shapes and dtypes by the reference."""
    with safe_open(path, framework="np") as file:
        return [(name, (part := file.get_slice(name)).get_shape(), part.get_dtype()) for name in file.keys()]  # noqa: SIM118


def by_torch(path: Path) -> object:
    """Read the same of a .pt file; nothing else of torch's reads the names alone."""
    return [
        (name, tensor.shape, tensor.dtype) for name, tensor in torch.load(path, mmap=True, weights_only=True).items()
    ]


READERS: dict[str, Callable[[Path], object]] = {"ours": read_checkpoint, "safe_open": by_safe_open, "torch": by_torch}


def resident() -> int:
    """Return the bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(reader: str, path: Path) -> int:
    """Return by how many bytes a reading makes a fresh process grow."""
    command = [sys.executable, "-m", "bench.headers", "--grow", reader, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(what: str, peer: str, path: Path, rounds: int, aim: float) -> Measure:
    """Return what we take and what the peer takes."""
    ours, theirs = partial(read_checkpoint, path), partial(READERS[peer], path)
    our_s, their_s = [], []
    for _ in range(rounds):
        our_s.append(seconds(ours))
        their_s.append(seconds(theirs))
    return Measure(what, peer, our_s, their_s, aim, growth("ours", path), growth(peer, path))


def measure(rounds: int = 5) -> list[Measure]:
    """Return the cost of both headers."""
    with tempfile.TemporaryDirectory() as folder:
        sparse, archive = Path(folder, "large.safetensors"), Path(folder, "large.pt")
        write_safetensors(sparse)
        write_torch(archive)
        return [
            compare("header of .safetensors, 105 GB", "safe_open", sparse, rounds, 0.25),
            compare("header of .pt, 100,000 storages", "torch", archive, max(1, rounds // 3), 0.25),
        ]


def grow(reader: str, path: str) -> None:
    """Print one growth."""
    before = resident()
    kept = READERS[reader](Path(path))
    print(resident() - before)
    del kept


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--grow", nargs=2, metavar=("READER", "PATH"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.grow:
        grow(*asked.grow)
    else:
        print(table(measure(asked.rounds)))


if __name__ == "__main__":
    main()
