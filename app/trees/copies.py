"""Copies of LinearModels as `copy.deepcopy` makes them, at any depth."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from app.collector import collector_paused
from app.errors import CannotDo
from app.translation import said
from app.trees.edit import subtree
from app.trees.linear import LinearModel, linear_models, parameter_of


def copied(top: nn.Module) -> LinearModel:
    """Return a copy of the module and all below it: names, values, modes, what requires a gradient, which buffers last.

    As with `copy.deepcopy`, what is shared inside stays shared inside the copy, what is shared with a place outside
    does not, and gradients are left out. Raises `CannotDo` where something in it is no LinearModel.
    """
    originals = [_linear(module) for module in subtree(top)]
    with collector_paused(), torch.no_grad():
        copies = dict(zip(map(id, originals), linear_models(len(originals)), strict=True))
        tensors: dict[int, Tensor] = {}
        for original in originals:
            _fill(copies[id(original)], original, copies, tensors)
    return copies[id(top)]


def _linear(module: nn.Module) -> LinearModel:
    if not isinstance(module, LinearModel):
        raise CannotDo(
            said("Only LinearModels can be duplicated, and in there is a %(kind)s.", kind=type(module).__name__)
        )
    return module


def _fill(
    copy: LinearModel, original: LinearModel, copies: Mapping[int, LinearModel], tensors: dict[int, Tensor]
) -> None:
    if original.chain:
        copy.chain = True
    copy.training = original.training
    for name, parameter in original._parameters.items():
        copy._parameters[name] = None if parameter is None else _parameter(parameter, tensors)
    for name, buffer in original._buffers.items():
        copy._buffers[name] = None if buffer is None else tensors.setdefault(id(buffer), buffer.clone())
    copy._non_persistent_buffers_set.update(original._non_persistent_buffers_set)
    for name, child in original._modules.items():
        copy._modules[name] = None if child is None else copies[id(child)]


def _parameter(parameter: nn.Parameter, tensors: dict[int, Tensor]) -> nn.Parameter:
    made = tensors.get(id(parameter))
    if not isinstance(made, nn.Parameter):
        made = parameter_of(parameter.detach().clone(), requires_grad=parameter.requires_grad)
        tensors[id(parameter)] = made
    return made
