"""The run of opcodes that `torch.save` writes for a tensor, recognised as a whole and read at once.

A state dict is little else, and following its forty opcodes takes three times as long; what is read is the same.
"""

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.pickle_values import Branch, Global, Storage, Tensor
from app.trees.sources.checkpoint.rebuilds import check_layout, span_of
from app.trees.sources.checkpoint.refusal import Refusal

_PUT = rb"r(.{4})"
_GET = rb"(h.|j.{4})"
_INTEGER = rb"(?:K.|M..|J.{4})"
_TUPLE = rb"(\(?%b{1,64}[\x85-\x87t])%b" % (_INTEGER, _PUT)
_RUN = re.compile(
    rb"\(\(" + _GET + _GET  # "storage", its class
    + rb"X(.{4})([0-9]{1,9})" + _PUT  # its key
    + _GET + rb"(" + _INTEGER + rb")t" + _PUT + rb"Q"  # its location, its number of elements
    + rb"(" + _INTEGER + rb")" + _TUPLE + _TUPLE  # offset, shape, strides
    + rb"\x89" + _GET + rb"\)R" + _PUT  # requires_grad, backward hooks
    + rb"t" + _PUT + rb"R" + _PUT,
    re.DOTALL,
)  # fmt: skip
_INTEGERS = re.compile(_INTEGER, re.DOTALL)
_BITS = {word: dtype.bits for word, dtype in DTYPES.items()}
_TUPLE_SIZES = {0x85: 1, 0x86: 2, 0x87: 3}
_pack_puts = struct.Struct("<7I").pack
_pack_size = struct.Struct("<I").pack


class _Layout(NamedTuple):
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    span: int


class TensorRun:
    """Reads such runs with the memo of one pickle; told when an entry of the memo is replaced."""

    def __init__(self, data: bytes, memo: list[object], find_storage: Callable[[object], Storage]) -> None:
        self._data = data
        self._memo = memo
        self._find_storage = find_storage
        self._layouts: dict[tuple[bytes, bytes], _Layout | None] = {}
        self._references: dict[tuple[bytes, ...], tuple[object, ...] | None] = {}

    def follow(self, stack: list[object], at: int) -> int | None:
        """Put the tensor in place of the function on the stack, and return where its run ends.

        Returns None, with nothing changed, when there is anything else at `at`: then its opcodes are to be followed.
        """
        found = _RUN.match(self._data, at)
        if found is None or not stack:
            return None
        (word, kind, key_size, key, put_key, place, count, put_name, offset, shape, put_shape, strides, put_strides,
         hooks, put_hooks, put_arguments, put_tensor) = found.groups()  # fmt: skip
        memo, first = self._memo, len(self._memo)
        puts = _pack_puts(first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6)
        if put_key + put_name + put_shape + put_strides + put_hooks + put_arguments + put_tensor != puts:
            return None
        known = self._known((word, kind, place, hooks))
        layout = self._layout((shape, strides))
        if known is None or layout is None or not _is_rebuild(stack[-1]) or key_size != _pack_size(len(key)):
            return None
        name = (known[0], known[1], key.decode(), known[2], _integer(count))
        start = _integer(offset)
        try:
            storage = self._find_storage(name)
        except Refusal:
            return None
        if start < 0 or not storage.dtype or (start + layout.span) * _BITS[storage.dtype] > 8 * storage.num_bytes:
            return None
        tensor = Tensor(storage.key, storage.dtype, start, layout.shape, layout.strides)
        no_hooks = Branch()
        arguments = (storage, start, layout.shape, layout.strides, False, no_hooks)
        memo += (name[2], name, layout.shape, layout.strides, no_hooks, arguments, tensor)
        stack[-1] = tensor
        return found.end()

    def forget(self) -> None:
        """Forget what the memo held."""
        self._references.clear()

    def _known(self, references: tuple[bytes, ...]) -> tuple[object, ...] | None:
        """What the memo has for "storage", its class and its location, where it has `OrderedDict` for the hooks."""
        try:
            return self._references[references]
        except KeyError:
            *found, hooks = (self._get(reference) for reference in references)
            is_known = isinstance(hooks, Global) and hooks.path == "collections.OrderedDict"
            known = self._references[references] = tuple(found) if is_known else None
            return known

    def _get(self, opcode: bytes) -> object:
        number = opcode[1] if len(opcode) == 2 else int.from_bytes(opcode[1:], "little")
        return self._memo[number] if number < len(self._memo) else None

    def _layout(self, opcodes: tuple[bytes, bytes]) -> _Layout | None:
        try:
            return self._layouts[opcodes]
        except KeyError:
            layout = self._layouts[opcodes] = _layout(*opcodes)
            return layout


def _is_rebuild(function: object) -> bool:
    return isinstance(function, Global) and function.path == "torch._utils._rebuild_tensor_v2"


def _layout(shape: bytes, strides: bytes) -> _Layout | None:
    try:
        sizes, steps = check_layout(_tuple(shape), _tuple(strides))
    except Refusal:
        return None
    return _Layout(sizes, steps, span_of(sizes, steps))


def _tuple(opcodes: bytes) -> tuple[int, ...] | None:
    has_mark = opcodes.startswith(b"(")
    numbers = tuple(_integer(opcode) for opcode in _INTEGERS.findall(opcodes, int(has_mark), len(opcodes) - 1))
    is_whole = has_mark if opcodes.endswith(b"t") else not has_mark and _TUPLE_SIZES[opcodes[-1]] == len(numbers)
    return numbers if is_whole else None


def _integer(opcode: bytes) -> int:
    return int.from_bytes(opcode[1:], "little", signed=len(opcode) == 5)
