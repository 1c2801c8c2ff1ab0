"""The inputs of a traced forward: written as text, and suggested where a model says what it takes."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.dtypes import dtype_named
from app.trees.foreign import Raised, attempt, cut

MAX_INPUTS = 32
MAX_DIMS = 16
MAX_SIZE = 2**40
# A batch of one, and a short text.
LENGTH = 16
SIDE = 224

_NAME = re.compile(r"[A-Za-z_]\w*")


class Input(msgspec.Struct, frozen=True):
    """One tensor: its shape, its dtype in torch's word, and its keyword ("" for one that is given by position)."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    name: str = ""

    def __str__(self) -> str:
        dims = ",".join(map(str, self.shape)) or "()"
        return f"{self.name}={dims}:{self.dtype}" if self.name else f"{dims}:{self.dtype}"


def parse_inputs(texts: Sequence[str], dtype: str = "float32") -> list[Input]:
    """Return the inputs of texts such as `2,3,224,224`, `tgt=20,32,512` or `input_ids=1,128:int64`.

    A text may hold several, parted by ";"; "()" is a tensor without dimensions; `dtype` is for those that name none.
    Raises `Invalid` with every misfit.
    """
    misfits: list[Misfit] = []
    if dtype_named(dtype) is None:
        misfits.append(
            Misfit(("dtype",), said("expected a dtype such as float32 or int64, got %(value)r", value=cut(dtype, 60)))
        )
        dtype = "float32"
    inputs: list[Input] = []
    parts = [part.strip() for text in texts for part in text.split(";")]
    for at, part in enumerate(part for part in parts if part):
        found = _parse(part, dtype)
        if isinstance(found, str):
            misfits.append(Misfit(("input", at), found))
        else:
            inputs.append(found)
    misfits.extend(_misfits(inputs))
    if misfits:
        raise Invalid(said("%(place)s: %(msg)s.", place=misfits[0].loc[0], msg=misfits[0].msg), tuple(misfits))
    return inputs


def make_inputs(inputs: Sequence[Input]) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Return the tensors on the meta device: those by position, and those by keyword."""
    made = [(one.name, torch.empty(one.shape, dtype=dtype_named(one.dtype), device="meta")) for one in inputs]
    return [tensor for name, tensor in made if not name], {name: tensor for name, tensor in made if name}


def suggest_inputs(module: nn.Module) -> list[Input]:
    """Return inputs that the module is likely to take, none where nothing says so: a start, for a person to change."""
    found = attempt(lambda: list(_suggested(module)))
    if isinstance(found, Raised) or not all(isinstance(size, int) for one in found for size in one.shape):
        return []
    return found


def _parse(part: str, dtype: str) -> Input | str:
    head, colon, word = (piece.strip() for piece in part.partition(":"))
    name, equals, dims = (piece.strip() for piece in head.rpartition("="))
    numbers = [] if dims == "()" else re.split(r"\s*[,x×\s]\s*", dims.strip("()[] ").rstrip(","))
    is_named = not equals or _NAME.fullmatch(name) is not None
    if not (is_named and all(number.isascii() and number.isdigit() for number in numbers)):
        return said("expected sizes such as 2,3,224,224 or name=1,128:int64, got %(part)r", part=cut(part, 60))
    if len(numbers) > MAX_DIMS or any(len(number) > 15 for number in numbers):
        return said(
            "expected at most %(max_dims)s sizes of at most 15 digits, got %(part)r",
            max_dims=MAX_DIMS,
            part=cut(part, 60),
        )
    word = word if colon else dtype
    found = dtype_named(word)
    if found is None:
        return said("expected a dtype such as float32 or int64, got %(word)r", word=cut(word, 60))
    return Input(tuple(map(int, numbers)), str(found).removeprefix("torch."), name)


def _misfits(inputs: list[Input]) -> Iterator[Misfit]:
    if len(inputs) > MAX_INPUTS:
        yield Misfit(
            ("input",), said("expected at most %(most)s inputs, got %(num)s", most=MAX_INPUTS, num=len(inputs))
        )
    seen: set[str] = set()
    for at, one in enumerate(inputs):
        if torch.Size(one.shape).numel() > MAX_SIZE:
            yield Misfit(
                ("input", at), said("expected at most %(most)s elements, got %(one)s", most=f"{MAX_SIZE:,}", one=one)
            )
        if one.name and one.name in seen:
            yield Misfit(("input", at), said("%(name)r is given twice", name=one.name))
        if not one.name and seen:
            yield Misfit(
                ("input", at),
                said("an input without a name must come before those that have one, got %(one)s", one=one),
            )
        seen |= {one.name} - {""}


def _suggested(module: nn.Module) -> Iterator[Input]:
    config = getattr(module, "config", None)
    named = getattr(module, "main_input_name", None)
    if config is not None and isinstance(named, str):
        yield from _of_config(named, config)
        return
    if isinstance(module, nn.Transformer):
        yield from [Input((LENGTH, 1, module.d_model))] * 2
        return
    for child in module.modules():
        if (first := _of_first(child)) is not None:
            yield first
            return
        if next(child.parameters(recurse=False), None) is not None:
            return


def _of_config(named: str, config: Any) -> Iterator[Input]:
    text = (1, LENGTH)
    if named == "input_ids":
        yield Input(text, "int64", named)
        if hasattr(config, "vision_config") and hasattr(config, "projection_dim"):
            yield _picture(config.vision_config, "pixel_values")
    elif named == "pixel_values":
        yield _picture(getattr(config, "vision_config", config), named)
        if hasattr(config, "text_config"):
            yield Input(text, "int64", "input_ids")
    elif named == "input_features":
        frames = 2 * getattr(config, "max_source_positions", 1500)
        yield Input((1, getattr(config, "num_mel_bins", 80), frames), name=named)
    elif named == "input_values":
        yield Input((1, 16_000), name=named)
    if getattr(config, "is_encoder_decoder", False):
        yield Input(text, "int64", "decoder_input_ids")


def _picture(config: Any, name: str) -> Input:
    size = getattr(config, "image_size", SIDE)
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    return Input((1, getattr(config, "num_channels", 3), *sides), name=name)


def _of_first(module: nn.Module) -> Input | None:
    """Return the input of the first module that has parameters, if it is one that tells its sizes."""
    match module:
        case nn.Embedding() | nn.EmbeddingBag():
            return Input((1, LENGTH), "int64")
        case nn.Linear():
            return Input((1, module.in_features))
        case nn.Conv1d():
            return Input((1, module.in_channels, SIDE))
        case nn.Conv2d():
            return Input((1, module.in_channels, SIDE, SIDE))
        case nn.Conv3d():
            return Input((1, module.in_channels, LENGTH, SIDE, SIDE))
        case nn.RNNBase():
            return Input((1, LENGTH, module.input_size) if module.batch_first else (LENGTH, 1, module.input_size))
        case nn.TransformerEncoderLayer():
            return Input((LENGTH, 1, module.self_attn.embed_dim))
        case _:
            return None
