"""What a run learns from: the line of the tutorial, or a table of numbers."""

import math
from collections.abc import Iterator

import msgspec
import torch
from torch import Tensor

from app.errors import Misfit, TooLarge
from app.translation import said

MAX_POINTS = 1_000_000
MAX_TABLE_NUMBERS = 20_000
FLOAT32_MAX = torch.finfo(torch.float32).max


class LineData(msgspec.Struct, frozen=True, tag_field="kind", tag="line"):
    """x = 0, 1, ..., count - 1 as (count, 1), y = slope * x + intercept."""

    slope: float = 2.0
    intercept: float = 1.0
    count: int = 10


class TableData(msgspec.Struct, frozen=True, tag_field="kind", tag="table"):
    """Rows of x and, as many, rows of y."""

    x: tuple[tuple[float, ...], ...]
    y: tuple[tuple[float, ...], ...]


Data = LineData | TableData


def tensors_of(data: Data) -> tuple[Tensor, Tensor]:
    """Return x and y as float32 of shape (points, features)."""
    if isinstance(data, LineData):
        x = torch.arange(data.count).float().view(-1, 1)
        return x, data.slope * x + data.intercept
    return torch.tensor(data.x, dtype=torch.float32), torch.tensor(data.y, dtype=torch.float32)


def misfits_of(data: Data) -> list[Misfit]:
    """Return what is wrong with the data; raises `TooLarge` where a table holds more numbers than a run keeps."""
    return list(_line_misfits(data)) if isinstance(data, LineData) else list(_table_misfits(data))


def _line_misfits(data: LineData) -> Iterator[Misfit]:
    if not 1 <= data.count <= MAX_POINTS:
        yield Misfit(
            ("data", "count"),
            said("expected from 1 to %(most)s points, got %(count)s", most=f"{MAX_POINTS:,}", count=f"{data.count:,}"),
        )
    for name, value in (("slope", data.slope), ("intercept", data.intercept)):
        if not _fits_float32(value):
            yield Misfit(("data", name), said("expected a finite float32, got %(value)s", value=value))
    last = data.slope * max(data.count - 1, 0) + data.intercept
    if _fits_float32(data.slope) and _fits_float32(data.intercept) and not _fits_float32(last):
        yield Misfit(("data",), said("y at the last point is %(last)s, too large for float32", last=last))


def _table_misfits(data: TableData) -> Iterator[Misfit]:
    numbers = sum(map(len, data.x)) + sum(map(len, data.y))
    if numbers > MAX_TABLE_NUMBERS:
        raise TooLarge(
            said(
                "The table holds %(numbers)s numbers; a run keeps up to %(most)s.",
                numbers=f"{numbers:,}",
                most=f"{MAX_TABLE_NUMBERS:,}",
            ),
            MAX_TABLE_NUMBERS,
        )
    if len(data.x) != len(data.y):
        yield Misfit(
            ("data", "y"),
            said(
                "expected as many rows as x has, %(num)s; got %(given)s",
                num=f"{len(data.x):,}",
                given=f"{len(data.y):,}",
            ),
        )
    for name, rows in (("x", data.x), ("y", data.y)):
        if not rows or not rows[0]:
            yield Misfit(("data", name), said("expected at least one row with at least one number"))
        for number, row in enumerate(rows):
            if len(row) != len(rows[0]):
                msg = said(
                    "expected %(num)s numbers as in the first row, got %(given)s",
                    num=f"{len(rows[0]):,}",
                    given=f"{len(row):,}",
                )
                yield Misfit(("data", name, number), msg)
            yield from (
                Misfit(("data", name, number, column), said("expected a finite float32, got %(value)s", value=value))
                for column, value in enumerate(row)
                if not _fits_float32(value)
            )


def _fits_float32(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= FLOAT32_MAX
