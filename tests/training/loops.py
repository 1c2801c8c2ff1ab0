"""Loops over a model in this process, and the same written out in plain torch, as the oracle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from app.training.batches import Points
from app.training.checkpoint import Checkpoint
from app.training.config import EarlyStopping, RunConfig
from app.training.data import tensors_of
from app.training.log import Floats
from app.training.loop import Epoch, Loop
from app.training.losses import LOSSES
from app.training.module_columns import stat_rows
from app.training.optimizers import OPTIMIZERS, needs_closure
from app.training.schedules import LR_SCHEDULERS
from app.trees.index import TreeIndex


@dataclass
class Trained:
    """What a loop said of its epochs: NaN as None, so that equal is equal."""

    epochs: list[tuple[object, ...]] = field(default_factory=list)
    figures: list[Floats] = field(default_factory=list)
    loop: Loop | None = None


def loop_of(
    model: nn.Module,
    config: RunConfig,
    points: tuple[Tensor, Tensor] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Loop:
    x, y = points or tensors_of(config.data)
    return Loop(config, TreeIndex.of(model), Points(x, y), config.seed or 0, checkpoint)


def trained(
    model: nn.Module,
    config: RunConfig,
    points: tuple[Tensor, Tensor] | None = None,
    loop: Loop | None = None,
    first: int = 0,
) -> Trained:
    """The epochs of a loop to its end, with statistics at every one of `module_stats_every`."""
    found = Trained(loop=loop or loop_of(model, config, points))
    assert found.loop is not None
    with np.errstate(all="ignore"):
        for epoch in range(first, config.epochs):
            if found.loop.is_over:
                break
            begun = found.loop.begin()
            is_watched = config.module_stats_every > 0 and epoch % config.module_stats_every == 0
            figures = found.loop.finish(begun, is_watched=is_watched)
            found.epochs.append(said(begun))
            if figures is not None:
                found.figures.append(figures)
    return found


def said(epoch: Epoch) -> tuple[object, ...]:
    values = (epoch.loss, epoch.validation_loss, epoch.lr)
    return tuple("nan" if value is not None and math.isnan(value) else value for value in values)


class Plain:
    """One model and its optimizer, as one would write the loop by hand."""

    def __init__(self, model: nn.Module, config: RunConfig) -> None:
        for target in config.frozen:
            model.get_submodule(target).requires_grad_(False)
        loss_args: Any = config.loss_args
        self.model = model
        self.criterion = LOSSES[config.loss](**loss_args)
        kind: Any = OPTIMIZERS[config.optimizer]
        self.optimizer = kind(model.parameters(), config.lr, **config.optimizer_args)
        schedule: Any = LR_SCHEDULERS[config.lr_scheduler] if config.lr_scheduler else None
        self.scheduler = schedule(self.optimizer, **config.lr_scheduler_args) if schedule else None
        self.before: Sequence[Tensor] = []
        self.gradients: Sequence[Tensor | None] = []

    def step(self, x: Tensor, y: Tensor) -> float:
        self.before = [parameter.detach().clone() for parameter in self.model.parameters()]

        def evaluate() -> Tensor:
            loss: Tensor = self.criterion(self.model(x), y)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        if needs_closure(self.optimizer):
            return float(self.optimizer.step(evaluate).item())
        loss = evaluate().item()
        self.gradients = [None if p.grad is None else p.grad.clone() for p in self.model.parameters()]
        self.optimizer.step()
        return loss

    def evaluated(self, x: Tensor, y: Tensor) -> float:
        modes = {module: module.training for module in self.model.modules()}
        self.model.eval()
        with torch.no_grad():
            loss: float = self.criterion(self.model(x), y).item()
        for module, mode in modes.items():
            module.training = mode
        return loss

    def schedule(self, watched: float) -> None:
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(watched)
        elif self.scheduler is not None:
            self.scheduler.step()


def plain_torch(model: nn.Module, config: RunConfig, points: tuple[Tensor, Tensor] | None = None) -> Trained:
    """The same config in plain torch."""
    x, y = points or tensors_of(config.data)
    generator = torch.Generator().manual_seed(config.seed or 0)
    kept = round(len(x) * config.validation_split)
    if kept:
        order = torch.randperm(len(x), generator=generator)
        (x, x_val), (y, y_val) = ((t[order[:-kept].sort().values], t[order[-kept:].sort().values]) for t in (x, y))
    plain, found = Plain(model, config), Trained()
    stopping = config.early_stopping or EarlyStopping(config.epochs + 1, monitor="validation_loss")
    lowest, waited, size = float("inf"), 0, config.batch_size or len(x)
    for epoch in range(config.epochs):
        validation = plain.evaluated(x_val, y_val) if kept else None
        lr = plain.optimizer.param_groups[0]["lr"] if plain.scheduler else None
        is_shuffled = config.batch_size is not None and config.shuffle
        order = torch.randperm(len(x), generator=generator) if is_shuffled else torch.arange(len(x))
        rows = order.split(size)  # type: ignore[no-untyped-call]
        losses = [plain.step(x[batch], y[batch]) for batch in rows]
        if config.module_stats_every and epoch % config.module_stats_every == 0:
            found.figures.append(figures_of(model, plain.before, plain.gradients))
        loss = losses[0] if len(rows) == 1 else sum(a * len(b) for a, b in zip(losses, rows, strict=True)) / len(x)
        found.epochs.append(said(Epoch(loss, validation, lr)))
        watched = loss if validation is None or stopping.monitor == "loss" else validation
        plain.schedule(watched)
        waited = 0 if watched < lowest - stopping.min_delta else waited + 1
        lowest = watched if waited == 0 else lowest
        if waited >= stopping.patience:
            break
    return found


def figures_of(model: nn.Module, before: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> Floats:
    """Norms and ratios of the modules with parameters of their own, one tensor after the other in float64."""
    place = {id(parameter): number for number, parameter in enumerate(model.parameters())}
    columns = []
    index = TreeIndex.of(model)
    for row in stat_rows(index):
        own = [(place[id(p)], p.detach()) for p in index.modules[row].parameters(recurse=False)]
        norm = _norm([before[number] for number, _ in own])
        arrived = [gradient for number, _ in own if (gradient := gradients[number]) is not None]
        change = _norm([before[number].to(p.dtype) - p for number, p in own])
        columns.append((norm, _norm(arrived) if arrived else np.nan, change / norm if norm else np.nan))
    return np.array(columns, np.float32).T


def _norm(tensors: Sequence[Tensor]) -> float:
    wide = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    return float(torch.cat([t.double().reshape(-1) for t in wide]).norm())
