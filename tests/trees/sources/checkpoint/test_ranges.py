import os
from math import prod
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from app.errors import CannotDo, NotFound, UnreadableFile
from app.trees.sources.checkpoint.contents import TensorPlace
from app.trees.sources.checkpoint.decoding import decode, to_float64
from app.trees.sources.checkpoint.file import open_file
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.ranges import num_distinct, open_tensor, read_page
from app.trees.tensor_values import MAX_PAGE
from tests.trees.sources.checkpoint.files import entry, safetensors_bytes, torch_bytes, write

NONFINITE = torch.tensor([1.0, float("nan"), float("inf"), float("-inf"), -0.0])


def place_of(path: Path, number: int = 0) -> TensorPlace:
    return read_checkpoint(path).place(number)


def strided(
    folder: Path, numbers: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> TensorPlace:
    """A view of float64 numbers in a file."""
    path = write(folder / "numbers", numbers.astype("<f8").tobytes())
    with open_file(path) as file:
        return TensorPlace(file.stamp, 8 * offset, "float64", shape, strides)


def test_page_is_what_torch_has_there(tmp_path: Path) -> None:
    x = torch.arange(120.0).reshape(4, 5, 6).bfloat16()
    save_file({"x": x}, tmp_path / "x.safetensors")
    place = place_of(tmp_path / "x.safetensors")
    for start, count in ((0, 1), (7, 50), (100, 1000), (119, 1), (120, 5), (500, 5), (-1, 3)):
        page = read_page(tmp_path, place, start, count)
        assert page.values == (x.reshape(-1)[start : start + count].tolist() if start >= 0 else [])
        assert (page.start, page.total) == (start, 120)


def test_what_is_not_finite_has_a_word_and_encodes_as_null(tmp_path: Path) -> None:
    save_file({"x": NONFINITE.half()}, tmp_path / "x.safetensors")
    page = read_page(tmp_path, place_of(tmp_path / "x.safetensors"), 0, 10)
    assert page.nonfinite == [None, "nan", "inf", "-inf", None]
    assert msgspec.json.decode(msgspec.json.encode(page))["values"] == [1.0, None, None, None, -0.0]


def test_page_is_of_at_most_ten_thousand_values(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(MAX_PAGE + 5, dtype=torch.int8)}, tmp_path / "x.safetensors")
    values = read_page(tmp_path, place_of(tmp_path / "x.safetensors"), 0, 10**9).values
    assert isinstance(values, list)
    assert len(values) == MAX_PAGE


@pytest.mark.parametrize(
    "dtype",
    [torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu,
     torch.uint8, torch.int8, torch.bool],
)  # fmt: skip
def test_every_byte_means_what_it_means_to_torch(dtype: torch.dtype) -> None:
    stored = torch.arange(256, dtype=torch.uint8)
    stored = stored.clamp(max=1) if dtype == torch.bool else stored
    word = str(dtype).removeprefix("torch.")
    raw = stored.numpy().view(np.int8) if dtype == torch.int8 else stored.numpy()
    np.testing.assert_array_equal(to_float64(decode(raw, word)), stored.view(dtype).to(torch.float64).numpy())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int16, torch.uint16])
def test_every_two_bytes_mean_what_they_mean_to_torch(dtype: torch.dtype) -> None:
    stored = np.arange(2**16, dtype=np.uint16)
    word = str(dtype).removeprefix("torch.")
    due = torch.from_numpy(stored.view(np.int16)).view(dtype).to(torch.float64).numpy()
    raw = {"float16": stored.view(np.float16), "int16": stored.view(np.int16)}.get(word, stored)
    np.testing.assert_array_equal(to_float64(decode(raw, word)), due)


def test_four_bit_floats_are_read_low_half_first(tmp_path: Path) -> None:
    data = safetensors_bytes({"x": entry("F4", [2, 3], 0, 3)}, bytes([0x10, 0x72, 0xF9]))
    place = place_of(write(tmp_path / "x", data))
    assert read_page(tmp_path, place, 0, 9).values == [0.0, 0.5, 1.0, 6.0, -0.5, -6.0]
    assert read_page(tmp_path, place, 3, 2).values == [6.0, -0.5]


def test_six_bit_floats_have_a_shape_and_no_values(tmp_path: Path) -> None:
    place = place_of(write(tmp_path / "x", safetensors_bytes({"x": entry("F6_E2M3", [4], 0, 3)}, b"\0\0\0")))
    with pytest.raises(CannotDo, match="float6_e2m3fn"):
        read_page(tmp_path, place, 0, 1)


def test_complex_numbers_are_pairs(tmp_path: Path) -> None:
    halves = torch.tensor([[0.5, -1.0], [2.0, 3.0]], dtype=torch.float16)
    value = {"c": torch.tensor([1 + 2j, -1j]), "h": torch.view_as_complex(halves.float()).to(torch.complex128)}
    path = write(tmp_path / "x.pt", torch_bytes(value))
    assert read_page(tmp_path, place_of(path, 0), 0, 5).values == [[1.0, 2.0], [0.0, -1.0]]
    assert read_page(tmp_path, place_of(path, 1), 1, 5).values == [[2.0, 3.0]]
    found = decode(halves.numpy().view("<u4").reshape(-1), "complex32")
    np.testing.assert_array_equal(found, np.array([0.5 - 1j, 2 + 3j]))


def test_file_that_has_changed_or_gone_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"x": torch.zeros(100)}, path)
    place = place_of(path)
    os.truncate(path, path.stat().st_size - 100)
    with pytest.raises(UnreadableFile, match="has changed"):
        read_page(tmp_path, place, 0, 1)
    path.unlink()
    with pytest.raises(NotFound):
        read_page(tmp_path, place, 0, 1)


def test_file_cut_short_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"x": torch.zeros(100_000)}, path)
    with open_tensor(tmp_path, place_of(path)) as tensor:
        os.truncate(path, 1000)
        with pytest.raises(UnreadableFile, match="ends at byte 1,000"):
            tensor.page(0, 10_000)


views = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40)), max_size=4)


@settings(max_examples=300)
@given(dims=views, offset=st.integers(0, 5), start=st.integers(0, 50), count=st.integers(0, 100))
def test_page_of_any_view_is_what_numpy_sees(
    tmp_path_factory: pytest.TempPathFactory, dims: list[tuple[int, int]], offset: int, start: int, count: int
) -> None:
    numbers = np.random.default_rng(0).normal(size=1000)
    shape, strides = tuple(size for size, _ in dims), tuple(stride for _, stride in dims)
    folder = tmp_path_factory.getbasetemp()
    view = np.lib.stride_tricks.as_strided(numbers[offset:], shape, [8 * stride for stride in strides])
    with open_tensor(folder, strided(folder, numbers, shape, strides, offset)) as tensor:
        np.testing.assert_array_equal(tensor.page(start, count), view.reshape(-1)[start : start + count])


@pytest.mark.parametrize(
    ("shape", "strides"),
    [
        ((500_000,), (1,)),
        ((700, 700), (700, 1)),
        ((700, 700), (1, 700)),
        ((300, 3, 500), (1500, 500, 1)),
        ((350, 700), (1400, 1)),
        ((350, 350), (1400, 2)),
        ((2, 3, 200_000), (200_000, 0, 1)),
        ((3,), (200_000,)),
        ((100, 1, 5), (1000, 77, 3)),
        ((), ()),
        ((0, 5), (5, 1)),
        ((7, 0), (0, 0)),
    ],
)
def test_chunks_hold_every_element_once(tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
    numbers = np.arange(500_000.0)
    place = strided(tmp_path, numbers, shape, strides, 0)
    view = np.lib.stride_tricks.as_strided(numbers, shape, [8 * stride for stride in strides])
    with open_tensor(tmp_path, place) as tensor:
        chunks = list(tensor.chunks())
    found = np.concatenate([chunk.raw for chunk in chunks]) if chunks else np.empty(0)
    np.testing.assert_array_equal(np.sort(found), np.unique(view))
    assert len(found) == sum(chunk.count for chunk in chunks) == num_distinct(place)
    assert max((chunk.raw.nbytes for chunk in chunks), default=0) <= 1024 * 1024


@pytest.mark.parametrize("view", [((5, 5), (1, 1)), ((10, 3), (2, 1)), ((4, 4, 4), (4, 3, 1))])
def test_view_whose_places_share_elements_is_not_counted(
    tmp_path: Path, view: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    place = strided(tmp_path, np.zeros(100), *view, 0)
    with open_tensor(tmp_path, place) as tensor, pytest.raises(CannotDo, match="share elements"):
        list(tensor.chunks())
    assert prod(place.shape) == place.numel
