"""Stored numbers as NumPy arrays: one raw dtype to read each stored dtype with, and what its bits mean."""

from functools import cache
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from app.errors import CannotDo
from app.translation import said
from app.trees.sources.checkpoint.dtypes import DTYPES

Values: TypeAlias = NDArray[Any]

_RAW = {
    "bool": "u1",
    "uint8": "u1",
    "int8": "i1",
    "uint16": "<u2",
    "int16": "<i2",
    "uint32": "<u4",
    "int32": "<i4",
    "uint64": "<u8",
    "int64": "<i8",
    "float16": "<f2",
    "float32": "<f4",
    "float64": "<f8",
    "complex64": "<c8",
    "complex128": "<c16",
    "bfloat16": "<u2",
    "complex32": "<u4",
}
_FLOAT4 = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


def raw_dtype(dtype: str) -> np.dtype[Any]:
    """Return the NumPy dtype to read elements of a stored dtype with; for two in a byte, that of the byte."""
    if dtype.startswith("float6_"):
        raise CannotDo(
            said(
                "Values of %(dtype)s are not read: the format does not say how they are packed into bytes.", dtype=dtype
            )
        )
    return np.dtype(_RAW.get(dtype, "u1"))


def decode(raw: Values, dtype: str) -> Values:
    """Return the values of raw elements, in the same shape, exactly: small floats as float32, complex ones as complex.

    Of `float4_e2m1fn`, whose raw elements are bytes, the last dimension is twice as long, low half first.
    """
    if dtype == "bool":
        return np.not_equal(raw, 0)
    if dtype == "bfloat16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    if dtype == "complex32":
        with np.errstate(invalid="ignore"):
            return np.ascontiguousarray(raw).view(np.float16).astype(np.float32).view(np.complex64)
    if dtype == "float4_e2m1fn":
        return _table(dtype)[halves(raw)]
    if dtype.startswith("float8_"):
        return _table(dtype)[raw]
    return raw


def halves(raw: Values) -> Values:
    """Return the two halves of each byte, low half first, the last dimension twice as long."""
    return np.stack((raw & np.uint8(15), raw >> np.uint8(4)), axis=-1).reshape(*raw.shape[:-1], -1)


def to_float64(values: Values) -> NDArray[np.float64]:
    """Return values in double precision, the absolute ones of complex numbers."""
    with np.errstate(invalid="ignore"):  # a NaN that signals is no reason to warn
        if values.dtype.kind == "c":
            values = np.abs(values.astype(np.complex128))
        return values.astype(np.float64, copy=False)


@cache
def _table(dtype: str) -> NDArray[np.float32]:
    if dtype == "float4_e2m1fn":
        return np.concatenate((_FLOAT4, -_FLOAT4)).astype(np.float32)
    stored = DTYPES[dtype].torch
    assert stored is not None, dtype
    table: NDArray[np.float32] = torch.arange(256, dtype=torch.uint8).view(stored).to(torch.float32).numpy()
    return table
