import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from app.errors import Invalid
from app.trees.heat_map import MAX_COLUMNS, MAX_ROWS
from app.trees.rows import HeatMap
from app.trees.sources.checkpoint.heat_map import read_heat_map
from app.trees.sources.checkpoint.opening import read_checkpoint
from tests.trees.sources.checkpoint.files import torch_bytes, write


def cells_of(matrix: Tensor, block: tuple[int, int]) -> list[list[float]]:
    """The value of largest magnitude of each block, by torch."""
    rows = []
    for top in range(0, matrix.shape[0], block[0]):
        cells = []
        for left in range(0, matrix.shape[1], block[1]):
            part = matrix[top : top + block[0], left : left + block[1]].double()
            high, low = float(part.max()), float(part.min())
            cells.append(math.nan if math.isnan(high) else high if high >= -low else low)
        rows.append(cells)
    return rows


def heat_map(
    folder: Path, tensor: Tensor, index: tuple[int, ...] = (), max_rows: int = MAX_ROWS, max_columns: int = MAX_COLUMNS
) -> HeatMap:
    place = read_checkpoint(write(folder / "x.pt", torch_bytes({"x": tensor}))).place(0)
    return read_heat_map(folder, place, index, max_rows=max_rows, max_columns=max_columns)


def assert_same(found: list[list[float]], due: list[list[float]]) -> None:
    np.testing.assert_array_equal(np.array(found), np.array(due))


@settings(max_examples=60)
@given(
    rows=st.integers(1, 40), columns=st.integers(1, 40), max_rows=st.integers(1, 9), max_columns=st.integers(1, 9),
    turned=st.booleans(),
)  # fmt: skip
def test_cell_is_the_value_of_largest_magnitude_of_its_block(
    tmp_path_factory: pytest.TempPathFactory, rows: int, columns: int, max_rows: int, max_columns: int, turned: bool
) -> None:
    generator = torch.Generator().manual_seed(rows * 100 + columns)
    matrix = torch.randn(rows, columns, generator=generator)
    matrix = torch.randn(columns, rows, generator=generator).t() if turned else matrix
    found = heat_map(tmp_path_factory.getbasetemp(), matrix, max_rows=max_rows, max_columns=max_columns)
    assert found.shape == (rows, columns)
    assert len(found.cells) <= max_rows
    assert len(found.cells[0]) <= max_columns
    assert_same(found.cells, cells_of(matrix, found.block))


@pytest.mark.parametrize("shape", [(700, 900), (3, 400_000), (2, 1_000_000), (200_000, 3), (129, 513), (128, 512)])
def test_matrix_of_many_chunks_is_the_same_as_whole(tmp_path: Path, shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1)).half()
    found = heat_map(tmp_path, matrix)
    assert found.block == (math.ceil(shape[0] / 128), math.ceil(shape[1] / 512))
    assert_same(found.cells, cells_of(matrix, found.block))


def test_matrix_in_a_tensor_of_more_dimensions_is_named_by_index(tmp_path: Path) -> None:
    tensor = torch.randn(3, 4, 5, 6)
    assert_same(heat_map(tmp_path, tensor, (2, 1)).cells, tensor[2, 1].double().tolist())
    found = heat_map(tmp_path, tensor, (2,))
    assert found.index == [2, 0]
    assert_same(found.cells, tensor[2, 0].double().tolist())
    for index in ((3, 0), (-1, 0), (0, 0, 0)):
        with pytest.raises(Invalid, match="expected 2 numbers below"):
            heat_map(tmp_path, tensor, index)


def test_vector_is_a_row_and_a_number_a_cell(tmp_path: Path) -> None:
    vector = torch.randn(1000)
    assert_same(heat_map(tmp_path, vector).cells, cells_of(vector[None], (1, 2)))
    assert_same(heat_map(tmp_path, torch.tensor(2.5)).cells, [[2.5]])
    assert heat_map(tmp_path, torch.zeros(0)).cells == [[]]
    assert heat_map(tmp_path, torch.zeros(0, 3)).cells == []


def test_what_is_not_finite_is_seen(tmp_path: Path) -> None:
    matrix = torch.zeros(256, 4)
    matrix[0, 0], matrix[3, 1], matrix[5, 2], matrix[5, 1] = math.nan, math.inf, -math.inf, -7
    found = heat_map(tmp_path, matrix)
    assert found.nonfinite is not None
    assert isinstance(found.nonfinite, list)
    assert found.nonfinite[:3] == [["nan", None, None, None], [None, "inf", None, None], [None, None, "-inf", None]]
    assert found.cells[2][1] == -7


def test_views_are_seen_as_they_are(tmp_path: Path) -> None:
    base = torch.randn(300, 2000, generator=torch.Generator().manual_seed(2))
    for view in (base[:, ::100], base[::3, 7:9], base[5].expand(4, 2000), base[:, 5:6].expand(300, 3), base.t()[::9]):
        found = heat_map(tmp_path, view)
        assert_same(found.cells, cells_of(view, found.block))


def test_other_numbers_are_read_as_doubles(tmp_path: Path) -> None:
    for tensor in (
        torch.tensor([[True, False]]), torch.tensor([[-128, 5]], dtype=torch.int8), torch.tensor([[2**40, -(2**41)]]),
    ):  # fmt: skip
        assert_same(heat_map(tmp_path, tensor).cells, tensor.double().tolist())
    assert_same(heat_map(tmp_path, torch.tensor([[3 + 4j]])).cells, [[5.0]])


def test_progress_counts_rows(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(300, 10)}, tmp_path / "x.safetensors")
    told: list[tuple[int, int]] = []
    place = read_checkpoint(tmp_path / "x.safetensors").place(0)
    read_heat_map(tmp_path, place, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (300, 300)
    assert len(told) == 100
