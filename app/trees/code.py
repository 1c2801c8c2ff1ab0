"""Python that rebuilds a tree of LinearModels, to be read, pasted and run."""

from collections.abc import Collection, Iterator
from keyword import iskeyword

from torch import Tensor

from app.errors import CannotDo, TooLarge
from app.translation import said
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from app.trees.values import DTYPES

MAX_STATEMENTS = 200_000
DRAWN = ("weight", "bias")

HEAD = """\
import torch
from torch import nn


class LinearModel(nn.Module):
    def __init__(self, weight=None, bias=None):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(1) if weight is None else torch.tensor([weight]))
        self.bias = nn.Parameter(torch.rand(1) if bias is None else torch.tensor([bias]))

"""

OWN = """\
    def forward(self, x):
        return x * self.weight + self.bias
"""

CHAIN = """\
    def forward(self, x):
        x = x * self.weight + self.bias
        for child in self.children():
            x = child(x)
        return x
"""


def python_of(index: TreeIndex, drawn: Collection[tuple[int, str]] = ()) -> str:
    """Return a program that leaves the same tree in `model`: names, values, buffers, what is frozen or in eval mode.

    Names that are no identifiers go through `add_module`, as strings. Of the rows and names in `drawn` the values are
    left to the program's own `torch.rand(1)`. Raises `CannotDo` for other
    modules than LinearModels and `TooLarge` past 200,000 modules.
    """
    head, statements = program_of(index, drawn)
    return head + "\n".join(statement for _, statement in statements) + "\n"


def program_of(index: TreeIndex, drawn: Collection[tuple[int, str]] = ()) -> tuple[str, Iterator[tuple[int, str]]]:
    """Return what `python_of` begins with, and the statements after it, each with the row that it is about."""
    if len(index) > MAX_STATEMENTS:
        raise TooLarge(
            said("The program would build %(num)s modules one by one.", num=f"{len(index):,}"), MAX_STATEMENTS
        )
    if not index.is_live or not all(isinstance(module, LinearModel) for module in index.modules):
        raise CannotDo(said("Only a tree of LinearModels has a program that rebuilds it."))
    root = index.modules[0]
    chain = isinstance(root, LinearModel) and root.chain
    return HEAD + (CHAIN if chain else OWN) + "\n\n", _statements(index, drawn)


def _statements(index: TreeIndex, drawn: Collection[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for row in range(len(index)):
        for statement in _of_row(index, row, drawn):
            yield row, statement


def _of_row(index: TreeIndex, row: int, drawn: Collection[tuple[int, str]]) -> Iterator[str]:
    # A variable a level, not a path a statement: the paths of a deep chain are quadratic in its length.
    variable = _variable(index, row)
    yield f"{variable} = {_call(index, row, drawn)}"
    if row:
        yield _assign(_variable(index, index.parent[row]), index.name[row], variable)
    yield from _tensors(index, row, variable)
    if not index.training[row]:
        yield f"{variable}.training = False"


def _variable(index: TreeIndex, row: int) -> str:
    return f"level{index.depth[row]}" if row else "model"


def _assign(owner: str, name: str, value: str) -> str:
    if name.isidentifier() and name.isascii() and not iskeyword(name) and name != "__debug__":
        return f"{owner}.{name} = {value}"
    return f"{owner}.add_module({name!r}, {value})"


def _call(index: TreeIndex, row: int, drawn: Collection[tuple[int, str]]) -> str:
    given = []
    for entry in index.own(index.parameters, row):
        name, tensor = index.parameters.name[entry], index.parameters.tensor[entry]
        if name in _made(index, row) and _is_lone_float(tensor) and (row, name) not in drawn:
            given.append(f"{name}={_number(tensor.item())}")
    return f"LinearModel({', '.join(given)})"


def _made(index: TreeIndex, row: int) -> list[str]:
    # What the constructor makes that can stay: the tree has it, and has it first, in the constructor's order.
    names = [index.parameters.name[entry] for entry in index.own(index.parameters, row)]
    made = [name for name in DRAWN if name in names]
    return made if names[: len(made)] == made else []


def _is_lone_float(tensor: Tensor) -> bool:
    return tensor.shape == (1,) and str(tensor.dtype) == "torch.float32"


def _number(value: float | int | bool) -> str:
    text = repr(value)
    return f'float("{text}")' if text in ("nan", "inf", "-inf") else text


def _tensors(index: TreeIndex, row: int, variable: str) -> Iterator[str]:
    made = _made(index, row)
    yield from (f"del {variable}.{name}" for name in DRAWN if name not in made)
    for entry in index.own(index.parameters, row):
        name, tensor = index.parameters.name[entry], index.parameters.tensor[entry]
        if name not in made or not _is_lone_float(tensor):
            grad = "" if tensor.requires_grad else ", requires_grad=False"
            yield f"{variable}.register_parameter({name!r}, nn.Parameter({_tensor(tensor)}{grad}))"
        elif not tensor.requires_grad:
            yield f"{variable}.{name}.requires_grad_(False)"
    for entry in index.own(index.buffers, row):
        name, tensor = index.buffers.name[entry], index.buffers.tensor[entry]
        kept = "" if index.buffers.flag[entry] else ", persistent=False"
        yield f"{variable}.register_buffer({name!r}, {_tensor(tensor)}{kept})"


def _tensor(tensor: Tensor) -> str:
    dtype = str(tensor.dtype)
    if dtype.removeprefix("torch.") not in DTYPES:
        raise CannotDo(said("A tensor of %(dtype)s has no literal.", dtype=dtype))
    if not tensor.numel():  # nested lists do not tell (0, 3) from (0,)
        return f"torch.empty({tuple(tensor.shape)}, dtype={dtype})"
    return f"torch.tensor({_nested(tensor.detach().tolist())}, dtype={dtype})"


def _nested(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    return _number(value) if isinstance(value, bool | int | float) else repr(value)
