"""What a run learns from: points of a function, with noise where asked for, a table, or columns of a CSV file."""

import math
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from app.training.tensors_file import read_tensors

MAX_POINTS = 1_000_000
MAX_TABLE_NUMBERS = 20_000
MAX_COEFFICIENTS = 100


class LineData(msgspec.Struct, frozen=True, tag_field="kind", tag="line"):
    """x = 0, 1, ..., count - 1 as (count, 1), y = slope * x + intercept."""

    slope: float = 2.0
    intercept: float = 1.0
    count: int = 10
    noise: float = 0.0
    noise_seed: int = 0


class PolynomialData(msgspec.Struct, frozen=True, tag_field="kind", tag="polynomial"):
    """`count` x evenly from `start` to `stop`, y = c[0] + c[1] * x + c[2] * x**2 + ..."""

    coefficients: tuple[float, ...] = (0.0, 0.0, 1.0)
    start: float = -1.0
    stop: float = 1.0
    count: int = 100
    noise: float = 0.0
    noise_seed: int = 0


class SineData(msgspec.Struct, frozen=True, tag_field="kind", tag="sine"):
    """`count` x evenly from `start` to `stop`, y = amplitude * sin(2 * pi * frequency * x + phase) + offset."""

    amplitude: float = 1.0
    frequency: float = 1.0
    phase: float = 0.0
    offset: float = 0.0
    start: float = -1.0
    stop: float = 1.0
    count: int = 100
    noise: float = 0.0
    noise_seed: int = 0


class TableData(msgspec.Struct, frozen=True, tag_field="kind", tag="table"):
    """Rows of x and, as many, rows of y."""

    x: tuple[tuple[float, ...], ...]
    y: tuple[tuple[float, ...], ...]


class CsvData(msgspec.Struct, frozen=True, tag_field="kind", tag="csv"):
    """Columns of an uploaded file; `name`, its number of points and that of rows left out are found with it.

    `missing` says what becomes of rows in which one of the columns has no number: "refuse" or "drop". `standardize`
    takes each column of x and y to mean 0 and standard deviation 1.
    """

    upload: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    missing: str = "refuse"
    standardize: bool = False
    name: str = ""
    count: int = 0
    num_dropped: int = 0


Data = LineData | PolynomialData | SineData | TableData | CsvData
Function = LineData | PolynomialData | SineData


def num_points(data: Data) -> int:
    """Return how many points there are."""
    return len(data.x) if isinstance(data, TableData) else data.count


def tensors_of(data: Data, file: Path | None = None) -> tuple[Tensor, Tensor]:
    """Return x and y as float32 of shape (points, features); those of a CSV file are in `file`, which the run keeps."""
    if isinstance(data, CsvData):
        if file is None:
            raise ValueError("the points of a CSV file are in a file of the run")
        tensors, _metadata = read_tensors(file)
        return tensors["x"], tensors["y"]
    if isinstance(data, TableData):
        return torch.tensor(data.x, dtype=torch.float32), torch.tensor(data.y, dtype=torch.float32)
    x = xs_of(data)
    y = ys_of(data, x)
    if data.noise:
        drawn = torch.Generator().manual_seed(data.noise_seed)
        y = y + data.noise * torch.randn(y.shape, generator=drawn)
    return x, y


def xs_of(data: Function) -> Tensor:
    """Return x of shape (count, 1)."""
    if isinstance(data, LineData):
        return torch.arange(data.count).float().view(-1, 1)
    return torch.linspace(data.start, data.stop, data.count).view(-1, 1)


def ys_of(data: Function, x: Tensor) -> Tensor:
    """Return what the function has at x, without noise."""
    if isinstance(data, LineData):
        return data.slope * x + data.intercept
    if isinstance(data, SineData):
        return data.amplitude * torch.sin(2 * math.pi * data.frequency * x + data.phase) + data.offset
    y = torch.zeros_like(x)
    for coefficient in reversed(data.coefficients):
        y = y * x + coefficient
    return y
