"""A run's state between two epochs, in one file: parameters, buffers, optimizer, random numbers, epoch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, optim

from app.training.tensors_file import read_tensors, write_tensors

RNG = "rng"
SUFFIX = ".checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run goes on from: `epoch` epochs are trained."""

    epoch: int
    tensors: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    rng: Tensor


def name_of(run: str, epoch: int) -> str:
    """Return the name of the file that holds a run's state after `epoch` epochs."""
    return f"{run}-{epoch}{SUFFIX}"


def epoch_of(name: str) -> int:
    """Return how many epochs the file of that name holds."""
    return int(name.removesuffix(SUFFIX).rpartition("-")[2])


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], optimizer: optim.Optimizer, epoch: int) -> None:
    """Write the state after `epoch` epochs; `tensors` are the model's, packed as in a snapshot."""
    state: dict[str, Tensor] = {RNG: torch.get_rng_state()}
    skeleton = _take_out(optimizer.state_dict(), state)
    state.update({f"model.{name}": tensor for name, tensor in tensors.items()})
    # safetensors refuses tensors that share memory; a history of an optimizer may.
    copies = {name: tensor.detach().clone() for name, tensor in state.items()}
    write_tensors(path, copies, {"epoch": str(epoch), "optimizer": json.dumps(skeleton)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Return what `save_checkpoint` wrote."""
    tensors, metadata = read_tensors(path)
    model = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
    optimizer = _put_back(json.loads(metadata["optimizer"]), tensors)
    return Checkpoint(int(metadata["epoch"]), model, optimizer, tensors[RNG])


def restore(checkpoint: Checkpoint, optimizer: optim.Optimizer) -> None:
    """Put the optimizer and torch's random numbers where they were; the model is loaded from `tensors`."""
    optimizer.load_state_dict(dict(checkpoint.optimizer))
    torch.set_rng_state(checkpoint.rng)


def _take_out(value: object, tensors: dict[str, Tensor]) -> object:
    """Return `value` as JSON holds it, its tensors put into `tensors`; what JSON has not is a list behind its kind."""
    if isinstance(value, Tensor):
        name = f"optimizer.{len(tensors)}"
        tensors[name] = value
        return ["tensor", name]
    if isinstance(value, dict):
        return ["dict", [[key, _take_out(item, tensors)] for key, item in value.items()]]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_take_out(item, tensors) for item in value]]
    return value


def _put_back(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, list):
        return value
    kind, held = value
    if kind == "tensor":
        return tensors[held]
    if kind == "dict":
        return {key: _put_back(item, tensors) for key, item in held}
    items = [_put_back(item, tensors) for item in held]
    return tuple(items) if kind == "tuple" else items
