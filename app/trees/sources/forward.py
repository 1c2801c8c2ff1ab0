"""What a module's forward gives for inputs of some shapes, tried before it is trained."""

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor, nn

from app.trees.foreign import Raised, attempt
from app.trees.trace_inputs import suggest_inputs

# Where meta will not do, values are drawn for a few rows only.
MAX_CPU_ROWS = 16


class Output(msgspec.Struct, frozen=True):
    """What came out for an input of one shape: a shape and a dtype, or the `problem` that came up.

    `takes` is an input that the module says it takes, where it says so. `requires_grad` tells whether a gradient would
    reach any of its parameters.
    """

    shape: tuple[int, ...] = ()
    dtype: str = ""
    requires_grad: bool = False
    problem: str = ""
    takes: str = ""


def outputs_of(module: nn.Module, shapes: Sequence[tuple[int, ...]], frozen: Sequence[str]) -> list[Output]:
    """Return what the forward gives for a float32 of each shape, with the modules at `frozen` taking no gradient."""
    for target in frozen:
        module.get_submodule(target).requires_grad_(False)
    takes = next((str(one.shape) for one in suggest_inputs(module) if one.dtype == "float32"), "")
    return [_output(module, shape, takes) for shape in shapes]


def _output(module: nn.Module, shape: tuple[int, ...], takes: str) -> Output:
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    rows = shape if device.type == "meta" else (min(shape[0], MAX_CPU_ROWS), *shape[1:])
    made = attempt(lambda: module(torch.zeros(rows, device=device)))
    if isinstance(made, Raised):
        return Output(problem=str(made), takes=takes)
    if not isinstance(made, Tensor):
        return Output(problem=f"{type(module).__name__}.forward gives a {type(made).__name__}, not one tensor")
    given = tuple(made.shape)
    if rows != shape and given[:1] == rows[:1]:
        given = (shape[0], *given[1:])
    return Output(given, str(made.dtype).removeprefix("torch."), made.requires_grad)
