"""`Sources`: opens a tree from any kind of source.

source -> module, or a description with its origin -> TreeIndex
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.description import Description
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.origin import NOWHERE, Origin
from app.trees.sources import SOURCES, open_source
from app.trees.sources.checkpoint.data import CheckpointData
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.checkpoint.sibling import best_tree
from app.trees.sources.roots import find_under
from app.trees.sources.trained_data import TrainedData
from app.trees.sources.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Opened:
    """What a source gave: a live module, or a description of one."""

    origin: Origin = NOWHERE
    module: nn.Module | None = None
    description: Description | None = None


class Sources:
    """Opens sources, within limits; thread-safe.

    Factories and configs are built by the workshop. Checkpoints may lie under `roots`; their headers are read here, and
    their values, when they are asked for, through `readings`.
    """

    def __init__(
        self,
        limits: Limits,
        workshop: Workshop,
        readings: Readings,
        *,
        roots: Sequence[Path] = (),
        header_limits: HeaderLimits | None = None,
    ) -> None:
        self.limits = limits
        self.workshop = workshop
        self.readings = readings
        self.roots = tuple(roots)
        self.header_limits = header_limits or HeaderLimits()
        self._openers: dict[str, Callable[[Mapping[str, object]], Opened]] = {
            **dict.fromkeys(SOURCES, self._live),
            "factory": self._built,
            "config": self._built,
            "checkpoint": self._checkpoint,
        }

    def open(self, source: Mapping[str, object]) -> Opened:
        """Return what a source gives; raises `Invalid`, `NotAllowed`, `NotFound`, `TooLarge` or `CannotDo`."""
        kind = source.get("kind")
        opener = self._openers.get(kind) if isinstance(kind, str) else None
        if opener is None:
            msg = said("expected one of %(names)s, got %(value)r", names=", ".join(self._openers), value=kind)
            raise Invalid(said("source.kind: %(msg)s.", msg=msg), (Misfit(("source", "kind"), msg),))
        return opener(source)

    def open_checkpoint(self, path: Path) -> Opened:
        """Return the tree of a checkpoint wherever it lies: for one that was uploaded, or is named by who may."""
        contents = read_checkpoint(path, self.header_limits)
        tree = best_tree(path, contents, self.limits, self.workshop)
        origin = Origin(
            notes=[str(note) for note in (*contents.notes, *tree.notes)],
            metadata=contents.metadata,
            inputs=tree.inputs,
            format=contents.format.value,
            path=str(path),
            files=contents.files,
            stored_bytes=contents.stored_bytes,
            parameter_entries=list(tree.keys.parameter_entries),
            buffer_entries=list(tree.keys.buffer_entries),
            built_from=tree.built_from,
        )
        return Opened(origin, description=tree.keys.description)

    def index(self, description: Description, origin: Origin) -> TreeIndex:
        """Return the index of a described tree, with the values of its checkpoint where it has one."""
        index = TreeIndex.from_description(description)
        if origin.format:
            index.data = CheckpointData(
                Path(origin.path),
                origin.files,
                origin.parameter_entries,
                origin.buffer_entries,
                self.header_limits,
                self.readings,
            )
        return index

    def trained_index(self, description: Description, path: Path) -> TreeIndex:
        """Return the index of a described tree with the values in a file, which names tensors as a state dict does."""
        index = TreeIndex.from_description(description)
        index.data = TrainedData(index, path, self.header_limits, self.readings)
        return index

    def _live(self, source: Mapping[str, object]) -> Opened:
        return Opened(module=open_source(source, self.limits))

    def _built(self, source: Mapping[str, object]) -> Opened:
        built = self.workshop.build(source)
        return Opened(Origin(notes=built.notes, inputs=built.inputs), description=built.description)

    def _checkpoint(self, source: Mapping[str, object]) -> Opened:
        path = source.get("path")
        if not isinstance(path, str) or not path or "\0" in path:
            raise _invalid("path", said("expected the path of a file, got %(path)r", path=path))
        return self.open_checkpoint(find_under(self.roots, path))


def _invalid(key: str, msg: str) -> Invalid:
    return Invalid(said("source.%(key)s: %(msg)s.", key=key, msg=msg), (Misfit(("source", key), msg),))
