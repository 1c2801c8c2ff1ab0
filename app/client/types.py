"""What a server answers, as structs: what a newer server adds is passed over, what it leaves out is empty.

Numbers that are not finite, which JSON has no words for, are floats here as they were on the server.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import force_setattr

T = TypeVar("T")

OVER = frozenset({"succeeded", "failed", "cancelled", "interrupted"})


class Can(msgspec.Struct, frozen=True):
    """What a tree can do."""

    train: bool = False
    edit: bool = False
    forward: bool = False


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """An opened model as it is at `revision`; elements and bytes of shared tensors count once."""

    id: str
    name: str
    source: dict[str, Any]
    revision: int
    class_name: str
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    depth: int
    fingerprint: str
    can: Can
    created_at: datetime
    updated_at: datetime


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """A module at one place; counts are of its whole subtree. `name` is empty in views without names."""

    path: str
    class_name: str
    module: str
    extra_repr: str
    training: bool
    depth: int
    num_children: int
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    shared_with: str | None
    shape_id: str
    name: str = ""


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """A tensor at one place; `values` are nested numbers where there are few, `stats` come where asked for."""

    path: str
    shape: tuple[int, ...] | None
    dtype: str
    device: str
    numel: int
    num_bytes: int
    shared_with: str | None
    values: Any = None
    stats: dict[str, Any] | None = None
    name: str = ""


class Parameter(Tensor, frozen=True, kw_only=True):
    """A parameter at one place."""

    requires_grad: bool


class Buffer(Tensor, frozen=True, kw_only=True):
    """A buffer at one place."""

    persistent: bool


class Line(msgspec.Struct, frozen=True):
    """The function y = slope * x + intercept."""

    slope: float
    intercept: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A training run as it stands; `loss` is that of the last epoch done, before its step, None where none is done."""

    id: str
    tree: str
    tree_name: str
    tree_deleted: bool = False
    tree_revision: int
    number: int = 0
    status: str
    epochs: int
    epochs_done: int
    loss: float | None
    nonfinite: str | None = None
    best_loss: float | None
    validation_loss: float | None = None
    best_validation_loss: float | None = None
    lr: float | None = None
    stopped_early: bool = False
    step: str | None = None
    num_module_stats: int = 0
    overhead: dict[str, float | None] | None = None
    fit: Line | None = None
    checkpoint_epoch: int | None = None
    config: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None
    result_revision: int | None

    def __post_init__(self) -> None:
        _restore(self)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself; one that was interrupted may be resumed."""
        return self.status in OVER


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch; slope and intercept are of the line that the tree was before its step, where it was one."""

    epoch: int
    loss: float | None
    at: datetime
    nonfinite: str | None = None
    slope: float | None = None
    intercept: float | None = None
    validation_loss: float | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        _restore(self)


class ModuleStats(msgspec.Struct, frozen=True, kw_only=True):
    """Norms of the own parameters of each module at one epoch, by column; no gradient norm is no gradient.

    `epoch` is None, and the columns are empty, while there are none yet.
    """

    epoch: int | None
    paths: tuple[str, ...]
    parameter_norm: tuple[float | None, ...]
    gradient_norm: tuple[float | None, ...]
    update_ratio: tuple[float | None, ...]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers at some epochs, by column; null ones are not finite, in the stretches that `nonfinite` names."""

    epoch: tuple[int, ...]
    value: tuple[float | None, ...]
    nonfinite: tuple[tuple[int, int, str], ...] = ()


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The losses of a run in as few numbers as a chart shows, as they were after the event `last_event`."""

    run: Run
    last_event: int
    loss: Curve
    validation_loss: Curve | None = None


class Insight(msgspec.Struct, frozen=True, kw_only=True):
    """Something to know about a run, in plain words."""

    kind: str
    severity: str
    title: str
    detail: str
    modules: tuple[str, ...] = ()
    first_epoch: int | None = None
    last_epoch: int | None = None


class Insights(msgspec.Struct, frozen=True):
    """All there is to know about a run."""

    items: tuple[Insight, ...]


class DataColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a CSV file, and how many of its cells hold no number."""

    name: str
    num_missing: int = 0
    num_non_numeric: int = 0


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV file that the server keeps to train on."""

    id: str
    name: str
    num_rows: int
    columns: tuple[DataColumn, ...]


class Unfit(msgspec.Struct, frozen=True):
    """A tensor of a run that the tree has no place for."""

    path: str
    msg: str


class Applied(msgspec.Struct, frozen=True):
    """What became of a run's result on the tree as it is now."""

    revision: int
    num_applied: int
    num_unfit: int
    unfit: tuple[Unfit, ...]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list; `next` leads to the one after it."""

    items: Sequence[T]
    next: str | int | None = None


def number(kind: str) -> float:
    """Return the float that a server calls "nan", "inf" or "-inf"."""
    return float(kind) if kind in {"nan", "inf", "-inf"} else math.nan


def _restore(row: Run | Epoch) -> None:
    if row.loss is None and row.nonfinite is not None:
        force_setattr(row, "loss", number(row.nonfinite))
