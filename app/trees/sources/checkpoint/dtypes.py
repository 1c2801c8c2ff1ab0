"""The dtypes that files name: torch's word for each, its size, and how its values are decoded."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Dtype:
    """One dtype; `word` is torch's name where torch has it.

    `bits` is the size of one element; `torch` is None for what torch has no dtype of one element for.
    """

    word: str
    bits: int
    torch: torch.dtype | None

    @property
    def is_differentiable(self) -> bool:
        """Whether a parameter of it can require a gradient."""
        return self.torch is None or self.torch.is_floating_point or self.torch.is_complex


def _of_torch(dtype: torch.dtype) -> Dtype:
    return Dtype(str(dtype).removeprefix("torch."), dtype.itemsize * 8, dtype)


SAFETENSORS: dict[str, Dtype] = {
    "BOOL": _of_torch(torch.bool),
    "F4": Dtype("float4_e2m1fn", 4, None),
    "F6_E2M3": Dtype("float6_e2m3fn", 6, None),
    "F6_E3M2": Dtype("float6_e3m2fn", 6, None),
    "U8": _of_torch(torch.uint8),
    "I8": _of_torch(torch.int8),
    "F8_E5M2": _of_torch(torch.float8_e5m2),
    "F8_E4M3": _of_torch(torch.float8_e4m3fn),
    "F8_E8M0": _of_torch(torch.float8_e8m0fnu),
    "F8_E4M3FNUZ": _of_torch(torch.float8_e4m3fnuz),
    "F8_E5M2FNUZ": _of_torch(torch.float8_e5m2fnuz),
    "I16": _of_torch(torch.int16),
    "U16": _of_torch(torch.uint16),
    "F16": _of_torch(torch.float16),
    "BF16": _of_torch(torch.bfloat16),
    "I32": _of_torch(torch.int32),
    "U32": _of_torch(torch.uint32),
    "F32": _of_torch(torch.float32),
    "C64": _of_torch(torch.complex64),
    "F64": _of_torch(torch.float64),
    "I64": _of_torch(torch.int64),
    "U64": _of_torch(torch.uint64),
}
"""By the word that a safetensors header has for it; the reference knows these and no others."""

_ONLY_TORCH = (torch.complex32, torch.complex128)

DTYPES: dict[str, Dtype] = {
    dtype.word: dtype for dtype in (*SAFETENSORS.values(), *(_of_torch(dtype) for dtype in _ONLY_TORCH))
}
"""By torch's word."""

STORAGES: dict[str, Dtype] = {
    f"torch.{name}Storage": DTYPES[word]
    for name, word in {
        "Double": "float64",
        "Float": "float32",
        "Half": "float16",
        "BFloat16": "bfloat16",
        "Long": "int64",
        "Int": "int32",
        "Short": "int16",
        "Char": "int8",
        "Byte": "uint8",
        "Bool": "bool",
        "ComplexFloat": "complex64",
        "ComplexDouble": "complex128",
    }.items()
}
"""By the class that a `.pt` file names for a storage of it."""
