"""What training needs of the rest: where runs are kept, and the trees that they train."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from torch import Tensor

from app.training.log import Chunk
from app.training.run import KeptRun, Run
from app.trees.index import TreeIndex

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Update:
    """A run as it is now, and the events that made it so, to be written together."""

    kept: KeptRun
    chunks: Sequence[Chunk]


class RunRows(Protocol):
    """Where runs and their logs are kept. Safe to use from several threads."""

    def insert(self, kept: KeptRun, structure: bytes, chunks: Sequence[Chunk]) -> KeptRun:
        """Keep a new run, and return it with its number among the runs of its tree."""

    def write(self, updates: Sequence[Update]) -> None:
        """Write all the updates in one transaction."""

    def reopen(self, update: Update) -> None:
        """Write the update, and make a plain status of the `end` that the log holds: the run goes on."""

    def get(self, run_id: str) -> KeptRun:
        """Return a run; raises `NotFound`."""

    def structure(self, run_id: str) -> bytes:
        """Return the structure that the run started from; raises `NotFound`."""

    def newest(self, tree: str | None, limit: int, before: int | None) -> tuple[Sequence[Run], int | None]:
        """Return up to `limit` runs, newest first, and the number to pass as `before` for the next page, if any."""

    def count(self, tree: str | None) -> int:
        """Return how many runs are kept, of one tree where it is given."""

    def files_in_use(self) -> set[str]:
        """Return the names of the files that runs still need."""

    def active(self) -> Sequence[KeptRun]:
        """Return the runs that are queued, running or paused."""

    def delete(self, run_id: str) -> None:
        """Forget a run and its log; raises `NotFound`."""

    def events(self, run_id: str, after: int, limit: int) -> Sequence[Chunk]:
        """Return the chunks with events over `after`, in order, up to about `limit` events."""

    def epochs(self, run_id: str, after: int, limit: int) -> Sequence[Chunk]:
        """Return the chunks with epochs over `after`, in order, holding `limit` of them where there are as many."""

    def module_stats(self, run_id: str, epoch: int) -> Chunk | None:
        """Return the chunk with the last statistics of modules that are not after `epoch`, or None."""


class Can(Protocol):
    """What a tree can do."""

    @property
    def train(self) -> bool:
        """Whether it can be trained."""

    @property
    def forward(self) -> bool:
        """Whether it can be called; not where only its structure is known."""


class Facts(Protocol):
    """What is known of a tree."""

    @property
    def can(self) -> Can:
        """What it can do."""


class Tree(Protocol):
    """What a run has to know of a tree."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def revision(self) -> int:
        """Its present revision."""

    @property
    def facts(self) -> Facts:
        """What is known of it."""


class TreeSnapshot(Protocol):
    """A tree at one revision: its structure, and the name of the file of its tensors."""

    @property
    def revision(self) -> int:
        """The revision that it shows."""

    @property
    def structure(self) -> bytes:
        """The structure, as `app.trees.snapshot` loads it."""

    @property
    def tensors(self) -> str:
        """The file's name."""


class OpenTree(Protocol):
    """A tree in memory."""

    @property
    def index(self) -> TreeIndex:
        """What it holds, by column."""


class KeptTrees(Protocol):
    """The trees that runs train. Safe to use from several threads."""

    def get(self, tree_id: str) -> Tree:
        """Return a tree; raises `NotFound`."""

    def snapshot(self, tree_id: str) -> TreeSnapshot:
        """Return the tree as it is; raises `NotFound`."""

    def put_result(self, tree_id: str, expected_revision: int, tensors: str, note: str) -> int | None:
        """Make a file of trained values the tree's next revision and return it, or None where the tree moved on."""

    def edit(self, tree_id: str, change: Callable[[OpenTree], T], *, note: str) -> tuple[Tree, T]:
        """Change the tree and return it at its new revision, with what `change` returned."""


class TensorStore(Protocol):
    """Where the tensors of trees are kept."""

    def path(self, name: str) -> Path:
        """Return where the file of that name lies."""

    def save(self, tensors: Mapping[str, Tensor]) -> str:
        """Keep the tensors and return the name of their file."""
