"""A pickle as data: its opcodes followed on a stack of plain values; nothing is imported, called or built.

What a global of the pickle stands for is looked up in the table of `rebuilds`; one that is not there makes an `Opaque`
in its place, and is named at the end in the refusal of the whole file. Opcodes: `pickletools` documents each.
"""

import struct

from app.errors import TooLarge
from app.translation import said
from app.trees.sources.checkpoint.machine import FindStorage, Machine
from app.trees.sources.checkpoint.opcodes import HANDLERS, Handler, read_slice
from app.trees.sources.checkpoint.rebuilds import unsupported
from app.trees.sources.checkpoint.refusal import Refusal

_LONG_BINPUT, _BINGET, _BININT1, _MARK, _BINUNICODE, _STOP = b"rhK(X."
_uint4 = struct.Struct("<I").unpack_from


def read_pickle(data: bytes, find_storage: FindStorage, *, max_opcodes: int, at_once: bool = True) -> object:
    """Return what a pickle holds, as values of `pickle_values`.

    `find_storage` is given each persistent id. `at_once` reads the opcodes of a tensor in one step where they are as
    torch writes them. Raises `Refusal` for a pickle that is broken, needs an opcode that plain data does not, or any
    global that is not in the table, all of them named; `TooLarge` over `max_opcodes`.
    """
    machine = Machine(data, find_storage)
    try:
        value = _follow(machine, max_opcodes, at_once=at_once)
    except Refusal as error:
        rule = (
            unsupported(list(machine.needs))
            if machine.needs
            else said("%(rule)s (at byte %(at)s)", rule=error.rule, at=f"{machine.at:,}")
        )
        raise Refusal(rule) from None
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise Refusal(said("its pickle is broken at byte %(at)s", at=f"{machine.at:,}")) from error
    if machine.needs:
        raise Refusal(unsupported(list(machine.needs)))
    return value


def _follow(machine: Machine, max_opcodes: int, *, at_once: bool) -> object:
    """Follow the opcodes up to STOP and return what is on top of the stack then."""
    # The opcodes that make up most of a state dict are handled here: a call for each would double the time.
    data, memo, at = machine.data, machine.memo, 0
    stack = machine.stack
    follow_tensor = machine.tensor_run.follow if at_once else _follow_nothing
    for _ in range(max_opcodes):
        opcode = data[at]
        machine.at = at
        if opcode == _LONG_BINPUT:
            number = _uint4(data, at + 1)[0]
            at += 5
            if number == len(memo):
                memo.append(stack[-1])
            else:
                machine.remember(number)
        elif opcode == _BINGET:
            number = data[at + 1]
            stack.append(memo[number] if number < len(memo) else machine.far_memo[number])
            at += 2
        elif opcode == _BININT1:
            stack.append(data[at + 1])
            at += 2
        elif opcode == _MARK and (end := follow_tensor(stack, at)):
            at = end
        elif opcode == _MARK:
            machine.marks.append(stack)
            machine.stack = stack = []
            at += 1
        elif opcode == _BINUNICODE:
            start = at + 5
            at = start + _uint4(data, at + 1)[0]
            stack.append(read_slice(data, start, at).decode())
        elif opcode == _STOP:
            return stack.pop()
        else:
            at = _handler(opcode)(machine, at + 1)
            stack = machine.stack
    raise TooLarge(
        said(
            "The file's pickle has more than %(max_opcodes)s opcodes, which is the limit here.",
            max_opcodes=f"{max_opcodes:,}",
        ),
        max_opcodes,
    )


def _handler(opcode: int) -> Handler:
    try:
        return HANDLERS[opcode]
    except KeyError:
        raise Refusal(
            said("its pickle has the opcode %(bytes)r, which a state dict does not need", bytes=bytes((opcode,)))
        ) from None


def _follow_nothing(stack: list[object], at: int) -> int | None:
    return None
