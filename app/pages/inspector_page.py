"""Parts of the inspector by themselves, for a page that has the rest already: a module, the values of a tensor."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import RunsDep, TreesDep
from app.api.tensor_views import RETRY_AFTER, has_come, tensor_at
from app.errors import CannotDo, Invalid, ModuletreeError
from app.pages import filters
from app.pages.glance import GlanceView, glance_view, is_drawn
from app.pages.inspector import Inspector, inspector
from app.pages.look import LookDep
from app.pages.templating import READING, Context, page
from app.pages.tensor_reading import ReadingProgress
from app.storage.trees import Trees
from app.trees.tensor_data import Reading, Ready

MOST_SELECTED = 64

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class InspectorPart(Context):
    """The inspector of a module."""

    template: ClassVar[str] = "inspector_part.html"

    inspector: Inspector


@dataclass(frozen=True, slots=True)
class GlancePart(Context):
    """What there is to see of a tensor's values; `progress` while not all was read, `took` where that is known."""

    template: ClassVar[str] = "glance_part.html"

    view: GlanceView
    numel: int
    took: str
    progress: ReadingProgress | None
    trouble: str


@dataclass(frozen=True, slots=True)
class _Readings:
    name: str
    numel: int
    all: Sequence[Reading[Any]]


@router.api_route("/trees/{tree_id}/inspector", methods=READING)
def show_inspector(
    trees: TreesDep,
    runs: RunsDep,
    look: LookDep,
    target: str = "",
    revision: int | None = None,
    others: Annotated[list[int] | None, Query(alias="with", max_length=MOST_SELECTED)] = None,
) -> Response:
    """The inspector of the module at `target`, or at `row` of a revision; `with` are the rows selected beside it."""
    asked = replace(look, target=target, revision=revision, others=tuple(others or ()))
    with trees.reading(look.tree_id) as opened:
        found = inspector(trees, runs, opened, asked)
    return page(InspectorPart(found), look.traced.status)


@router.api_route("/trees/{tree_id}/inspector/values", methods=READING)
async def show_values(trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """The statistics, the histogram and the heat map of a tensor, of what has been read within a second."""
    started = perf_counter()
    try:
        readings = await run_in_threadpool(_readings, trees, tree_id, target)
    except (CannotDo, Invalid) as error:
        refused = _refused(error)
        return await run_in_threadpool(lambda: page(refused))
    come = await asyncio.gather(*map(has_come, readings.all))
    answer = await run_in_threadpool(lambda: page(_part(readings, started), 200 if all(come) else 202))
    if not all(come):
        answer.headers["retry-after"] = RETRY_AFTER
    return answer


def _readings(trees: Trees, tree_id: str, target: str) -> _Readings:
    with trees.reading(tree_id) as opened:
        index = opened.index
        columns, entry = tensor_at(index, target)
        kind = index.kinds.all[columns.kind[entry]]
        readings: list[Reading[Any]] = [index.data.stats_reading(columns, entry)]
        if is_drawn(kind.shape):
            readings.append(index.data.heat_map_reading(columns, entry, ()))
        return _Readings(target, kind.numel, readings)


def _part(readings: _Readings, started: float) -> GlancePart:
    try:
        found = [reading.result() if reading.is_done else None for reading in readings.all]
    except (CannotDo, Invalid) as error:
        return _refused(error)
    waiting = next((reading for reading in readings.all if not reading.is_done), None)
    stats, heat = (*found, None)[:2]
    return GlancePart(
        view=glance_view(stats, heat, readings.numel, readings.name),
        numel=readings.numel,
        took=filters.seconds(perf_counter() - started) if _were_made_now(readings.all) else "",
        progress=ReadingProgress(*waiting.progress, "") if waiting is not None else None,
        trouble="",
    )


def _were_made_now(readings: Sequence[Reading[Any]]) -> bool:
    # What another process reads may have begun long ago, or lie there already.
    return all(isinstance(reading, Ready) for reading in readings)


def _refused(error: ModuletreeError) -> GlancePart:
    return GlancePart(glance_view(None, None, 0, ""), 0, "", None, error.detail)
