"""What a search answers, as Pydantic models, with an example; the bytes come from the rows of `app.trees`."""

from typing import Any, TypeAlias

from pydantic import Field

from app.api.schemas import Answer

EXAMPLE: dict[str, Any] = {
    "q": "weight",
    "num_modules": 0,
    "num_tensors": 3,
    "rows": [
        {
            "row": 0,
            "depth": 0,
            "name": "",
            "path": "",
            "class_name": "LinearModel",
            "num_parameters": 6,
            "is_found": False,
            "tensors": [
                {
                    "name": "weight",
                    "is_buffer": False,
                    "shape": [1],
                    "dtype": "float32",
                    "numel": 1,
                    "marks": [[0, 6]],
                }
            ],
        }
    ],
    "next": None,
}


Marks: TypeAlias = list[tuple[int, int]]
WHERE = "Where in it stands what was asked for, from one character to before another."


class FoundTensor(Answer):
    """A parameter or buffer that was found, under its name in the module."""

    name: str
    is_buffer: bool
    shape: list[int] | None
    dtype: str
    numel: int
    marks: Marks = Field([], description=WHERE)


class FoundRow(Answer):
    """A module that was found, or that leads to what was found."""

    row: int = Field(description="In pre-order of all places.")
    depth: int
    name: str
    path: str
    class_name: str
    class_status: str | None = Field(None, description="Only where the class was not read: inferred or unknown.")
    num_parameters: int
    is_found: bool = Field(description="False for one that owns tensors that were found, or has such modules in it.")
    tensors: list[FoundTensor] = Field(description="Those of its own that were found.")
    marks: Marks = Field([], description=WHERE)
    class_marks: Marks = Field([], description=WHERE)


class FoundRows(Answer):
    """What a search found, in tree order; of a way down of more than 24 levels the nearest are listed and the root."""

    q: str
    num_modules: int = Field(description="How many modules all pages have, a shared one counted at each place.")
    num_tensors: int = Field(description="How many parameters and buffers all pages have.")
    rows: list[FoundRow]
    next: str | None = Field(description="Cursor of the next page, or null at the end.")
