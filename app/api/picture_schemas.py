"""The contract of pictures of runs, as Pydantic models; answers are only documented by them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.run_schemas import Nonfinite, Run


class Curve(BaseModel):
    """Numbers at some epochs, by column."""

    model_config = ConfigDict(extra="forbid")

    epoch: list[int]
    seconds: list[float] = Field(description="How long the run had trained then; pauses do not count.")
    value: list[float | None]
    nonfinite: list[tuple[int, int, Nonfinite]] = Field(
        description="First epoch, last epoch and kind of the stretches that are null in `value`."
    )


class Picture(BaseModel):
    """A run for a chart, as it was after the event `last_event`: a stream `after` that goes on from here."""

    model_config = ConfigDict(extra="forbid")

    run: Run
    last_event: int
    num_epochs: int = Field(description="How many epochs the curves speak of.")
    seconds: float = Field(description="How long the run has trained; pauses do not count.")
    smooth: float = Field(description="The factor of the moving average; 0 for none.")
    loss: Curve
    smoothed: Curve | None = Field(description="Null where `smooth` is 0.")
    validation_loss: Curve | None = Field(description="Null where no points were kept from training.")
    smoothed_validation_loss: Curve | None


class Hyperparameter(BaseModel):
    """One hyperparameter of all the runs."""

    name: str = Field(description="As in the run's config, dotted where it lies in another: `data.slope`.")
    values: list[Any] = Field(description="One of each run, null where it has none; long lists by length and digest.")
    differs: bool


class Compared(BaseModel):
    """Runs side by side, in the order in which they were asked for."""

    items: list[Picture]
    hyperparameters: list[Hyperparameter] = Field(description="What differs comes first.")
