"""The values of one own tensor beside its module: statistics, a histogram and a heat map, asked for by script."""

from dataclasses import dataclass

from app.pages import filters
from app.pages.heat_picture import HeatPicture, heat_picture
from app.pages.histogram import HistogramChart, histogram_chart
from app.pages.links import LONGEST_TARGET, with_query
from app.pages.marks import shape_text
from app.pages.stats_facts import StatsFact, stats_facts
from app.pages.tensor_head import TensorTab, tensor_tabs
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.trees.rows import HeatMap, TensorStats

MOST_VALUES = 64
FIGURES = ("min", "max", "mean", "std", "l2")


@dataclass(frozen=True, slots=True)
class Glance:
    """Which tensor is glanced at: `url` answers what to see, unless `why_not` says that there is nothing.

    `room` is what to reserve for it: "line" is a histogram with its figures, "matrix" a heat map too. `values` are all
    of a few.
    """

    name: str
    shape: str
    dtype: str
    values: str
    url: str
    room: str
    tabs: tuple[TensorTab, ...]
    why_not: str


@dataclass(frozen=True, slots=True)
class HeatAxis:
    """A labelled column of a heat map, in percent of its width."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class GlanceView:
    """What was read of a tensor so far."""

    figures: tuple[StatsFact, ...]
    counts: tuple[StatsFact, ...]
    histogram: HistogramChart | None
    picture: HeatPicture | None
    last_row: str
    columns: tuple[HeatAxis, ...]


def glance_of(opened: OpenTree, row: int, target: str, chosen: str) -> Glance | None:
    """Return the glance at the own tensor of a name, or at the first of more than one number; None where none is."""
    index = opened.index
    own = [(columns, at) for columns in (index.parameters, index.buffers) for at in index.own(columns, row)]
    large = [(columns, at) for columns, at in own if index.kinds.all[columns.kind[at]].numel > 1]
    if not own:
        return None
    columns, entry = next(((columns, at) for columns, at in own if columns.name[at] == chosen), (large or own)[0])
    kind, name = index.kinds.all[columns.kind[entry]], columns.name[entry]
    path = f"{target}.{name}" if target else name
    if (index.is_live and kind.numel <= 1) or len(path) > LONGEST_TARGET:
        return None
    tree_id, few = opened.record.id, index.data.values(columns, [entry])[0] if index.is_live else None
    return Glance(
        name=name,
        shape=shape_text(kind.shape),
        dtype=kind.dtype_name,
        values=filters.values(few, MOST_VALUES) if few is not None else "",
        url=with_query(f"/trees/{tree_id}/inspector/values", target=path),
        room="matrix" if is_drawn(kind.shape) else "line",
        tabs=tensor_tabs(tree_id, path),
        why_not=_why_not(opened, kind.device, kind.shape),
    )


def is_drawn(shape: tuple[int, ...] | None) -> bool:
    """Return whether a tensor of a shape has a heat map that says more than its histogram."""
    return shape is not None and len(shape) > 1 and min(shape) > 0 and shape[-2] > 1


def _why_not(opened: OpenTree, device: str, shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return _("It has neither a shape nor values until a first forward.")
    if opened.index.is_live or device == "file":
        return ""
    match opened.record.source.get("kind"):
        case "config":
            return _("This tree has no values: it was opened from a config on the meta device.")
        case "factory" if device == "meta":
            return _("This tree has no values: it was built on the meta device.")
        case "factory":
            return _("The values of this tree are not kept: it was built on the CPU, to see its structure.")
    return _("This tensor has no values: it is not in the file.")


def glance_view(stats: TensorStats | None, heat: HeatMap | None, numel: int, name: str) -> GlanceView:
    """Return what to show of the statistics and the heat map of a tensor, of what is there of them."""
    facts = stats_facts(stats, numel) if stats is not None else ()
    rows, columns = heat.shape if heat is not None else (0, 0)
    return GlanceView(
        figures=tuple(fact for fact in facts if fact.label in FIGURES),
        counts=tuple(fact for fact in facts if fact.label not in FIGURES),
        histogram=histogram_chart(stats.histogram) if stats is not None and stats.histogram is not None else None,
        picture=heat_picture(heat, name) if heat is not None else None,
        last_row=filters.exact(rows - 1) if rows else "",
        columns=tuple(_columns(columns)),
    )


def _columns(count: int) -> list[HeatAxis]:
    if count < 2:
        return []
    places = sorted({0, count // 3, 2 * count // 3, count - 1}) if count > 6 else [0, count - 1]
    return [HeatAxis(f"{100 * (at + 0.5) / count:.2f}", filters.exact(at)) for at in places]
