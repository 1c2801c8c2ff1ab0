"""What happens to a run becomes its next state and its next events, numbered without gaps."""

import json
import math
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training.config import RunConfig
from app.training.events import Wording
from app.training.live import LiveRun
from app.training.log import Chunk
from app.training.messages import Epochs
from app.training.run import KeptRun, Run, RunStatus, encode_run
from tests.training.chunks import losses, parse


def live_run() -> LiveRun:
    run = Run(
        id="r_1",
        tree="t_1",
        tree_name="linear_model1",
        tree_revision=1,
        epochs=100,
        config=RunConfig(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return LiveRun(KeptRun(run=run, start_tensors="start"))


def epochs(first: int, values: list[float]) -> Epochs:
    nothing = np.full(len(values), np.nan, "<f4").tobytes()
    at = np.zeros(len(values), "<f4").tobytes()
    return Epochs("r_1", first, 1e9, np.array(values, "<f8").tobytes(), at, nothing, nothing)


@given(st.lists(st.lists(losses, min_size=1, max_size=5), max_size=5), st.data())
def test_events_are_numbered_without_gaps_however_they_are_written(
    parts: list[list[float]], data: st.DataObject
) -> None:
    live = live_run()
    written: list[Chunk] = []
    live.be(RunStatus.QUEUED)
    live.be(RunStatus.RUNNING)
    done = 0
    for part in parts:
        live.train(epochs(done, part))
        done += len(part)
        if data.draw(st.booleans()):
            update = live.update()
            written += update.chunks
            live.written(update)
    live.end(RunStatus.SUCCEEDED)
    written += live.update().chunks
    events = parse(Wording().encode(written, 0))
    assert [int(event.id) for event in events] == list(range(1, done + 5))
    assert live.kept.last_event == done + 4
    assert live.run.epochs_done == done


@given(st.lists(losses, min_size=1, max_size=10))
def test_the_run_shows_its_last_and_its_lowest_loss(values: list[float]) -> None:
    live = live_run()
    live.train(epochs(0, values[:1]))
    live.train(epochs(1, values[1:])) if values[1:] else None
    finite = [value for value in values if math.isfinite(value)]
    assert live.run.best_loss == (min(finite) if finite else None)
    assert live.run.loss == (values[-1] if math.isfinite(values[-1]) else None)
    assert (live.run.nonfinite is None) == math.isfinite(values[-1])


def test_the_end_event_is_the_run_as_it_is_answered() -> None:
    live = live_run()
    live.fit(2.5, 1.5)
    live.end(RunStatus.SUCCEEDED, result_revision=2)
    status, end = live.update().chunks
    assert json.loads(status.payload)["status"] == "succeeded"
    assert end.payload == encode_run(live.run)
    shown = json.loads(end.payload)
    assert shown["fit"] == {"slope": 2.5, "intercept": 1.5}
    assert shown["result_revision"] == 2
    assert shown["ended_at"].endswith("Z")


def test_an_update_that_could_not_be_written_is_part_of_the_next() -> None:
    live = live_run()
    live.be(RunStatus.QUEUED)
    assert len(live.update().chunks) == 1
    live.be(RunStatus.RUNNING)
    assert [chunk.first_id for chunk in live.update().chunks] == [1, 2]


def test_a_run_that_goes_on_has_no_end_and_no_error_any_more() -> None:
    live = live_run()
    live.be(RunStatus.RUNNING)
    started_at = live.run.started_at
    live.end(RunStatus.INTERRUPTED, error="the server stopped at epoch 5")
    live.be(RunStatus.QUEUED)
    live.be(RunStatus.RUNNING)
    assert (live.run.ended_at, live.run.error, live.run.started_at) == (None, None, started_at)


@pytest.mark.parametrize("line", [(math.nan, math.nan), (math.inf, 1.0), (1.0, -math.inf)])
def test_a_line_that_is_none_is_null(line: tuple[float, float]) -> None:
    live = live_run()
    live.fit(*line)
    assert live.run.fit is None


def test_a_run_is_json_without_nan() -> None:
    live = live_run()
    live.train(epochs(0, [math.nan]))
    shown = msgspec.json.decode(encode_run(live.run))
    assert (shown["loss"], shown["nonfinite"], shown["best_loss"]) == (None, "nan", None)
