"""Random modules for the tests, as torch lets them be built."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor, nn

from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from app.trees.values import DTYPES as KEPT_DTYPES
from tests.models import ODD_NAMES, Holder, ManyLines, OneLine, OtherName, OwnRepr

# Few of them, so that the same name comes in several places.
PLAIN_NAMES = ("a", "b", "sub1", "weight", "bias")
TAKEN = {*dir(LinearModel()), "weight", "bias"}

CLASSES: tuple[type[nn.Module], ...] = (Holder, LinearModel, OneLine, ManyLines, OwnRepr, OtherName, nn.ReLU)
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (3,), (2, 2), (1, 0, 2), (65,))


def names() -> SearchStrategy[str]:
    """Names that torch takes: any text without "." that is not empty."""
    text = st.text(min_size=1, max_size=5).filter(lambda name: "." not in name)
    return st.sampled_from(PLAIN_NAMES) | st.sampled_from(ODD_NAMES) | text


@st.composite
def tensors(draw: DrawFn, dtypes: tuple[torch.dtype, ...] = (*DTYPES, torch.complex64)) -> Tensor:
    """A small tensor of any dtype and shape, its values counted from a random start."""
    shape, dtype = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(dtypes))
    start = draw(st.integers(0, 50))
    numel = torch.Size(shape).numel()
    return torch.arange(start, start + numel).reshape(shape).to(dtype)


@dataclass
class Builder:
    """Modules that are put together by random calls of torch's own methods, of which it refuses some."""

    draw: DrawFn
    modules: list[nn.Module]
    tensors: list[Tensor] = field(default_factory=list)

    def attach_children(self, max_more: int) -> None:
        """Give every module but the first a parent before it, and some a second one; so no module contains itself."""
        for child in range(1, len(self.modules)):
            self.try_to(self.modules[self.draw(st.integers(0, child - 1))].add_module, self.modules[child])
        for _ in range(self.draw(st.integers(0, max_more))):
            child = self.draw(st.integers(0, len(self.modules) - 1))
            parent = self.draw(st.integers(0, max(0, child - 1)))
            self.try_to(self.modules[parent].add_module, self.modules[child] if child else None)

    def register_tensors(self, count: int) -> None:
        """Register new tensors, tensors that are registered elsewhere, and None."""
        for _ in range(self.draw(st.integers(0, count))):
            module = self.draw(st.sampled_from(self.modules))
            register_buffer = partial(module.register_buffer, persistent=self.draw(st.booleans()))
            match self.draw(st.sampled_from(["parameter", "buffer", "tied", "none"])):
                case "parameter":
                    self.try_to(module.register_parameter, self.parameter())
                case "buffer":
                    self.try_to(register_buffer, self.buffer())
                case "tied" if self.tensors:
                    tensor = self.draw(st.sampled_from(self.tensors))
                    if isinstance(tensor, nn.Parameter) and self.draw(st.booleans()):
                        self.try_to(module.register_parameter, tensor)
                    else:
                        self.try_to(register_buffer, tensor)
                case _:
                    self.try_to(module.register_parameter if self.draw(st.booleans()) else register_buffer, None)

    def parameter(self) -> nn.Parameter:
        tensor = self.draw(tensors())
        can_learn = tensor.is_floating_point() or tensor.is_complex()
        parameter = nn.Parameter(tensor, requires_grad=can_learn and self.draw(st.booleans()))
        self.tensors.append(parameter)
        return parameter

    def buffer(self) -> Tensor:
        tensor = self.draw(tensors())
        self.tensors.append(tensor)
        return tensor

    def try_to(self, register: Callable[[str, Any], None], thing: Tensor | nn.Module | None) -> None:
        with suppress(KeyError):  # torch refuses a name that is taken
            register(self.draw(names()), thing)


@st.composite
def modules(draw: DrawFn, max_modules: int = 7) -> nn.Module:
    """A nested module: shared submodules, tied parameters, None children, buffers that are not persistent."""
    classes = draw(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=max_modules))
    builder = Builder(draw, [cls() for cls in classes])
    builder.attach_children(max_more=4)
    builder.register_tensors(count=8)
    for module in builder.modules:
        if draw(st.integers(0, 4)) == 0:
            module.training = False
    return builder.modules[0]


def numbers() -> SearchStrategy[int | float]:
    """Finite numbers that float32 can hold."""
    return st.integers(-1_000, 1_000) | st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def specs(draw: DrawFn, depth: int = 3) -> dict[str, Any]:
    """A LinearSpec with random names: `{"weight", "bias", "buffers", "children"}`, each of which may be missing."""
    free = names().filter(lambda name: name not in TAKEN)
    spec: dict[str, Any] = {}
    for key in ("weight", "bias"):
        if draw(st.booleans()):
            spec[key] = draw(st.none() | numbers())
    values: SearchStrategy[Any] = st.one_of(st.booleans(), numbers(), st.lists(numbers(), max_size=3))
    buffers = draw(st.dictionaries(free, values, max_size=2))
    if draw(st.booleans()) or buffers:
        spec["buffers"] = buffers
    if depth:
        unused = free.filter(lambda name: name not in buffers)
        spec["children"] = draw(st.dictionaries(unused, specs(depth=depth - 1), max_size=2))
    return spec


@st.composite
def linear_trees(draw: DrawFn) -> LinearModel:
    """LinearModels nested at random, with parameters and buffers of every dtype that is kept, any value, any mode."""
    source = {"kind": "linear", "root": draw(specs(depth=2)), "forward": draw(st.sampled_from(["own", "chain"]))}
    root = open_source({**source, "seed": draw(st.integers(0, 2**32))}, Limits())
    builder = Builder(draw, list(root.modules()))
    dtypes = tuple(KEPT_DTYPES.values())
    for _ in range(draw(st.integers(0, 5))):
        module, value = draw(st.sampled_from(builder.modules)), draw(tensors(dtypes))
        match draw(st.sampled_from(["parameter", "buffer", "value", "delete", "again", "eval", "freeze"])):
            case "parameter":
                learns = value.is_floating_point() and draw(st.booleans())
                builder.try_to(module.register_parameter, nn.Parameter(value, requires_grad=learns))
            case "buffer":
                builder.try_to(partial(module.register_buffer, persistent=draw(st.booleans())), value)
            case "value":
                for parameter in module.parameters(recurse=False):
                    if parameter.is_floating_point():
                        parameter.data.fill_(draw(st.floats(width=16)))
            case "delete":
                module._parameters.pop(draw(st.sampled_from(["weight", "bias"])), None)
            case "again" if "weight" in module._parameters:
                weight = module._parameters.pop("weight")
                module.register_parameter("weight", weight)
            case "eval":
                module.training = False
            case _:
                for parameter in module.parameters(recurse=False):
                    parameter.requires_grad_(False)
    return root
