"""The contract of uploaded data, as Pydantic models; answers are encoded by `app.storage.data_files`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas import Instant


class DataColumn(BaseModel):
    """A column of an uploaded file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    num_missing: int = Field(description="Cells that are empty, or say NA, N/A, NaN, null or None.")
    num_non_numeric: int = Field(description="Cells that hold something else than a finite float32.")
    min: float | None
    max: float | None
    examples: list[str] = Field(description="What the first cells hold.")


class CellProblem(BaseModel):
    """A cell without a number; rows count from 1, with the header."""

    row: int
    column: str
    text: str
    is_missing: bool


class Data(BaseModel):
    """An uploaded file, to be named in the `data` of a run."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str
    num_rows: int = Field(description="Rows with values: without the header and empty lines.")
    delimiter: str
    has_header: bool = Field(description="Without one the columns are `column1`, `column2`, ...")
    num_bytes: int
    columns: list[DataColumn]
    problems: list[CellProblem] = Field(description="The first 20 cells without a number, by row.")
    created_at: Instant


class DataList(BaseModel):
    """All uploads, newest first."""

    items: list[Data]
    total: int


DATA: dict[str, Any] = {
    "id": "d_ab2cd3ef4g",
    "name": "people.csv",
    "num_rows": 3,
    "delimiter": ",",
    "has_header": True,
    "num_bytes": 41,
    "columns": [
        {
            "name": "age",
            "num_missing": 1,
            "num_non_numeric": 0,
            "min": 31.0,
            "max": 47.0,
            "examples": ["31", "", "47"],
        },
        {
            "name": "height",
            "num_missing": 0,
            "num_non_numeric": 0,
            "min": 1.62,
            "max": 1.8,
            "examples": ["1.8", "1.7", "1.62"],
        },
    ],
    "problems": [{"row": 3, "column": "age", "text": "", "is_missing": True}],
    "created_at": "2026-01-01T12:00:00Z",
}
