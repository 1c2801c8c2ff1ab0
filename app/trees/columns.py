"""The columns that an index is made of, however the tree became known."""

from array import array
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from app.trees.description import ModuleClass
from app.trees.tensors import Ints, Kinds, TensorColumns


@dataclass(slots=True)
class Columns:
    """All places of a tree in pre-order, a shared module at each of them; a child that is None has no place.

    `parent` is -1 for the root and `end` the row after a place's subtree. `identity` is equal for the very same module.
    `modules` are the live ones, none for a tree that is known by its structure only.
    """

    parent: "array[int]" = field(default_factory=lambda: array("q"))
    name: list[str] = field(default_factory=list)
    end: "array[int]" = field(default_factory=lambda: array("q"))
    identity: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    class_id: "array[int]" = field(default_factory=lambda: array("q"))
    classes: list[ModuleClass] = field(default_factory=list)
    extra_repr: dict[int, str] = field(default_factory=dict)
    training: bytearray = field(default_factory=bytearray)
    none_children: dict[int, list[str]] = field(default_factory=dict)
    none_places: dict[int, list[int]] = field(default_factory=dict)
    kinds: Kinds = field(default_factory=Kinds)
    parameters: TensorColumns = field(default_factory=TensorColumns)
    buffers: TensorColumns = field(default_factory=TensorColumns)
    modules: list[nn.Module] = field(default_factory=list)
