"""Packed columns come back as they were."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training.log import Chunk, joined, unpack_epochs
from tests.training.chunks import epochs_chunk, losses


@given(st.lists(losses, min_size=1, max_size=20))
def test_losses_come_back_bit_by_bit(values: list[float]) -> None:
    columns = unpack_epochs(epochs_chunk(5, 3, values))
    assert columns.loss.tobytes() == np.array(values, "<f8").tobytes()
    assert (columns.first, columns.first_id, len(columns)) == (3, 5, len(values))
    assert np.isnan(columns.slope).all()


def test_a_line_takes_room_only_where_one_was_seen() -> None:
    without, with_line = epochs_chunk(1, 0, [1.0] * 10), epochs_chunk(1, 0, [1.0] * 10, [2.0] * 10)
    assert len(without.payload) == 120
    assert len(with_line.payload) == 200
    assert unpack_epochs(with_line).slope.tolist() == [2.0] * 10


def test_instants_are_kept_to_the_microsecond() -> None:
    assert unpack_epochs(epochs_chunk(1, 100, [1.0, 2.0])).at.tolist() == [1_000_100.0, 1_000_101.0]


@given(
    st.lists(st.lists(losses, min_size=1, max_size=4), min_size=1, max_size=5), st.integers(0, 20), st.integers(0, 20)
)
def test_neighbours_join_and_any_part_of_them_is_cut_out(parts: list[list[float]], start: int, stop: int) -> None:
    chunks: list[Chunk] = []
    for part in parts:
        done = sum(len(chunk) for chunk in chunks)
        chunks.append(epochs_chunk(3 + done, done, part))
    whole = joined([unpack_epochs(chunk) for chunk in chunks])
    everything = [value for part in parts for value in part]
    cut = whole.after(start).until(stop)
    assert cut.loss.tobytes() == np.array(everything[start:][:stop], "<f8").tobytes()
    assert cut.first_id - cut.first == 3


def test_a_nan_is_not_taken_for_a_line() -> None:
    assert math.isnan(unpack_epochs(epochs_chunk(1, 0, [1.0], [math.nan])).slope[0])


@pytest.mark.parametrize("count", [1, 250])
def test_a_chunk_knows_how_many_events_it_holds(count: int) -> None:
    assert len(epochs_chunk(7, 0, [0.0] * count)) == count
