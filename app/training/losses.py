"""The loss functions that a run may name: the classes of torch.nn that compare a prediction with a real target."""

import inspect
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn


def _compares_two(kind: type[nn.Module]) -> bool:
    made = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
    called = list(inspect.signature(kind.forward).parameters)
    return not made and len(called) == 3


def _takes_real_targets(kind: type[nn.Module]) -> bool:
    # NLLLoss and the margin losses want class numbers as targets; only calling them tells.
    pred = torch.full((2, 1), 0.5, requires_grad=True)
    try:
        loss: Tensor = kind()(pred, torch.full((2, 1), 0.5))
        loss.backward()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError):
        return False
    return True


def _loss_classes() -> Mapping[str, type[nn.Module]]:
    named: dict[str, Any] = {name: kind for name, kind in sorted(vars(nn).items()) if name.endswith("Loss")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: kind for name, kind in named.items() if _compares_two(kind) and _takes_real_targets(kind)}
    return MappingProxyType(found)


LOSSES: Mapping[str, type[nn.Module]] = _loss_classes()
