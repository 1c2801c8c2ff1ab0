"""Trees on a folder, which can be stopped and started again."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from app.storage.data_directory import DataDirectory
from app.storage.database import Database
from app.storage.records import TreeRecord
from app.storage.trees import OpenTree, Trees
from app.trees.edit import register_buffer
from app.trees.limits import Limits
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.opening import Sources
from app.trees.sources.workshop import Workshop
from tests.trees.comparing import told

NESTED = {"kind": "linear", "root": {"children": {"sub1": {"children": {"sub2_1": {}}}}}, "seed": 0}


class KeptTrees:
    """The trees of a folder; `restart` keeps what is on the disk only."""

    def __init__(self, folder: Path, limits: Limits | None = None, roots: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.limits = limits or Limits(max_modules=1_000, max_depth=100)
        self.sources = Sources(self.limits, Workshop(), Readings(), roots=roots)
        self._start()

    def _start(self) -> None:
        self.directory = DataDirectory(self.folder)
        self.database = Database.open(f"sqlite:///{self.folder / 'moduletree.db'}")
        self.trees = Trees(self.database, self.directory.tensors, self.directory.uploads, self.sources)

    def close(self) -> None:
        self.database.close()
        self.directory.close()

    def restart(self) -> None:
        self.close()
        self._start()

    def open_nested(self) -> TreeRecord:
        return self.trees.open(NESTED)

    def told(self, tree_id: str) -> list[tuple[object, ...]]:
        """All that there is to the tree as it is in memory."""
        with self.trees.reading(tree_id) as tree:
            return told(tree.module)

    def register(self, tree_id: str, name: str, value: object, **options: object) -> TreeRecord:
        """Register a buffer with the root."""

        def change(tree: OpenTree) -> None:
            register_buffer(tree.module, "", name, value)

        return self.trees.edit(tree_id, change, note=f"register_buffer({name!r})", **options)[0]  # type: ignore[arg-type]

    def files(self) -> set[str]:
        return {path.name for path in self.directory.tensors.directory.iterdir()}


def buffers_of(module: nn.Module) -> dict[str, object]:
    return {name: buffer.tolist() for name, buffer in module.named_buffers()}
