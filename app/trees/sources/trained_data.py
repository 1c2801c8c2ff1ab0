"""The values that a run has left of a described tree: one file that names tensors as a state dict does."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import safetensors.torch
from torch import Tensor

from app.trees.index import TreeIndex
from app.trees.sources.checkpoint.data import CheckpointData
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.readings import Readings
from app.trees.tensors import TensorColumns


class TrainedData(CheckpointData):
    """The values in the file at `path`; a run had all of them in memory, so that they may be read at once."""

    def __init__(self, index: TreeIndex, path: Path, limits: HeaderLimits, readings: Readings) -> None:
        contents = read_checkpoint(path, limits)
        places = {name: entry for entry, name in enumerate(contents.name)}
        parameters, buffers = (
            [places.get(name, -1) for name in names_of(index, columns)] for columns in (index.parameters, index.buffers)
        )
        super().__init__(path, contents.files, parameters, buffers, limits, readings)
        self._file = path
        self._index = index

    def whole(self, columns: TensorColumns) -> Sequence[Tensor]:
        """Return all tensors of the columns."""
        held = safetensors.torch.load(self._file.read_bytes())
        return [held[name] for name in names_of(self._index, columns)]


def names_of(index: TreeIndex, columns: TensorColumns) -> Iterator[str]:
    """Yield the names of tensors from the root, those of a tensor that is shared by the place where it is first."""
    for entry in columns.first.tolist():
        path, name = index.path(columns.owner[entry]), columns.name[entry]
        yield f"{path}.{name}" if path else name
