"""The data of runs in the contract, as Pydantic models: what a run may learn from."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.training.data import (
    MAX_COEFFICIENTS,
    MAX_POINTS,
    CsvData,
    Data,
    LineData,
    PolynomialData,
    SineData,
    TableData,
)
from app.training.data_misfits import SEEDS

# Bounds are documented here and checked by `app.training`, which tells every misfit at once.
COUNT: dict[str, Any] = {"minimum": 1, "maximum": MAX_POINTS}


class Request(BaseModel):
    """A request: JSON's own types, nothing that is not asked for, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Noisy(Request):
    noise: float = Field(0, description="Standard deviation of what is added to y.", json_schema_extra={"minimum": 0})
    noise_seed: int = Field(
        0,
        description="The noise is drawn from it.",
        json_schema_extra={"minimum": SEEDS.start, "exclusiveMaximum": SEEDS.stop},
    )


class LineRequest(_Noisy):
    """x = 0, 1, ..., count - 1 as (count, 1), y = slope * x + intercept."""

    kind: Literal["line"]
    slope: float = 2
    intercept: float = 1
    count: int = Field(10, description="How many points.", json_schema_extra=COUNT)


class PolynomialRequest(_Noisy):
    """`count` x evenly from `start` to `stop`, both among them; y = c[0] + c[1] * x + c[2] * x**2 + ..."""

    kind: Literal["polynomial"]
    coefficients: list[float] = Field(
        default_factory=lambda: [0.0, 0.0, 1.0],
        description="The constant first.",
        examples=[[0.0, 0.0, 1.0]],
        json_schema_extra={"minItems": 1, "maxItems": MAX_COEFFICIENTS},
    )
    start: float = -1
    stop: float = 1
    count: int = Field(100, description="How many points.", json_schema_extra=COUNT)


class SineRequest(_Noisy):
    """`count` x evenly from `start` to `stop`; y = amplitude * sin(2 * pi * frequency * x + phase) + offset."""

    kind: Literal["sine"]
    amplitude: float = 1
    frequency: float = Field(1, description="Periods for each 1 of x.")
    phase: float = Field(0, description="In radians.")
    offset: float = 0
    start: float = -1
    stop: float = 1
    count: int = Field(100, description="How many points.", json_schema_extra=COUNT)


class TableRequest(Request):
    """Rows of x and, as many, rows of y, with 20,000 numbers in all."""

    kind: Literal["table"]
    x: list[list[float]] = Field(json_schema_extra={"minItems": 1})
    y: list[list[float]] = Field(json_schema_extra={"minItems": 1})


class CsvRequest(Request):
    """Columns of an uploaded file; see `POST /api/data`."""

    kind: Literal["csv"]
    upload: str = Field(description="Id of the upload.", examples=["d_ab2cd3ef4g"], max_length=64)
    x: list[str] = Field(description="The columns that are given to the tree.", json_schema_extra={"minItems": 1})
    y: list[str] = Field(description="The columns that it is to give.", json_schema_extra={"minItems": 1})
    missing: str = Field(
        "refuse",
        description="What becomes of rows without a number in one of the columns: each is named and the run refused, "
        "or they are left out.",
        json_schema_extra={"enum": ["refuse", "drop"]},
    )
    standardize: bool = Field(False, description="Take each column to mean 0 and standard deviation 1.")


class LineShown(LineRequest):
    """The points of a line."""


class PolynomialShown(PolynomialRequest):
    """The points of a polynomial."""


class SineShown(SineRequest):
    """The points of a sine."""


class TableShown(TableRequest):
    """The points of a table."""


class CsvShown(CsvRequest):
    """The points of an uploaded file."""

    name: str = Field(description="The file's name.")
    count: int = Field(description="How many points it gave.")
    num_dropped: int = Field(description="How many rows were left out.")


DataRequest = LineRequest | PolynomialRequest | SineRequest | TableRequest | CsvRequest
DataShown = Annotated[LineShown | PolynomialShown | SineShown | TableShown | CsvShown, Field(discriminator="kind")]

KINDS: Mapping[str, type[BaseModel]] = {
    "line": LineRequest,
    "polynomial": PolynomialRequest,
    "sine": SineRequest,
    "table": TableRequest,
    "csv": CsvRequest,
}


def data_of(request: DataRequest) -> Data:
    """Return the request as training takes it."""
    match request:
        case LineRequest():
            return LineData(**_numbers(request))
        case PolynomialRequest():
            values = _numbers(request)
            return PolynomialData(**values | {"coefficients": tuple(map(float, request.coefficients))})
        case SineRequest():
            return SineData(**_numbers(request))
        case TableRequest():
            return TableData(x=_rows(request.x), y=_rows(request.y))
        case CsvRequest():
            values = request.model_dump(exclude={"kind", "x", "y"})
            return CsvData(x=tuple(request.x), y=tuple(request.y), **values)


def _numbers(request: BaseModel) -> dict[str, Any]:
    values = request.model_dump(exclude={"kind", "coefficients"})
    fields = type(request).model_fields
    return {name: float(value) if fields[name].annotation is float else value for name, value in values.items()}


def _rows(rows: list[list[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row)) for row in rows)
