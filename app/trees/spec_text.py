"""A tree of LinearModels written as a LinearSpec, in JSON without a space, at any depth; and what that leaves out."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor

from app.errors import CannotDo, Invalid, TooLarge
from app.translation import said
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from app.trees.spec import is_refused
from app.trees.values import tensor_of

NUMBERS = ("weight", "bias")
FLOAT32_MAX = torch.finfo(torch.float32).max
BUFFER_DTYPES = (torch.float32, torch.int64, torch.bool)


class Lost(StrEnum):
    """What a LinearSpec has no words for."""

    FROZEN = "frozen"
    EVAL = "eval"
    PARAMETER = "parameter"
    MISSING = "missing"
    ORDER = "order"
    FLEETING = "fleeting"
    DTYPE = "dtype"
    NONFINITE = "nonfinite"
    NAME = "name"


def spec_text(index: TreeIndex, row: int = 0, *, most: int | None = None) -> str:
    """Return the LinearSpec of the module at a row: numbers in the fewest digits that give the same float32.

    What a LinearSpec cannot hold is left out; `lost` counts it. Raises `CannotDo` for other modules than LinearModels,
    and `TooLarge` past `most` characters.
    """
    if not index.is_live or not all(isinstance(module, LinearModel) for module in index.modules):
        raise CannotDo(said("Only a tree of LinearModels can be written as a LinearSpec."))
    parts, chars = [], 0
    for part in _parts(index, row, most):
        chars += len(part)
        if most is not None and chars > most:
            raise _too_long(most)
        parts.append(part)
    return "".join(parts)


def lost(index: TreeIndex, row: int = 0) -> Counter[Lost]:
    """Return how many modules and tensors of the subtree have something that its LinearSpec leaves out."""
    counts: Counter[Lost] = Counter()
    for each in _rows(index, row):
        if each != row and is_refused(index.name[each]):
            counts[Lost.NAME] += 1
            continue
        if not index.training[each]:
            counts[Lost.EVAL] += 1
        counts.update(_lost_parameters(index, each))
        counts.update(_lost_buffers(index, each))
    return counts


def number_text(value: float) -> str:
    """Return a float32 in the fewest digits that are read as the same one: `0.93850803`, `2`, `1e-10`."""
    text = _single(value)
    return text.removesuffix(".0") if text != "-0.0" else text


def tensor_text(tensor: Tensor) -> str:
    """Return the values of a tensor as JSON, in the digits that are read as the same ones; of one element bare."""
    value = tensor.item() if tensor.shape == (1,) else tensor.tolist()
    return _nested(value, _float_of(tensor))


def _rows(index: TreeIndex, top: int) -> Iterator[int]:
    """Yield the rows of a subtree, without what is below one that a LinearSpec has no name for."""
    row, end = top, index.end[top]
    while row < end:
        yield row
        row = index.end[row] if row != top and is_refused(index.name[row]) else row + 1


def _parts(index: TreeIndex, top: int, most: int | None) -> Iterator[str]:
    ends: list[int] = []
    comma = ""
    for row in _rows(index, top):
        while ends and ends[-1] <= row:
            ends.pop()
            yield "}}"
            comma = ","
        if row != top:
            if is_refused(index.name[row]):
                continue
            yield f"{comma}{_string(index.name[row])}:"
        own = ",".join(_own(index, row, most))
        if index.end[row] > row + 1:
            yield f'{{{own}{"," if own else ""}"children":{{'
            ends.append(index.end[row])
            comma = ""
        else:
            yield f"{{{own}}}"
            comma = ","
    yield "}}" * len(ends)


def _own(index: TreeIndex, row: int, most: int | None) -> Iterator[str]:
    for entry in index.own(index.parameters, row):
        name, tensor = index.parameters.name[entry], index.parameters.tensor[entry]
        if name in NUMBERS and _is_number(tensor) and math.isfinite(tensor.item()):
            yield f'"{name}":{number_text(tensor.item())}'
    buffers = []
    for entry in index.own(index.buffers, row):
        name, tensor = index.buffers.name[entry], index.buffers.tensor[entry]
        if is_refused(name) or not _is_finite(tensor):
            continue
        if most is not None and tensor.numel() > most:
            raise _too_long(most)
        buffers.append(f"{_string(name)}:{_nested(tensor.tolist(), _float_of(tensor))}")
    if buffers:
        yield f'"buffers":{{{",".join(buffers)}}}'


def _too_long(most: int) -> TooLarge:
    return TooLarge(said("The LinearSpec has more than %(most)s characters.", most=f"{most:,}"), most)


def _lost_parameters(index: TreeIndex, row: int) -> Iterator[Lost]:
    numbers: dict[str, bool] = {}
    for entry in index.own(index.parameters, row):
        name, tensor = index.parameters.name[entry], index.parameters.tensor[entry]
        if name not in NUMBERS or not _is_number(tensor):
            yield Lost.PARAMETER
            continue
        numbers[name] = True
        if not math.isfinite(tensor.item()):
            yield Lost.NONFINITE
        if not tensor.requires_grad:
            yield Lost.FROZEN
    yield from (Lost.MISSING for name in NUMBERS if not numbers.get(name))
    if list(numbers) == ["bias", "weight"]:
        yield Lost.ORDER


def _lost_buffers(index: TreeIndex, row: int) -> Iterator[Lost]:
    for entry in index.own(index.buffers, row):
        tensor = index.buffers.tensor[entry]
        if is_refused(index.buffers.name[entry]):
            yield Lost.NAME
            continue
        if not index.buffers.flag[entry]:
            yield Lost.FLEETING
        if not _is_finite(tensor):
            yield Lost.NONFINITE
        elif not _comes_back(tensor):
            yield Lost.DTYPE


def _comes_back(tensor: Tensor) -> bool:
    if tensor.numel():
        return tensor.dtype in BUFFER_DTYPES
    try:
        read = tensor_of(tensor.tolist(), ())
    except Invalid:
        return False
    return (read.dtype, read.shape) == (tensor.dtype, tensor.shape)


def _is_number(tensor: Tensor) -> bool:
    return tensor.dtype is torch.float32 and tensor.shape == (1,)


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _float_of(tensor: Tensor) -> Callable[[float], str]:
    return repr if tensor.dtype is torch.float64 else _single


def _single(value: float) -> str:
    # The fewest digits of a float32 are read through a double, which of the largest one lies past it.
    text = str(np.float32(value))
    is_same = np.float32(float(text)) == np.float32(value) and abs(float(text)) <= FLOAT32_MAX
    return text if is_same else repr(value)


def _nested(value: object, float_text: Callable[[float], str]) -> str:
    if isinstance(value, list):
        return f"[{','.join(_nested(part, float_text) for part in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return float_text(value) if isinstance(value, float) else repr(value)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
