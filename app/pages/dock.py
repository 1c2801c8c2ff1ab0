"""The runs of a tree below it: the form that starts one, the one that is open with others drawn over it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.pages.fit_chart import FitChart, fit_chart
from app.pages.insights import Insights, insights_of
from app.pages.loss_chart import Other
from app.pages.prediction import Prediction, TreeNow, number_of, prediction
from app.pages.replay import Replay, replay_of
from app.pages.run_form import Around, RunForm, start_form
from app.pages.run_line import RunLine, other_of, run_line, told_apart
from app.pages.run_typed import watched
from app.pages.run_view import RunView, run_view
from app.pages.seen_epochs import seen_epochs
from app.pages.sparkline import Spark, Sparks
from app.storage.data_files import DataFiles
from app.training.config import RunConfig
from app.training.run import Run
from app.training.runs import Runs
from app.translation import gettext as _

MOST_CHIPS = 6
MOST_OTHERS = 6
SHOWN_OTHERS = 2
SLIVER = 20
DRAWN_EPOCHS = 20_000
MOST_SEEN = 20
X = "10"


@dataclass(frozen=True, slots=True)
class Chip:
    """A run of the tree in the strip; `is_over` where it is drawn over the one that is open."""

    line: RunLine
    apart: str
    can_be_over: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A run of another tree that is under way."""

    line: RunLine
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class Dock:
    """What stands below the tree; `run` is None while nothing was trained, `why` says why nothing can be."""

    why: str
    has_body: bool
    is_shut: bool
    start: RunForm
    runs: tuple[Chip, ...]
    num_runs: int
    run: RunView | None
    fit: FitChart | None
    prediction: Prediction | None
    insights: Insights | None
    replay: Replay | None
    elsewhere: Elsewhere | None
    compare_url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of the dock; `others` are the ids of the runs to be drawn too, "" for the latest ones.

    `is_shut` is None while nobody has said it: then it stands open, but for a large tree that was never trained.
    """

    run: str = ""
    x: str = X
    is_predicted: bool = False
    is_shut: bool | None = None
    start: RunForm | None = None
    others: str = ""
    data: DataFiles | None = None


def dock(runs: Runs, tree: TreeNow, asked: Asked) -> Dock:
    """Return the runs of a tree; the one asked for is open, or the newest."""
    listed, _before = runs.list(tree.id, MOST_CHIPS)
    opened = _opened(runs, tree, asked, listed)
    seen = seen_epochs(runs, opened.id) if opened else None
    opened = seen.run if seen else None
    # The very same in the list, which was read before: of a run that has ended meanwhile a page hears no more.
    listed = [opened if opened and each.id == opened.id else each for each in listed]
    config = opened.config if opened else watched(RunConfig(), tree.num_modules)
    over = _over(runs, listed, opened, asked.others)
    x = number_of(asked.x)
    line = None if opened is None or opened.status.is_active else tree.line
    run = run_view(opened, seen, "tree", x, list(_others(runs, opened, over)), line) if opened and seen else None
    return Dock(
        why="" if tree.can_train else _why(tree),
        has_body=tree.can_train or tree.can_forward or opened is not None,
        is_shut=tree.is_large and not listed if asked.is_shut is None else asked.is_shut,
        start=asked.start or start_form(Around(tree.id, tree.num_modules, opened, asked.data, tree.can_fuse), config),
        runs=tuple(_chip(each, opened, over) for each in listed),
        num_runs=runs.count(tree.id),
        run=run,
        fit=run.fit if run else fit_chart(config.data, tree.line, (), x),
        prediction=prediction(tree, asked.x, config) if tree.can_forward else None,
        insights=insights_of(runs, opened) if opened else None,
        replay=replay_of(runs, opened) if opened else None,
        elsewhere=None if opened and opened.status.is_active else _elsewhere(runs, tree.id),
        compare_url=_compare_url(listed),
    )


def _compare_url(listed: Sequence[Run]) -> str:
    begun = [("run", run.id) for run in listed if run.epochs_done]
    return f"/runs/compare?{urlencode(begun)}" if len(begun) > 1 else ""


def _why(tree: TreeNow) -> str:
    if tree.can_forward:
        return _("None on this tree: no parameter of it requires a gradient.")
    return _("None on this tree: only its structure is known, and a run needs values and a forward.")


def _opened(runs: Runs, tree: TreeNow, asked: Asked, listed: Sequence[Run]) -> Run | None:
    opened = next((run for run in listed if run.id == asked.run), None)
    if opened is None and asked.run:
        found = runs.get(asked.run)
        opened = found if found.tree == tree.id else None
    return opened or (listed[0] if listed else None)


def _over(runs: Runs, listed: Sequence[Run], opened: Run | None, others: str) -> set[str]:
    """The ids of the runs that are drawn too: those asked for, or the latest two before the one that is open."""
    if opened is None:
        return set()
    fit = [run for run in listed if run.id != opened.id and _can_be_over(run)]
    if others:
        asked = set(others.split(",")[:MOST_OTHERS])
        return {run.id for run in fit if run.id in asked}
    # Beside a long run a short one is nothing but a sliver; and nobody waits for a million epochs not asked for.
    long = [run for run in fit if run.epochs_done * SLIVER >= opened.epochs and _is_quick(runs, run)]
    before = [run for run in long if run.number < opened.number and not run.status.is_active]
    return {run.id for run in before[:SHOWN_OTHERS]}


def _can_be_over(run: Run) -> bool:
    return run.epochs_done > 1


def _is_quick(runs: Runs, run: Run) -> bool:
    return run.epochs_done <= DRAWN_EPOCHS or runs.pictures.has(run.id)


def _others(runs: Runs, opened: Run | None, over: set[str]) -> Iterator[Other]:
    for run_id in sorted(over):
        picture = runs.pictures.get(run_id)
        if opened is not None and len(picture.loss):
            yield other_of(picture.run, opened.config, picture.loss)


def _chip(run: Run, opened: Run | None, over: set[str]) -> Chip:
    is_open = opened is not None and run.id == opened.id
    apart = "" if is_open or opened is None else told_apart(run.config, opened.config)
    return Chip(run_line(run, opened.id if opened else ""), apart, _can_be_over(run) and not is_open, run.id in over)


def _elsewhere(runs: Runs, tree_id: str) -> Elsewhere | None:
    latest, _before = runs.list(None, MOST_SEEN)
    run = next((each for each in latest if each.status.is_active and each.tree != tree_id), None)
    if run is None:
        return None
    return Elsewhere(run_line(run), Sparks(runs, DRAWN_EPOCHS).of(run))
