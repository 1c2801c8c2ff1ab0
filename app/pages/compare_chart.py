"""The losses of several runs over each other as a drawing made on the server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.pages import filters
from app.pages.hues import HUES
from app.pages.loss_chart import gap_words, x_ticks
from app.pages.plot import Plot, Size, Tick, Word, px, scale_for
from app.pages.scales import tick_step
from app.training.log import Floats
from app.training.pictures import Curve, Picture
from app.translation import gettext as _
from app.translation import ngettext

WIDE = Size(width=960, height=400, left=52, right=112, top=12, bottom=34)
NARROW = Size(width=360, height=300, left=44, right=44, top=12, bottom=32)
MOST_NAMES = 24
NAME_HEIGHT = 13
LETTER_WIDTH = 7
MOST_MARKS = 100


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A run in the chart: its hue, the kinds of lines (`raw`, `main`, `validation`, ...) with their paths, its name."""

    id: str
    hue: int
    paths: tuple[tuple[str, str], ...]
    name: Word | None
    marks: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the axes of a drawing stand: the edges of what lies between them, their ticks and labels."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    ticks_start: int
    ticks_end: int
    labels_end: int
    labels_y: int
    axis_y: int

    @classmethod
    def of(cls, size: Size) -> "Frame":
        """Return the frame of a drawing of a size."""
        right, bottom = size.width - size.right, size.height - size.bottom
        return cls(
            width=size.width,
            height=size.height,
            left=size.left,
            right=right,
            bottom=bottom,
            ticks_start=size.left - 4,
            ticks_end=bottom + 4,
            labels_end=size.left - 6,
            labels_y=bottom + 16,
            axis_y=size.height - 4,
        )


@dataclass(frozen=True, slots=True)
class CompareChart:
    """A drawing in its frame: paths and places as SVG takes them."""

    kind: str
    frame: Frame
    lines: tuple[ComparedLine, ...]
    y_ticks: tuple[Tick, ...]
    y_minor: tuple[str, ...]
    x_ticks: tuple[Tick, ...]
    axis: str
    is_log: bool
    said: str


def hue_of(place: int) -> int:
    """Return the hue of the run at a place, 0 to 23, far from those of the runs beside it."""
    return (14 + 7 * place) % HUES


def compare_chart(
    pictures: Sequence[Picture], hidden: frozenset[str], names: Sequence[str], x: str, scale: str, kind: str
) -> CompareChart:
    """Return the drawing, `wide` or `narrow`, of all runs but the hidden; `scale` "" is what suits the losses."""
    shown = [(place, each) for place, each in enumerate(pictures) if each.run.id not in hidden and len(each.loss)]
    values = [curve.values for _place, picture in shown for _name, curve in picture.curves()]
    last = max((float(_xs(picture.loss, x)[-1]) for _place, picture in shown), default=0.0)
    size = WIDE if kind == "wide" else NARROW
    plot = Plot(size, last or 1.0, scale_for(values, None if not scale else scale == "log"))
    ends = _names(plot, shown, names, x)
    lines = [_line(plot, place, picture, x, ends.get(place)) for place, picture in shown]
    return CompareChart(
        kind=kind,
        frame=Frame.of(size),
        lines=tuple(lines),
        y_ticks=plot.y_ticks,
        y_minor=plot.y_minor,
        x_ticks=tuple(_time_ticks(plot) if x == "time" else x_ticks(plot)),
        axis=_("time trained") if x == "time" else _("epoch"),
        is_log=plot.scale.is_log,
        said=_said(shown),
    )


def _said(shown: Sequence[tuple[int, Picture]]) -> str:
    num = len(shown)
    said = ngettext("The loss of %(num)s run by epoch.", "The losses of %(num)s runs by epoch.", num, num=num)
    best = [picture.run for _place, picture in shown if picture.run.best_loss is not None]
    if not best:
        return said
    lowest = min(best, key=lambda run: run.best_loss or 0.0)
    lowest_said = _(
        "The lowest is %(loss)s, of #%(number)s.", loss=filters.loss(lowest.best_loss), number=lowest.number
    )
    return f"{said} {lowest_said}"


def _xs(curve: Curve, x: str) -> Floats | NDArray[np.int64]:
    return curve.seconds if x == "time" else curve.epochs


def _line(plot: Plot, place: int, picture: Picture, x: str, name: Word | None) -> ComparedLine:
    is_smooth = picture.smoothed is not None
    kinds = {"loss": "raw" if is_smooth else "main", "smoothed": "main"}
    kinds |= {
        "validation_loss": "validation-raw" if is_smooth else "validation",
        "smoothed_validation_loss": "validation",
    }
    paths = []
    for curve_name, curve in picture.curves():
        thin = curve.thinned(plot.size.columns)
        paths.append((kinds[curve_name], plot.path(_xs(thin, x), thin.values)))
    marks = tuple(_marks(plot, picture.loss, x))
    return ComparedLine(picture.run.id, hue_of(place), tuple(paths), name, marks)


def _marks(plot: Plot, curve: Curve, x: str) -> Iterator[Word]:
    xs = _xs(curve, x).tolist()
    for place, kind in list(gap_words(plot, curve))[:MOST_MARKS]:
        text = _("%(kind)s at %(epoch)s", kind=kind, epoch=filters.exact(int(curve.epochs[place])))
        yield Word(px(plot.x(xs[place])), px(plot.size.height - plot.size.bottom), text)


def _names(plot: Plot, shown: Sequence[tuple[int, Picture]], names: Sequence[str], x: str) -> dict[int, Word]:
    """The names at the ends of the lines, none over another one; none at all where they would not fit."""
    if len(shown) > MOST_NAMES:
        return {}
    edge = plot.size.width - plot.size.right + 6
    taken: list[tuple[float, float, float]] = []
    words: dict[int, Word] = {}
    for place, picture in shown:
        curve = picture.smoothed or picture.loss
        places = np.flatnonzero(plot.is_shown(curve.values))
        if len(places):
            left = min(plot.x(float(_xs(curve, x)[places[-1]])) + 6, edge)
            right = left + LETTER_WIDTH * len(names[place])
            beside = [y for start, end, y in taken if start < right and left < end]
            y = _free(plot.y(float(curve.values[places[-1]])) + 4, beside, plot.size)
            taken.append((left, right, y))
            words[place] = Word(px(left), px(y), names[place])
    return words


def _free(wanted: float, taken: Sequence[float], size: Size) -> float:
    """The height nearest to what is wanted where no other name stands; that itself where there is none."""
    low, high = size.top + 8.0, size.height - size.bottom + 4.0
    tries = [wanted, *(y + step for y in taken for step in (-NAME_HEIGHT, NAME_HEIGHT))]
    free = [y for y in tries if low <= y <= high and all(abs(y - other) >= NAME_HEIGHT for other in taken)]
    return min(free, key=lambda y: abs(y - wanted), default=wanted)


def _time_ticks(plot: Plot) -> Iterator[Tick]:
    step = tick_step(plot.last, 4)
    for number in range(int(plot.last / step + 1e-9) + 1):
        label = filters.seconds(number * step) if number else "0"
        yield Tick(px(plot.x(number * step)), label)
