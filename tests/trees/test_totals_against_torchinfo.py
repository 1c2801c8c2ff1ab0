"""Totals of the zoo next to torchinfo's. Where the two differ, `parameters()` decides, and the reason is in a table."""

from dataclasses import dataclass
from typing import TypeAlias

import pytest
import torchinfo
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torchinfo.layer_info import LayerInfo

from app.trees.index import TreeIndex
from tests.models import ZOO

# Elements, those of them that are trainable, bytes.
Amounts: TypeAlias = tuple[int, int, int]

# Thirty levels in one take torchinfo minutes: what is left over it adds up again at every level of every level.
TAKES_TOO_LONG = "deep_chain"

# The totals under the table are of leaves and, for the others, of what their leaves leave over; bytes of leaves only.
AGAIN = "it counts a parameter again where a module that is no repetition has it again, tied or in a shared part"
LEAVES_ONLY = "it counts the bytes of modules without children only"
MASKED = "it counts the ones in the mask of a pruned parameter"

# By model: why torchinfo's totals of it are others, and which they are.
OTHER_TOTALS: dict[str, tuple[str, Amounts]] = {
    "shared_under_two_parents": (AGAIN, (32, 32, 68)),
    "wrapped": (AGAIN, (20, 20, 40)),
    "ways_not_taken": (AGAIN, (9, 9, 24)),
    "tied_parameters": (AGAIN, (30, 30, 120)),
    "tied_and_half_frozen": (AGAIN, (21, 3, 84)),
    "parameters_in_two_lists": (AGAIN, (13, 13, 52)),
    "nested_linear_models": (LEAVES_ONLY, (6, 6, 8)),
    "nones": (LEAVES_ONLY, (5, 5, 16)),
    "odd_names": (LEAVES_ONLY, (48, 48, 0)),
    "transformer": (LEAVES_ONLY, (344, 344, 896)),
    "attention_of_other_sizes": (LEAVES_ONLY, (88, 88, 80)),
    "parametrized": (LEAVES_ONLY, (16, 16, 16)),
    "container_with_tensors_of_its_own": (LEAVES_ONLY, (8, 8, 24)),
    "pruned": (MASKED, (10, 10, 40)),
}
SAME = sorted(ZOO.keys() - OTHER_TOTALS.keys() - {TAKES_TOO_LONG})


@dataclass(frozen=True, slots=True)
class Counts:
    """What one of us counts: a total, and module by module in pre-order, a shared one at each of its places."""

    total: Amounts
    modules: list[Amounts]


def by_us(module: nn.Module) -> Counts:
    index = TreeIndex.of(module)
    counts = [amounts(index, row) for row in range(len(index))]
    return Counts(counts[0], counts)


def amounts(index: TreeIndex, row: int) -> Amounts:
    parameters, totals = index.parameters, index.totals
    entries = parameters.listed(parameters.start[row], parameters.start[index.end[row]], remove_duplicate=True)
    num_bytes = sum(index.kinds.all[parameters.kind[entry]].num_bytes for entry in entries.tolist())
    return int(totals.num_parameters[row]), int(totals.num_trainable[row]), num_bytes


def by_torch(module: nn.Module) -> Counts:
    counts = [amounts_of(place) for _, place in module.named_modules(remove_duplicate=False)]
    return Counts(counts[0], counts)


def amounts_of(module: nn.Module) -> Amounts:
    known = [parameter for parameter in module.parameters() if has_shape(parameter)]
    trainable = [parameter for parameter in known if parameter.requires_grad]
    num_bytes = sum(parameter.numel() * parameter.element_size() for parameter in known)
    return sum(p.numel() for p in known), sum(p.numel() for p in trainable), num_bytes


def has_shape(tensor: Tensor) -> bool:
    return not is_lazy(tensor)


def by_torchinfo(module: nn.Module) -> Counts:
    found = torchinfo.summary(module, depth=100, verbose=0)
    lines: list[LayerInfo] = found.summary_list
    return Counts(
        (found.total_params, found.trainable_params, found.total_param_bytes),
        [(line.num_params, line.trainable_params, line.param_bytes) for line in lines],
    )


@pytest.mark.parametrize("name", SAME)
def test_a_total_and_every_module_count_as_torchinfo_does(name: str) -> None:
    module = ZOO[name]()
    assert by_us(module) == by_torch(module) == by_torchinfo(module)


@pytest.mark.parametrize(
    ("name", "reason", "total"),
    [pytest.param(name, *other, id=f"{name}: {other[0]}") for name, other in OTHER_TOTALS.items()],
)
def test_a_total_is_parameters_where_torchinfo_counts_in_another_way(name: str, reason: str, total: Amounts) -> None:
    module = ZOO[name]()
    ours, theirs = by_us(module), by_torchinfo(module)
    assert ours == by_torch(module)
    assert theirs.total == total != ours.total
    # The total alone is other: module by module it counts as torch does, but for what is pruned.
    assert (theirs.modules == ours.modules) == (reason != MASKED)
