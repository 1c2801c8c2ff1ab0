"""The state dict of a tree: its parameters and persistent buffers by name, as a safetensors file and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from app.errors import CannotDo, TooLarge, UnreadableFile
from app.translation import said
from app.trees.index import TreeIndex
from app.trees.tensor_values import has_values
from app.trees.tensors import TensorColumns, TensorKind

METADATA = "__metadata__"
MAX_NAME_CHARS = 64_000_000
# What the safetensors library reads of a header.
MAX_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class StateEntry:
    """One tensor of a state dict under its dotted name; `tensor` is None where only its kind is known."""

    name: str
    kind: TensorKind
    tensor: Tensor | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A name on both sides with different shapes."""

    name: str
    expected: tuple[int, ...]
    got: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What `load_state_dict` found: names only in the tree, names only in the file, and those that do not fit."""

    missing_keys: list[str]
    unexpected_keys: list[str]
    mismatched: list[Mismatch]

    @property
    def is_clean(self) -> bool:
        """Whether every name is on both sides and fits."""
        return not (self.missing_keys or self.unexpected_keys or self.mismatched)


def state_dict(index: TreeIndex, row: int = 0, *, is_read: bool = False) -> Iterator[StateEntry]:
    """Yield the entries of `module.state_dict()` in torch's order: a module's parameters, its persistent buffers, then
    its children; a tied tensor under each of its names. `is_read` reads the values of a tree that is not live.

    Raises `TooLarge` when the names come to more than 64 million characters, as those of a very deep chain do.
    """
    _check_names(index, row)
    rows = range(row, index.end[row])
    parameters, buffers = (
        index.data.whole(columns) if is_read or index.is_live else None for columns in (index.parameters, index.buffers)
    )
    for place, path in zip(rows, index.paths(rows, row), strict=True):
        prefix = f"{path}." if path else ""
        for entry in index.own(index.parameters, place):
            yield _entry(index, index.parameters, parameters, entry, prefix)
        for entry in index.own(index.buffers, place):
            if index.buffers.flag[entry]:
                yield _entry(index, index.buffers, buffers, entry, prefix)


def _entry(
    index: TreeIndex, columns: TensorColumns, tensors: Sequence[Tensor] | None, entry: int, prefix: str
) -> StateEntry:
    tensor = tensors[entry] if tensors is not None else None
    return StateEntry(prefix + columns.name[entry], index.kinds.all[columns.kind[entry]], tensor)


def _check_names(index: TreeIndex, row: int) -> None:
    below = index.path_chars[row : index.end[row]] - index.path_chars[row]
    chars = 0
    for columns in (index.parameters, index.buffers):
        start = np.frombuffer(columns.start, np.int64)[row : index.end[row] + 1]
        chars += int(below @ np.diff(start)) + sum(map(len, columns.name[start[0] : start[-1]]))
    if chars > MAX_NAME_CHARS:
        raise TooLarge(
            said(
                "The names of this state dict have %(chars)s characters, more than %(max_name_chars)s: ask for a "
                "target further down.",
                chars=f"{chars:,}",
                max_name_chars=f"{MAX_NAME_CHARS:,}",
            ),
            MAX_NAME_CHARS,
        )


def to_safetensors(index: TreeIndex, row: int = 0) -> bytes:
    """Return the state dict as a safetensors file.

    Raises `CannotDo` where values are not at hand or the format has no place for an entry, and `TooLarge` for a header
    that the library would not read back.
    """
    by_dtype: dict[torch.dtype, list[tuple[str, Tensor]]] = {}
    for entry in state_dict(index, row, is_read=True):
        if entry.tensor is None or not has_values(entry.tensor):
            raise CannotDo(said("%(name)r has no values here: the tree has a structure only.", name=entry.name))
        if entry.name == METADATA:
            raise CannotDo(
                said(
                    "A safetensors file cannot hold a tensor named %(metadata)r: the format takes that name.",
                    metadata=METADATA,
                )
            )
        by_dtype.setdefault(entry.tensor.dtype, []).append((entry.name, entry.tensor))
    return encode(by_dtype)


def encode(by_dtype: Mapping[torch.dtype, Sequence[tuple[str, Tensor]]]) -> bytes:
    """Return the tensors under their names as a safetensors file, widest dtype first so that all data is aligned.

    The format: https://github.com/huggingface/safetensors#format. Written here, since the library takes four copies
    and refuses tensors that share memory, as tied ones and slices of one block do.
    """
    header: dict[str, object] = {METADATA: {"format": "pt"}}
    blocks, offset = [], 0
    for dtype in sorted(by_dtype, key=lambda dtype: -dtype.itemsize):
        word = _WORDS.get(dtype)
        if word is None:
            raise CannotDo(said("A safetensors file cannot hold %(dtype)s.", dtype=dtype))
        for name, tensor in by_dtype[dtype]:
            end = offset + tensor.numel() * dtype.itemsize
            header[name] = {"dtype": word, "shape": list(tensor.shape), "data_offsets": [offset, end]}
            offset = end
        blocks.append(_bytes_of([tensor for _, tensor in by_dtype[dtype]]))
    text = msgspec.json.encode(header)
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise TooLarge(
            said("The header of the safetensors file would have %(num)s bytes.", num=f"{len(text):,}"), MAX_HEADER
        )
    return b"".join([len(text).to_bytes(8, "little"), text, *blocks])


def _bytes_of(tensors: Sequence[Tensor]) -> bytes:
    with torch.no_grad():
        flat = torch.cat([tensor if tensor.dim() == 1 else tensor.reshape(-1) for tensor in tensors])
        return flat.view(torch.uint8).numpy().tobytes()


_WORDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def load_state_dict(index: TreeIndex, data: bytes, *, strict: bool = True) -> LoadReport:
    """Copy the tensors of a safetensors file into the tree, as `load_state_dict` does, and return what did not match.

    With `strict`, nothing is copied unless the report is clean; without, what fits is. Raises `UnreadableFile` when
    `data` is not a safetensors file.
    """
    try:
        given = safetensors.torch.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise UnreadableFile(said("Not a safetensors file that can be read: %(error)s.", error=str(error))) from error
    here = {entry.name: entry.tensor for entry in state_dict(index) if entry.tensor is not None}
    fitting = {name: tensor for name, tensor in given.items() if name in here and tensor.shape == here[name].shape}
    report = LoadReport(
        missing_keys=[name for name in here if name not in given],
        unexpected_keys=[name for name in given if name not in here],
        mismatched=[
            Mismatch(name, tuple(here[name].shape), tuple(tensor.shape))
            for name, tensor in given.items()
            if name in here and name not in fitting
        ],
    )
    if report.is_clean or not strict:
        copy_into(here, fitting)
    return report


def copy_into(here: dict[str, Tensor], given: dict[str, Tensor]) -> None:
    """Copy each given tensor over the one of the same name, converted to its dtype."""
    with torch.no_grad():
        for name, tensor in given.items():
            here[name].copy_(tensor)
