"""What the losses of a run say: not finite, diverging, overfitting, on a plateau."""

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np

from app.training.insights.insight import Finding, Kind
from app.training.insights.latches import NEVER, Latches
from app.training.insights.looks import looks
from app.training.log import EpochColumns, Floats

RECENT = 9
PATIENCE = 3
WARM_UP = 5
DIVERGES_AT, CALMS_AT = 4.0, 2.0
# What is far under where it began is noise around a minimum, whatever multiple of the lowest it is.
NOISE = 0.01
OVERFITS_AT, RECOVERS_AT = 1.2, 1.05
STILL_AT, MOVES_AT = 1e-3, 5e-3
SHORTEST_WINDOW = 20
LEARNT = 1e-6
FINITE_AFTER = 10

_KINDS = (Kind.DIVERGING, Kind.OVERFITTING, Kind.PLATEAU)


class Course:
    """One column of losses as it goes on: where it began, its lowest so far, and the median of the latest few."""

    def __init__(self) -> None:
        self.began = np.nan
        self.lowest = np.inf
        self.recent = np.nan
        self._latest: Floats = np.empty(0)

    def follow(self, losses: Floats) -> None:
        """Take the losses since the last look."""
        finite = losses[np.isfinite(losses)]
        if not len(finite):
            return
        if np.isnan(self.began):
            self.began = float(finite[0])
        self.lowest = min(self.lowest, float(finite.min()))
        self._latest = np.concatenate([self._latest, finite[-RECENT:]])[-RECENT:]
        # Halved meanwhile: the sum of two losses may be too large for a float.
        self.recent = 2 * float(np.median(self._latest / 2))


class LossWatch:
    """Follows the losses of a run from its first epoch on, in pieces of any size."""

    def __init__(self) -> None:
        self.num_epochs = 0
        self._loss, self._validation = Course(), Course()
        self._latches = Latches(len(_KINDS), on=PATIENCE, off=PATIENCE)
        self._nonfinite = Latches(1, on=1, off=FINITE_AFTER)
        self._is_finite = True
        self._figures: dict[Kind, dict[str, float]] = {}
        # The lowest loss at every look, for what it was a window ago.
        self._looked_at: list[int] = []
        self._lowest_then: list[float] = []

    def follow(self, columns: EpochColumns) -> None:
        """Take the epochs that follow those taken before."""
        start = columns.first
        for epoch in looks(columns.first, columns.first + len(columns) - 1):
            self._look(epoch, columns, start)
            start = epoch + 1
        # Epochs after the last look are seen now, and judged at the next one.
        self._take(columns, start, columns.first + len(columns))
        self.num_epochs = columns.first + len(columns)

    def findings(self) -> Iterator[Finding]:
        """Yield what holds or held."""
        if self._nonfinite.seen[0]:
            yield _found(Kind.NONFINITE, self._nonfinite, 0, self._lowest_yet())
        for place, kind in enumerate(_KINDS):
            if self._latches.seen[place]:
                yield _found(kind, self._latches, place, self._figures[kind])

    def _lowest_yet(self) -> dict[str, float]:
        return {"lowest": self._loss.lowest} if np.isfinite(self._loss.lowest) else {}

    def _take(self, columns: EpochColumns, start: int, end: int) -> None:
        part = slice(start - columns.first, end - columns.first)
        losses = columns.loss[part]
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self._is_finite = False
            self._nonfinite.look(start + int(bad[0]), True, False)
        self._loss.follow(losses)
        self._validation.follow(columns.validation_loss[part])

    def _look(self, epoch: int, columns: EpochColumns, start: int) -> None:
        self._take(columns, start, epoch + 1)
        self._nonfinite.look(epoch, False, self._is_finite)
        self._is_finite = True
        if epoch < WARM_UP or np.isnan(self._loss.recent):
            return
        rises, falls = zip(self._diverges(), self._overfits(), self._stands_still(epoch), strict=True)
        self._latches.look(epoch, rises, falls)
        self._note(epoch)
        self._looked_at.append(epoch)
        self._lowest_then.append(self._loss.lowest)

    def _diverges(self) -> tuple[bool, bool]:
        loss = self._loss
        is_far = loss.recent > NOISE * loss.began
        return is_far and loss.recent > DIVERGES_AT * loss.lowest, loss.recent < CALMS_AT * loss.lowest or not is_far

    def _overfits(self) -> tuple[bool, bool]:
        loss, held_out = self._loss, self._validation
        if np.isnan(held_out.recent):
            return False, True
        is_learning = loss.recent < OVERFITS_AT * loss.lowest
        is_far = held_out.recent > NOISE * held_out.began
        rises = is_learning and is_far and held_out.recent > OVERFITS_AT * held_out.lowest
        return rises, held_out.recent < RECOVERS_AT * held_out.lowest

    def _stands_still(self, epoch: int) -> tuple[bool, bool]:
        before = self._lowest_before(epoch - _window(epoch))
        if before is None:
            return False, True
        fell = 0.0 if before <= 0 else 1 - self._loss.lowest / before
        is_learnt = self._loss.recent <= LEARNT * self._loss.began
        is_near = self._loss.recent < CALMS_AT * self._loss.lowest
        return fell <= STILL_AT and not is_learnt and is_near, fell > MOVES_AT or is_learnt or not is_near

    def _lowest_before(self, epoch: int) -> float | None:
        place = bisect_right(self._looked_at, epoch)
        return self._lowest_then[place - 1] if place else None

    def _note(self, epoch: int) -> None:
        loss, held_out = self._loss, self._validation
        before = self._lowest_before(epoch - _window(epoch))
        known = {
            Kind.DIVERGING: {"loss": loss.recent, "lowest": loss.lowest, "threshold": DIVERGES_AT},
            Kind.OVERFITTING: {
                "validation_loss": held_out.recent,
                "lowest": held_out.lowest,
                "loss": loss.recent,
                "threshold": OVERFITS_AT,
            },
            Kind.PLATEAU: {
                "loss": loss.recent,
                "lowest": loss.lowest,
                "before": loss.lowest if before is None else before,
                "epochs": _window(epoch),
                "threshold": STILL_AT,
            },
        }
        for place, kind in enumerate(_KINDS):
            if self._latches.holds[place]:
                self._figures[kind] = known[kind]


def _window(epoch: int) -> int:
    return max(SHORTEST_WINDOW, epoch // 4)


def _found(kind: Kind, latches: Latches, place: int, figures: dict[str, float]) -> Finding:
    until = int(latches.until[place])
    last = None if until == NEVER else until - 1
    return Finding(kind=kind, first_epoch=int(latches.since[place]), last_epoch=last, figures=figures)
