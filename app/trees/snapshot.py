"""What is kept of a revision: its structure as compressed columns, and its values packed into one tensor a dtype.

Packed, since a safetensors header that names 222,222 tensors is twenty times the size of the values it describes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import torch
import zstandard
from torch import Tensor

from app.collector import collector_paused
from app.errors import CannotDo, TooLarge
from app.translation import said
from app.trees.description import Description
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel, linear_models, parameter_of
from app.trees.origin import is_description, unpack
from app.trees.tensors import TensorColumns
from app.trees.values import DTYPES

MOST_PATHS = 16_000_000


class _Tensors(msgspec.Struct, array_like=True):
    owner: list[int]
    name: list[str]
    kind: list[int]
    flag: bytes


class _Structure(msgspec.Struct, array_like=True):
    """A tree of LinearModels by column; a kind is a shape and a dtype."""

    parent: list[int]
    name: list[str]
    chain: bytes
    training: bytes
    kinds: list[tuple[list[int], str]]
    parameters: _Tensors
    buffers: _Tensors


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The structure, and one flat tensor a dtype with all parameters' values and then all buffers', in pre-order."""

    structure: bytes
    tensors: dict[str, Tensor]


def take(index: TreeIndex) -> Snapshot:
    """Return the snapshot of a tree of LinearModels; its tensors are copies.

    Raises `CannotDo` for a tree that could not be given back: with other modules, a shared one, or a shared tensor.
    """
    if not index.is_live:
        raise CannotDo(said("Only the structure of the tree is known: such a tree is not kept by its modules."))
    for row, module in enumerate(index.modules):
        if not isinstance(module, LinearModel):
            raise CannotDo(
                said(
                    "%(path)r is a %(class_name)s: only trees of LinearModels are kept.",
                    path=index.path(row),
                    class_name=type(module).__name__,
                )
            )
    _check_nothing_is_lost(index)
    structure = _Structure(
        parent=list(index.parent),
        name=index.name,
        chain=bytes(bool(vars(module).get("chain")) for module in index.modules),
        training=bytes(index.training),
        kinds=[(list(kind.shape or ()), kind.dtype_name) for kind in index.kinds.all],
        parameters=_tensors(index.parameters),
        buffers=_tensors(index.buffers),
    )
    return Snapshot(zstandard.compress(msgspec.msgpack.encode(structure), 3), pack(index))


def _check_nothing_is_lost(index: TreeIndex) -> None:
    for row in np.flatnonzero(index.previous >= 0).tolist():
        raise CannotDo(said("%(path)r is shared with another place: such a tree is not kept.", path=index.path(row)))
    for row in index.none_children:
        raise CannotDo(said("%(path)r has a child that is None: such a tree is not kept.", path=index.path(row)))
    tensors = index.parameters.tensor + index.buffers.tensor
    if len(set(map(id, tensors))) < len(tensors):
        raise CannotDo(said("A parameter or buffer is shared between places: such a tree is not kept."))
    for kind in index.kinds.all:
        if kind.dtype_name not in DTYPES or kind.shape is None:
            raise CannotDo(
                said(
                    "A tensor of %(dtype_name)s is not kept: only %(names)s with a shape.",
                    dtype_name=kind.dtype_name,
                    names=", ".join(DTYPES),
                )
            )


def pack(index: TreeIndex) -> dict[str, Tensor]:
    """Return the values alone, as `take` packs them: what changes when a tree of the same structure is trained."""
    by_dtype: dict[str, list[Tensor]] = {}
    with torch.no_grad():
        for columns in (index.parameters, index.buffers):
            for kind, tensor in zip(columns.kind, columns.tensor, strict=True):
                flat = tensor if tensor.dim() == 1 else tensor.reshape(-1)
                by_dtype.setdefault(index.kinds.all[kind].dtype_name, []).append(flat)
        return {dtype: torch.cat(tensors) for dtype, tensors in by_dtype.items()}


@dataclass(frozen=True, slots=True)
class Holders:
    """The modules of a snapshot that have parameters of their own, in pre-order: their rows, their paths from the root.

    `trains` says of each whether a parameter of it requires a gradient.
    """

    rows: list[int]
    paths: list[str]
    trains: list[bool]


def holders(structure: bytes) -> Holders:
    """Return the modules of a structure that have parameters of their own; no value is needed for it.

    Raises `TooLarge` where their paths are longer than is told of them: those of a deep chain grow with its square.
    """
    columns: _Structure | Description = (
        unpack(structure)[0]
        if is_description(structure)
        else msgspec.msgpack.decode(zstandard.decompress(structure), type=_Structure)
    )
    trains: dict[int, bool] = {}
    for owner, flag in zip(columns.parameters.owner, columns.parameters.flag, strict=True):
        trains[owner] = bool(flag) or trains.get(owner, False)
    refuse_long_paths(columns.parent, columns.name)
    paths = [""]
    for parent, name in zip(columns.parent[1:], columns.name[1:], strict=True):
        paths.append(f"{paths[parent]}.{name}" if parent else name)
    rows = sorted(trains)
    return Holders(rows, [paths[row] for row in rows], [trains[row] for row in rows])


def refuse_long_paths(parents: Sequence[int], names: Sequence[str]) -> None:
    """Raise `TooLarge` where the paths of modules have more characters than are told of them."""
    lengths = [0]
    for parent, name in zip(parents[1:], names[1:], strict=True):
        lengths.append(lengths[parent] + len(name) + 1)
    num_characters = sum(lengths)
    if num_characters > MOST_PATHS:
        raise TooLarge(
            said(
                "The paths of its modules have %(given)s characters; statistics name modules of up to %(most)s.",
                given=f"{num_characters:,}",
                most=f"{MOST_PATHS:,}",
            ),
            MOST_PATHS,
        )


def load(structure: bytes, tensors: Mapping[str, Tensor]) -> LinearModel:
    """Return the root of the modules that a snapshot describes; their tensors share the packed ones' memory."""
    columns = msgspec.msgpack.decode(zstandard.decompress(structure), type=_Structure)
    with collector_paused():
        modules = linear_models(len(columns.parent))
        for module, name, parent, chain, training in zip(
            modules, columns.name, columns.parent, columns.chain, columns.training, strict=True
        ):
            if chain:
                module.chain = True
            if not training:
                module.training = False
            if parent >= 0:
                modules[parent]._modules[name] = module
        _fill(modules, columns, tensors)
    return modules[0]


def _fill(modules: list[LinearModel], columns: _Structure, tensors: Mapping[str, Tensor]) -> None:
    parts = _unpack(columns, tensors)
    parameters, buffers = columns.parameters, columns.buffers
    for owner, name, kind, flag in zip(
        parameters.owner, parameters.name, parameters.kind, parameters.flag, strict=True
    ):
        modules[owner]._parameters[name] = parameter_of(next(parts[kind]), requires_grad=bool(flag))
    for owner, name, kind, flag in zip(buffers.owner, buffers.name, buffers.kind, buffers.flag, strict=True):
        modules[owner]._buffers[name] = next(parts[kind])
        if not flag:
            modules[owner]._non_persistent_buffers_set.add(name)


def _unpack(columns: _Structure, tensors: Mapping[str, Tensor]) -> list[Iterator[Tensor]]:
    # One iterator a kind; tensors of one dtype lie behind each other in the order of the entries.
    shapes = [tuple(shape) for shape, _ in columns.kinds]
    entries = columns.parameters.kind + columns.buffers.kind
    found: list[list[Tensor]] = [[] for _ in shapes]
    for dtype in {dtype for _, dtype in columns.kinds}:
        kinds = [kind for kind in entries if columns.kinds[kind][1] == dtype]
        sizes = [_numel(shapes[kind]) for kind in kinds]
        packed = tensors[dtype] if sizes else torch.empty(0, dtype=DTYPES[dtype])
        for kind, part in zip(kinds, torch.split(packed, sizes), strict=True):
            found[kind].append(part if len(shapes[kind]) == 1 else part.view(shapes[kind]))
    return [iter(parts) for parts in found]


def _numel(shape: Iterable[int]) -> int:
    numel = 1
    for size in shape:
        numel *= size
    return numel


def _tensors(columns: TensorColumns) -> _Tensors:
    return _Tensors(list(columns.owner), columns.name, list(columns.kind), bytes(columns.flag))
