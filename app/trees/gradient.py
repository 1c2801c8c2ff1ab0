"""Which modules a gradient reaches: what the root's forward calls, as LinearModels define it."""

from collections.abc import Iterator

from app.trees.index import TreeIndex
from app.trees.linear import LinearModel


class Reach:
    """Says of any row whether the root's forward calls its module; of a class that is not known here, that it does."""

    def __init__(self, index: TreeIndex) -> None:
        self.index = index
        self._calls = {0: True}

    def __call__(self, row: int) -> bool:
        """Return whether the module at a row is called; the answers on the way to the root are kept."""
        way = []
        while row not in self._calls:
            way.append(row)
            row = self.index.parent[row]
        reached = self._calls[row]
        for below in reversed(way):
            module = self.index.modules[self.index.parent[below]] if self.index.is_live else None
            reached = reached and not (isinstance(module, LinearModel) and not module.chain)
            self._calls[below] = reached
        return reached


def unreached(index: TreeIndex, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the rows from start to end that no gradient reaches, each stretch as its first and how many."""
    if index.is_live and not Reach(index)(start):
        yield start, end - start
        return
    row = start
    while index.is_live and row < end:
        module, below = index.modules[row], index.end[row]
        if isinstance(module, LinearModel) and not module.chain and below > row + 1:
            yield row + 1, below - row - 1
            row = below
        else:
            row += 1
