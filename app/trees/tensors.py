"""The tensors registered in a tree, by column: one entry for every place that a name gives a tensor."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

from app.trees.numbering import Numbering

Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

STRIDED = "strided"


@dataclass(frozen=True, slots=True)
class TensorKind:
    """What many tensors have in common; shape is None for a tensor that has none yet (lazy modules).

    `dtype_name` is torch's word for the dtype, without its prefix: `float32`. `device` and `layout` are known here of
    tensors that are not live; of live ones each knows its own.
    """

    shape: tuple[int, ...] | None
    numel: int
    num_bytes: int
    dtype_name: str
    device: str = ""
    layout: str = STRIDED


@dataclass(frozen=True, slots=True)
class TensorWords:
    """What a shape id says of an entry: its name, its kind, and of a buffer whether it is persistent."""

    name: str
    kind: int
    persistent: bool | None


@dataclass(slots=True)
class TensorColumns:
    """The parameters, or the buffers, of all places of a tree in pre-order; None entries are left out, as torch does.

    `flag` is `requires_grad` of a parameter, `persistent` of a buffer. `start[row]` is the first entry of a module,
    so its own are `start[row]:start[row + 1]` and its subtree's `start[row]:start[end[row]]`. `previous` is the last
    entry before with the very same tensor, or -1: an entry is the first in a range exactly when `previous` lies before
    the range. `first` is the first entry of all with the same tensor. `words` are the distinct things that shape ids
    say of entries, `word` their numbers. `identity` is equal for the very same tensor, also between parameters and
    buffers; `tensor` has the live ones, and nothing where a tree is known by its structure only.
    """

    owner: "array[int]" = field(default_factory=lambda: array("q"))
    name: list[str] = field(default_factory=list)
    kind: "array[int]" = field(default_factory=lambda: array("q"))
    flag: bytearray = field(default_factory=bytearray)
    tensor: list[Tensor] = field(default_factory=list)
    start: "array[int]" = field(default_factory=lambda: array("q"))
    identity: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    previous: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    first: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    word: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    words: list[TensorWords] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.name)

    def close(self, kinds: "Kinds", *, are_parameters: bool) -> None:
        """Finish the columns, of which `name`, `tensor`, `start` and a buffer's `flag` are there."""
        self.start.append(len(self.name))
        types = set(map(type, self.tensor))
        if type(None) in types:
            self._drop_none()
        self.identity = identities(self.tensor)
        self._place()
        has_lazy = any(issubclass(cls, UninitializedParameter | UninitializedBuffer) for cls in types)
        self._describe(kinds, are_parameters=are_parameters, has_lazy=has_lazy)

    def listed(self, start: int, stop: int, *, remove_duplicate: bool) -> Ints:
        """Return the entries from `start` to `stop`, those whose tensor came before in that range left out if asked."""
        if not remove_duplicate:
            return np.arange(start, stop, dtype=np.int64)
        return np.flatnonzero(self.previous[start:stop] < start) + start

    def num_listed(self, start: int, stop: int, *, remove_duplicate: bool) -> int:
        """Return how many `listed` gives."""
        return int(np.count_nonzero(self.previous[start:stop] < start)) if remove_duplicate else stop - start

    def device(self, entry: int, kind: TensorKind) -> str:
        """Return where a tensor of a kind is: "cpu", "meta", or "file" for one in a checkpoint."""
        return str(self.tensor[entry].device) if self.tensor else kind.device

    def layout(self, entry: int, kind: TensorKind) -> str:
        """Return the layout of a tensor of a kind: "strided", "sparse_coo" and so on."""
        return str(self.tensor[entry].layout).removeprefix("torch.") if self.tensor else kind.layout

    def number(self, *, are_parameters: bool) -> None:
        """Finish the columns of tensors that are not live, of which all is there but what follows from the rest."""
        self._place()
        flags: Iterable[bool | None] = [None] * len(self.name) if are_parameters else map(bool, self.flag)
        words: Numbering[tuple[str, int, bool | None]] = Numbering()
        self.word = np.fromiter(map(words.__getitem__, zip(self.name, self.kind, flags, strict=True)), np.int64)
        self.words = [TensorWords(*word) for word in words]

    def _place(self) -> None:
        start = np.frombuffer(self.start, np.int64)
        self.owner = column(np.repeat(np.arange(len(start) - 1), np.diff(start)))
        self.previous, self.first = repeats(self.identity)

    def _drop_none(self) -> None:
        kept = np.array([tensor is not None for tensor in self.tensor])
        before = np.concatenate(([0], np.cumsum(kept)))
        self.start = column(before[np.frombuffer(self.start, np.int64)])
        self.flag = bytearray(compress(self.flag, kept))
        self.name = list(compress(self.name, kept))
        self.tensor = list(compress(self.tensor, kept))

    def _describe(self, kinds: "Kinds", *, are_parameters: bool, has_lazy: bool) -> None:
        # Few entries differ in what is read here: each is given one number, and the rest is looked up by number.
        seen: Numbering[tuple[str, torch.Size | None, torch.dtype, bool]] = Numbering()
        named = zip(self.name, self.tensor, strict=True)
        if has_lazy:
            numbers = [seen[name, None if is_lazy(x) else x.shape, x.dtype, x.requires_grad] for name, x in named]
        else:
            numbers = [seen[name, x.shape, x.dtype, x.requires_grad] for name, x in named]
        number = np.array(numbers, np.int64)
        kind = np.array([kinds.number(shape, dtype) for _, shape, dtype, _ in seen], np.int64)
        self.kind = column(kind[number])
        words: Numbering[TensorWords] = Numbering()
        if are_parameters:
            self.flag = bytearray(np.array([flag for *_, flag in seen], np.bool_)[number].tobytes())
            word = [words[TensorWords(entry[0], of, None)] for entry, of in zip(seen, kind.tolist(), strict=True)]
            self.word = np.array(word, np.int64)[number]
        else:
            flagged = zip(self.name, self.kind, self.flag, strict=True)
            self.word = np.array([words[TensorWords(name, of, bool(flag))] for name, of, flag in flagged], np.int64)
        self.words = list(words)


class Kinds:
    """Every distinct TensorKind of a tree, numbered as they come."""

    def __init__(self, kinds: Sequence[TensorKind] = ()) -> None:
        self.all = list(kinds)
        self._number: dict[tuple[torch.Size | None, torch.dtype], int] = {}

    def number(self, shape: torch.Size | None, dtype: torch.dtype) -> int:
        """Return the number of the kind with a shape and a dtype."""
        number = self._number.setdefault((shape, dtype), len(self.all))
        if number == len(self.all):
            dims, numel = (None, 0) if shape is None else (tuple(shape), shape.numel())
            dtype_name = str(dtype).removeprefix("torch.")
            self.all.append(TensorKind(dims, numel, numel * dtype.itemsize, dtype_name))
        return number


def column(numbers: Ints) -> "array[int]":
    """Return the numbers as an array, whose items are plain integers."""
    return array("q", numbers.astype(np.int64, copy=False).tobytes())


def identities(things: Iterable[object]) -> Ints:
    """Return the `id` of each of the things."""
    return np.fromiter(map(id, things), np.int64)


def repeats(identity: Ints) -> tuple[Ints, Ints]:
    """Return for each position the last one before it with the same identity, or -1, and the first of all with it."""
    previous = np.full(len(identity), -1, np.int64)
    first = np.arange(len(identity), dtype=np.int64)
    order = np.argsort(identity, kind="stable")
    in_order = identity[order]
    same = np.flatnonzero(in_order[1:] == in_order[:-1])
    previous[order[same + 1]] = order[same]
    for position in np.sort(order[same + 1]).tolist():
        first[position] = first[previous[position]]
    return previous, first
