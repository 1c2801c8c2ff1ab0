"""`Places`: where the tree of an architecture has room for tensors, by the keys of a state dict."""

import re
from collections.abc import Sequence
from itertools import islice

from app.translation import said
from app.trees.description import Description
from app.trees.sources.checkpoint.refusal import shown

MAX_PREFIXES = 4
# What TensorFlow calls the two of a norm, and old files of BERT still do.
_RENAMED = re.compile(r"((?:.*\.)?LayerNorm)\.(gamma|beta)")
_NEW_NAME = {"gamma": "weight", "beta": "bias"}


class Misplaced(Exception):
    """The tensors of a file are not those of an architecture; `reason` says so, as a sentence without its end.

    `has_other_sizes` says that no other class of the same config would do either.
    """

    def __init__(self, reason: str, *, has_other_sizes: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.has_other_sizes = has_other_sizes


class Places:
    """The parameters of a tree, then its buffers, numbered as they come; -1 stands for no place, and for no row."""

    def __init__(self, description: Description) -> None:
        parameters, buffers = description.parameters, description.buffers
        self.description = description
        self.num_parameters = len(parameters.name)
        self.class_name = description.classes[description.class_id[0]].shown
        self.owner = [*parameters.owner, *buffers.owner]
        self.name = [*parameters.name, *buffers.name]
        self.kind = [*parameters.kind, *buffers.kind]
        self.same = [*parameters.same, *buffers.same]
        self._place = {key: place for place, key in enumerate(zip(self.owner, self.name, strict=True))}
        self._child = {key: row for row, key in enumerate(zip(description.parent, description.name, strict=True))}
        self._row = {"": 0}

    def __len__(self) -> int:
        return len(self.name)

    def find(self, key: str) -> int:
        """Return the place of a key."""
        place = self._place.get(self.owner_of(key), -1)
        if place < 0 and (match := _RENAMED.fullmatch(key)):
            return self._place.get((self.row(match[1]), _NEW_NAME[match[2]]), -1)
        return place

    def owner_of(self, key: str) -> tuple[int, str]:
        """Return the row of the module that a key's tensor is in, and the tensor's name there."""
        path, dot, name = key.rpartition(".")
        return (-1 if dot and not path else self.row(path)), name

    def row(self, path: str) -> int:
        """Return the row of a module."""
        row = self._row.get(path)
        if row is None:
            row = 0
            for part in path.split("."):
                row = self._child.get((row, part), -1)
                if row < 0:
                    break
            self._row[path] = row
        return row

    def prefixes(self, key: str) -> list[str]:
        """Return the beginnings, a few at most, with which a key leads to a module: those of the root's children."""
        given = self.description
        children = (name for name, parent in zip(given.name, given.parent, strict=True) if parent == 0)
        return list(islice((f"{name}." for name in children if self.owner_of(f"{name}.{key}")[0] >= 0), MAX_PREFIXES))

    def shape(self, place: int) -> tuple[int, ...] | None:
        """Return the shape that a place has in the architecture."""
        return self.description.kinds[self.kind[place]].shape

    def path(self, place: int) -> str:
        """Return the path of a place."""
        parts, row = [self.name[place]], self.owner[place]
        while row > 0:
            parts.append(self.description.name[row])
            row = self.description.parent[row]
        return ".".join(reversed(parts))


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first of the names as a message may hold them."""
    some = ", ".join(shown(name) for name in names[:most])
    return said("%(some)s and others", some=some) if len(names) > most else some


def counted(number: int, what: str = "tensor") -> str:
    """Return how many of what there are, as the beginning of a sentence."""
    if what == "parameter":
        return said("%(num)s parameters are", num=f"{number:,}") if number != 1 else said("1 parameter is")
    return said("%(num)s tensors are", num=f"{number:,}") if number != 1 else said("1 tensor is")
