"""Nested numbers from outside, as tensors: checked before torch sees them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from app.errors import Invalid, Misfit
from app.translation import said

DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
}
MAX_DIMS = 16


def is_text(name: str) -> bool:
    """Whether a name is Unicode text: one with a lone surrogate could be neither kept nor sent."""
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def check_text(name: str, loc: tuple[str | int, ...]) -> None:
    """Raise `Invalid` for a name that is no Unicode text."""
    if not is_text(name):
        raise _misfit(loc, said("expected Unicode text, got a lone surrogate"))


def tensor_of(value: object, loc: tuple[str | int, ...], dtype: str | None = None) -> Tensor:
    """Return `torch.tensor(value)`: int64, float32 or bool as torch infers it, unless `dtype` names another.

    Raises `Invalid` where `value` is not a number or equally long lists of them, is nested deeper than 16, or does not
    fit the dtype.
    """
    if dtype is not None and dtype not in DTYPES:
        raise _misfit(
            (*loc[:-1], "dtype"),
            said("dtype %(dtype)r is not one of %(known)s", dtype=dtype, known=", ".join(DTYPES)),
        )
    _check(value, loc)
    wanted = DTYPES[dtype] if dtype is not None else None
    try:
        tensor = torch.tensor(value, dtype=wanted)
    except (RuntimeError, ValueError, OverflowError, TypeError) as error:
        raise _misfit(loc, str(error).splitlines()[0]) from error
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise _misfit(
            loc,
            said("a value is too large for %(dtype)s", dtype=str(tensor.dtype).removeprefix("torch.")),
        )
    return tensor


def _check(value: object, loc: tuple[str | int, ...]) -> None:
    todo: list[tuple[object, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        if isinstance(item, bool | int | float):
            continue
        if not isinstance(item, Sequence) or isinstance(item, str):
            raise _misfit(loc, said("expected a number or nested lists of numbers, got %(word)s", word=_word(item)))
        if depth == MAX_DIMS:
            raise _misfit(loc, said("nested deeper than %(most)s lists", most=MAX_DIMS))
        todo.extend((part, depth + 1) for part in item)


def _word(item: object) -> str:
    return "null" if item is None else f"{type(item).__name__} {str(item)[:40]!r}"


def _misfit(loc: tuple[str | int, ...], msg: str) -> Invalid:
    place = ".".join(str(part) for part in loc)
    return Invalid(said("%(place)s: %(msg)s.", place=place, msg=msg), (Misfit(loc, msg),))
