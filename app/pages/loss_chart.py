"""The loss by epoch as a drawing made on the server: what a page without scripts shows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.pages import filters
from app.pages.plot import Plot, Size, Tick, Word, curve_of, px, scale_for
from app.pages.scales import tick_step
from app.training.log import Floats
from app.training.pictures import Curve
from app.translation import gettext as _

SIZE = Size(width=496, height=336, left=44, right=26, top=10, bottom=30)
DOTS_UNDER = 40
APART = 84
MOST_GAPS = 5
LETTER_WIDTH = 6.5


@dataclass(frozen=True, slots=True)
class Other:
    """Another run to be drawn over this one; `name` stands at its end."""

    id: str
    curve: Curve
    name: str
    is_growing: bool


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Another run as it is drawn."""

    path: str
    name: Word | None
    is_growing: bool


@dataclass(frozen=True, slots=True)
class LossChart:
    """A drawing of 496 x 336: paths and places as SVG takes them."""

    path: str
    validation: OtherLine | None
    others: tuple[OtherLine, ...]
    dots: tuple[tuple[str, str], ...]
    y_ticks: tuple[Tick, ...]
    y_minor: tuple[str, ...]
    x_ticks: tuple[Tick, ...]
    first: Word | None
    latest: Word | None
    gaps: tuple[Word, ...]
    now: str
    to_come: str
    to_come_width: str
    is_log: bool
    said: str


def loss_chart(
    losses: Sequence[float] | Floats | Curve,
    epochs: int,
    others: Sequence[Other] = (),
    *,
    validation: Curve | None = None,
    is_over: bool = False,
) -> LossChart:
    """Return the drawing of the losses of a run from epoch 0 on; one that is not finite is a gap with its word.

    Others are drawn over it as far as its epochs go, and its validation loss dashed. No line marks the present epoch of
    a run that is over.
    """
    curve = losses if isinstance(losses, Curve) else curve_of(losses)
    last = max(epochs, 2) - 1
    beside = [(other, other.curve.at(other.curve.epochs <= last)) for other in others]
    second = [] if validation is None else [validation]
    scale = scale_for([each.values for each in (curve, *second, *(each for _other, each in beside))])
    plot = Plot(SIZE, last, scale)
    drawn = _Drawn(plot, curve)
    end = px(plot.x(drawn.last)) if 0 <= drawn.last < epochs - 1 else ""
    return LossChart(
        path=drawn.path(),
        validation=_named(plot, validation, _("validation")) if validation is not None else None,
        others=tuple(_named(plot, each, other.name, is_growing=other.is_growing) for other, each in beside),
        dots=tuple(drawn.dots()) if len(curve) < DOTS_UNDER else (),
        y_ticks=plot.y_ticks,
        y_minor=plot.y_minor,
        x_ticks=tuple(x_ticks(plot)),
        first=drawn.word(0, 10) if drawn.last == 0 or plot.x(drawn.last) - SIZE.left > APART else None,
        latest=drawn.word(-1, 12) if drawn.last > 0 else None,
        gaps=tuple(drawn.gaps()),
        now="" if is_over else end,
        to_come=end,
        to_come_width=px(SIZE.width - SIZE.right - plot.x(drawn.last)) if end else "",
        is_log=scale.is_log,
        said=said(curve, epochs),
    )


def said(curve: Curve, epochs: int) -> str:
    """Return the chart in a sentence."""
    all_of_it = filters.exact(epochs)
    if not len(curve):
        return _("No epoch of %(epochs)s is done yet.", epochs=all_of_it)
    done = int(curve.epochs[-1]) + 1
    return _(
        "Loss by epoch: %(first)s at epoch 0, %(latest)s at epoch %(epoch)s; %(done)s of %(epochs)s epochs are done.",
        first=filters.loss(float(curve.values[0])),
        latest=filters.loss(float(curve.values[-1])),
        epoch=filters.exact(done - 1),
        done=filters.exact(done),
        epochs=all_of_it,
    )


def x_ticks(plot: Plot) -> Iterator[Tick]:
    """Yield the ticks of epochs: whole steps and the last."""
    last = round(plot.last)
    step = max(1, round(tick_step(last, 5)))
    for epoch in range(0, last, step):
        if last - epoch >= 0.6 * step:
            yield Tick(px(plot.x(epoch)), filters.exact(epoch))
    yield Tick(px(plot.x(last)), filters.exact(last))


def gap_words(plot: Plot, curve: Curve) -> Iterator[tuple[int, str]]:
    """Yield the first place of each stretch of the curve that the axis cannot show, and what is there."""
    is_shown = plot.is_shown(curve.values)
    before = np.concatenate(([True], is_shown[:-1]))
    for place in np.flatnonzero(~is_shown & before).tolist():
        loss = float(curve.values[place])
        yield place, "≤ 0" if math.isfinite(loss) else filters.value(loss)


def _named(plot: Plot, curve: Curve, text: str, *, is_growing: bool = False) -> OtherLine:
    """A line with its name at its end, where the end is drawn."""
    places, name = np.flatnonzero(plot.is_shown(curve.values)), None
    if len(places):
        x, y = plot.x(int(curve.epochs[places[-1]])), plot.y(float(curve.values[places[-1]]))
        name = Word(px(x), px(y + 16 if y < SIZE.top + 24 else y - 7), text)
    thin = curve.thinned(SIZE.columns)
    return OtherLine(plot.path(thin.epochs, thin.values), name, is_growing)


class _Drawn:
    def __init__(self, plot: Plot, curve: Curve) -> None:
        self.plot = plot
        self.curve = curve
        self.is_shown = plot.is_shown(curve.values)
        self.last = int(curve.epochs[-1]) if len(curve) else -1

    def path(self) -> str:
        thin = self.curve.thinned(SIZE.columns)
        return self.plot.path(thin.epochs, thin.values)

    def dots(self) -> Iterator[tuple[str, str]]:
        for place in np.flatnonzero(self.is_shown).tolist():
            yield px(self._x(place)), px(self.plot.y(float(self.curve.values[place])))

    def word(self, place: int, right: int) -> Word | None:
        if not self.is_shown[place]:
            return None
        loss = float(self.curve.values[place])
        x = min(self._x(place) + right, SIZE.width - SIZE.right - 52)
        return Word(px(x), px(max(self.plot.y(loss) - 8, SIZE.top + 10)), filters.loss(loss))

    def gaps(self) -> Iterator[Word]:
        ends: list[float] = []
        for place, kind in list(gap_words(self.plot, self.curve))[:MOST_GAPS]:
            epoch = filters.exact(int(self.curve.epochs[place]))
            text = _("%(kind)s at %(epoch)s", kind=kind, epoch=epoch)
            x = min(self._x(place), SIZE.width - SIZE.right - LETTER_WIDTH * len(text))
            # In the lowest row that is free there.
            row = next((row for row, end in enumerate(ends) if end < x), len(ends))
            ends[row : row + 1] = [x + LETTER_WIDTH * len(text)]
            yield Word(px(x), px(SIZE.height - SIZE.bottom - 6 - 13 * row), text)

    def _x(self, place: int) -> float:
        return self.plot.x(int(self.curve.epochs[place]))
