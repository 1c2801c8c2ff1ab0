import math
import os
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from app.trees.rows import TensorStats
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.statistics import read_stats
from app.trees.tensor_values import stats_of
from tests.trees.sources.checkpoint.files import entry, held, safetensors_bytes, torch_bytes, write

GENERATOR = torch.Generator().manual_seed(3)
NORMAL = torch.randn(300, 1100, generator=GENERATOR)
TENSORS: dict[str, Tensor] = {
    "float32": NORMAL,
    "float64": NORMAL.double() * 1e-200,
    "bfloat16": NORMAL.bfloat16(),
    "float16": NORMAL.half() * 1000,
    "float8_e4m3fn": NORMAL.to(torch.float8_e4m3fn),
    "float8_e5m2": NORMAL.to(torch.float8_e5m2),
    "int64": torch.randint(-9, 9, (700, 701), generator=GENERATOR),
    "int32": torch.arange(-5, 400_000, dtype=torch.int32),
    "int16": torch.arange(-(2**15), 2**15, dtype=torch.int16),
    "int8": torch.randint(-128, 127, (999,), generator=GENERATOR).to(torch.int8),
    "uint8": torch.arange(256, dtype=torch.uint8),
    "bool": torch.rand(1001, generator=GENERATOR) > 0.7,
    "complex64": torch.randn(40, 50, dtype=torch.complex64, generator=GENERATOR),
    "far from zero": NORMAL.double() + 1e9,
    "far from zero in float32": NORMAL + 1e6,
    "not finite": torch.cat([NORMAL[0], torch.tensor([math.nan, math.inf, -math.inf, -math.inf, 0.0, -0.0])]),
    "not finite in bfloat16": torch.tensor([math.nan, 1.0, math.inf, -2.0, 0.0]).bfloat16(),
    "nothing finite": torch.tensor([math.nan, math.inf]),
    "empty": torch.zeros(0, 3),
    "one": torch.tensor(2.5),
    "one in float16": torch.tensor(2.5).half(),
    "constant": torch.full((600_000,), 0.1),
    "too narrow for 64 edges": torch.tensor([1.0, 1.0 + 2**-52], dtype=torch.float64),
    "ramp over many chunks": torch.arange(2_000_000, dtype=torch.float32),
}


def as_doubles(tensor: Tensor) -> Tensor:
    return tensor.to(torch.complex128).abs() if tensor.is_complex() else tensor.to(torch.float64)


def assert_close(found: TensorStats, due: TensorStats, rel: float = 1e-12) -> None:
    assert (found.min, found.max, found.zeros, found.nans, found.infs) == (
        due.min, due.max, due.zeros, due.nans, due.infs,
    )  # fmt: skip
    for name in ("mean", "std", "l2"):
        left, right = getattr(found, name), getattr(due, name)
        assert (left is None) == (right is None)
        scale = due.l2 / math.sqrt(found.zeros + 1) if name == "mean" and due.l2 else 0
        assert left is None or math.isclose(left, right, rel_tol=rel, abs_tol=1e-15 * scale)
    assert (found.histogram is None) == (due.histogram is None)
    if found.histogram is not None and due.histogram is not None:
        assert found.histogram.counts == due.histogram.counts
        np.testing.assert_allclose(found.histogram.edges, due.histogram.edges, rtol=1e-15)


@pytest.mark.parametrize("name", TENSORS)
def test_statistics_are_those_of_the_whole_tensor(tmp_path: Path, name: str) -> None:
    tensor = TENSORS[name]
    save_file({"x": tensor}, tmp_path / "x.safetensors")
    found = read_stats(tmp_path, read_checkpoint(tmp_path / "x.safetensors").place(0))
    due = stats_of(as_doubles(tensor))
    assert due is not None
    if tensor.numel() == 2 and due.std is not None:
        due.std = statistics.stdev(tensor.tolist())
    assert_close(found, due)
    finite = as_doubles(tensor)[torch.isfinite(as_doubles(tensor))]
    if finite.numel() > 2 and found.std is not None and found.mean is not None and found.l2 is not None:
        assert math.isclose(found.std, float(finite.std()), rel_tol=1e-9)
        assert math.isclose(found.mean, float(finite.mean()), rel_tol=1e-9, abs_tol=1e-9 * found.std)
        assert math.isclose(found.l2, float(torch.linalg.vector_norm(finite)), rel_tol=1e-9)


def test_views_count_each_place(tmp_path: Path) -> None:
    base = torch.randn(400, 500, generator=GENERATOR)
    views = {
        "transposed": base.t(), "part": base[3:, ::7], "expanded": base[0].expand(3, 4, 500), "none": base[:0],
        "half": base.half()[::2].t(), "expanded half": base.half()[:1].expand(9, 500),
        "one value": torch.ones(1).expand(2**20, 2**30),
    }  # fmt: skip
    contents = read_checkpoint(write(tmp_path / "x.pt", torch_bytes(views)))
    for number, (name, view) in enumerate(views.items()):
        found = read_stats(tmp_path, contents.place(number))
        if name == "one value":
            assert (found.mean, found.std, found.l2, found.zeros) == (1.0, 0.0, 2.0**25, 0)
            assert found.histogram is not None
            assert sum(found.histogram.counts) == 2**50
        else:
            due = stats_of(as_doubles(view.contiguous()))
            assert due is not None
            assert_close(found, due)


def test_four_bit_floats_are_counted(tmp_path: Path) -> None:
    data = safetensors_bytes({"x": entry("F4", [3, 2], 0, 3)}, bytes([0x10, 0x72, 0xF9]))
    found = read_stats(tmp_path, read_checkpoint(write(tmp_path / "x.safetensors", data)).place(0))
    due = stats_of(torch.tensor([0.0, 0.5, 1.0, 6.0, -0.5, -6.0]))
    assert due is not None
    assert_close(found, due)


@pytest.mark.parametrize("value", [0.0, 1e-320, 0.5, -3.0, 1e17, -1e300, 1.7e308])
def test_lone_value_has_a_histogram(tmp_path: Path, value: float) -> None:
    save_file({"x": torch.full((5,), value, dtype=torch.float64)}, tmp_path / "x.safetensors")
    histogram = read_stats(tmp_path, read_checkpoint(tmp_path / "x.safetensors").place(0)).histogram
    assert histogram is not None
    assert sum(histogram.counts) == 5
    assert histogram.edges == sorted(set(histogram.edges))
    assert histogram.edges[0] <= value <= histogram.edges[-1]


@settings(max_examples=100)
@given(st.lists(st.floats(width=32) | st.sampled_from([0.0, -0.0, 1e-45, 3e38, math.nan, math.inf]), max_size=50))
def test_any_numbers_have_the_statistics_that_numpy_finds(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    tensor = torch.tensor(numbers, dtype=torch.float32)
    save_file({"x": tensor, "h": tensor.bfloat16()}, folder / "any.safetensors")
    contents = read_checkpoint(folder / "any.safetensors")
    for number, name in enumerate(contents.name):
        found = read_stats(folder, contents.place(number))
        due = stats_of(tensor if name == "x" else tensor.bfloat16())
        assert due is not None
        assert_close(found, due, rel=1e-9)


@pytest.mark.filterwarnings("error")
def test_what_is_too_large_for_a_double_is_null(tmp_path: Path) -> None:
    save_file({"x": torch.tensor([1.7e308, -1.7e308, 1e308], dtype=torch.float64)}, tmp_path / "x.safetensors")
    found = read_stats(tmp_path, read_checkpoint(tmp_path / "x.safetensors").place(0))
    assert (found.max, found.l2, found.std, found.histogram) == (1.7e308, None, None, None)


class Stopped(Exception):
    """What a caller raises to cancel."""


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_progress_is_told_and_cancels(tmp_path: Path, dtype: torch.dtype) -> None:
    save_file({"x": torch.zeros(2_000_000, dtype=dtype)}, tmp_path / "x.safetensors")
    place = read_checkpoint(tmp_path / "x.safetensors").place(0)
    told: list[tuple[int, int]] = []
    read_stats(tmp_path, place, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    assert len(told) >= 4
    descriptors, _ = held()

    def stop(done: int, total: int) -> None:
        raise Stopped(done, total)

    with pytest.raises(Stopped):
        read_stats(tmp_path, place, stop)
    assert held()[0] == descriptors


def test_tensor_larger_than_memory_allows_is_read_in_little(tmp_path: Path) -> None:
    size = 2 * 2_000 * 10_000
    path = write(tmp_path / "x.safetensors", safetensors_bytes({"x": entry("BF16", [2_000, 10_000], 0, size)}))
    os.truncate(path, path.stat().st_size + size)
    place = read_checkpoint(path).place(0)
    peak = held()[1]

    def look(done: int, total: int) -> None:
        nonlocal peak
        if done % (total // 8) < total // 160:
            peak = max(peak, held()[1])

    before = held()[1]
    assert read_stats(tmp_path, place, look).zeros == 20_000_000
    assert peak - before < 16 * 1024 * 1024
