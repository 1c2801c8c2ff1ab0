"""What the statistics of modules say: gradients that do not arrive, vanish or explode, and steps of the wrong size."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.training.figures import COLUMNS
from app.training.insights.insight import Finding, Kind
from app.training.insights.latches import NEVER, Latches
from app.training.insights.looks import looks
from app.training.log import Floats
from app.training.module_columns import ModuleColumns

VANISHED_AT, BACK_AT = 1e-6, 1e-5
EXPLODED_AT, CALM_AT = 100.0, 10.0
HISTORY = 10
REMEMBERED = 0.9
HIGH_RATIO, FINE_HIGH = 0.1, 0.05
LOW_RATIO, FINE_LOW = 1e-6, 2e-6
MOST_ROWS = 20

# How many looks in a row begin a finding about a module, and how many end it.
PATIENCE: Mapping[Kind, tuple[int, int]] = {
    Kind.NO_GRADIENT: (1, 2),
    Kind.DEAD: (3, 2),
    Kind.NOT_MOVING: (3, 2),
    Kind.VANISHING: (5, 5),
    Kind.EXPLODING: (2, 5),
}
_OF_ALL = (Kind.LR_HIGH, Kind.LR_LOW)
LR_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Look:
    """The figures of all modules at one epoch."""

    epoch: int
    parameter: Floats
    gradient: Floats
    ratio: Floats

    @property
    def arrived(self) -> NDArray[np.bool_]:
        """Which modules got a gradient."""
        return ~np.isnan(self.gradient)

    @property
    def largest(self) -> float:
        """The largest finite gradient norm, 0 without any."""
        return float(self.gradient[np.isfinite(self.gradient)].max(initial=0))

    @property
    def typical_ratio(self) -> float:
        """The median update ratio of the modules that got a gradient, NaN without any."""
        known = self.ratio[self.arrived & np.isfinite(self.ratio)]
        return float(np.median(known)) if len(known) else np.nan


class ModuleWatch:
    """Follows the statistics of a run's modules; `rows` are their rows in the tree, `is_frozen` those not to train."""

    def __init__(self, rows: NDArray[np.int64], is_frozen: NDArray[np.bool_]) -> None:
        self.num_stats = 0
        self.first_bad: tuple[int, int] | None = None
        # The smallest and the largest number over 0 of each figure so far: the range of its colours.
        self.ranges: dict[str, tuple[float, float]] = {}
        self._rows = rows
        self._is_frozen = is_frozen
        self._latches = {kind: Latches(len(rows), on=on, off=off) for kind, (on, off) in PATIENCE.items()}
        self._of_all = Latches(len(_OF_ALL), on=LR_PATIENCE, off=LR_PATIENCE)
        # The usual size of each gradient: a mean that forgets, of its logarithm.
        self._usual = np.full(len(rows), np.nan)
        self._looks = 0
        # Of each kind the last look at which it held: its figures say why.
        self._told: dict[Kind, Look] = {}
        self._steps = dict.fromkeys(_OF_ALL, np.nan)

    def follow(self, columns: ModuleColumns) -> None:
        """Take the statistics that follow those taken before."""
        self._find_bad(columns)
        for name in COLUMNS:
            self._widen(name, getattr(columns, name))
        for number in looks(self.num_stats, self.num_stats + len(columns) - 1):
            place = number - self.num_stats
            figures = (columns.parameter_norm[place], columns.gradient_norm[place], columns.update_ratio[place])
            self._look(Look(int(columns.epochs[place]), *figures))
        self.num_stats += len(columns)

    def findings(self) -> Iterator[Finding]:
        """Yield what holds or held, one finding for all modules that it is true of, those that hold apart."""
        for kind, latches in self._latches.items():
            for holds in (True, False):
                found = latches.seen & (latches.holds == holds)
                if kind is Kind.NO_GRADIENT:
                    yield from self._found(Kind.FROZEN, latches, found & self._is_frozen, holds)
                    found = found & ~self._is_frozen
                yield from self._found(kind, latches, found, holds)
        yield from self._found_of_all()

    def about(self, place: int) -> Iterator[Finding]:
        """Yield what holds or held for one module, by its place among them."""
        only = np.zeros(len(self._rows), bool)
        only[place] = True
        for kind, latches in self._latches.items():
            if latches.seen[place]:
                is_frozen = kind is Kind.NO_GRADIENT and self._is_frozen[place]
                yield from self._found(Kind.FROZEN if is_frozen else kind, latches, only, bool(latches.holds[place]))

    def _widen(self, name: str, figures: Floats) -> None:
        known = figures[np.isfinite(figures) & (figures > 0)]
        if len(known):
            low, high = self.ranges.get(name, (np.inf, 0))
            self.ranges[name] = min(low, float(known.min())), max(high, float(known.max()))

    def _find_bad(self, columns: ModuleColumns) -> None:
        if self.first_bad is not None:
            return
        bad = np.isinf(columns.parameter_norm) | np.isinf(columns.gradient_norm)
        if bad.any():
            place = int(bad.any(axis=1).argmax())
            self.first_bad = int(columns.epochs[place]), int(self._rows[bad[place].argmax()])

    def _look(self, look: Look) -> None:
        self._looks += 1
        gradient, arrived = np.nan_to_num(look.gradient, nan=0, posinf=np.inf), look.arrived
        is_zero = arrived & (gradient == 0)
        # Where no gradient is left anywhere the loss has none: that is a plateau, and no module's fault.
        is_dead = is_zero & (look.largest > 0)
        is_still = arrived & (gradient > 0) & np.isfinite(gradient) & (look.ratio == 0)
        self._latches[Kind.NO_GRADIENT].look(look.epoch, ~arrived, arrived)
        self._latches[Kind.DEAD].look(look.epoch, is_dead, ~is_dead)
        self._latches[Kind.NOT_MOVING].look(look.epoch, is_still & ~self._is_frozen, ~is_still)
        some = arrived & ~is_zero
        self._latches[Kind.VANISHING].look(
            look.epoch, some & (gradient < VANISHED_AT * look.largest), gradient > BACK_AT * look.largest
        )
        self._look_for_explosions(look, gradient, some)
        self._look_at_steps(look)
        self._told |= {kind: look for kind, latches in self._latches.items() if latches.holds.any()}

    def _look_for_explosions(self, look: Look, gradient: Floats, some: NDArray[np.bool_]) -> None:
        exploding = self._latches[Kind.EXPLODING]
        usual = np.exp(self._usual)
        is_known = some & ~np.isnan(usual) & (self._looks > HISTORY)
        exploding.look(look.epoch, is_known & (gradient > EXPLODED_AT * usual), gradient < CALM_AT * usual)
        # What explodes does not become usual.
        takes = some & np.isfinite(gradient) & ~exploding.holds & ~(is_known & (gradient > EXPLODED_AT * usual))
        size = np.log(gradient, where=takes, out=np.zeros(len(gradient)))
        mixed = np.where(np.isnan(self._usual), size, REMEMBERED * self._usual + (1 - REMEMBERED) * size)
        self._usual = np.where(takes, mixed, self._usual)

    def _look_at_steps(self, look: Look) -> None:
        ratio = look.typical_ratio
        if np.isnan(ratio):
            return
        rises = (ratio > HIGH_RATIO, ratio < LOW_RATIO and look.largest > 0)
        falls = (ratio < FINE_HIGH, ratio > FINE_LOW)
        self._of_all.look(look.epoch, rises, falls)
        self._steps |= {kind: ratio for kind, holds in zip(_OF_ALL, self._of_all.holds, strict=True) if holds}

    def _found(self, kind: Kind, latches: Latches, found: NDArray[np.bool_], holds: bool) -> Iterator[Finding]:
        places = np.flatnonzero(found)
        if not len(places):
            return
        yield Finding(
            kind=kind,
            first_epoch=int(latches.since[places].min()),
            last_epoch=None if holds else int(latches.until[places].max()) - 1,
            figures=self._figures(kind, int(places[0])),
            rows=tuple(self._rows[places[:MOST_ROWS]].tolist()),
            num_modules=len(places),
        )

    def _figures(self, kind: Kind, place: int) -> dict[str, float]:
        if kind in (Kind.NO_GRADIENT, Kind.FROZEN):
            return {}
        look = self._told[kind]
        figures = {
            "gradient_norm": float(np.nan_to_num(look.gradient[place], posinf=np.inf)),
            "parameter_norm": float(look.parameter[place]),
        }
        if kind is Kind.VANISHING:
            return {**figures, "largest": look.largest, "threshold": VANISHED_AT}
        if kind is Kind.EXPLODING:
            return {**figures, "usual": float(np.exp(self._usual[place])), "threshold": EXPLODED_AT}
        return {**figures, "update_ratio": float(np.nan_to_num(look.ratio[place], posinf=np.inf))}

    def _found_of_all(self) -> Iterator[Finding]:
        for place, (kind, threshold) in enumerate(zip(_OF_ALL, (HIGH_RATIO, LOW_RATIO), strict=True)):
            if self._of_all.seen[place]:
                until = int(self._of_all.until[place])
                yield Finding(
                    kind=kind,
                    first_epoch=int(self._of_all.since[place]),
                    last_epoch=None if until == NEVER else until - 1,
                    figures={"update_ratio": float(self._steps[kind]), "threshold": threshold},
                )
