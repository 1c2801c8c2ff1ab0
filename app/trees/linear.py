"""`LinearModel`, y = x * weight + bias, and how many of them are built at once."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class LinearModel(nn.Module):
    """y = x * weight + bias, each a parameter of shape (1,).

    With `chain` False, children are registered but not called, so no gradient reaches them. With `chain` True the
    result goes through the children in order, each of them a chain of its own.
    """

    chain: bool = False
    weight: Tensor
    bias: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(1))
        self.bias = nn.Parameter(torch.rand(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return y of the shape that (1,) broadcasts `x` to; a chain is followed without recursion, at any depth."""
        todo: list[nn.Module] = [self]
        while todo:
            module = todo.pop()
            if not isinstance(module, LinearModel):
                x = module(x)
                continue
            x = x * module.weight + module.bias
            if module.chain:
                todo.extend(child for child in reversed(module._modules.values()) if child is not None)
        return x


def linear_models(count: int, *, chain: bool = False) -> list[LinearModel]:
    """Return `count` LinearModels without parameters: a third of the cost of calling the class, which draws twice."""
    make = _bare_maker(chain)
    return [make() for _ in range(count)]


def set_parameters(modules: Sequence[LinearModel], weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
    """Give each module its `weight` and `bias`, in that order, as `__init__` does."""
    for module, weight, bias in zip(modules, weights, biases, strict=True):
        module._parameters["weight"] = parameter_of(weight)
        module._parameters["bias"] = parameter_of(bias)


def parameter_of(data: Tensor, *, requires_grad: bool = True) -> nn.Parameter:
    """Return `nn.Parameter(data, requires_grad)` of a plain tensor, by the call that it comes down to."""
    return torch.Tensor._make_subclass(nn.Parameter, data, requires_grad)


def _bare_maker(chain: bool) -> Callable[[], LinearModel]:
    # nn.Module.__init__ goes through __setattr__ for each of its attributes; copying the dictionary it leaves does not.
    template = vars(nn.Module())
    fixed = {key: value for key, value in template.items() if not isinstance(value, dict | set)}
    fresh = [(key, type(value)) for key, value in template.items() if isinstance(value, dict | set)]
    if chain:
        fixed["chain"] = True

    def make() -> LinearModel:
        module = LinearModel.__new__(LinearModel)
        attributes = module.__dict__
        attributes.update(fixed)
        for key, kind in fresh:
            attributes[key] = kind()
        return module

    return make
