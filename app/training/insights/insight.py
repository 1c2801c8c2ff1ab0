"""One thing that a run's log says, with the figures that say it."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What is wrong, or worth to know."""

    NONFINITE = "nonfinite"
    DIVERGING = "diverging"
    OVERFITTING = "overfitting"
    PLATEAU = "plateau"
    NO_GRADIENT = "no_gradient"
    FROZEN = "frozen"
    DEAD = "dead"
    NOT_MOVING = "not_moving"
    VANISHING = "vanishing"
    EXPLODING = "exploding"
    LR_HIGH = "lr_high"
    LR_LOW = "lr_low"


class Severity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


SEVERITY: Mapping[Kind, Severity] = {
    Kind.NONFINITE: Severity.ERROR,
    Kind.DIVERGING: Severity.ERROR,
    Kind.EXPLODING: Severity.ERROR,
    Kind.PLATEAU: Severity.INFO,
    Kind.FROZEN: Severity.INFO,
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """That a rule holds since `first_epoch`, or held until `last_epoch`; `rows` are the modules that it is about.

    `figures` are the numbers that the rule compared, and its threshold.
    """

    kind: Kind
    first_epoch: int
    last_epoch: int | None = None
    figures: Mapping[str, float] = {}
    rows: tuple[int, ...] = ()
    num_modules: int = 0

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return SEVERITY.get(self.kind, Severity.WARNING)
