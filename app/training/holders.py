"""The modules that statistics speak of, read from what a run started from: no value is needed for it."""

from app.training.module_columns import stat_rows
from app.trees.index import TreeIndex
from app.trees.origin import is_description, unpack
from app.trees.snapshot import Holders, holders, refuse_long_paths


def holders_of(structure: bytes) -> Holders:
    """Return the modules with parameters of their own, in the order of their statistics.

    Raises `TooLarge` where their paths are longer than is told of them.
    """
    if not is_description(structure):
        return holders(structure)
    description, _origin = unpack(structure)
    index = TreeIndex.from_description(description)
    rows = list(stat_rows(index))
    refuse_long_paths(index.parent, index.name)
    own = [index.own(index.parameters, row) for row in rows]
    trains = [any(index.parameters.flag[entry] for entry in entries) for entries in own]
    return Holders(rows, [index.path(row) for row in rows], trains)
