"""What training needs of the rest: where runs are kept, and the trees that they train."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from torch import Tensor

from app.training.data import CsvData
from app.training.log import Chunk
from app.training.run import KeptRun, Run, RunStatus
from app.training.run_query import RunChoices, RunPlace, RunQuery
from app.trees.index import TreeIndex
from app.trees.sources.forward import Output

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
        """Write all the updates in one transaction; raises `CannotStore`."""

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

    def count_by_status(self) -> Mapping[RunStatus, int]:
        """Return how many runs are in each state, those in which none is too."""

    def find(self, asked: RunQuery, limit: int, after: RunPlace | None) -> tuple[Sequence[Run], RunPlace | None]:
        """Return up to `limit` of the runs asked for, in their order, and the place to go on after, if any follow."""

    def num_found(self, asked: RunQuery) -> int:
        """Return how many runs are asked for."""

    def choices(self) -> RunChoices:
        """Return what there is to ask for among all runs."""

    def files_in_use(self) -> set[str]:
        """Return the names of the files that runs need for good, however they ended."""

    def active(self) -> Sequence[KeptRun]:
        """Return the runs that are queued, running or paused, oldest first."""

    def interrupted(self) -> Sequence[KeptRun]:
        """Return the runs that can be resumed, oldest first."""

    def delete(self, run_id: str) -> None:
        """Forget a run and its log; raises `NotFound`."""

    def events(self, run_id: str, after: int, limit: int) -> Sequence[Chunk]:
        """Return the chunks with events over `after`, in order, up to about `limit` events."""

    def epochs(self, run_id: str, after: int, limit: int) -> Sequence[Chunk]:
        """Return the chunks with epochs over `after`, in order, holding `limit` of them where there are as many."""

    def module_stats(self, run_id: str, epoch: int) -> Chunk | None:
        """Return the chunk with the last statistics of modules that are not after `epoch`, or None."""

    def module_stats_after(self, run_id: str, epoch: int, limit: int) -> Sequence[Chunk]:
        """Return up to `limit` chunks with statistics of modules of epochs after `epoch`, in order."""


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
    def source(self) -> Mapping[str, object]:
        """What it was opened from."""

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
    def record(self) -> Tree:
        """What is known of it."""

    @property
    def index(self) -> TreeIndex:
        """What it holds, by column."""


class KeptTrees(Protocol):
    """The trees that runs train. Safe to use from several threads."""

    def get(self, tree_id: str) -> Tree:
        """Return a tree; raises `NotFound`."""

    def snapshot(self, tree_id: str) -> TreeSnapshot:
        """Return the tree as it is; raises `NotFound`."""

    def reading(self, tree_id: str) -> AbstractContextManager[OpenTree]:
        """Give the tree in memory; while the block runs it is not changed. Raises `NotFound`."""

    def forward(
        self, source: Mapping[str, object], shapes: Sequence[tuple[int, ...]], frozen: Sequence[str]
    ) -> Sequence[Output]:
        """Return what a factory's module gives for inputs of each shape, tried in a process of its own."""

    def result_of(self, tree_id: str, run: str) -> int | None:
        """Return the revision that a run has made of the tree, None where it has made none or the tree is gone."""

    def put_result(
        self, tree_id: str, expected_revision: int, tensors: str, note: str, run: str | None = None
    ) -> int | None:
        """Make a file of trained values the tree's next revision and return it, or None where the tree moved on.

        `run` is what `result_of` then knows it by.
        """

    def edit(self, tree_id: str, change: Callable[[OpenTree], T], *, note: str) -> tuple[Tree, T]:
        """Change the tree and return it at its new revision, with what `change` returned."""


class DataStore(Protocol):
    """Where uploaded data is kept. Safe to use from several threads."""

    def points(self, data: CsvData) -> tuple[CsvData, Tensor, Tensor]:
        """Return the data with what was found of it, and x and y as float32; raises `Invalid` with every misfit."""


class TensorStore(Protocol):
    """Where the tensors of trees are kept."""

    def path(self, name: str) -> Path:
        """Return where the file of that name lies."""

    def save(self, tensors: Mapping[str, Tensor]) -> str:
        """Keep the tensors and return the name of their file."""
