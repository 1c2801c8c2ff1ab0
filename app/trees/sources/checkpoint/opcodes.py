"""What each opcode of a pickle does to the machine, but for the few that `pickled` handles itself.

Those that plain data needs, of protocols 2 to 5; any other is refused. `pickletools` documents each.
"""

import struct
from collections.abc import Callable
from typing import TypeAlias

from app.translation import said
from app.trees.sources.checkpoint.machine import Machine
from app.trees.sources.checkpoint.pickle_values import Branch, Opaque
from app.trees.sources.checkpoint.rebuilds import OPAQUE, build
from app.trees.sources.checkpoint.refusal import Refusal

_MOST_LONG_BYTES = 16
_uint4 = struct.Struct("<I").unpack_from

Handler: TypeAlias = Callable[[Machine, int], int]
HANDLERS: dict[int, Handler] = {}
"""By opcode; each is given where its argument begins and returns where the next opcode does."""


def read_slice(data: bytes, start: int, end: int) -> bytes:
    """Return a slice that is all there; raises `IndexError` when it is not."""
    if end > len(data):
        raise IndexError
    return data[start:end]


def _on(opcode: bytes) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[opcode[0]] = handler
        return handler

    return register


def _skip(count: int) -> Handler:
    return lambda machine, at: at + count


def _push(make: Callable[[], object]) -> Handler:
    def handler(machine: Machine, at: int) -> int:
        machine.stack.append(make())
        return at

    return handler


def _number(layout: str) -> Handler:
    unpack, size = struct.Struct(layout).unpack_from, struct.calcsize(layout)

    def handler(machine: Machine, at: int) -> int:
        machine.stack.append(unpack(machine.data, at)[0])
        return at + size

    return handler


def _text(size_bytes: int, decode: Callable[[bytes], object]) -> Handler:
    def handler(machine: Machine, at: int) -> int:
        start = at + size_bytes
        end = start + int.from_bytes(read_slice(machine.data, at, start), "little")
        machine.stack.append(decode(read_slice(machine.data, start, end)))
        return end

    return handler


def _tuple_of(count: int) -> Handler:
    def handler(machine: Machine, at: int) -> int:
        stack = machine.stack
        if len(stack) < count:
            raise IndexError
        stack[-count:] = [tuple(stack[-count:])]
        return at

    return handler


def _str_or_bytes(data: bytes) -> object:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _long(data: bytes) -> int:
    if len(data) > _MOST_LONG_BYTES:
        raise Refusal(
            said(
                "its pickle has an integer of %(num)s bytes, at most %(most_long_bytes)s are read",
                num=f"{len(data):,}",
                most_long_bytes=_MOST_LONG_BYTES,
            )
        )
    return int.from_bytes(data, "little", signed=True)


def _from_mark(make: Callable[[list[object]], object]) -> Handler:
    def handler(machine: Machine, at: int) -> int:
        items = machine.pop_mark()
        machine.stack.append(make(items))
        return at

    return handler


HANDLERS.update(
    {
        0x80: _skip(1),  # PROTO
        0x95: _skip(8),  # FRAME
        ord("N"): _push(lambda: None),
        0x88: _push(lambda: True),
        0x89: _push(lambda: False),
        ord(")"): _push(tuple),
        ord("]"): _push(list),
        ord("}"): _push(Branch),
        0x8F: _push(list),  # EMPTY_SET
        ord("J"): _number("<i"),
        ord("M"): _number("<H"),
        ord("G"): _number(">d"),
        0x8A: _text(1, _long),
        0x8B: _text(4, _long),
        0x8C: _text(1, bytes.decode),
        0x8D: _text(8, bytes.decode),
        ord("U"): _text(1, _str_or_bytes),
        ord("T"): _text(4, _str_or_bytes),
        ord("C"): _text(1, bytes),
        ord("B"): _text(4, bytes),
        0x8E: _text(8, bytes),
        0x96: _text(8, bytes),  # BYTEARRAY8
        0x85: _tuple_of(1),
        0x86: _tuple_of(2),
        0x87: _tuple_of(3),
        ord("t"): _from_mark(tuple),
        ord("l"): _from_mark(list),
        0x91: _from_mark(list),  # FROZENSET
        ord("d"): _from_mark(Branch.of),
    }
)


@_on(b"q")
def _binput(machine: Machine, at: int) -> int:
    machine.remember(machine.data[at])
    return at + 1


@_on(b"j")
def _long_binget(machine: Machine, at: int) -> int:
    number = _uint4(machine.data, at)[0]
    machine.stack.append(machine.memo[number] if number < len(machine.memo) else machine.far_memo[number])
    return at + 4


@_on(b"\x94")
def _memoize(machine: Machine, at: int) -> int:
    machine.memo.append(machine.stack[-1])
    return at


@_on(b"0")
def _pop(machine: Machine, at: int) -> int:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()
    return at


@_on(b"1")
def _pop_mark(machine: Machine, at: int) -> int:
    machine.pop_mark()
    return at


@_on(b"2")
def _dup(machine: Machine, at: int) -> int:
    machine.stack.append(machine.stack[-1])
    return at


@_on(b"a")
def _append(machine: Machine, at: int) -> int:
    item = machine.stack.pop()
    _extend(machine.stack[-1], [item])
    return at


@_on(b"e")
@_on(b"\x90")
def _appends(machine: Machine, at: int) -> int:
    items = machine.pop_mark()
    _extend(machine.stack[-1], items)
    return at


def _extend(holder: object, items: list[object]) -> None:
    if isinstance(holder, list):
        holder.extend(items)
    elif not isinstance(holder, Opaque):
        raise Refusal(said("its pickle appends to something that is not a list"))


@_on(b"s")
def _setitem(machine: Machine, at: int) -> int:
    value = machine.stack.pop()
    key = machine.stack.pop()
    _set(machine.stack[-1], [key, value])
    return at


@_on(b"u")
def _setitems(machine: Machine, at: int) -> int:
    items = machine.pop_mark()
    _set(machine.stack[-1], items)
    return at


def _set(holder: object, items: list[object]) -> None:
    if isinstance(holder, Branch):
        holder.add(items)
    elif not isinstance(holder, Opaque):
        raise Refusal(said("its pickle sets an item of something that is not a dict"))


@_on(b"c")
def _global(machine: Machine, at: int) -> int:
    middle = machine.data.index(b"\n", at)
    end = machine.data.index(b"\n", middle + 1)
    module, name = machine.data[at:middle].decode(), machine.data[middle + 1 : end].decode()
    machine.stack.append(machine.find_global(module, name))
    return end + 1


@_on(b"\x93")
def _stack_global(machine: Machine, at: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    if not (isinstance(name, str) and isinstance(module, str)):
        raise Refusal(said("its pickle names a global by something that is not text"))
    machine.stack.append(machine.find_global(module, name))
    return at


@_on(b"i")
def _inst(machine: Machine, at: int) -> int:
    end = _global(machine, at)
    function = machine.stack.pop()
    arguments = tuple(machine.pop_mark())
    machine.stack.append(machine.call(function, arguments))
    return end


@_on(b"o")
def _obj(machine: Machine, at: int) -> int:
    function, *arguments = machine.pop_mark()
    machine.stack.append(machine.call(function, tuple(arguments)))
    return at


@_on(b"R")
@_on(b"\x81")
def _reduce(machine: Machine, at: int) -> int:
    arguments = machine.stack.pop()
    function = machine.stack.pop()
    machine.stack.append(machine.call(function, arguments))
    return at


@_on(b"\x92")
def _newobj_ex(machine: Machine, at: int) -> int:
    machine.stack.pop()
    return _reduce(machine, at)


@_on(b"b")
def _build(machine: Machine, at: int) -> int:
    state = machine.stack.pop()
    build(machine.stack[-1], state)
    return at


@_on(b"Q")
def _binpersid(machine: Machine, at: int) -> int:
    name = machine.stack.pop()
    is_opaque = isinstance(name, tuple) and any(part is OPAQUE for part in name)
    machine.stack.append(OPAQUE if is_opaque else machine.find_storage(name))
    return at
