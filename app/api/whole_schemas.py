"""What answers about a tree as a whole are made of, as Pydantic models; the bytes come from the rows of `app.trees`."""

from pydantic import Field

from app.api.schemas import Answer


class StateDictEntry(Answer):
    """A tensor of the state dict, without its values."""

    name: str
    shape: list[int] | None
    dtype: str


class StateDict(Answer):
    """What the state dict holds, in torch's order."""

    items: list[StateDictEntry]
    total: int


class SummaryRow(Answer):
    """A module in a summary, or a run of siblings that are alike, of which it is the first.

    What begins with `num_` is of one; what begins with `total_` is of all of the run, what is shared once.
    """

    name: str
    path: str
    class_name: str
    depth: int
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    num_hidden: int = Field(description="Places below it, deeper than was asked for.")
    label: str = Field(description='The name, or the names of the first and the last of a run: "0-11".')
    count: int = Field(description="How many siblings the row stands for.")
    total_parameters: int
    total_trainable: int
    total_buffers: int
    total_bytes: int


class Summary(Answer):
    """The modules of a summary in pre-order; the first is the total."""

    rows: list[SummaryRow]


class Skeleton(Answer):
    """The whole tree by column, one entry a module, in pre-order."""

    revision: int
    count: int
    parent: list[int] = Field(description="Row of the parent, -1 for the root.")
    name: list[str]
    class_: list[int] = Field(alias="class", description="Index into `classes`.")
    classes: list[str]
    num_parameters: list[int]
    num_trainable: list[int]
    num_buffers: list[int]
    num_bytes: list[int]
    shape: list[int] = Field(description="Equal where shape ids are equal.")
    shared_with: list[int] = Field(description="Row of the first place of the same module, or -1.")
