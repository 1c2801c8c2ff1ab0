"""One run in a worker process: the model, what it learns from, and how far it is."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from app.training import messages
from app.training.checkpoint import load_checkpoint, name_of, restore, save_checkpoint
from app.training.control import Control
from app.training.data import tensors_of
from app.training.epoch_batch import EpochBatch, send
from app.training.fit import Fit
from app.training.loop import train
from app.training.losses import LOSSES
from app.training.messages import Start
from app.training.optimizers import build_optimizer
from app.training.tensors_file import read_tensors, write_tensors
from app.trees import snapshot
from app.trees.index import TreeIndex


class Session:
    """Trains one run, from its start or its last checkpoint to its end."""

    def __init__(self, start: Start, control: Control, fd: int) -> None:
        checkpoint = load_checkpoint(Path(start.checkpoint)) if start.checkpoint else None
        self.start = start
        self.control = control
        self.fd = fd
        # The model's parameters and buffers are views of these: they always hold its present values.
        self.tensors = dict(checkpoint.tensors) if checkpoint else read_tensors(Path(start.tensors))[0]
        self.model: nn.Module = snapshot.load(start.structure, self.tensors)
        # `self.model.parameters()` in the same order, for a tree of any depth.
        config, parameters = start.config, TreeIndex.of(self.model).parameters.tensor
        self.optimizer = build_optimizer(config.optimizer, parameters, config.lr, config.optimizer_args)
        self.fit = Fit(self.model)
        self.batch = EpochBatch(start.run, self.fit, fd)
        self.first = checkpoint.epoch if checkpoint else 0
        torch.manual_seed(start.seed)
        if checkpoint:
            restore(checkpoint, self.optimizer)

    def run(self) -> tuple[float, float]:
        """Train to the end, write the tensors, and return the slope and intercept they make."""
        config = self.start.config
        criterion = LOSSES[config.loss]()
        x, y = tensors_of(config.data)
        try:
            for span in spans(self.first, config.epochs, config.checkpoint_every):
                for epoch, loss in train(self.model, criterion, self.optimizer, x, y, span):
                    if self.control.is_asked:
                        self._obey()
                    if epoch >= self.start.emit_from:
                        self.batch.add(epoch, loss)
                if span.stop < config.epochs:
                    self._checkpoint(span.stop)
        finally:
            self.batch.send()
        write_tensors(Path(self.start.result), self.tensors)
        return self.fit.read()

    def _obey(self) -> None:
        if self.control.is_paused:
            self.batch.send()
            send(self.fd, messages.Paused(self.start.run))
            self.control.wait()
            send(self.fd, messages.Resumed(self.start.run))
        self.control.wait()

    def _checkpoint(self, epoch: int) -> None:
        self.batch.send()
        path = Path(self.start.result).with_name(name_of(self.start.run, epoch))
        save_checkpoint(path, self.tensors, self.optimizer, epoch)
        send(self.fd, messages.Checkpointed(self.start.run, epoch, path.name))


def spans(first: int, epochs: int, every: int) -> Iterator[range]:
    """Yield the epochs from `first` on, parted where a checkpoint is due: after every `every`th, counted from 0."""
    while first < epochs:
        last = min(first - first % every + every, epochs) if every else epochs
        yield range(first, last)
        first = last
