"""A package that imports what it offers only when it is asked for it, and cannot import all of that."""

from torch import nn

__all__ = ["Missing", "Net"]  # noqa: F822


class Net(nn.ReLU):
    """A network."""


def __getattr__(name: str) -> object:
    if name == "Missing":
        raise ImportError("it needs what is not installed")
    raise AttributeError(name)
