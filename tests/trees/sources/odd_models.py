"""A package that a server was told to import: callables that build models, and some that do not behave."""

import ctypes
import enum
import os
import socket
import stat
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import Linear  # noqa: F401  imported for its own use: not offered

from tests.models import ZOO


class Kind(enum.StrEnum):
    THIN = "thin"
    WIDE = "wide"


class Net(nn.Module):
    """A small network. Its second sentence is not for lists.

    Args:
        depth: how many layers there are,
            one after the other. More on it.
        width (int, optional): the :math:`size` of ``each`` layer
        kind: which of them
    """

    def __init__(
        self,
        depth: int,
        width: int = 8,
        *,
        kind: Literal["thin", "wide"] = "thin",
        rates: Sequence[float] = (0.5, 0.25),
        act: Callable[[], nn.Module] = nn.ReLU,
        inner: nn.Module | None = None,
        more: dict[str, int] | None = None,
        word: Kind = Kind.THIN,
    ) -> None:
        super().__init__()
        self.got = (depth, width, kind, rates, more, word)
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.inner = inner


def make_net(depth: int = 2, /, *sizes: int, **options: Any) -> Net:
    """Return a network."""
    net = Net(depth)
    net.got = (depth, sizes, options)  # type: ignore[assignment]
    return net


def says_nothing(depth=2):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return Net(depth)


def makes_a_number() -> int:
    return 3


def lies() -> nn.Module:
    return 3  # type: ignore[return-value]


def _private() -> nn.Module:
    return Net(1)


def asks_for_values() -> nn.Module:
    rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
    return nn.Sequential(*[nn.Dropout(rate) for rate in rates], nn.Linear(2, 2))


def raises() -> nn.Module:
    raise KeyError("no such thing")


def raises_about_metadata() -> nn.Module:
    raise ValueError("no metadata of '\udcff'")


class Misbehaving(nn.Module):
    def __init__(self, does: str) -> None:
        super().__init__()
        self.does = does

    def forward(self, x: torch.Tensor) -> nn.Module:
        return globals()[self.does]()  # type: ignore[no-any-return]


def exits() -> nn.Module:
    sys.exit(7)


def exits_at_once() -> nn.Module:
    os._exit(7)


def answers_nonsense() -> nn.Module:
    (answer,) = [fd for fd in (int(path.name) for path in Path("/proc/self/fd").iterdir()) if is_socket(fd)]
    os.write(answer, struct.pack("<I", 1) + b"\xc1")
    os._exit(0)


def is_socket(fd: int) -> bool:
    with suppress(OSError):
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    return False


def crashes() -> nn.Module:
    ctypes.string_at(0)
    return nn.ReLU()


def takes_memory() -> nn.Module:
    return nn.Sequential(*[nn.Linear(2, 2), *[held(bytearray(64 << 20)) for _ in range(10_000)]])


def held(data: bytearray) -> nn.Module:
    module = nn.ReLU()
    module.data = data  # type: ignore[assignment]
    return module


def sleeps(seconds: float = 600) -> nn.Module:
    time.sleep(seconds)
    return nn.ReLU()


def spins() -> nn.Module:
    while True:
        pass


def forks() -> nn.Module:
    os.fork()
    return nn.ReLU()


def runs_a_program() -> nn.Module:
    subprocess.run(["/bin/true"], check=True)
    return nn.ReLU()


def connects(port: int) -> nn.Module:
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    return nn.ReLU()


def writes(path: str) -> nn.Module:
    Path(path).write_text("something", encoding="utf-8")
    return nn.ReLU()


def tells_where() -> nn.Module:
    """Name modules after what the process can see."""
    secrets = [name for name in os.environ if name.startswith("MODULETREE")]
    facts = [str(Path.cwd().name), str(len(secrets)), str(len(sys.stdin.read()))]
    return nn.ModuleDict({f"{at}_{fact}": nn.ReLU() for at, fact in enumerate(facts)})


def talks() -> nn.Module:
    print("hello from the constructor")
    warnings.warn("mind the step", stacklevel=1)
    return nn.ReLU()


def from_the_zoo(name: str) -> nn.Module:
    return ZOO[name]()


class BrokenRepr(nn.Module):
    def extra_repr(self) -> str:
        raise ZeroDivisionError("no text today")


def many(count: int) -> nn.Module:
    return nn.Sequential(*[nn.ReLU() for _ in range(count)])


def large(size: int) -> nn.Module:
    return nn.Linear(size, size)


def contains_itself() -> nn.Module:
    module = nn.Sequential(nn.ReLU())
    module.append(module)
    return module
