"""What pages say of the statistics of modules beside their figures."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.pages.replay import cost_of
from app.training.config import RunConfig
from app.training.run import Overhead, Run

STARTED = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = Run(
    id="r_1",
    tree="t_1",
    tree_name="tree",
    tree_revision=1,
    epochs=10,
    config=RunConfig(module_stats_every=1),
    created_at=STARTED,
    started_at=STARTED,
    overhead=Overhead(0.123),
)


@pytest.mark.parametrize(("took_s", "cost"), [(0.01, ""), (0.9, ""), (1, "12.3 %"), (60, "12.3 %"), (None, "12.3 %")])
def test_what_statistics_cost_is_said_of_a_run_that_took_a_while(took_s: float | None, cost: str) -> None:
    ended = None if took_s is None else STARTED + timedelta(seconds=took_s)
    assert cost_of(msgspec.structs.replace(RUN, ended_at=ended)).replace("\u2009", " ") == cost


@pytest.mark.parametrize("unknown", [{"overhead": None}, {"started_at": None}])
def test_an_unknown_cost_is_not_said(unknown: dict[str, None]) -> None:
    assert cost_of(msgspec.structs.replace(RUN, **unknown)) == ""
