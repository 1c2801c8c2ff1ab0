"""What a picture keeps of a million losses, and what it says of how long they took."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training.config import RunConfig
from app.training.data import LineData, TableData
from app.training.hyperparameters import side_by_side
from app.training.smoothing import smoothed
from app.training.thinning import kept_places
from app.training.trained_time import trained_s

losses = st.lists(st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0]), min_size=1, max_size=300)


@given(losses, st.integers(1, 20))
def test_what_a_pixel_would_show_of_all_losses_it_shows_of_those_that_are_kept(
    given: list[float], columns: int
) -> None:
    column = np.array(given)
    places = kept_places(column, columns)
    assert places.tolist() == sorted(set(places.tolist()))
    assert {0, len(column) - 1} <= set(places.tolist())
    assert len(places) <= max(2 * columns, 6 * columns + 2)
    size = -(-len(column) // columns) if len(column) > 2 * columns else 1
    for start in range(0, len(column), size):
        pixel = column[start : start + size]
        kept = column[places[(places >= start) & (places < start + size)]]
        for part in (np.isfinite, lambda some: np.isfinite(some) & (some > 0)):
            whole, seen = pixel[part(pixel)], kept[part(kept)]
            assert (whole.min(initial=math.inf), whole.max(initial=-math.inf)) == (
                seen.min(initial=math.inf),
                seen.max(initial=-math.inf),
            )
        assert np.isfinite(pixel).all() == np.isfinite(kept).all()
        gaps = start + np.flatnonzero(~np.isfinite(pixel))
        assert set(gaps[:1].tolist() + gaps[-1:].tolist()) <= set(places.tolist())
        low = start + np.flatnonzero(np.isfinite(pixel) & (pixel <= 0))
        assert set(low[:1].tolist()) <= set(places.tolist())


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=300), st.sampled_from([0.0, 0.3, 0.6, 0.99, 0.999]))
def test_smoothing_is_the_loop_that_tensorboard_runs(given: list[float], factor: float) -> None:
    expected, last, count = [], 0.0, 0
    for value in given:
        if math.isfinite(value):
            last = last * factor + (1 - factor) * value
            count += 1
        expected.append(last / (1 - factor**count) if math.isfinite(value) else value)
    np.testing.assert_allclose(smoothed(np.array(given), factor), expected, rtol=1e-7, atol=1e-7)


def test_a_pause_and_a_clock_set_back_are_no_time_of_training() -> None:
    at = np.array([0.0, 0.01, 0.02, 0.03, 60.03, 60.04, 59.0, 59.01])
    assert trained_s(at)[-1] == pytest.approx(0.06)
    assert trained_s(np.array([])).tolist() == []
    assert trained_s(np.arange(5.0)).tolist() == [0, 1, 2, 3, 4]


def test_hyperparameters_that_differ_come_first_and_tables_are_told_apart_shortly() -> None:
    configs = [
        RunConfig(),
        RunConfig(lr=0.02, data=LineData(slope=3)),
        RunConfig(data=TableData(*[((1.0,),) * 100] * 2)),
    ]
    rows = side_by_side(configs)
    assert [row.name for row in rows if row.differs][:2] == ["lr", "data.kind"]
    assert [row.differs for row in rows] == sorted((row.differs for row in rows), reverse=True)
    values = {row.name: row.values for row in rows}
    assert values["data.slope"] == (2.0, 3.0, None)
    assert str(values["data.x"][2]).startswith("100 values, sha256 ")
