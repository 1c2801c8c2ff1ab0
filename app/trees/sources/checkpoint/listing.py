"""The checkpoints under the server's roots, as a person picks from them: found by name, none of them opened.

roots -> folders, nearest first, within limits -> files that end as checkpoints do -> an index in place of its shards
"""

import os
import re
import stat
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.trees.sources.checkpoint.contents import Format

INDEX_SUFFIX = ".safetensors.index.json"
FORMATS = {
    INDEX_SUFFIX: Format.SHARDS,
    ".safetensors": Format.SAFETENSORS,
    ".pt": Format.TORCH,
    ".pth": Format.TORCH,
    ".bin": Format.TORCH,
    ".ckpt": Format.TORCH,
}
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}\.safetensors")


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """How far the folders are walked: levels down, entries of folders looked at, files listed, seconds in all."""

    max_depth: int = 12
    max_entries: int = 50_000
    max_files: int = 5_000
    max_s: float = 1.0


class FoundCheckpoint(msgspec.Struct, frozen=True):
    """A file that may be opened: `path` is what opens it, relative to its root unless an earlier root hides it so.

    `num_bytes` of an index is that of its shards and its own.
    """

    path: str
    name: str
    root: str
    kind: Format
    num_bytes: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found, root by root and by path; `is_whole` unless a limit ended the walk."""

    files: list[FoundCheckpoint]
    is_whole: bool


def list_checkpoints(roots: Sequence[Path], q: str = "", limits: WalkLimits | None = None) -> Listing:
    """Return the files under the roots that end as checkpoints do, and of those the ones with every word of `q`.

    No link is followed, hidden folders and what cannot be read are passed over, and a shard that is numbered as one is
    left to the index beside it.
    """
    walk = _Walk(roots, limits or WalkLimits())
    words = q.casefold().split()
    files = [file for file in walk.files() if all(word in file.path.casefold() for word in words)]
    return Listing(files, walk.is_whole)


class _Walk:
    def __init__(self, roots: Sequence[Path], limits: WalkLimits) -> None:
        self.is_whole = True
        self._roots = roots
        self._limits = limits
        self._ends_at = time.monotonic() + limits.max_s
        self._num_entries = 0
        self._num_files = 0
        self._seen: set[str] = set()

    def files(self) -> Iterator[FoundCheckpoint]:
        for number, root in enumerate(self._roots):
            found = {path: size for folder, sizes in self._folders(root) for path, size in _listed(folder, sizes)}
            for path in sorted(found, key=str.casefold):
                name = path.rpartition("/")[2]
                hides = any(os.path.lexists(earlier / path) for earlier in self._roots[:number])
                shown = str(root / path) if hides else path
                yield FoundCheckpoint(shown, name, str(root), _format(name), found[path])

    def _folders(self, root: Path) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield each folder, relative to the root, with the sizes of the checkpoints in it."""
        todo = deque([("", 0)])
        while todo and self.is_whole:
            folder, depth = todo.popleft()
            sizes: dict[str, int] = {}
            for entry in self._entries(root / folder):
                if not _is_text(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    todo.append((f"{folder}{entry.name}/", depth + 1))
                elif entry.name.endswith(tuple(FORMATS)) and (size := _size(entry)) is not None:
                    sizes[entry.name] = size
                    self._num_files += 1
            yield folder, sizes
            if todo and todo[0][1] > self._limits.max_depth:
                self.is_whole = False

    def _entries(self, folder: Path) -> Iterator["os.DirEntry[str]"]:
        real = os.path.realpath(folder)
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._num_entries += 1
                    if self._is_over():
                        self.is_whole = False
                        return
                    yield entry
        except OSError:
            return

    def _is_over(self) -> bool:
        limits = self._limits
        return (
            self._num_entries > limits.max_entries
            or self._num_files >= limits.max_files
            or time.monotonic() > self._ends_at
        )


def _listed(folder: str, sizes: dict[str, int]) -> Iterator[tuple[str, int]]:
    hidden: dict[str, int] = {}
    for name, size in sizes.items():
        shard = _SHARD.fullmatch(name)
        index = f"{shard[1]}{INDEX_SUFFIX}" if shard else ""
        if index in sizes:
            hidden[index] = hidden.get(index, sizes[index]) + size
        else:
            hidden.setdefault(name, size)
    yield from ((folder + name, size) for name, size in hidden.items())


def _size(entry: "os.DirEntry[str]") -> int | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _is_text(name: str) -> bool:
    # Another name could be shown, and never be sent back.
    return name.encode("utf-8", "replace").decode() == name


def _format(name: str) -> Format:
    return next(made for suffix, made in FORMATS.items() if name.endswith(suffix))
