"""What trees are answered with, and what all answers are made of, as Pydantic models.

Most models are only documented by them: what is large is encoded from the rows of `app.trees`, and a test holds the two
together.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from typing_extensions import TypeAliasType

NestedValues = TypeAliasType("NestedValues", "bool | int | float | list[NestedValues] | None")
NestedWords = TypeAliasType("NestedWords", "str | list[NestedWords] | None")
Instant = Annotated[
    datetime, PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"), return_type=str, when_used="json")
]


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(from_attributes=True)


class Page(Answer):
    """A page of a list."""

    total: int = Field(description="How many items the whole list has.")
    next: str | None = Field(description="Cursor of the next page, or null at the end.")


class Can(Answer):
    """What this tree can do."""

    train: bool
    edit: bool
    forward: bool


class Tree(Answer):
    """An opened model as it is at `revision`; elements and bytes of shared tensors count once."""

    id: str
    name: str
    source: dict[str, Any]
    revision: int
    class_name: str
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    depth: int
    fingerprint: str
    can: Can
    can_undo: bool
    can_redo: bool
    created_at: Instant
    updated_at: Instant


class OriginFile(Answer):
    """One file of a checkpoint."""

    name: str
    num_bytes: int


class Origin(Answer):
    """What the source said of a tree besides its structure."""

    format: Literal["safetensors", "shards", "torch"] | None = Field(description="How the checkpoint is written.")
    files: list[OriginFile]
    stored_bytes: int | None = Field(description="The data of all tensors as the files have it.")
    metadata: dict[str, str] = Field(description="`__metadata__` of a safetensors file, as it stands there.")
    notes: list[str]
    inputs: list[str] = Field(description="Inputs that a forward is likely to take, to be given to `trace`.")


class TreeList(Answer):
    """Trees, newest first; `next` is the cursor of the next page, or null."""

    items: list[Tree]
    total: int
    next: str | None
