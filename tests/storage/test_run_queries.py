"""Runs are found by what is asked of them, in any order, a page at a time."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from app.api.run_cursors import run_cursor, run_place
from app.errors import Invalid
from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.config import RunConfig
from app.training.run import Run, RunStatus
from app.training.run_query import RunQuery, RunSort
from tests.storage.test_runs import NOW, kept_run

# Loss, lowest loss, epochs done, seconds: with equal ones and with none.
FIGURES = [
    (0.5, 0.25, 10, 3.0),
    (None, None, 0, None),
    (0.5, -1.0, 10, 1.0),
    (1e-300, 1e-300, 7, 3.0),
    (None, 0.25, 10, None),
    (-2.0, -2.0, 3, 0.5),
    (1e300, 0.1, 0, 2.0),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('queries') / 'test.db'}")
    store = RunStore(database)
    for place, (loss, best, done, seconds) in enumerate(FIGURES):
        config = RunConfig(optimizer=("SGD", "Adam")[place % 2], loss=("MSELoss", "L1Loss")[place // 4])
        kept = kept_run(f"r_{place}", f"t_{place % 3}", config)
        run = msgspec.structs.replace(
            kept.run,
            tree_name=("linear_model1", "100%_tree", "other")[place % 3],
            status=list(RunStatus)[place],
            loss=loss,
            best_loss=best,
            epochs_done=done,
            started_at=None if seconds is None else NOW,
            ended_at=None if seconds is None else NOW + timedelta(seconds=seconds),
        )
        store.insert(msgspec.structs.replace(kept, run=run), b"", [])
    yield store
    database.close()


def found(store: RunStore, **asked: object) -> list[str]:
    query = RunQuery(**asked)  # type: ignore[arg-type]
    runs, place = store.find(query, 100, None)
    assert place is None
    assert store.num_found(query) == len(runs)
    return [run.id for run in runs]


def key(run: Run, sort: RunSort) -> float | None:
    is_over = run.started_at is not None and run.ended_at is not None
    seconds = (run.ended_at - run.started_at).total_seconds() if is_over else None  # type: ignore[operator]
    return {
        RunSort.STARTED: float(run.id.removeprefix("r_")),
        RunSort.LOSS: run.loss,
        RunSort.BEST_LOSS: run.best_loss,
        RunSort.EPOCHS: float(run.epochs_done),
        RunSort.DURATION: seconds,
    }[sort]


@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("sort", list(RunSort))
def test_pages_of_any_order_make_one_list_with_runs_without_a_figure_last(
    store: RunStore, sort: RunSort, is_descending: bool
) -> None:
    asked = RunQuery(sort=sort, is_descending=is_descending)
    paged: list[Run] = []
    cursor = None
    while not paged or cursor is not None:
        page, place = store.find(asked, 2, run_place(asked, cursor))
        paged += page
        cursor = run_cursor(asked, place)
    keys = [key(run, sort) for run in paged]
    known = [each for each in keys if each is not None]
    assert len({run.id for run in paged}) == len(FIGURES)
    assert keys == sorted(known, reverse=is_descending) + [None] * (len(keys) - len(known))


def test_a_cursor_is_of_its_order_alone(store: RunStore) -> None:
    asked = RunQuery(sort=RunSort.LOSS)
    cursor = run_cursor(asked, store.find(asked, 2, None)[1])
    for other in (RunQuery(), RunQuery(sort=RunSort.LOSS, is_descending=False), RunQuery(sort=RunSort.EPOCHS)):
        with pytest.raises(Invalid, match="cursor"):
            run_place(other, cursor)


def test_runs_are_found_by_all_that_is_asked_of_them(store: RunStore) -> None:
    assert found(store, tree="t_1") == ["r_4", "r_1"]
    assert found(store, optimizer="Adam", loss_function="L1Loss") == ["r_5"]
    assert found(store, statuses=(RunStatus.QUEUED, RunStatus.PAUSED)) == ["r_2", "r_0"]
    assert found(store, min_loss=-2.0, max_loss=0.5) == ["r_5", "r_3", "r_2", "r_0"]
    assert found(store, q="LINEAR_model") == ["r_6", "r_3", "r_0"]
    assert found(store, q="linear #2") == ["r_3"]
    assert found(store, q="r_5") == ["r_5"]
    assert found(store, q="100%") == ["r_4", "r_1"]
    assert found(store, q="_1' OR 1=1") == []


def test_what_there_is_to_ask_for_is_counted(store: RunStore) -> None:
    choices = store.choices()
    assert next((each.value, each.name, each.num_runs) for each in choices.trees) == ("t_0", "linear_model1", 3)
    assert {(each.value, each.num_runs) for each in choices.optimizers} == {("SGD", 4), ("Adam", 3)}
    assert sum(each.num_runs for each in choices.statuses) == len(FIGURES)
