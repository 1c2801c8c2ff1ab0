"""A run's state between two epochs, in one file: parameters, buffers, optimizer, random numbers, epoch, and more."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, optim

from app.training.tensors_file import read_tensors, write_tensors

RNG = "rng"
EMPTY = '["dict", []]'
SUFFIX = ".checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run goes on from: `epoch` epochs are trained.

    `extra` is what else the loop has to remember: what JSON holds, tuples and tensors, in dicts and lists.
    """

    epoch: int
    tensors: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    rng: Tensor
    extra: Mapping[str, Any]


class Damaged(Exception):
    """The file of a checkpoint is gone, cut off, or holds other bytes than were written."""


def name_of(run: str, epoch: int) -> str:
    """Return the name of the file that holds a run's state after `epoch` epochs."""
    return f"{run}-{epoch}{SUFFIX}"


def epoch_of(name: str) -> int:
    """Return how many epochs the file of that name holds."""
    return int(name.removesuffix(SUFFIX).rpartition("-")[2])


def save_checkpoint(
    path: Path,
    tensors: Mapping[str, Tensor],
    optimizer: optim.Optimizer,
    epoch: int,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write the state after `epoch` epochs; `tensors` are the model's, packed as in a snapshot. Raises OSError."""
    state: dict[str, Tensor] = {RNG: torch.get_rng_state()}
    skeleton = _take_out(optimizer.state_dict(), state)
    more = _take_out(dict(extra or {}), state)
    state.update({f"model.{name}": tensor for name, tensor in tensors.items()})
    # safetensors refuses tensors that share memory; a history of an optimizer may.
    copies = {name: tensor.detach().clone() for name, tensor in state.items()}
    said = {"epoch": str(epoch), "optimizer": json.dumps(skeleton), "extra": json.dumps(more)}
    write_tensors(path, copies, {**said, "checksum": _checksum(copies, said)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Return what `save_checkpoint` wrote; raises `Damaged` where the file is not what was written."""
    try:
        tensors, metadata = read_tensors(path)
        checksum = metadata.pop("checksum", None)
        # Those of before there was a sum have none.
        if checksum is not None and checksum != _checksum(tensors, metadata):
            raise Damaged("it holds other bytes than were written")
        model = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
        optimizer = _put_back(json.loads(metadata["optimizer"]), tensors)
        extra = _put_back(json.loads(metadata.get("extra", EMPTY)), tensors)
        return Checkpoint(int(metadata["epoch"]), model, optimizer, tensors[RNG], extra)
    except FileNotFoundError as error:
        raise Damaged("it is gone") from error
    except OSError as error:
        raise Damaged(error.strerror or str(error)) from error
    except (ValueError, KeyError, SafetensorError, AttributeError) as error:
        raise Damaged("it is cut off or damaged") from error


def newest_usable(paths: Iterable[str]) -> tuple[Checkpoint | None, Sequence[str]]:
    """Return the first checkpoint that can be used, or None, and what is wrong with those before it, file by file."""
    damaged: list[str] = []
    for path in map(Path, paths):
        try:
            return load_checkpoint(path), damaged
        except Damaged as error:
            damaged.append(f"{path.name}: {error}")
    return None, damaged


def restore(checkpoint: Checkpoint, optimizer: optim.Optimizer) -> None:
    """Put the optimizer and torch's random numbers where they were; the model is loaded from `tensors`."""
    optimizer.load_state_dict(dict(checkpoint.optimizer))
    torch.set_rng_state(checkpoint.rng)


def _checksum(tensors: Mapping[str, Tensor], said: Mapping[str, str]) -> str:
    total = zlib.crc32(json.dumps(sorted(said.items())).encode())
    for _, tensor in sorted(tensors.items()):
        total = zlib.crc32(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes(), total)
    return f"{total:08x}"


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
