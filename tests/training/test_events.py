"""What a client reads is what was logged: every event once, in order, with the same losses however it is worded."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.training.events import MAX_EPOCHS_AN_EVENT, MAX_PIECE_BYTES, Wording
from app.training.log import Chunk, EventKind, pack_epochs, unpack_epochs
from tests.training.chunks import end_chunk, epochs_chunk, logs, parse, status_chunk


def logged(chunks: list[Chunk]) -> list[float]:
    return [loss for chunk in chunks if chunk.kind is EventKind.EPOCHS for loss in unpack_epochs(chunk).loss.tolist()]


def number_of(loss: float | None, nonfinite: str | None) -> str:
    """A loss as text, since nan is not equal to itself."""
    return repr(loss) if nonfinite is None else nonfinite


@given(logs())
def test_each_epoch_is_an_event_with_the_next_number(chunks: list[Chunk]) -> None:
    events = parse(Wording().encode(chunks, 0))
    assert [int(event.id) for event in events] == list(range(1, chunks[-1].last_id + 1))
    epochs = [event.data for event in events if event.event == "epoch"]
    assert [epoch["epoch"] for epoch in epochs] == list(range(len(epochs)))
    assert [number_of(epoch["loss"], epoch.get("nonfinite")) for epoch in epochs] == list(map(repr, logged(chunks)))


@given(logs())
def test_a_batch_holds_the_same_losses_in_fewer_events(chunks: list[Chunk]) -> None:
    found: list[str] = []
    for event in parse(Wording(is_batched=True).encode(chunks, 0)):
        if event.event == "epochs":
            first, last = event.data["epoch"]
            kinds = {
                epoch: kind for start, stop, kind in event.data.get("nonfinite", []) for epoch in range(start, stop + 1)
            }
            assert len(event.data["loss"]) == last - first + 1
            assert first == len(found)
            found += [number_of(loss, kinds.get(first + place)) for place, loss in enumerate(event.data["loss"])]
    assert found == list(map(repr, logged(chunks)))


@given(logs(), st.data(), st.booleans())
def test_reading_on_from_any_event_gives_the_rest_and_nothing_twice(
    chunks: list[Chunk], data: st.DataObject, is_batched: bool
) -> None:
    wording = Wording(is_batched=is_batched)
    cursor = data.draw(st.integers(0, chunks[-1].last_id))
    ids = [int(event.id) for event in parse(wording.encode(chunks, cursor))]
    assert all(before < after for before, after in pairwise([cursor, *ids]))
    if not is_batched:
        assert ids == list(range(cursor + 1, chunks[-1].last_id + 1))
    assert (ids or [cursor])[-1] == chunks[-1].last_id


@given(logs())
def test_the_last_line_seen_comes_with_a_batch(chunks: list[Chunk]) -> None:
    single = [event.data for event in parse(Wording().encode(chunks, 0)) if event.event == "epoch"]
    for event in parse(Wording(is_batched=True).encode(chunks, 0)):
        if event.event == "epochs":
            first, last = event.data["epoch"]
            seen = [(epoch["slope"], epoch["intercept"]) for epoch in single[first : last + 1] if "slope" in epoch]
            told = (event.data["slope"], event.data["intercept"]) if "slope" in event.data else None
            assert told == (seen[-1] if seen else None)


@given(logs(), st.booleans())
def test_in_a_stream_over_several_runs_each_event_names_its_own(chunks: list[Chunk], is_batched: bool) -> None:
    alone = parse(Wording(is_batched=is_batched).encode(chunks, 0))
    several = parse(Wording(is_batched, "name.7.", ".9", "r_1").encode(chunks, 0))
    assert [event.id for event in several] == [f"name.7.{event.id}.9" for event in alone]
    assert [event.data for event in several] == [{"run": "r_1", **event.data} for event in alone]


def test_an_epoch_reads_as_the_contract_shows() -> None:
    chunks = [epochs_chunk(3, 0, [37.13650131225586], [0.5])]
    assert Wording().encode(chunks, 0) == (
        b"id: 3\nevent: epoch\n"
        b'data: {"epoch":0,"loss":37.13650131225586,"at":"1970-01-12T13:46:40.000000Z","slope":0.5,"intercept":0.5}\n\n'
    )


def test_losses_that_are_not_finite_are_null_with_their_kind() -> None:
    chunks = [epochs_chunk(1, 0, [1.0, math.nan, math.nan, math.inf, -math.inf, 2.0])]
    epochs = [event.data for event in parse(Wording().encode(chunks, 0))]
    assert [(epoch["loss"], epoch.get("nonfinite")) for epoch in epochs] == [
        (1.0, None),
        (None, "nan"),
        (None, "nan"),
        (None, "inf"),
        (None, "-inf"),
        (2.0, None),
    ]
    (batch,) = parse(Wording(is_batched=True).encode(chunks, 0))
    assert batch.data["loss"] == [1.0, None, None, None, None, 2.0]
    assert batch.data["nonfinite"] == [[1, 2, "nan"], [3, 3, "inf"], [4, 4, "-inf"]]
    assert batch.id == "6"


def test_a_long_history_is_parted_into_events_of_bounded_size() -> None:
    chunks = [epochs_chunk(3, 0, [0.0] * 4000), epochs_chunk(4003, 4000, [0.0] * 4000), end_chunk(8003)]
    events = parse(Wording(is_batched=True).encode(chunks, 0))
    assert [event.data.get("epoch") for event in events] == [
        [0, MAX_EPOCHS_AN_EVENT - 1],
        [MAX_EPOCHS_AN_EVENT, 7999],
        None,
    ]
    assert [event.id for event in events] == [str(MAX_EPOCHS_AN_EVENT + 2), "8002", "8003"]


def test_a_status_parts_two_batches() -> None:
    chunks = [epochs_chunk(1, 0, [1.0]), status_chunk(2, "paused"), epochs_chunk(3, 1, [2.0])]
    events = parse(Wording(is_batched=True).encode(chunks, 0))
    assert [(event.event, event.id) for event in events] == [("epochs", "1"), ("status", "2"), ("epochs", "3")]


def test_columns_that_only_some_runs_have_come_where_they_hold_something() -> None:
    held = {"loss": [1.0, 2.0], "at": [0.0, 1.0], "validation_loss": [math.nan, 3.0], "lr": [0.5, 0.25]}
    names, payload = pack_epochs({name: np.array(column) for name, column in held.items()})
    chunks = [Chunk(1, 2, EventKind.EPOCHS, payload, 0, 1, 1e6, names)]
    first, second = (event.data for event in parse(Wording().encode(chunks, 0)))
    assert ("validation_loss" in first, first["lr"]) == (False, 0.5)
    assert (second["validation_loss"], second["lr"]) == (3.0, 0.25)
    (batch,) = parse(Wording(is_batched=True).encode(chunks, 0))
    assert (batch.data["validation_loss"], batch.data["lr"]) == ([None, 3.0], [0.5, 0.25])


def test_what_is_sent_at_once_is_bounded_and_goes_on_where_it_ended() -> None:
    chunks = [epochs_chunk(1 + 500 * place, 500 * place, [0.1] * 500) for place in range(20)]
    cursor, found = 0, b""
    while cursor < 10_000:
        piece, cursor = Wording().encode_some(chunks, cursor)
        assert len(piece) < 2 * MAX_PIECE_BYTES
        found += piece
    assert found == Wording().encode(chunks, 0)
