"""What answers about repeats and costs are made of, as Pydantic models; the bytes come from the rows of `app.trees`."""

from typing import Annotated

from pydantic import Field

from app.api.schemas import Answer

TensorFacts = Annotated[
    list[str | list[int] | bool | None],
    Field(
        min_length=3,
        max_length=4,
        description="Name, shape (null where there is none yet) and dtype; false after them for a buffer that is not "
        "persistent.",
    ),
]
Span = Annotated[tuple[int, int], Field(description="The first, and how many.")]


class FoldedRow(Answer):
    """A module, or a run of siblings that are alike: what is below the row is below the first of them.

    What begins with `num_` is of one; what begins with `total_` is of all of the run, what is shared once.
    """

    depth: int
    row: int = Field(description="Of the first, in pre-order of all places.")
    label: str = Field(description='The name, or the names of the first and the last of a run: "0-11".')
    class_name: str
    extra_repr: str
    count: int = Field(description="How many siblings the row stands for.")
    num_distinct: int = Field(description="Less than `count` where siblings are the same module.")
    num_children: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    total_parameters: int
    total_trainable: int
    total_buffers: int
    total_bytes: int
    shape_id: str


class Folded(Answer):
    """The folded tree in pre-order, each row under the nearest one before it with a smaller depth."""

    num_places: int = Field(description="How many places all of it has.")
    rows: list[FoldedRow]


class Shape(Answer):
    """A subtree, as it is at each of its places."""

    class_name: str = Field(alias="class")
    extra_repr: str
    parameters: list[TensorFacts]
    buffers: list[TensorFacts]
    children: list[tuple[str, int]] = Field(
        description='Name and number of the shape; "sub1..sub10" stands for ten names that count up.'
    )
    module: str | None = Field(
        None, description="The Python module of the class, where it is not that of the one before."
    )
    none: list[str] = Field([], description="Names of children that are None.")
    inferred: bool = Field(False, description="True where the class was concluded from names and shapes.")


class Sharing(Answer):
    """One module at several rows, or one parameter or buffer under several names."""

    kind: str = Field(
        description='"module", "parameter", "buffer", or "tensor": one that is a parameter first, then a buffer.'
    )
    rows: list[int]
    names: list[str] = Field([])


class ShapeGraph(Answer):
    """All distinct shapes in pre-order of first appearance; rows count places in pre-order, from the target."""

    shapes: list[Shape]
    root: int
    bits: dict[str, int] = Field(description="The size of an element, by dtype.")
    shared: list[Sharing]
    frozen: list[Span] = Field([], description="Parameters without gradient, counted in pre-order of all places.")
    eval: list[Span] = Field([], description="Rows of modules in eval mode.")
    no_grad: list[Span] = Field(
        [], description="Rows of modules that the forward of the root never calls, as far as that is known."
    )


class Counted(Answer):
    """A number, and how it was counted."""

    value: int
    how: str


class DtypeBytes(Answer):
    """What the distinct tensors of one dtype come to."""

    dtype: str
    num_tensors: int
    num_elements: int
    num_bytes: int


class Receipt(Answer):
    """The numbers of a subtree, each with the sentence that says how it was counted."""

    parameters: Counted
    listed: Counted
    stored: Counted | None = Field(description="What the file holds; null for a tree that comes from no file.")
    trainable: Counted
    frozen: Counted
    persistent: Counted
    other_buffers: Counted
    num_bytes: Counted
    num_tied: Counted
    no_shape: Counted
    by_dtype: list[DtypeBytes] = Field(description="The largest first; they come to `num_bytes`.")
