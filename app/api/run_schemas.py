"""The contract of runs, as Pydantic models: requests are validated by these, answers only documented.

Runs and epochs are encoded by `app.training`, in the same bytes for an answer and for the stream; a test holds the two
together.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from app.api.run_data import DataRequest, DataShown, LineRequest, Request, data_of
from app.api.schemas import Instant
from app.training.config import MAX_EPOCHS, MONITORS, SEEDS, STEPS, EarlyStopping, RunConfig
from app.training.losses import LOSSES
from app.training.optimizers import OPTIMIZERS
from app.training.run import RunStatus
from app.training.schedules import LR_SCHEDULERS

Nonfinite = Literal["nan", "inf", "-inf"]


class EarlyStoppingRequest(Request):
    """Stop after `patience` epochs in which `monitor` did not fall by more than `min_delta` under its lowest."""

    patience: int = Field(json_schema_extra={"minimum": 1})
    min_delta: float = Field(0, json_schema_extra={"minimum": 0})
    monitor: str = Field("loss", json_schema_extra={"enum": list(MONITORS)})

    def early_stopping(self) -> EarlyStopping:
        """Return it as training takes it."""
        return EarlyStopping(self.patience, float(self.min_delta), self.monitor)


class NewRun(Request):
    """What to train; everything left out is as in the tutorial."""

    # Bounds are documented here and checked by `app.training.config`, which tells every misfit at once.
    epochs: int = Field(10, json_schema_extra={"minimum": 1, "maximum": MAX_EPOCHS})
    lr: float = Field(0.01, json_schema_extra={"minimum": 0})
    optimizer: str = Field("SGD", description="A class of `torch.optim`.", json_schema_extra={"enum": list(OPTIMIZERS)})
    optimizer_args: dict[str, SkipValidation[Any]] = Field(
        default_factory=dict, description="Further arguments of the optimizer, as torch names them.", examples=[{}]
    )
    loss: str = Field(
        "MSELoss",
        description="A class of `torch.nn` that compares a prediction with a real target.",
        json_schema_extra={"enum": list(LOSSES)},
    )
    seed: int | None = Field(
        None,
        description="For `torch.manual_seed`, before the first epoch.",
        json_schema_extra={"minimum": SEEDS.start, "exclusiveMaximum": SEEDS.stop},
    )
    loss_args: dict[str, SkipValidation[Any]] = Field(
        default_factory=dict, description="Arguments of the loss function, as torch names them.", examples=[{}]
    )
    lr_scheduler: str | None = Field(
        None,
        description="A class of `torch.optim.lr_scheduler`, which steps once an epoch; null keeps `lr`.",
        json_schema_extra={"enum": [None, *LR_SCHEDULERS]},
    )
    lr_scheduler_args: dict[str, SkipValidation[Any]] = Field(
        default_factory=dict, description="Arguments of the schedule, as torch names them.", examples=[{}]
    )
    batch_size: int | None = Field(
        None, description="Points a step; null takes all of them at once.", json_schema_extra={"minimum": 1}
    )
    shuffle: bool = Field(True, description="Whether mini-batches are drawn in an order of the seed at every epoch.")
    validation_split: float = Field(
        0,
        description="The share of the points, drawn by the seed, that is kept from training and has a loss of its own: "
        "in evaluation mode, before the epoch's first step.",
        json_schema_extra={"minimum": 0, "exclusiveMaximum": 1},
    )
    early_stopping: EarlyStoppingRequest | None = Field(None, description="When to stop before the last epoch.")
    frozen: list[str] = Field(
        default_factory=list, description="Targets whose parameters are left as they are.", examples=[[]]
    )
    data: DataRequest = Field(
        default_factory=lambda: LineRequest(kind="line"), discriminator="kind", description="What to learn from."
    )
    module_stats_every: int = Field(
        0,
        description="Norms and update ratios of every module at the last step of every so many epochs; 0 is never.",
        json_schema_extra={"minimum": 0, "maximum": MAX_EPOCHS},
    )
    checkpoint_every: int = Field(
        0,
        description="A checkpoint after every so many epochs; 0 is never.",
        json_schema_extra={"minimum": 0, "maximum": MAX_EPOCHS},
    )
    step: str = Field(
        "autograd",
        description="How a step is taken; `fused` gives the same bits in a fraction of the time, for LinearModels with "
        "SGD and MSELoss.",
        json_schema_extra={"enum": list(STEPS)},
    )
    executor: str = Field(
        "local", description="Where it is trained; only `local` yet.", json_schema_extra={"enum": ["local"]}
    )

    def config(self) -> RunConfig:
        """Return the request as training takes it."""
        values = {name: getattr(self, name) for name in NewRun.model_fields if name != "data"}
        stopping = self.early_stopping and self.early_stopping.early_stopping()
        values |= {"lr": float(self.lr), "frozen": tuple(self.frozen)}
        values |= {"validation_split": float(self.validation_split), "early_stopping": stopping}
        return RunConfig(data=data_of(self.data), **values)


class Overhead(BaseModel):
    """What watching cost the run: shares of the time that it trained, from 0 to 1."""

    module_stats: float


class RunLine(BaseModel):
    """y = slope * x + intercept."""

    slope: float
    intercept: float


class ConfigShown(NewRun):
    """What the run was asked for, with every default."""

    data: DataShown


class Run(BaseModel):
    """A training run. Epochs count from 0; `loss` is that of the last epoch done, before its step."""

    model_config = ConfigDict(extra="forbid")

    id: str
    tree: str
    tree_name: str = Field(description="The tree's name when the run was started.")
    tree_deleted: bool = Field(description="Whether the tree is gone.")
    tree_revision: int = Field(description="The revision that it started from.")
    number: int = Field(description="Counts the runs of the tree, from 1.")
    status: RunStatus
    epochs: int
    epochs_done: int
    loss: float | None
    nonfinite: Nonfinite | None = Field(description="What `loss` is where it is no finite number.")
    best_loss: float | None = Field(description="The lowest finite loss.")
    validation_loss: float | None = Field(description="That of the points kept from training, at the last epoch done.")
    best_validation_loss: float | None = Field(description="The lowest finite validation loss.")
    lr: float | None = Field(description="That of the last epoch done, where a schedule moves it.")
    stopped_early: bool = Field(description="Whether it ended before its last epoch because its loss fell no further.")
    step: str | None = Field(description="How its steps were taken: `autograd` or `fused`; null before the first.")
    num_module_stats: int = Field(description="At how many epochs there are statistics of modules.")
    overhead: Overhead | None = Field(description="Null where no statistics of modules were asked for.")
    fit: RunLine | None = Field(description="The line that the tree is after its last step; null where it is none.")
    checkpoint_epoch: int | None = Field(description="How many epochs the last checkpoint holds.")
    config: ConfigShown
    created_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    error: str | None
    note: str | None = Field(description="What else is to be known: a checkpoint that could not be read or written.")
    result_revision: int | None = Field(description="The revision of the tree that holds the result.")


class RunList(BaseModel):
    """Runs, newest first; `next` is the cursor of the next page, or null."""

    items: list[Run]
    total: int
    next: str | None


class Epoch(BaseModel):
    """One epoch; slope and intercept are of the line that the tree was before its step, where it was looked at."""

    model_config = ConfigDict(extra="forbid")

    epoch: int
    loss: float | None
    at: Instant
    nonfinite: Annotated[Nonfinite | None, Field(description="Only where the loss is no finite number.")] = None
    slope: float | None = None
    intercept: float | None = None
    validation_loss: float | None = None
    lr: float | None = None


class EpochList(BaseModel):
    """Epochs in order; `next` is what to pass as `after` for those that follow, or null."""

    items: list[Epoch]
    next: int | None


class Unfit(BaseModel):
    """A tensor of the run that the tree has no place for."""

    path: str
    msg: str


class Applied(BaseModel):
    """What became of a run's result on the tree as it is now."""

    revision: int = Field(description="The tree's new revision.")
    num_applied: int = Field(description="How many parameters and buffers were put on the tree.")
    num_unfit: int = Field(description="How many found no place.")
    unfit: list[Unfit] = Field(description="Those that found none, the first 100.")
