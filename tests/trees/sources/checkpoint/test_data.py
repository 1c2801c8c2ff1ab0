"""The values of a checkpoint's tree, against those that torch has of the same tensors in memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from app.errors import CannotDo, Invalid, UnreadableFile
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.sources.checkpoint.data import AT_ONCE_BYTES, MAX_LISTED, MAX_LISTED_BYTES, CheckpointData
from app.trees.sources.checkpoint.keys import tree_of
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.readings import Readings
from app.trees.tensor_data import LiveData
from app.trees.tensors import TensorColumns
from tests.trees.sources.checkpoint.files import entry, safetensors_bytes, torch_bytes, write
from tests.trees.sources.checkpoint.test_statistics import assert_close

GENERATOR = torch.Generator().manual_seed(7)
NORMAL = torch.randn(3, 5, 7, generator=GENERATOR) * 20
DTYPES = (
    torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.int8, torch.int64, torch.bool,
)  # fmt: skip
TENSORS: dict[str, Tensor] = {str(dtype).removeprefix("torch."): NORMAL.to(dtype) for dtype in DTYPES}
TENSORS["complex64"] = torch.randn(3, 5, 7, dtype=torch.complex64, generator=GENERATOR)
TENSORS |= {f"few_{name}": tensor[0, :2].clone() for name, tensor in TENSORS.items()}
TENSORS["number"] = torch.tensor(2.5)
TENSORS["not_finite"] = torch.tensor([1.0, float("nan"), float("-inf")])
FORMATS = ("x.safetensors", "x.pt")


@pytest.fixture(scope="module")
def readings() -> Iterator[Readings]:
    made = Readings()
    yield made
    made.close()


class Opened:
    """The tree of a checkpoint, with its values."""

    def __init__(self, path: Path, readings: Readings) -> None:
        contents = read_checkpoint(path)
        keys = tree_of(contents, Limits())
        self.index = TreeIndex.from_description(keys.description)
        entries = (keys.parameter_entries, keys.buffer_entries)
        self.data = CheckpointData(path, contents.files, *entries, HeaderLimits(), readings)

    def at(self, target: str) -> tuple[TensorColumns, int]:
        return self.index.parameters, self.index.parameter(target)


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> Path:
    if path.suffix == ".pt":
        return write(path, torch_bytes(tensors))
    save_file(tensors, path)
    return path


def live(tensor: Tensor) -> TensorColumns:
    """The columns of one tensor in memory."""
    columns = TensorColumns()
    columns.name.append("x")
    columns.tensor.append(tensor)
    return columns


@pytest.mark.parametrize("name", FORMATS)
def test_lists_have_the_values_that_torch_has(tmp_path: Path, readings: Readings, name: str) -> None:
    opened = Opened(write_tensors(tmp_path / name, TENSORS), readings)
    columns = opened.index.parameters
    found = opened.data.values(columns, range(len(columns)))
    due = [LiveData().values(live(TENSORS[key]), [0])[0] for key in columns.name]
    assert str(found) == str(due)
    assert sum(values is not None for values in found) == 10


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("key", TENSORS)
def test_one_tensor_has_the_values_that_torch_has(tmp_path: Path, readings: Readings, name: str, key: str) -> None:
    opened = Opened(write_tensors(tmp_path / name, TENSORS), readings)
    columns, number = opened.at(key)
    memory, held = LiveData(), live(TENSORS[key])
    start = min(4, TENSORS[key].numel() - 1)
    assert str(opened.data.page(columns, number, start, 50)) == str(memory.page(held, 0, start, 50))
    found, due = opened.data.stats(columns, number), memory.stats(held, 0)
    assert found is not None
    assert due is not None
    assert opened.data.stats_reading(columns, number).result() == found
    if TENSORS[key].is_complex():  # torch and NumPy round the root of an absolute value differently
        assert (found.min, found.max) == pytest.approx((due.min, due.max), rel=1e-15)
        found.min, found.max = due.min, due.max
    assert_close(found, due, rel=1e-6)
    heat_map, expected = (
        each.heat_map_reading(*at, ()).result() for each, at in ((opened.data, (columns, number)), (memory, (held, 0)))
    )
    np.testing.assert_allclose(heat_map.cells, expected.cells, rtol=1e-15 if TENSORS[key].is_complex() else 0)
    assert (heat_map.shape, heat_map.block, heat_map.nonfinite) == (expected.shape, expected.block, expected.nonfinite)


def test_what_is_large_is_read_by_the_process(tmp_path: Path, readings: Readings) -> None:
    large = torch.randn(2, AT_ONCE_BYTES // 4, generator=GENERATOR)
    opened = Opened(write_tensors(tmp_path / "x.safetensors", {"large": large}), readings)
    stats = opened.data.stats_reading(*opened.at("large"))
    heat_map = opened.data.heat_map_reading(*opened.at("large"), ())
    assert not stats.is_done
    due = LiveData().stats(live(large), 0)
    assert due is not None
    assert_close(stats.result(), due, rel=1e-9)
    assert heat_map.result() == LiveData().heat_map_reading(live(large), 0, ()).result()
    assert opened.data.stats(*opened.at("large")) is None


def test_statistics_of_lists_are_of_what_is_read_in_no_time(tmp_path: Path, readings: Readings) -> None:
    tensors = {"fits": torch.ones(MAX_LISTED_BYTES // 4), "not": torch.ones(MAX_LISTED_BYTES // 4 + 1)}
    opened = Opened(write_tensors(tmp_path / "x.safetensors", tensors), readings)
    assert opened.data.stats(*opened.at("fits")) is not None
    assert opened.data.stats(*opened.at("not")) is None


def test_a_view_spread_over_much_counts_as_much(tmp_path: Path, readings: Readings) -> None:
    spread = torch.zeros(MAX_LISTED_BYTES)[:: MAX_LISTED_BYTES // 8]
    opened = Opened(write_tensors(tmp_path / "x.pt", {"spread": spread}), readings)
    assert opened.data.values(*_all(opened)) == [[0.0] * 8]
    assert opened.data.stats(*opened.at("spread")) is None


def test_buffers_are_told_from_parameters(tmp_path: Path, readings: Readings) -> None:
    tensors = {"bn.running_mean": torch.tensor([1.0]), "bn.weight": torch.tensor([2.0]), "bn.bias": torch.tensor([3.0])}
    opened = Opened(write_tensors(tmp_path / "x.safetensors", tensors), readings)
    assert opened.data.values(*_all(opened)) == [[2.0], [3.0]]
    assert opened.data.values(opened.index.buffers, [0]) == [[1.0]]
    assert opened.data.page(opened.index.buffers, 0, 0, 5).values == [1.0]


def test_a_tree_of_no_buffers_has_no_values_of_them(tmp_path: Path, readings: Readings) -> None:
    opened = Opened(write_tensors(tmp_path / "x.safetensors", {"x": torch.ones(1)}), readings)
    assert opened.data.values(opened.index.buffers, []) == []


def test_a_long_list_has_the_values_of_its_first_thousand(tmp_path: Path, readings: Readings) -> None:
    tensors = {f"m{number}.x": torch.tensor([float(number)]) for number in range(MAX_LISTED + 5)}
    opened = Opened(write_tensors(tmp_path / "x.pt", tensors), readings)
    columns, entries = _all(opened)
    found = opened.data.values(columns, entries)
    assert found[:MAX_LISTED] == [[float(number)] for number in range(MAX_LISTED)]
    assert found[MAX_LISTED:] == [None] * 5
    assert opened.data.values(columns, entries[-5:]) == [[float(number)] for number in entries[-5:]]


def test_what_cannot_be_read_does_not_hide_the_rest(tmp_path: Path, readings: Readings) -> None:
    header = {"six": entry("F6_E2M3", [4], 0, 3), "x": entry("F32", [1], 3, 7)}
    data = b"\0" * 3 + torch.tensor([7.0]).numpy().tobytes()
    opened = Opened(write(tmp_path / "x.safetensors", safetensors_bytes(header, data)), readings)
    assert dict(zip(opened.index.parameters.name, opened.data.values(*_all(opened)), strict=True)) == {
        "six": None,
        "x": [7.0],
    }
    with pytest.raises(CannotDo, match="Values of float6_e2m3fn are not read"):
        opened.data.page(*opened.at("six"), 0, 1)


def test_a_tensor_of_the_meta_device_is_named(tmp_path: Path, readings: Readings) -> None:
    opened = Opened(write_tensors(tmp_path / "x.pt", {"m.x": torch.empty(3, device="meta")}), readings)
    assert opened.data.values(*_all(opened)) == [None]
    with pytest.raises(CannotDo, match=r"'m\.x' is on the meta device"):
        opened.data.stats_reading(*opened.at("m.x"))


def test_an_index_that_the_tensor_has_not_is_refused_at_once(tmp_path: Path, readings: Readings) -> None:
    opened = Opened(write_tensors(tmp_path / "x.safetensors", {"x": NORMAL}), readings)
    with pytest.raises(Invalid, match=r"expected 1 numbers below \[3\], got \[3\]"):
        opened.data.heat_map_reading(*opened.at("x"), (3,))


@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize(
    ("is_gone", "words"), [(False, "'x.safetensors' has changed"), (True, "put it back to see values")]
)
def test_of_a_file_that_changed_there_are_no_values(
    tmp_path: Path, readings: Readings, asked_before: bool, is_gone: bool, words: str
) -> None:
    path = write_tensors(tmp_path / "x.safetensors", {"x": torch.ones(3), "large": torch.ones(AT_ONCE_BYTES // 4 + 1)})
    opened = Opened(path, readings)
    if asked_before:
        opened.data.stats_reading(*opened.at("large")).result()
    if is_gone:
        path.unlink()
    else:
        os.utime(path, ns=(1, 1))
    assert opened.data.values(*_all(opened)) == [None, None]
    assert opened.data.stats(*opened.at("x")) is None
    for target in ("x", "large"):
        with pytest.raises(UnreadableFile, match=words):
            opened.data.page(*opened.at(target), 0, 1)
        with pytest.raises(UnreadableFile, match=words):
            opened.data.stats_reading(*opened.at(target))
        with pytest.raises(UnreadableFile, match=words):
            opened.data.heat_map_reading(*opened.at(target), ())


def _all(opened: Opened) -> tuple[TensorColumns, range]:
    return opened.index.parameters, range(len(opened.index.parameters))
