"""What the views of one tensor's values are answered with, as Pydantic models."""

from pydantic import Field

from app.api.schemas import Answer, NestedValues, NestedWords


class Histogram(Answer):
    """Counts of finite values between each two neighbouring edges."""

    edges: list[float]
    counts: list[int]


class Stats(Answer):
    """What the values of a tensor are like; null where no finite value says so."""

    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    l2: float | None
    zeros: int
    nans: int
    infs: int
    histogram: Histogram | None


class ValuesPage(Answer):
    """Values of a tensor in row-major order."""

    start: int = Field(description="The element that the page begins at.")
    total: int = Field(description="How many elements the tensor has.")
    values: NestedValues = Field(
        description="A list of numbers, of complex ones a list of pairs; null in place of one that is not finite."
    )
    nonfinite: NestedWords | None = Field(
        None, description='Only where a number is not finite: its kind, "nan", "inf" or "-inf", in the same nesting.'
    )


class HeatMap(Answer):
    """A matrix in at most 128 by 512 cells."""

    index: list[int] = Field(
        description="Which matrix of the tensor it is: where in the dimensions before the last two."
    )
    shape: list[int] = Field(
        min_length=2, max_length=2, description="Rows and columns of the matrix; a vector is one row."
    )
    block: list[int] = Field(
        min_length=2, max_length=2, description="Rows and columns that a cell stands for; the last ones for fewer."
    )
    cells: list[list[float | None]] = Field(
        description="Of each block the value of largest magnitude, NaN before all; of complex numbers the absolute one."
    )
    nonfinite: list[list[str | None] | None] | None = Field(
        None, description='Only where a cell is not finite: "nan", "inf" or "-inf" in its place, null for other rows.'
    )


class InTheMaking(Answer):
    """How far a reading is, in elements or in rows."""

    done: int
    total: int = Field(description="0 while it waits for its turn.")
