"""The loss by epoch as a drawing made on the server: what a page without scripts shows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.pages import filters
from app.pages.scales import Scale, scale_of, tick_label, tick_step
from app.training.log import Floats
from app.translation import gettext as _

WIDTH, HEIGHT = 496, 336
LEFT, RIGHT, TOP, BOTTOM = 44, 26, 10, 30
DOTS_UNDER = 40
APART = 84
MOST_GAPS = 5


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick at a distance from the left or the top, with its words."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Word:
    """Words at a place."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another run to be drawn over this one; `name` stands at its end."""

    id: str
    losses: Floats
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
    losses: Sequence[float] | Floats, epochs: int, others: Sequence[Other] = (), *, is_over: bool = False
) -> LossChart:
    """Return the drawing of the losses of epochs 0, 1, ... of a run; one that is not finite is a gap with its word.

    Others are drawn over it as far as its epochs go. No line marks the present epoch of a run that is over.
    """
    shown = np.asarray(losses, np.float64)
    beside = [(other, np.asarray(other.losses, np.float64)[: max(epochs, 2)]) for other in others]
    scale = _scale(np.concatenate([shown, *(column for _other, column in beside)]))
    drawn = _Drawn(shown, max(epochs, 2), scale)
    last = len(losses) - 1
    end = _px(drawn.x(last)) if 0 <= last < epochs - 1 else ""
    return LossChart(
        path="".join(drawn.path()),
        others=tuple(_Drawn(column, max(epochs, 2), scale).as_other(other) for other, column in beside),
        dots=tuple(drawn.dots()) if len(losses) < DOTS_UNDER else (),
        y_ticks=tuple(Tick(_px(drawn.y(tick)), tick_label(tick)) for tick in drawn.scale.ticks),
        y_minor=tuple(_px(drawn.y(tick)) for tick in drawn.scale.minor),
        x_ticks=tuple(drawn.x_ticks()),
        first=drawn.word(0, 10) if last == 0 or (last > 0 and drawn.x(last) - LEFT > APART) else None,
        latest=drawn.word(last, 12) if last > 0 else None,
        gaps=tuple(drawn.gaps()),
        now="" if is_over else end,
        to_come=end,
        to_come_width=_px(WIDTH - RIGHT - drawn.x(last)) if end else "",
        is_log=drawn.scale.is_log,
        said=said(drawn.losses, epochs),
    )


def said(losses: Floats, epochs: int) -> str:
    """Return the chart in a sentence."""
    all_of_it = filters.exact(epochs)
    if not len(losses):
        return _("No epoch of %(epochs)s is done yet.", epochs=all_of_it)
    return _(
        "Loss by epoch: %(first)s at epoch 0, %(latest)s at epoch %(epoch)s; %(done)s of %(epochs)s epochs are done.",
        first=filters.loss(float(losses[0])),
        latest=filters.loss(float(losses[-1])),
        epoch=filters.exact(len(losses) - 1),
        done=filters.exact(len(losses)),
        epochs=all_of_it,
    )


def _scale(losses: Floats) -> Scale:
    finite = losses[np.isfinite(losses)]
    positive = finite[finite > 0]
    ends = [edge for part in (finite, positive) if len(part) for edge in (float(part.min()), float(part.max()))]
    return scale_of(ends)


class _Drawn:
    def __init__(self, losses: Floats, epochs: int, scale: Scale) -> None:
        self.losses = losses
        self.epochs = epochs
        self.scale = scale
        self.is_shown = np.isfinite(losses) & (losses > 0 if scale.is_log else True)

    def x(self, epoch: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * epoch / (self.epochs - 1)

    def y(self, loss: float) -> float:
        length = HEIGHT - TOP - BOTTOM
        return TOP + length - self.scale.at(loss, length)

    def path(self) -> Iterator[str]:
        """Moves and lines through the finite losses, at most two a pixel column: its lowest and its highest."""
        is_joined = False
        for place in self._places():
            if self.is_shown[place]:
                yield f"{'L' if is_joined else 'M'}{_px(self.x(place))} {_px(self.y(float(self.losses[place])))}"
            is_joined = bool(self.is_shown[place])

    def _places(self) -> Iterator[int]:
        columns = WIDTH - LEFT - RIGHT
        if len(self.losses) <= 2 * columns:
            yield from range(len(self.losses))
            return
        edges = np.linspace(0, len(self.losses), columns + 1).astype(int)
        for start, stop in pairwise(edges):
            places = np.flatnonzero(self.is_shown[start:stop]) + start
            if len(places):
                values = self.losses[places]
                yield from sorted({int(places[values.argmin()]), int(places[values.argmax()])})
            else:
                yield int(start)

    def as_other(self, other: Other) -> OtherLine:
        """Named at its end, where the end is drawn."""
        places = np.flatnonzero(self.is_shown).tolist()
        name = None
        if places:
            last = places[-1]
            x, y = self.x(last), self.y(float(self.losses[last]))
            name = Word(_px(x), _px(y + 16 if y < TOP + 24 else y - 7), other.name)
        return OtherLine("".join(self.path()), name, other.is_growing)

    def dots(self) -> Iterator[tuple[str, str]]:
        for place in np.flatnonzero(self.is_shown).tolist():
            yield _px(self.x(place)), _px(self.y(float(self.losses[place])))

    def word(self, place: int, right: int) -> Word | None:
        if not self.is_shown[place]:
            return None
        loss = float(self.losses[place])
        x = min(self.x(place) + right, WIDTH - RIGHT - 52)
        return Word(_px(x), _px(max(self.y(loss) - 8, TOP + 10)), filters.loss(loss))

    def gaps(self) -> Iterator[Word]:
        before = np.concatenate(([True], self.is_shown[:-1]))
        for place in np.flatnonzero(~self.is_shown & before).tolist()[:MOST_GAPS]:
            loss = float(self.losses[place])
            kind = "≤ 0" if math.isfinite(loss) else filters.value(loss)
            x = min(self.x(place), WIDTH - RIGHT - 60)
            yield Word(
                _px(x), _px(HEIGHT - BOTTOM - 6), _("%(kind)s at %(epoch)s", kind=kind, epoch=filters.exact(place))
            )

    def x_ticks(self) -> Iterator[Tick]:
        last = self.epochs - 1
        step = max(1, round(tick_step(last, 5)))
        for epoch in range(0, last, step):
            if last - epoch >= 0.6 * step:
                yield Tick(_px(self.x(epoch)), filters.exact(epoch))
        yield Tick(_px(self.x(last)), filters.exact(last))


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


SPARK_WIDTH, SPARK_HEIGHT = 96, 24


@dataclass(frozen=True, slots=True)
class Spark:
    """A line of 96 x 24 without axes, its end a dot."""

    path: str
    x: str
    y: str


def sparkline(losses: Sequence[float], epochs: int) -> Spark | None:
    """Return the losses in small, on the scale that the chart would take; None without a finite one."""
    shown = [(epoch, loss) for epoch, loss in _thinned(losses) if math.isfinite(loss)]
    if not shown:
        return None
    values = [loss for _, loss in shown]
    is_log = scale_of(values).is_log
    places = [math.log10(value) for value in values] if is_log else values
    low, span = min(places), (max(places) - min(places)) or 1.0
    width, height = SPARK_WIDTH - 4, SPARK_HEIGHT - 6
    points = [
        (2 + width * epoch / max(epochs - 1, 1), 3 + height * (1 - (place - low) / span))
        for (epoch, _), place in zip(shown, places, strict=True)
    ]
    path = "".join(f"{'L' if number else 'M'}{_px(x)} {_px(y)}" for number, (x, y) in enumerate(points))
    return Spark(path, _px(points[-1][0]), _px(points[-1][1]))


def _thinned(losses: Sequence[float], most: int = SPARK_WIDTH) -> list[tuple[int, float]]:
    if len(losses) <= most:
        return list(enumerate(losses))
    places = sorted({round(number * (len(losses) - 1) / (most - 1)) for number in range(most)})
    return [(place, losses[place]) for place in places]
