"""The state dict as a file: read back by the safetensors library, loaded as torch loads it, refused when broken."""

import json
import math
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from app.errors import CannotDo, TooLarge, UnreadableFile
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from app.trees.state_dict import Mismatch, load_state_dict, to_safetensors
from app.trees.values import DTYPES
from tests.models import Holder, nested_linear_models, odd_names, on_meta, tied_parameters, uninitialised
from tests.trees.comparing import told, told_of
from tests.trees.strategies import linear_trees


def all_told(state: dict[str, Tensor]) -> dict[str, tuple[object, ...]]:
    return {name: told_of(tensor)[1:] for name, tensor in state.items()}


def read(file: bytes) -> dict[str, Tensor]:
    loaded: dict[str, Tensor] = safetensors.torch.load(file)
    return loaded


@settings(max_examples=60)
@given(linear_trees())
def test_the_library_reads_torchs_state_dict_out_of_the_file(module: LinearModel) -> None:
    index = TreeIndex.of(module)
    for row, (_, place) in enumerate(module.named_modules()):
        assert all_told(read(to_safetensors(index, row))) == all_told(place.state_dict())


def test_names_of_parameters_and_buffers_are_counted_together() -> None:
    child, module = Holder(), Holder()
    child.register_parameter("p", nn.Parameter(torch.zeros(1)))
    child.register_buffer("b", torch.zeros(1))
    module.add_module("n" * 35_000_000, child)
    index = TreeIndex.of(module)
    with pytest.raises(TooLarge, match="70,000,002 characters, more than 64,000,000"):
        to_safetensors(index)
    assert set(read(to_safetensors(index, 1))) == {"p", "b"}


def test_tied_and_strided_tensors_are_in_the_file_whole() -> None:
    for module in (tied_parameters(), odd_names()):
        assert all_told(read(to_safetensors(TreeIndex.of(module)))) == all_told(module.state_dict())
    module = Holder()
    module.register_buffer("transposed", torch.arange(6).reshape(2, 3).T)
    module.register_buffer("expanded", torch.ones(1).expand(3))
    assert all_told(read(to_safetensors(TreeIndex.of(module)))) == all_told(module.state_dict())


def test_the_file_is_laid_out_as_the_format_asks() -> None:
    module = LinearModel()
    for number, (word, dtype) in enumerate(DTYPES.items()):
        module.register_buffer("b_" + word, torch.zeros(number, dtype=dtype))
    file = to_safetensors(TreeIndex.of(module))
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    assert length % 8 == 0
    assert header.pop("__metadata__") == {"format": "pt"}
    offsets = sorted(entry["data_offsets"] for entry in header.values())
    assert [begin for begin, _ in offsets] == [0, *[end for _, end in offsets[:-1]]]
    assert 8 + length + offsets[-1][1] == len(file)
    for entry in header.values():
        begin, end = entry["data_offsets"]
        assert begin % max(1, (end - begin) // max(1, math.prod(entry["shape"]))) == 0


def test_a_tensor_of_the_name_that_the_format_takes_is_refused() -> None:
    module = LinearModel()
    module.register_buffer("__metadata__", torch.ones(1))
    with pytest.raises(CannotDo, match="'__metadata__'"):
        to_safetensors(TreeIndex.of(module))
    parent = Holder()
    parent.below = module
    assert "below.__metadata__" in read(to_safetensors(TreeIndex.of(parent)))


@pytest.mark.parametrize("make", [on_meta, uninitialised])
def test_a_structure_without_values_has_no_file(make: Any) -> None:
    with pytest.raises(CannotDo, match="has no values here"):
        to_safetensors(TreeIndex.of(make()))


def test_a_dtype_that_the_format_has_not_is_refused() -> None:
    module = Holder()
    module.register_buffer("buffer", torch.zeros(1, dtype=torch.complex128))
    with pytest.raises(CannotDo, match="complex128"):
        to_safetensors(TreeIndex.of(module))


def file_of(tensors: dict[str, Tensor]) -> bytes:
    file: bytes = safetensors.torch.save(tensors)
    return file


@st.composite
def states_like(draw: st.DrawFn, module: nn.Module) -> dict[str, Tensor]:
    """Some of a module's entries, some under other names, some of other shapes and dtypes."""
    state = {}
    for name, tensor in module.state_dict().items():
        match draw(st.sampled_from(["same", "same", "missing", "renamed", "larger", "double"])):
            case "same":
                state[name] = tensor + 1
            case "renamed":
                state[draw(st.sampled_from([name + "x", "x." + name, name + ".x"]))] = tensor + 1
            case "larger":
                state[name] = torch.zeros((*tensor.shape, 2))
            case "double":
                state[name] = tensor.to(torch.float64) + 0.5
    return {name: tensor.contiguous() for name, tensor in state.items()}


@settings(max_examples=80)
@given(st.data(), st.booleans())
def test_what_is_missing_unexpected_and_mismatched_is_torchs(data: st.DataObject, strict: bool) -> None:
    model = nested_linear_models()
    model.get_submodule("sub1").register_buffer("buf", torch.tensor([1, 2]))
    model.get_submodule("sub1").register_buffer("fleeting", torch.tensor([1.0]), persistent=False)
    state = data.draw(states_like(model))
    before = told(model)
    index = TreeIndex.of(model)
    expected = nested_linear_models()
    expected.load_state_dict(model.state_dict(), strict=False)
    expected.get_submodule("sub1").register_buffer("buf", torch.tensor([1, 2]))
    expected.get_submodule("sub1").register_buffer("fleeting", torch.tensor([1.0]), persistent=False)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    fitting = {name: tensor for name, tensor in state.items() if shapes.get(name, tensor.shape) == tensor.shape}
    torchs = expected.load_state_dict(fitting, strict=False)

    report = load_state_dict(index, file_of(state), strict=strict)
    mismatched = {name for name in state if name not in fitting}
    assert sorted(report.missing_keys) == sorted(set(torchs.missing_keys) - mismatched)
    assert sorted(report.unexpected_keys) == sorted(torchs.unexpected_keys)
    assert {mismatch.name for mismatch in report.mismatched} == mismatched
    assert report.is_clean == (not torchs.missing_keys and not torchs.unexpected_keys)
    assert told(model) == (told(expected) if report.is_clean or not strict else before)


def test_a_mismatch_tells_both_shapes() -> None:
    model = LinearModel()
    report = load_state_dict(TreeIndex.of(model), file_of({"weight": torch.zeros(2, 3), "bias": torch.zeros(1)}))
    assert report.mismatched == [Mismatch("weight", (1,), (2, 3))]


def test_values_of_another_dtype_are_converted_and_a_frozen_parameter_takes_them() -> None:
    model = LinearModel().requires_grad_(False)
    state = {"weight": torch.tensor([3]), "bias": torch.tensor([0.5], dtype=torch.float64)}
    assert load_state_dict(TreeIndex.of(model), file_of(state)).is_clean
    assert (model.weight.item(), model.bias.item()) == (3.0, 0.5)
    assert model.weight.dtype is torch.float32
    assert not model.weight.requires_grad


FILE = to_safetensors(TreeIndex.of(nested_linear_models()))


def check_loads_or_is_unreadable(data: bytes) -> None:
    model = nested_linear_models()
    before = told(model)
    index = TreeIndex.of(model)
    try:
        load_state_dict(index, data, strict=False)
    except UnreadableFile as error:
        assert error.detail.startswith("Not a safetensors file")  # noqa: PT017
        assert told(model) == before


@settings(max_examples=60)
@given(st.integers(0, len(FILE) - 1))
def test_a_file_cut_short_is_unreadable(length: int) -> None:
    model = nested_linear_models()
    with pytest.raises(UnreadableFile):
        load_state_dict(TreeIndex.of(model), FILE[:length])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_file_with_other_bytes_loads_or_is_unreadable(changes: list[tuple[int, int]]) -> None:
    data = bytearray(FILE)
    for at, byte in changes:
        data[at] = byte
    check_loads_or_is_unreadable(bytes(data))


def with_header(header: object, size: int = 4) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2**62, 2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]},
        {"dtype": "F8_E8M0", "shape": [4], "data_offsets": [0, 4]},
        {"dtype": "F6_E2M3", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "C64", "shape": [0], "data_offsets": [0, 0]},
        {"dtype": "BOOL", "shape": [4], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [1]},
        {},
        3,
    ],
)
def test_an_odd_header_loads_or_is_unreadable(entry: object) -> None:
    check_loads_or_is_unreadable(with_header({"weight": entry}))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 8, b"\xff" * 8, b"{}", b"PK\x03\x04" + b"\0" * 50, with_header([]), b"x" * 99]
)
def test_what_is_no_safetensors_file_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        load_state_dict(TreeIndex.of(LinearModel()), data)
