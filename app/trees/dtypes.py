"""What people call dtypes, in torch's words."""

import torch

ALIASES = {
    "bf16": "bfloat16",
    "f16": "float16",
    "fp16": "float16",
    "half": "float16",
    "f32": "float32",
    "fp32": "float32",
    "float": "float32",
    "f64": "float64",
    "fp64": "float64",
    "double": "float64",
    "long": "int64",
    "i64": "int64",
    "int": "int32",
    "i32": "int32",
    "short": "int16",
    "i16": "int16",
    "i8": "int8",
    "u8": "uint8",
    "byte": "uint8",
    "boolean": "bool",
    "cfloat": "complex64",
    "cdouble": "complex128",
    "f8": "float8",
    "fp8": "float8",
}


# Elements of less than a byte, of which torch has no tensor of one.
_BITS = {"float4_e2m1fn": 4, "float6_e2m3fn": 6, "float6_e3m2fn": 6, "quint4x2": 4, "quint2x4": 2}


def num_bits(word: str) -> int:
    """Return the size of one element of a dtype by torch's word, 0 for a word that nobody knows."""
    if word in _BITS:
        return _BITS[word]
    dtype = vars(torch).get(word)
    return dtype.itemsize * 8 if isinstance(dtype, torch.dtype) else 0


def dtype_word(text: str) -> str:
    """Return torch's word for what a person calls a dtype: "bfloat16" for "bf16"; another text comes back as it is."""
    word = text.strip().lower().removeprefix("torch.")
    return ALIASES.get(word, word)


def dtype_named(text: str) -> torch.dtype | None:
    """Return the dtype that a person names, or None."""
    # Not getattr, which would import what torch has of that name.
    dtype = vars(torch).get(dtype_word(text))
    return dtype if isinstance(dtype, torch.dtype) else None
