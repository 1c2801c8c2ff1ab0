"""The values of tensors: as nested numbers where they are few, as statistics where they are many."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from msgspec import UNSET
from torch import Tensor
from torch.nn.parameter import is_lazy

from app.trees.rows import Histogram, Nested, NestedWord, TensorStats, ValuesPage

MAX_VALUES = 64
MAX_PAGE = 10_000
NUM_BINS = 64


def has_values(tensor: Tensor) -> bool:
    """Whether the data is at hand: dense, initialised, and not on the meta device."""
    return not (is_lazy(tensor) or tensor.is_meta or tensor.layout is not torch.strided or tensor.is_quantized)


def values_of(tensors: Sequence[Tensor]) -> list[Nested]:
    """Return the nested numbers of each tensor, null for one of more than 64 elements or without data.

    Tensors of one element and one dtype, as LinearModels have them, are read in one call for all.
    """
    if len({tensor.dtype for tensor in tensors}) == 1 and all(_is_lone(tensor) for tensor in tensors):
        if tensors[0].is_complex():
            return [_nested(tensor) for tensor in tensors]
        return [[number] for number in torch.cat([tensor.detach() for tensor in tensors]).tolist()]
    return [_nested(tensor) for tensor in tensors]


def _is_lone(tensor: Tensor) -> bool:
    return has_values(tensor) and tensor.shape == (1,)


def _nested(tensor: Tensor) -> Nested:
    if not has_values(tensor) or tensor.numel() > MAX_VALUES:
        return None
    data = tensor.detach()
    values: Nested = (torch.view_as_real(data.resolve_conj()) if data.is_complex() else data).tolist()
    return values


def page_of(tensor: Tensor, start: int, count: int) -> ValuesPage:
    """Return up to `count` values, at most 10,000, of a tensor with data, in row-major order from `start` on."""
    data, total = tensor.detach(), tensor.numel()
    places = torch.arange(min(start, total), min(start + min(count, MAX_PAGE), total))
    # A view of few elements may stand for more than memory holds, so that it is not flattened.
    found = data.view(-1)[places] if data.is_contiguous() else data[torch.unravel_index(places, data.shape)]
    values: Nested = (torch.view_as_real(found.resolve_conj()) if found.is_complex() else found).tolist()
    words = nonfinite_of(values)
    return ValuesPage(start, total, values, UNSET if words is None else words)


def nonfinite_of(values: Nested) -> NestedWord:
    """Return "nan", "inf" or "-inf" in the nesting of `values` where a number is not finite, or None if all are."""
    if isinstance(values, list):
        parts = [nonfinite_of(value) for value in values]
        return parts if any(part is not None for part in parts) else None
    if isinstance(values, float) and not math.isfinite(values):
        return nonfinite_word(values)
    return None


def nonfinite_word(value: float) -> str:
    """Return the kind of a number that is not finite: "nan", "inf" or "-inf"."""
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def stats_of(tensor: Tensor) -> TensorStats | None:
    """Return the statistics of a tensor's values in double precision, None where there is no data to read.

    Of a complex tensor they are those of the absolute values. `std` is torch's default, with n - 1.
    """
    if not has_values(tensor):
        return None
    data = tensor.detach()
    values = as_doubles(data).flatten().numpy()
    finite = values[np.isfinite(values)]
    count = len(finite)
    with np.errstate(over="ignore", invalid="ignore"):
        return TensorStats(
            min=float(finite.min()) if count else None,
            max=float(finite.max()) if count else None,
            mean=_finite(finite.mean()) if count else None,
            std=_finite(finite.std(ddof=1)) if count > 1 else None,
            l2=_finite(np.linalg.norm(finite)) if count else None,
            zeros=int(np.count_nonzero(finite == 0)),
            nans=int(np.count_nonzero(np.isnan(values))),
            infs=int(np.count_nonzero(np.isinf(values))),
            histogram=_histogram(finite) if count else None,
        )


def as_doubles(tensor: Tensor) -> Tensor:
    """Return values in double precision, the absolute ones of complex numbers."""
    return tensor.to(torch.complex128).abs() if tensor.is_complex() else tensor.to(torch.float64)


def _finite(value: "np.floating[Any]") -> float | None:
    return float(value) if np.isfinite(value) else None


def _histogram(finite: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Histogram | None:
    low, high = float(finite.min()), float(finite.max())
    if not math.isfinite(high - low):
        return None
    try:
        counts, edges = np.histogram(finite, bins=NUM_BINS)
    except ValueError:  # the range is too narrow for 64 distinct edges
        room = float(NUM_BINS * np.spacing(max(abs(low), abs(high))))
        if not math.isfinite(high - low + 2 * room):
            return None
        counts, edges = np.histogram(finite, bins=NUM_BINS, range=(low - room, high + room))
    return Histogram(edges.tolist(), counts.tolist())
