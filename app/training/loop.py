"""The training loop: the tutorial's five steps, and around them whatever else a run is asked to do in an epoch.

validation loss -> forward, backward: the epoch's loss -> the optimizer's step -> schedule, early stopping
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from app.errors import CannotDo
from app.training import fused
from app.training.batches import Batches, Points, split
from app.training.checkpoint import Checkpoint, restore
from app.training.config import RunConfig, num_validation
from app.training.control import Control
from app.training.log import Floats
from app.training.losses import build_loss
from app.training.module_stats import ModuleStats
from app.training.optimizers import build_optimizer
from app.training.schedules import build_scheduler, step_scheduler
from app.training.steps import Step, torch_step
from app.training.stopping import Stopping
from app.training.validation import Validation
from app.trees.index import TreeIndex


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is known of an epoch before its last step; None without a validation split, and without a schedule."""

    loss: float
    validation_loss: float | None = None
    lr: float | None = None


class Loop:
    """Trains a model epoch by epoch, its parameters in place, from the start or from where a checkpoint was taken.

    An epoch is `begin` and `finish`, with its last step between them; `losses` is many of them, for speed. `seed`
    decides which points are kept from training and the order of the others. torch's random numbers are the caller's to
    seed, and numpy's warnings of overflow the caller's to silence. Raises what torch raises of arguments, and
    `CannotDo` for a step that is not possible.
    """

    def __init__(
        self, config: RunConfig, index: TreeIndex, points: Points, seed: int, checkpoint: Checkpoint | None = None
    ) -> None:
        _freeze(index, config.frozen)
        generator = torch.Generator().manual_seed(seed)
        points, kept = split(points, num_validation(config), generator)
        criterion = build_loss(config.loss, config.loss_args)
        # `model.parameters()` in the same order, for a tree of any depth.
        entries = index.parameters.listed(0, len(index.parameters), remove_duplicate=True).tolist()
        parameters = [index.parameters.tensor[entry] for entry in entries]
        self.optimizer = build_optimizer(config.optimizer, parameters, config.lr, config.optimizer_args)
        schedule, stopping = config.lr_scheduler, config.early_stopping
        self._scheduler = build_scheduler(schedule, self.optimizer, config.lr_scheduler_args) if schedule else None
        self._validation = Validation(index.modules, criterion, kept) if kept else None
        self._stopping = Stopping(stopping) if stopping else None
        self._watches_validation = stopping.monitor == "validation_loss" if stopping else kept is not None
        self._generator = generator
        self._stats = ModuleStats(index) if config.module_stats_every else None
        if checkpoint is not None:
            self._restore(checkpoint)
        # A step may hold what the optimizer remembers: it is made when that is there.
        step = self._step_of(config, index, points, criterion)
        self.step = step.name
        self._take = step.take
        self._loss: Callable[[], float] = partial(step.loss, points.x, points.y)
        if config.batch_size is not None:
            order = generator if config.shuffle else None
            is_sum = config.loss_args.get("reduction") == "sum"
            self._loss = Batches(step, points, config.batch_size, order, is_sum=is_sum).loss

    def _step_of(self, config: RunConfig, index: TreeIndex, points: Points, criterion: torch.nn.Module) -> Step:
        model = index.modules[0]
        if config.step != "fused":
            return torch_step(model, criterion, self.optimizer)
        message = fused.misfit(config, model, points.x.shape, points.y.shape)
        if message is not None:
            raise CannotDo(f"{message[0].upper()}{message[1:]}.")
        return fused.FusedStep(model, self.optimizer)

    @property
    def is_plain(self) -> bool:
        """Whether the loss is all that is known of an epoch."""
        return self._scheduler is None and self._validation is None and self._stopping is None

    @property
    def is_over(self) -> bool:
        """Whether the run is to stop early."""
        return self._stopping is not None and self._stopping.is_over

    @property
    def module_stats_s(self) -> float:
        """The seconds that statistics of modules took so far."""
        return self._stats.seconds if self._stats is not None else 0.0

    def losses(self, count: int, control: Control) -> list[float]:
        """Train up to `count` plain epochs and return their losses; fewer where something is asked meanwhile."""
        loss, take = self._loss, self._take
        found: list[float] = []
        for _ in range(count):
            if control.is_asked:
                break
            found.append(loss())
            take()
        return found

    def begin(self) -> Epoch:
        """Train an epoch up to its last step: the gradients of that one are there."""
        validation_loss = self._validation.loss() if self._validation is not None else None
        loss = self._loss()
        lr = float(self.optimizer.param_groups[0]["lr"]) if self._scheduler is not None else None
        return Epoch(loss, validation_loss, lr)

    def finish(self, epoch: Epoch, *, is_watched: bool) -> Floats | None:
        """Take the last step of the epoch that began; return the statistics of modules where they are asked for."""
        stats = self._stats if is_watched else None
        if stats is not None:
            stats.before()
        self._take()
        figures = stats.after() if stats is not None else None
        kept = epoch.validation_loss if self._watches_validation else None
        watched = epoch.loss if kept is None else kept
        if self._scheduler is not None:
            step_scheduler(self._scheduler, watched)
        if self._stopping is not None:
            self._stopping.see(watched)
        return figures

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint holds beside parameters, optimizer and torch's random numbers."""
        return {
            "generator": self._generator.get_state(),
            "schedule": self._scheduler.state_dict() if self._scheduler is not None else None,
            "stopping": self._stopping.state() if self._stopping is not None else None,
            "module_stats_s": self.module_stats_s,
        }

    def _restore(self, checkpoint: Checkpoint) -> None:
        restore(checkpoint, self.optimizer)
        extra = checkpoint.extra
        if "generator" in extra:
            self._generator.set_state(extra["generator"])
        if self._scheduler is not None:
            self._scheduler.load_state_dict(extra["schedule"])
        if self._stopping is not None:
            self._stopping.restore(extra["stopping"])
        if self._stats is not None:
            self._stats.seconds = extra.get("module_stats_s", 0.0)


def _freeze(index: TreeIndex, targets: Sequence[str]) -> None:
    start = index.parameters.start
    for row in map(index.row, targets):
        for parameter in index.parameters.tensor[start[row] : start[index.end[row]]]:
            parameter.requires_grad_(False)
