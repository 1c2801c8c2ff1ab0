"""The port to values: of live tensors as torch has them, of structure none."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.errors import CannotDo, Invalid
from app.trees.describe import describe
from app.trees.heat_map import MAX_COLUMNS, MAX_ROWS
from app.trees.index import TreeIndex
from app.trees.rows import HeatMap
from app.trees.tensor_data import LiveData, NoData
from app.trees.tensor_values import MAX_PAGE, page_of
from tests.models import ZOO, Holder

GENERATOR = torch.Generator().manual_seed(5)
NORMAL = torch.randn(6, 5, 7, generator=GENERATOR)
TENSORS = {
    str(dtype).removeprefix("torch."): (NORMAL * 20).to(dtype)
    for dtype in (
        torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2,
        torch.int8, torch.int64, torch.uint8, torch.bool,
    )
}  # fmt: skip
TENSORS["complex64"] = torch.randn(6, 5, 7, dtype=torch.complex64, generator=GENERATOR)
TENSORS["turned"] = NORMAL.permute(2, 0, 1)
TENSORS["expanded"] = NORMAL[:1].expand(6, 5, 7)


def holding(tensor: Tensor) -> TreeIndex:
    """The index of a module with one buffer `x`."""
    holder = Holder()
    holder.register_buffer("x", tensor)
    return TreeIndex.of(holder)


def cells_of(matrix: Tensor, block: tuple[int, int]) -> list[list[float]]:
    """The value of largest magnitude of each block, by torch."""

    def cell(part: Tensor) -> float:
        high, low = float(part.max()), float(part.min())
        return math.nan if math.isnan(high) else high if high >= -low else low

    return [[cell(part) for part in torch.split(rows, block[1], 1)] for rows in torch.split(matrix, block[0])]


def heat_map(tensor: Tensor, index: tuple[int, ...] = ()) -> HeatMap:
    return LiveData().heat_map_reading(holding(tensor).buffers, 0, index).result()


@pytest.mark.parametrize("name", TENSORS)
def test_a_page_is_what_torch_has_there(name: str) -> None:
    tensor = TENSORS[name]
    flat = tensor.flatten()
    due = (torch.view_as_real(flat) if flat.is_complex() else flat)[37:60].tolist()
    page = LiveData().page(holding(tensor).buffers, 0, 37, 23)
    assert (page.start, page.total, page.values) == (37, flat.numel(), due)


def test_a_page_ends_with_the_tensor_and_at_ten_thousand() -> None:
    tensor = torch.arange(20_003)
    assert page_of(tensor, 20_000, 500).values == [20_000, 20_001, 20_002]
    assert page_of(tensor, 20_003, 500).values == page_of(tensor, 2**62, 500).values == []
    assert page_of(torch.tensor(2.5), 0, 9).values == [2.5]
    values = page_of(tensor, 5, 500_000).values
    assert isinstance(values, list)
    assert len(values) == MAX_PAGE


def test_a_page_of_a_view_larger_than_memory_is_not_flattened() -> None:
    assert page_of(torch.ones(1).expand(2**20, 2**30), 2**49, 2).values == [1.0, 1.0]


def test_what_is_not_finite_is_named_on_a_page() -> None:
    page = page_of(torch.tensor([1.0, math.nan, -math.inf]), 0, 9)
    assert page.nonfinite == [None, "nan", "-inf"]


@pytest.mark.parametrize("name", TENSORS)
def test_a_heat_map_has_the_largest_values_of_the_matrix_at_an_index(name: str) -> None:
    tensor = TENSORS[name]
    found = heat_map(tensor, (2,))
    matrix = tensor[2].to(torch.complex128).abs() if tensor.is_complex() else tensor[2].double()
    assert (found.index, found.shape, found.block) == ([2], tuple(matrix.shape), (1, 1))
    assert found.cells == matrix.tolist()


@pytest.mark.parametrize("shape", [(300, 1100), (129, 513), (1, 4000), (5000, 1)])
def test_many_rows_and_columns_share_cells(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=GENERATOR)
    matrix[shape[0] // 2, shape[1] // 2] = math.nan
    found = heat_map(matrix)
    assert len(found.cells) <= MAX_ROWS
    assert len(found.cells[0]) <= MAX_COLUMNS
    np.testing.assert_array_equal(np.array(found.cells), np.array(cells_of(matrix.double(), found.block)))
    assert isinstance(found.nonfinite, list)
    assert [word for row in found.nonfinite if row for word in row if word] == ["nan"]


def test_a_vector_is_a_row_a_number_a_cell_and_nothing_nothing() -> None:
    assert heat_map(torch.tensor([1.0, -2.0])).cells == [[1.0, -2.0]]
    assert heat_map(torch.tensor(2.5)).cells == [[2.5]]
    assert heat_map(torch.zeros(0, 3)).cells == []


@pytest.mark.parametrize("index", [(6,), (0, 0)])
def test_an_index_that_the_tensor_has_not_is_refused(index: tuple[int, ...]) -> None:
    with pytest.raises(Invalid, match=r"index: expected 1 numbers below \[6\], got"):
        heat_map(NORMAL, index)


def test_live_statistics_are_there_at_once() -> None:
    reading = LiveData().stats_reading(holding(NORMAL).buffers, 0)
    told: list[bool] = []
    reading.when_done(lambda: told.append(True))
    assert (reading.is_done, told, reading.progress) == (True, [True], (1, 1))
    assert reading.result().max == float(NORMAL.max())


LACKING: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "meta": (lambda: nn.Linear(2, 3, device="meta"), "'weight' is on the meta device"),
    "lazy": (lambda: nn.LazyLinear(3), "'weight' is not initialised yet"),
    "sparse": (ZOO["sparse_buffer"], "is stored as sparse_coo"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_has_no_values_is_named(name: str) -> None:
    make, words = LACKING[name]
    index = TreeIndex.of(make())
    columns = index.parameters if len(index.parameters) else index.buffers
    data = index.data
    with pytest.raises(CannotDo, match=words):
        data.page(columns, 0, 0, 1)
    with pytest.raises(CannotDo, match=words):
        data.stats_reading(columns, 0)
    with pytest.raises(CannotDo, match=words):
        data.heat_map_reading(columns, 0, ())
    assert data.stats(columns, 0) is None
    assert data.values(columns, [0]) == [None]


def test_of_structure_there_are_no_values() -> None:
    index = TreeIndex.from_description(describe(nn.Linear(2, 3), max_modules=9, max_depth=9))
    assert isinstance(index.data, NoData)
    assert index.data.values(index.parameters, [0, 1]) == [None, None]
    assert index.data.stats(index.parameters, 0) is None
    with pytest.raises(CannotDo, match="'bias' has a shape here, and no values"):
        index.data.page(index.parameters, 1, 0, 1)
