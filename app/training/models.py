"""The module of a run: made of what was kept of its tree, in the process that trains it."""

from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor, nn

from app.trees import snapshot
from app.trees.origin import is_description, unpack
from app.trees.sources.building import BuildLimits
from app.trees.sources.factories import FactoryTable
from app.trees.sources.factory import build_factory


def load_model(structure: bytes, tensors: Mapping[str, Tensor], seed: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """Return the module, and its tensors as a run keeps them: they always hold its present values.

    A tree of LinearModels has its values in `tensors`, packed. A factory's module is made by its callable, which draws
    from `seed`; `tensors` then holds its parameters and buffers by name, or nothing where it was never trained.
    """
    if not is_description(structure):
        return snapshot.load(structure, tensors), dict(tensors)
    _description, origin = unpack(structure)
    torch.manual_seed(seed)
    model = build_factory(origin.built_from, _table(), BuildLimits()).module
    own = own_tensors(model)
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
    return model, own


def own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and all buffers by name, a shared one once; they share the module's memory."""
    own = {name: parameter.detach() for name, parameter in model.named_parameters()}
    return own | dict(model.named_buffers())


@cache
def _table() -> FactoryTable:
    # Of torch.nn alone: what else a server may import is not trained here.
    return FactoryTable.of()
