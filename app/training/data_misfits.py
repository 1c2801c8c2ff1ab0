"""What is wrong with the data that a run is to learn from, as far as its description alone tells."""

import math
from collections.abc import Iterator

import torch

from app.errors import Misfit, TooLarge
from app.training.data import (
    MAX_COEFFICIENTS,
    MAX_POINTS,
    MAX_TABLE_NUMBERS,
    CsvData,
    Data,
    Function,
    LineData,
    PolynomialData,
    TableData,
    ys_of,
)
from app.translation import said

FLOAT32_MAX = torch.finfo(torch.float32).max
SEEDS = range(-(2**63), 2**64)
MISSING = ("refuse", "drop")


def misfits_of(data: Data) -> list[Misfit]:
    """Return what is wrong with the data; raises `TooLarge` where a table holds more numbers than a run keeps."""
    if isinstance(data, TableData):
        return list(_table_misfits(data))
    return list(_csv_misfits(data)) if isinstance(data, CsvData) else list(_function_misfits(data))


def _function_misfits(data: Function) -> Iterator[Misfit]:
    if not 1 <= data.count <= MAX_POINTS:
        yield Misfit(
            ("data", "count"),
            said("expected from 1 to %(most)s points, got %(count)s", most=f"{MAX_POINTS:,}", count=f"{data.count:,}"),
        )
    if data.noise_seed not in SEEDS:
        yield Misfit(
            ("data", "noise_seed"), said("expected from -2**63 to 2**64 - 1, got %(seed)s", seed=data.noise_seed)
        )
    given = {name: value for name in data.__struct_fields__ if isinstance(value := getattr(data, name), float | int)}
    numbers = {name: value for name, value in given.items() if name not in ("count", "noise_seed")}
    unfit = [name for name, value in numbers.items() if not fits_float32(value)]
    for name in unfit:
        yield Misfit(("data", name), said("expected a finite float32, got %(value)s", value=numbers[name]))
    if data.noise < 0:
        yield Misfit(("data", "noise"), said("expected 0 or more, got %(value)s", value=data.noise))
    if isinstance(data, PolynomialData):
        num, most = len(data.coefficients), MAX_COEFFICIENTS
        if not 1 <= num <= most:
            yield Misfit(
                ("data", "coefficients"), said("expected 1 to %(most)s numbers, got %(num)s", most=most, num=num)
            )
        for place, value in enumerate(data.coefficients):
            if not fits_float32(value):
                unfit.append("coefficients")
                yield Misfit(
                    ("data", "coefficients", place), said("expected a finite float32, got %(value)s", value=value)
                )
    if not unfit:
        yield from _far_misfits(data)


def _far_misfits(data: Function) -> Iterator[Misfit]:
    if isinstance(data, LineData):
        last = data.slope * max(data.count - 1, 0) + data.intercept
        if not fits_float32(last):
            yield Misfit(("data",), said("y at the last point is %(last)s, too large for float32", last=last))
        return
    ends = torch.tensor([[data.start], [data.stop]])
    for x, y in zip(ends.flatten().tolist(), ys_of(data, ends).flatten().tolist(), strict=True):
        if not math.isfinite(y):
            yield Misfit(("data",), said("y at x = %(x)s is too large for float32", x=x))


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
        yield from _row_misfits(name, rows)


def _row_misfits(name: str, rows: tuple[tuple[float, ...], ...]) -> Iterator[Misfit]:
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
            if not fits_float32(value)
        )


def _csv_misfits(data: CsvData) -> Iterator[Misfit]:
    if data.missing not in MISSING:
        known = ", ".join(MISSING)
        yield Misfit(
            ("data", "missing"), said("expected one of %(known)s; got %(name)r", known=known, name=data.missing)
        )
    for name, columns in (("x", data.x), ("y", data.y)):
        if not columns:
            yield Misfit(("data", name), said("expected the name of at least one column"))
        if len(set(columns)) < len(columns):
            yield Misfit(("data", name), said("a column is named twice"))


def fits_float32(value: float) -> bool:
    """Whether the number is finite as a float32."""
    return math.isfinite(value) and abs(value) <= FLOAT32_MAX
