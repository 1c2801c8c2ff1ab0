"""Sums of squares of many tensors in a few calls, whatever their number and sizes."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Under so many elements a call of `norm` costs more than copying them behind each other.
SMALL = 512
# Outside of these squares in float32 vanish or overflow: such a norm is taken again in float64, which is slower.
SURE = (1e-12, 1e15)

Parts = list[Tensor]
Sums = NDArray[np.float64]


class Squares:
    """The sum of squares of each of `values`, or of as many tensors of the same shapes and dtypes, in float64.

    Small tensors are joined, one part a dtype; of each large one torch takes the norm. `values` are looked at again at
    every call: they share their memory with what they are views of. Numpy's warnings are the caller's to silence.
    """

    def __init__(self, values: Sequence[Tensor]) -> None:
        self._values = [_flat(value) for value in values]
        small: dict[torch.dtype, list[int]] = {}
        self._large: list[int] = []
        for number, value in enumerate(self._values):
            if value.numel() >= SMALL or not value.is_contiguous():
                self._large.append(number)
            elif value.numel():
                small.setdefault(value.dtype, []).append(number)
        self._small = list(small.values())
        sizes = [[self._values[number].numel() for number in numbers] for numbers in self._small]
        self._starts = [np.cumsum([0, *each[:-1]]) for each in sizes]
        self._copy: Parts = []

    def parts(self, tensors: Sequence[Tensor]) -> Parts:
        """Return the parts of tensors that are like the values; large ones are not copied."""
        return self._join([_flat(tensor) for tensor in tensors])

    def copy(self) -> Parts:
        """Return a copy of the values as they are now, in parts; `of_change` needs it."""
        parts, num_joined = self._join(self._values), len(self._small)
        if not self._copy:
            self._copy = [torch.empty_like(part) for part in parts]
        if self._large:
            torch._foreach_copy_(self._copy[num_joined:], parts[num_joined:])
        self._copy[:num_joined] = parts[:num_joined]
        return self._copy

    def of(self, parts: Parts, sums: Sums) -> None:
        """Write the sum of squares of each tensor in the parts into `sums`, which is as long as the values."""
        for numbers, starts, part in zip(self._small, self._starts, parts, strict=False):
            elements = part.double().numpy()
            found = np.square(elements)
            if len(found) > len(starts):
                found = np.add.reduceat(found, starts)
            if len(found) == len(sums):
                sums[:] = found
            else:
                sums[numbers] = found
        if self._large:
            sums[self._large] = np.square(_norms(parts[len(self._small) :]))

    def of_change(self, sums: Sums) -> None:
        """Write how the values differ from the last copy, which is used up."""
        if self._copy:
            torch._foreach_sub_(self._copy, self._join(self._values))
            self.of(self._copy, sums)

    def _join(self, flat: Sequence[Tensor]) -> Parts:
        joined = [torch.cat([flat[number] for number in numbers]) for numbers in self._small]
        return [*joined, *(flat[number] for number in self._large)]


def _norms(tensors: Parts) -> Sums:
    wide = [tensor.float() if tensor.itemsize < 4 else tensor for tensor in tensors]
    norms: Sums = torch.stack(torch._foreach_norm(wide, 2)).double().numpy()
    for number in np.flatnonzero(~((norms > SURE[0]) & (norms < SURE[1]))).tolist():
        norms[number] = torch.linalg.vector_norm(wide[number].double()).item()
    return norms


def _flat(tensor: Tensor) -> Tensor:
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    elif not tensor.is_floating_point():
        tensor = tensor.double()
    return tensor.reshape(-1) if tensor.dim() != 1 and tensor.is_contiguous() else tensor
