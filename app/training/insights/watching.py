"""Insights of runs, kept up with their logs: what was read once is not read again."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np

from app.training.insights.insight import Finding, Kind, Severity
from app.training.insights.losses import LossWatch
from app.training.insights.modules import ModuleWatch
from app.training.log import EpochColumns
from app.training.module_columns import ModuleColumns
from app.training.run import Run
from app.trees.snapshot import Holders

MOST_KEPT = 32
EPOCHS_A_READ = 100_000
CHUNKS_A_READ = 64

_ORDER = tuple(Severity)


class Logs(Protocol):
    """The runs and what is logged of them."""

    def get(self, run_id: str) -> Run:
        """Return a run; raises `NotFound`."""

    def epochs(self, run_id: str, after: int, limit: int) -> tuple[EpochColumns | None, int | None]:
        """Return up to `limit` epochs after the epoch `after`, and the last of them where more follow."""

    def module_stats_after(self, run_id: str, epoch: int, limit: int) -> Sequence[ModuleColumns]:
        """Return the statistics of modules of epochs after `epoch`, from up to `limit` pieces of the log."""

    def holders(self, run_id: str) -> Holders:
        """Return the modules that the statistics of a run speak of."""


class Watching:
    """The insights of every run that is asked for; safe to use from several threads."""

    def __init__(self, runs: Logs) -> None:
        self._runs = runs
        self._kept: OrderedDict[str, _Watched] = OrderedDict()
        self._keeping = threading.Lock()

    def findings(self, run_id: str) -> Sequence[Finding]:
        """Return what the log of a run says up to now: what holds first, then by how much it matters.

        Raises `NotFound`.
        """
        return self._watched(run_id).findings()

    def about(self, run_id: str, path: str) -> Sequence[Finding]:
        """Return what the log says of one module; raises `NotFound` where there is no such run."""
        return self._watched(run_id).about(path)

    def ranges(self, run_id: str) -> Mapping[str, tuple[float, float]]:
        """Return the smallest and the largest number over 0 of each statistic in the log; raises `NotFound`."""
        return self._watched(run_id).ranges()

    def _watched(self, run_id: str) -> "_Watched":
        self._runs.get(run_id)
        with self._keeping:
            watched = self._kept.pop(run_id, None) or _Watched(self._runs, run_id)
            self._kept[run_id] = watched
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return watched


class _Watched:
    def __init__(self, runs: Logs, run_id: str) -> None:
        self._runs = runs
        self._run_id = run_id
        self._reading = threading.Lock()
        self._losses = LossWatch()
        self._modules: ModuleWatch | None = None
        self._last_stats = -1

    def findings(self) -> Sequence[Finding]:
        with self._reading:
            self._read()
            found = [*map(self._located, self._losses.findings()), *(self._modules.findings() if self._modules else ())]
        return sorted(found, key=_urgency)

    def about(self, path: str) -> Sequence[Finding]:
        with self._reading:
            self._read()
            held = self._runs.holders(self._run_id)
            if self._modules is None or path not in held.paths:
                return ()
            return sorted(self._modules.about(held.paths.index(path)), key=_urgency)

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        with self._reading:
            self._read_modules()
            return dict(self._modules.ranges) if self._modules else {}

    def _read(self) -> None:
        self._read_epochs()
        self._read_modules()

    def _located(self, finding: Finding) -> Finding:
        bad = self._modules.first_bad if self._modules else None
        if finding.kind is not Kind.NONFINITE or bad is None:
            return finding
        epoch, row = bad
        figures = {**finding.figures, "module_epoch": epoch}
        return msgspec.structs.replace(finding, rows=(row,), num_modules=1, figures=figures)

    def _read_epochs(self) -> None:
        while True:
            columns, _ = self._runs.epochs(self._run_id, self._losses.num_epochs - 1, EPOCHS_A_READ)
            if columns is None or not len(columns):
                return
            self._losses.follow(columns)

    def _read_modules(self) -> None:
        while parts := self._runs.module_stats_after(self._run_id, self._last_stats, CHUNKS_A_READ):
            if self._modules is None:
                self._modules = _watch(self._runs.holders(self._run_id), self._runs.get(self._run_id).config.frozen)
            for columns in parts:
                self._modules.follow(columns)
                self._last_stats = int(columns.epochs[-1])


def _urgency(finding: Finding) -> tuple[bool, int]:
    return finding.last_epoch is not None, _ORDER.index(finding.severity)


def _watch(held: Holders, frozen: Sequence[str]) -> ModuleWatch:
    is_frozen = [not trains or _is_in(path, frozen) for path, trains in zip(held.paths, held.trains, strict=True)]
    return ModuleWatch(np.array(held.rows), np.array(is_frozen, bool))


def _is_in(path: str, targets: Sequence[str]) -> bool:
    return any(not target or path == target or path.startswith(f"{target}.") for target in targets)
