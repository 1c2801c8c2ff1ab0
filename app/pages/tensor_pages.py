"""A tensor's three pages: its values, their statistics with a histogram, and a heat map."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.api.dependencies import TreesDep
from app.api.tensor_views import MAX_START, index_of
from app.errors import Invalid, Misfit
from app.pages.calls import Call, in_pytorch, origin_of, over_http
from app.pages.heat_picture import HeatPicture, heat_picture
from app.pages.histogram import HistogramChart, histogram_chart
from app.pages.stats_facts import StatsFact, stats_facts
from app.pages.templating import READING, Context
from app.pages.tensor_head import TensorHead, tensor_url
from app.pages.tensor_reading import Asked, ReadingProgress, answered
from app.pages.tree_head import TreeHead
from app.pages.value_table import ValueTable, value_table
from app.storage.trees import OpenTree
from app.translation import said
from app.trees.heat_map import whole_index
from app.trees.tensor_data import Reading, Ready
from app.trees.tensor_values import MAX_PAGE
from app.trees.tensors import TensorColumns

router = APIRouter(include_in_schema=False)

COUNT = 512


@dataclass(frozen=True, slots=True)
class TensorValuesPage(Context):
    """A page of a tensor's values; without a target, the form that asks for one."""

    template: ClassVar[str] = "tensor_values.html"

    tree: TreeHead
    view: str
    target: str
    tensor: TensorHead | None
    trouble: str
    progress: ReadingProgress | None
    table: ValueTable | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class TensorStatsPage(Context):
    """The statistics of a tensor and their histogram, or how far they are."""

    template: ClassVar[str] = "tensor_stats.html"

    tree: TreeHead
    view: str
    target: str
    tensor: TensorHead | None
    trouble: str
    progress: ReadingProgress | None
    facts: tuple[StatsFact, ...]
    histogram: HistogramChart | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class TensorHeatMapPage(Context):
    """The heat map of a matrix of a tensor, or how far it is; the index chooses one in the dimensions `leading`."""

    template: ClassVar[str] = "tensor_heat_map.html"

    tree: TreeHead
    view: str
    target: str
    tensor: TensorHead | None
    trouble: str
    progress: ReadingProgress | None
    leading: str
    index: str
    picture: HeatPicture | None
    calls: tuple[Call, ...]


@router.api_route("/trees/{tree_id}/values", methods=READING)
async def show_values(
    request: Request,
    trees: TreesDep,
    tree_id: str,
    target: str = "",
    start: Annotated[int, Query(ge=0, le=MAX_START)] = 0,
    count: Annotated[int, Query(ge=1, le=MAX_PAGE)] = COUNT,
) -> Response:
    """A page of a tensor's values."""

    def ask(opened: OpenTree, columns: TensorColumns, entry: int) -> Reading[Any]:
        return Ready(opened.index.data.page(columns, entry, start, count))

    def url(at: int) -> str:
        return tensor_url(tree_id, target, start=str(at or ""), count=str(count) if count != COUNT else "")

    def made(asked: Asked) -> Context:
        return TensorValuesPage(
            tree=asked.tree,
            view="values",
            target=target,
            tensor=asked.tensor,
            trouble=asked.trouble,
            progress=asked.progress,
            table=value_table(asked.found, asked.shape, count, url) if asked.found is not None else None,
            calls=_calls(
                asked,
                f"{asked.code}.flatten()[{start}:{start + count}]",
                over_http(origin, f"/api/trees/{tree_id}/values", target=target, start=str(start or ""), count=shown),
            ),
        )

    origin, shown = origin_of(request), str(count)
    return await answered(request, trees, tree_id, "values", target, ask, made)


@router.api_route("/trees/{tree_id}/stats", methods=READING)
async def show_stats(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """The statistics of a tensor's values."""

    def ask(opened: OpenTree, columns: TensorColumns, entry: int) -> Reading[Any]:
        return opened.index.data.stats_reading(columns, entry)

    def made(asked: Asked) -> Context:
        stats = asked.found
        return TensorStatsPage(
            tree=asked.tree,
            view="stats",
            target=target,
            tensor=asked.tensor,
            trouble=asked.trouble,
            progress=asked.progress,
            facts=stats_facts(stats, asked.tensor.numel) if stats is not None and asked.tensor is not None else (),
            histogram=histogram_chart(stats.histogram) if stats is not None and stats.histogram is not None else None,
            calls=_calls(
                asked,
                f"x = {asked.code}.double()\nx.min(), x.max(), x.mean(), x.std(), x.norm()",
                over_http(origin, f"/api/trees/{tree_id}/stats", target=target),
            ),
        )

    origin = origin_of(request)
    return await answered(request, trees, tree_id, "stats", target, ask, made)


@router.api_route("/trees/{tree_id}/heat_map", methods=READING)
async def show_heat_map(request: Request, trees: TreesDep, tree_id: str, target: str = "", index: str = "") -> Response:
    """The heat map of a matrix of a tensor; `index` may be typed with spaces."""

    def ask(opened: OpenTree, columns: TensorColumns, entry: int) -> Reading[Any]:
        return opened.index.data.heat_map_reading(columns, entry, _typed_index(index))

    def made(asked: Asked) -> Context:
        leading = asked.shape[:-2]
        whole = whole_index(asked.shape, _typed_index(index)) if asked.error is None and leading else ()
        chosen = "".join(f"[{at}]" for at in whole)
        return TensorHeatMapPage(
            tree=asked.tree,
            view="heat_map",
            target=target,
            tensor=asked.tensor,
            trouble=asked.trouble,
            progress=asked.progress,
            leading=" × ".join(map(str, leading)),
            index=",".join(map(str, whole)) if asked.error is None else index,
            picture=heat_picture(asked.found, target) if asked.found is not None else None,
            calls=_calls(
                asked,
                f"{asked.code}{chosen}",
                over_http(origin, f"/api/trees/{tree_id}/heat_map", target=target, index=",".join(map(str, whole))),
            ),
        )

    origin = origin_of(request)
    return await answered(request, trees, tree_id, "heat_map", target, ask, made)


def _calls(asked: Asked, code: str, http: Call) -> tuple[Call, ...]:
    return (in_pytorch(code), http) if asked.tensor is not None else (http,)


def _typed_index(text: str) -> tuple[int, ...]:
    try:
        return index_of("".join(text.split()))
    except ValueError:
        msg = said("expected whole numbers with commas between, got %(text)r", text=text[:80])
        raise Invalid(said("index: %(msg)s.", msg=msg), (Misfit(("query", "index"), msg),)) from None
