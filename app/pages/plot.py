"""The area of a chart in which curves are drawn: where a number stands in it, and a curve as the path of an SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.pages.scales import Scale, scale_of, tick_label
from app.training.log import Floats
from app.training.pictures import Curve


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
class Size:
    """The pixels of a drawing, and what it leaves free on each side for its axes."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    @property
    def columns(self) -> int:
        """How many pixels there are from the first epoch to the last."""
        return self.width - self.left - self.right


@dataclass(frozen=True, slots=True)
class Plot:
    """An area whose left end is 0 and whose right end is `last`, with losses up its `scale`."""

    size: Size
    last: float
    scale: Scale

    def x(self, value: float) -> float:
        """Return the distance from the left of an epoch, or of seconds."""
        return self.size.left + self.size.columns * value / self.last

    def y(self, loss: float) -> float:
        """Return the distance from the top of a loss that the axis can show."""
        length = self.size.height - self.size.top - self.size.bottom
        return self.size.top + length - self.scale.at(loss, length)

    @property
    def y_ticks(self) -> tuple[Tick, ...]:
        """The labelled ticks of the scale."""
        return tuple(Tick(px(self.y(tick)), tick_label(tick)) for tick in self.scale.ticks)

    @property
    def y_minor(self) -> tuple[str, ...]:
        """Where the ticks between them stand."""
        return tuple(px(self.y(tick)) for tick in self.scale.minor)

    def is_shown(self, values: Floats) -> NDArray[np.bool_]:
        """Return which numbers the axis can show."""
        return np.isfinite(values) & (values > 0) if self.scale.is_log else np.isfinite(values)

    def path(self, xs: Floats | NDArray[np.int64], values: Floats) -> str:
        """Return moves and lines through the numbers that can be shown; the others are gaps."""
        return "".join(self._steps(xs, values))

    def _steps(self, xs: Floats | NDArray[np.int64], values: Floats) -> Iterator[str]:
        is_joined = False
        for x, value, is_shown in zip(xs.tolist(), values.tolist(), self.is_shown(values).tolist(), strict=True):
            if is_shown:
                yield f"{'L' if is_joined else 'M'}{px(self.x(x))} {px(self.y(value))}"
            is_joined = is_shown


def scale_for(curves: Sequence[Floats], is_log: bool | None = None) -> Scale:
    """Return the scale that holds all finite numbers of the curves; of itself it is a log one where that suits them."""
    ends = [edge for values in curves for edge in _ends(values)]
    return scale_of(ends, is_log if not ends or max(ends) > 0 else False)


def _ends(values: Floats) -> Iterator[float]:
    finite = values[np.isfinite(values)]
    for part in (finite, finite[finite > 0]):
        if len(part):
            yield from (float(part.min()), float(part.max()))


def curve_of(losses: Sequence[float] | Floats) -> Curve:
    """Return the losses of epochs 0, 1, ... as a curve."""
    values = np.asarray(losses, "<f8")
    return Curve(np.arange(len(values)), np.zeros(len(values)), values)


def px(number: float) -> str:
    """Return a distance as SVG takes it, to a tenth of a pixel."""
    return f"{number:.1f}".removesuffix(".0")
