"""Tensors as safetensors files: a file is there whole, and on the disk, or not at all."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from app.errors import CannotStore
from app.translation import said

SUFFIX = ".safetensors"
TEMPORARY = ".partial"


class TensorFiles:
    """A folder of safetensors files, which are written once and never changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def save(self, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> str:
        """Write the tensors and return the file's name once it is on the disk; raises `CannotStore`."""
        name = os.urandom(16).hex() + SUFFIX
        data = safetensors.torch.save(dict(tensors), metadata)
        try:
            self._write(self.path(name), data)
        except OSError as error:
            raise CannotStore(said("The tensors cannot be written: %(reason)s.", reason=error.strerror)) from error
        return name

    def path(self, name: str) -> Path:
        """Return where the file of a name lies."""
        return self.directory / name

    def load(self, name: str) -> dict[str, Tensor]:
        """Return the tensors of a file, in memory of their own."""
        return safetensors.torch.load(self.path(name).read_bytes())

    def sweep(self, keep: Iterable[str]) -> None:
        """Delete every file that is not to be kept: what a stop in mid-write or a deleted tree has left."""
        kept = set(keep)
        for path in self.directory.iterdir():
            if path.name not in kept and path.suffix in (SUFFIX, TEMPORARY):
                path.unlink(missing_ok=True)

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; one that is gone already is no error."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def _write(self, path: Path, data: bytes) -> None:
        # Temporary name, fsync, rename, fsync of the folder: a power loss leaves the file whole or absent.
        temporary = path.with_name(path.name + TEMPORARY)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
