"""The contract of the statistics of modules; the answer is encoded elsewhere, and a test holds the two together."""

from pydantic import BaseModel, ConfigDict, Field


class StatEpochs(BaseModel):
    """At which epochs there are statistics: from `first` to `last`, every so many, so many in all."""

    model_config = ConfigDict(extra="forbid")

    first: int | None
    last: int | None
    every: int
    count: int


class ModuleStats(BaseModel):
    """Statistics at one epoch, by column: the n-th number of each is of the n-th module."""

    model_config = ConfigDict(extra="forbid")

    epoch: int | None = Field(description="The epoch that they are of; null while there are none.")
    epochs: StatEpochs
    ranges: dict[str, tuple[float, float]] = Field(
        description="The smallest and the largest number over 0 of each figure in the whole run so far."
    )
    rows: list[int] = Field(description="Rows of the modules in the tree as it is now; -1 for one that is gone.")
    paths: list[str] | None = Field(None, description="Their paths; left out with `paths=false`.")
    parameter_norm: list[float | None] = Field(description="Norm of a module's own parameters, before the step.")
    gradient_norm: list[float | None] = Field(description="Norm of their gradients; null where none arrived.")
    update_ratio: list[float | None] = Field(description="Norm of the step over that of the parameters.")
    has_gradient: list[bool] = Field(description="Whether a gradient arrived at all.")
    nonfinite: dict[str, list[int]] | None = Field(
        None, description="At which places of which column the figure was NaN or infinite; only where one was."
    )
