"""What a run is asked to do, and every reason why it cannot that the request alone tells."""

import math
from collections.abc import Iterator, Sequence

import msgspec

from app.errors import Invalid, Misfit
from app.training import data_misfits, losses, optimizers, schedules
from app.training.data import Data, LineData, num_points
from app.translation import said

MAX_EPOCHS = 10_000_000
MAX_FROZEN = 1_000
MAX_TOLD = 20
SEEDS = data_misfits.SEEDS
STEPS = ("autograd", "fused")
MONITORS = ("loss", "validation_loss")


class EarlyStopping(msgspec.Struct, frozen=True):
    """Stop after `patience` epochs in which `monitor` did not fall by more than `min_delta` under its lowest."""

    patience: int
    min_delta: float = 0.0
    monitor: str = "loss"


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of a run; the defaults are the tutorial's.

    Without a `batch_size` every epoch sees all points at once. `frozen` are targets whose parameters are left as they
    are. The points of `validation_split`, a share, are kept from training and have a loss of their own.
    """

    epochs: int = 10
    lr: float = 0.01
    optimizer: str = "SGD"
    optimizer_args: dict[str, object] = {}
    loss: str = "MSELoss"
    loss_args: dict[str, object] = {}
    lr_scheduler: str | None = None
    lr_scheduler_args: dict[str, object] = {}
    seed: int | None = None
    data: Data = LineData()
    batch_size: int | None = None
    shuffle: bool = True
    validation_split: float = 0.0
    early_stopping: EarlyStopping | None = None
    frozen: tuple[str, ...] = ()
    module_stats_every: int = 0
    checkpoint_every: int = 0
    step: str = "autograd"
    executor: str = "local"


def num_validation(config: RunConfig) -> int:
    """Return how many points are kept from training, the share rounded to whole points."""
    return round(num_points(config.data) * config.validation_split)


def check(config: RunConfig) -> None:
    """Raise `Invalid` with every misfit of the config at once; `TooLarge` for data that a run does not keep."""
    refuse(misfits_of(config))


def refuse(misfits: Sequence[Misfit]) -> None:
    """Raise `Invalid` with the misfits, if there are any."""
    if misfits:
        first = "; ".join(f"{'.'.join(map(str, misfit.loc))}: {misfit.msg}" for misfit in misfits[:3])
        more = f"; and {len(misfits) - 3} more" if len(misfits) > 3 else ""
        raise Invalid(f"{first}{more}.", tuple(misfits[:MAX_TOLD]))


def misfits_of(config: RunConfig) -> list[Misfit]:
    """Return what is wrong with the config, whichever tree it is for."""
    of_data = data_misfits.misfits_of(config.data)
    of_optimizer = optimizers.misfits_of(config.optimizer, config.lr, config.optimizer_args)
    of_schedule = [] if of_optimizer else _schedule_misfits(config)
    return [
        *_scalar_misfits(config),
        *losses.misfits_of(config.loss, config.loss_args),
        *of_optimizer,
        *of_schedule,
        *of_data,
        *_part_misfits(config, is_counted=not of_data and num_points(config.data) > 0),
        *_stopping_misfits(config),
    ]


def _schedule_misfits(config: RunConfig) -> list[Misfit]:
    return schedules.misfits_of(
        config.lr_scheduler,
        config.lr_scheduler_args,
        config.optimizer,
        config.lr,
        config.optimizer_args,
        config.epochs,
    )


def _scalar_misfits(config: RunConfig) -> list[Misfit]:
    most = f"{MAX_EPOCHS:,}"
    checks = [
        ("epochs", 1 <= config.epochs <= MAX_EPOCHS, said("from 1 to %(most)s", most=most)),
        ("seed", config.seed is None or config.seed in SEEDS, said("null, or from -2**63 to 2**64 - 1")),
        (
            "module_stats_every",
            0 <= config.module_stats_every <= MAX_EPOCHS,
            said("from 0 (never) to %(most)s", most=most),
        ),
        ("checkpoint_every", 0 <= config.checkpoint_every <= MAX_EPOCHS, said("from 0 (never) to %(most)s", most=most)),
        ("step", config.step in STEPS, " or ".join(f'"{step}"' for step in STEPS)),
        ("executor", config.executor == "local", '"local"'),
    ]
    return [
        Misfit((name,), said("expected %(expected)s; got %(given)r", expected=expected, given=getattr(config, name)))
        for name, fits, expected in checks
        if not fits
    ]


def _part_misfits(config: RunConfig, *, is_counted: bool) -> Iterator[Misfit]:
    """What is wrong with the parts that the points are cut into; as far as can be told before they are counted."""
    split, size = config.validation_split, config.batch_size
    if not 0 <= split < 1:
        yield Misfit(("validation_split",), said("expected from 0 to under 1, got %(given)s", given=split))
        return
    points, kept = num_points(config.data), num_validation(config)
    if is_counted and split and not 0 < kept < points:
        msg = said(
            "expected at least one point on both sides, got %(kept)s of %(points)s", kept=kept, points=f"{points:,}"
        )
        yield Misfit(("validation_split",), msg)
        return
    if size is not None and (size < 1 or (is_counted and size > points - kept)):
        most = f"{points - kept:,}"
        expected = (
            said("null, or from 1 to the %(most)s points to train on", most=most)
            if is_counted
            else said("null, or 1 or more")
        )
        yield Misfit(("batch_size",), said("expected %(expected)s; got %(given)r", expected=expected, given=size))


def _stopping_misfits(config: RunConfig) -> Iterator[Misfit]:
    stopping = config.early_stopping
    if stopping is None:
        return
    if not 1 <= stopping.patience <= MAX_EPOCHS:
        most = f"{MAX_EPOCHS:,}"
        yield Misfit(
            ("early_stopping", "patience"),
            said("expected from 1 to %(most)s, got %(given)s", most=most, given=stopping.patience),
        )
    if not (math.isfinite(stopping.min_delta) and stopping.min_delta >= 0):
        yield Misfit(
            ("early_stopping", "min_delta"),
            said("expected a finite number, 0 or more; got %(lr)s", lr=stopping.min_delta),
        )
    if stopping.monitor not in MONITORS:
        known = ", ".join(MONITORS)
        yield Misfit(
            ("early_stopping", "monitor"),
            said("expected one of %(known)s; got %(name)r", known=known, name=stopping.monitor),
        )
    elif stopping.monitor == "validation_loss" and not config.validation_split:
        yield Misfit(("early_stopping", "monitor"), said("validation_loss needs a validation_split over 0"))
