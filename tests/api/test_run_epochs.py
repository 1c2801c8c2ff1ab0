"""A run's epochs as lines of CSV, whatever the numbers: cell by cell what plain Python writes."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.run_epochs import csv_page
from app.training.events import MANY_INSTANTS, instants
from app.training.log import EpochColumns

ODD = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e16, -1e-7, 1.7976931348623157e308, 123456789.125]
numbers = st.floats() | st.sampled_from(ODD)
rows = st.lists(st.tuples(numbers, *[st.floats(width=32) | st.just(math.nan)] * 2, numbers, numbers), min_size=1)


def text_of(number: float, nan: str = "") -> str:
    if math.isfinite(number):
        return msgspec.json.encode(number).decode()
    return nan if math.isnan(number) else str(number)


def plain_csv(columns: EpochColumns, epochs: Sequence[int], at: Sequence[str]) -> bytes:
    cells = (getattr(columns, name).tolist() for name in ("loss", "slope", "intercept", "validation_loss", "lr"))
    return "".join(
        f"{epoch},{text_of(loss, 'nan')},{instant},{','.join(map(text_of, more))}\n"
        for epoch, instant, (loss, *more) in zip(epochs, at, zip(*cells, strict=True), strict=True)
    ).encode()


@given(rows, st.integers(0, 2**62))
def test_every_cell_is_as_plain_python_writes_it(given: list[tuple[float, ...]], first: int) -> None:
    loss, slope, intercept, validation_loss, lr = np.array(given).T
    at = 1.75e9 + np.arange(len(given)) / 8
    a, b = (column.astype("<f4") for column in (slope, intercept))
    columns = EpochColumns(first, 1, loss, at, a, b, validation_loss, lr)
    expected = plain_csv(columns, range(first, first + len(given)), [iso(round(each * 10**6)) for each in at])
    assert csv_page(columns) == expected


def iso(microseconds: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("count", [1, MANY_INSTANTS])
@given(given=st.lists(st.integers(0, 2**52), min_size=1, max_size=20))
def test_instants_are_told_to_the_microsecond_however_many(count: int, given: list[int]) -> None:
    assert instants(np.array(given * count) / 1e6) == [iso(each) for each in given] * count


@pytest.mark.parametrize("odd", [-1.5, 253_402_300_800.0])
def test_an_instant_of_another_age_is_no_error(odd: float) -> None:
    at = np.append(np.full(MANY_INSTANTS, 1.75e9), odd)
    assert instants(at)[-1] == instants(at[-1:])[0]
