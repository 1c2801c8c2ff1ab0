"""Where the modules of a run's statistics are in its tree as that is now."""

from collections.abc import Callable
from functools import lru_cache

from app.errors import NotFound, TargetNotFound
from app.storage.trees import Trees
from app.training.runs import Runs

KEPT = 16


class ModuleRows:
    """Rows of the modules that runs have statistics of; found once a revision of the tree."""

    def __init__(self, trees: Trees, runs: Runs) -> None:
        self._trees = trees
        self._runs = runs
        self._rows = lru_cache(maxsize=KEPT)(self._found)

    def of(self, run_id: str) -> tuple[int, ...]:
        """Return their rows, -1 for each that the tree has no longer, or where the tree is gone."""
        run = self._runs.get(run_id)
        try:
            revision = self._trees.get(run.tree).revision
        except NotFound:
            revision = None
        return self._rows(run_id, run.tree, revision)

    def _found(self, run_id: str, tree_id: str, revision: int | None) -> tuple[int, ...]:
        paths = self._runs.holders(run_id).paths
        if revision is None:
            return (-1,) * len(paths)
        with self._trees.reading(tree_id) as opened:
            return tuple(_row(opened.index.row, path) for path in paths)


def _row(find: Callable[[str], int], path: str) -> int:
    try:
        return find(path)
    except TargetNotFound:
        return -1
