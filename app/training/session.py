"""One run in a worker process: the model, what it learns from, and how far it is."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor

from app.errors import CannotDo
from app.training import messages
from app.training.batches import Points
from app.training.checkpoint import name_of, newest_usable, save_checkpoint
from app.training.control import Control
from app.training.data import tensors_of
from app.training.epoch_batch import EpochBatch, send
from app.training.fit import UNKNOWN, Fit
from app.training.loop import Loop
from app.training.messages import Done, Start
from app.training.models import load_model
from app.training.tensors_file import read_tensors, write_tensors
from app.translation import said
from app.trees.index import TreeIndex

# A run of so many epochs is looked at epoch by epoch, its line at each of them; in a longer one nobody could.
MAX_LOOKED_AT = 2_000


class Halted(Exception):
    """The run stopped at a checkpoint, or before its result could be written: it can be resumed."""


class Session:
    """Trains one run, from its start or its last checkpoint to its end; `epoch` is how many epochs it has trained."""

    def __init__(self, start: Start, control: Control, fd: int) -> None:
        checkpoint, damaged = newest_usable(start.checkpoints)
        self.start = start
        self.control = control
        self.fd = fd
        tensors = checkpoint.tensors if checkpoint else _start_tensors(Path(start.tensors))
        # The model's parameters and buffers share the memory of these: they always hold its present values.
        model, self.tensors = load_model(start.structure, tensors, start.seed)
        index = TreeIndex.of(model)
        torch.manual_seed(start.seed)
        x, y = tensors_of(start.config.data, Path(start.data) if start.data else None)
        self.loop = Loop(start.config, index, Points(x.contiguous(), y.contiguous()), start.seed, checkpoint)
        self.fit = Fit(index.modules[0])
        self.batch = EpochBatch(start.run, self.loop.step, fd)
        self.epoch = self.checkpointed = checkpoint.epoch if checkpoint else 0
        self._trained_s = checkpoint.extra.get("trained_s", 0.0) if checkpoint else 0.0
        if start.goes_on:
            send(fd, messages.Restored(start.run, self.epoch, tuple(damaged)))

    def run(self) -> Done:
        """Train to the end, write the tensors, and return what there is to say; raises `Stopped` and `Halted`."""
        self._began = time.perf_counter()
        try:
            # A loss that overflows is an outcome like another.
            with np.errstate(all="ignore"):
                self._train()
        finally:
            self._send()
        try:
            write_tensors(Path(self.start.result), self.tensors)
        except OSError as error:
            raise Halted(f"the result could not be written: {error.strerror}") from error
        return Done(self.start.run, *self.fit.read(), stopped_early=self.epoch < self.start.config.epochs)

    def _train(self) -> None:
        while self.epoch < self.start.config.epochs and not self.loop.is_over:
            if self.control.is_asked:
                self._obey()
            if _is_turn(self.epoch, self.start.config.checkpoint_every):
                self._checkpoint()
            plain = 0 if self._looks_at_all else min(self.batch.stretch, self._num_alike()) - 1
            if plain > 0:
                losses = self.loop.losses(plain, self.control)
                if self.epoch >= self.start.emit_from:
                    self.batch.add_losses(self.epoch, losses)
                self.epoch += len(losses)
            if not self.control.is_asked:
                self._train_one()

    @property
    def _looks_at_all(self) -> bool:
        return not self.loop.is_plain or (self.fit.is_live and self.start.config.epochs <= MAX_LOOKED_AT)

    def _num_alike(self) -> int:
        """Return how many epochs there are up to the next one before or in which there is more to do."""
        config, epoch, emit_from = self.start.config, self.epoch, self.start.emit_from
        ends = [config.epochs]
        if epoch < emit_from:
            ends.append(emit_from)
        if config.checkpoint_every:
            ends.append(epoch - epoch % config.checkpoint_every + config.checkpoint_every)
        if config.module_stats_every:
            ends.append(epoch + -epoch % config.module_stats_every + 1)
        return min(ends) - epoch

    def _train_one(self) -> None:
        epoch, batch = self.epoch, self.batch
        is_told = epoch >= self.start.emit_from
        is_watched = is_told and _is_turn(epoch, self.start.config.module_stats_every)
        is_due = is_told and batch.is_due
        line = self.fit.read() if is_due or (is_told and self.fit.is_live) else UNKNOWN
        begun = self.loop.begin()
        if is_told:
            batch.add(epoch, begun, line)
        if is_due and not is_watched:
            self._send()
        figures = self.loop.finish(begun, is_watched=is_watched)
        self.epoch += 1
        if figures is not None:
            # They travel with their epoch: what was told of an epoch is told again neither in part nor as a whole.
            batch.add_modules(epoch, figures)
            if is_due:
                self._send()

    def _obey(self) -> None:
        is_told = False
        began = time.perf_counter()
        while self.control.is_asked:
            asked = self.control.taken_checkpoint()
            if asked is not None:
                self._checkpoint()
                if asked.and_stop:
                    raise Halted
                continue
            if self.control.is_paused and not is_told:
                is_told = True
                self._send()
                send(self.fd, messages.Paused(self.start.run))
            self.control.wait()
        if is_told:
            send(self.fd, messages.Resumed(self.start.run))
        self._rest(began)

    def _checkpoint(self) -> None:
        if self.epoch in {0, self.checkpointed}:
            return
        self._send()
        run, began = self.start.run, time.perf_counter()
        path = Path(self.start.result).with_name(name_of(run, self.epoch))
        extra = {**self.loop.state(), "trained_s": self._seconds()}
        try:
            save_checkpoint(path, self.tensors, self.loop.optimizer, self.epoch, extra)
        except OSError as error:
            send(self.fd, messages.NotCheckpointed(run, self.epoch, error.strerror or str(error)))
        else:
            self.checkpointed = self.epoch
            took_s = time.perf_counter() - began
            send(self.fd, messages.Checkpointed(run, self.epoch, path.name, took_s))
        self._rest(began)

    def _rest(self, began: float) -> None:
        """Leave the time since `began` out of what the run has trained."""
        self._began += time.perf_counter() - began
        self.batch.go_on()

    def _seconds(self) -> float:
        return self._trained_s + time.perf_counter() - self._began

    def _send(self) -> None:
        self.batch.send(self._seconds(), self.loop.module_stats_s)


def _start_tensors(path: Path) -> Mapping[str, Tensor]:
    try:
        return read_tensors(path)[0]
    except OSError as error:
        why = error.strerror or str(error)
        raise CannotDo(said("The file that the run starts from cannot be read: %(error)s.", error=why)) from error
    except (ValueError, SafetensorError) as error:
        raise CannotDo(said("The file that the run starts from is damaged.")) from error


def _is_turn(epoch: int, every: int) -> bool:
    return every > 0 and epoch % every == 0
