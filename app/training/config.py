"""What a run is asked to do, and every reason why it cannot."""

import msgspec

from app.errors import Invalid, Misfit
from app.training import data as datasets
from app.training import optimizers
from app.training.data import Data, LineData
from app.training.losses import LOSSES
from app.translation import said

MAX_EPOCHS = 10_000_000
SEEDS = range(-(2**63), 2**64)


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


def check(config: RunConfig) -> None:
    """Raise `Invalid` with every misfit of the config at once; `TooLarge` for data that a run does not keep."""
    misfits = [
        *_scalar_misfits(config),
        *optimizers.misfits_of(config.optimizer, config.lr, config.optimizer_args),
        *datasets.misfits_of(config.data),
    ]
    if misfits:
        first = "; ".join(f"{'.'.join(map(str, misfit.loc))}: {misfit.msg}" for misfit in misfits[:3])
        more = f"; and {len(misfits) - 3} more" if len(misfits) > 3 else ""
        raise Invalid(f"{first}{more}.", tuple(misfits[:20]))


def _scalar_misfits(config: RunConfig) -> list[Misfit]:
    checks = [
        ("epochs", 1 <= config.epochs <= MAX_EPOCHS, said("from 1 to %(most)s", most=f"{MAX_EPOCHS:,}")),
        ("loss", config.loss in LOSSES, said("one of %(known)s", known=", ".join(LOSSES))),
        ("seed", config.seed is None or config.seed in SEEDS, said("null, or from -2**63 to 2**64 - 1")),
        (
            "module_stats_every",
            config.module_stats_every == 0,
            said("0: this server keeps no statistics of modules yet"),
        ),
        (
            "checkpoint_every",
            0 <= config.checkpoint_every <= MAX_EPOCHS,
            said("from 0 (never) to %(most)s", most=f"{MAX_EPOCHS:,}"),
        ),
        ("step", config.step == "autograd", '"autograd"'),
        ("executor", config.executor == "local", '"local"'),
    ]
    return [
        Misfit((name,), said("expected %(expected)s; got %(given)r", expected=expected, given=getattr(config, name)))
        for name, fits, expected in checks
        if not fits
    ]
