"""What looking in is answered with, as Pydantic models; the bytes come from the rows of `app.trees`."""

from typing import Literal

from pydantic import Field

from app.api.schemas import Answer, NestedValues, NestedWords, Page
from app.api.tensor_schemas import Stats


class ModuleFacts(Answer):
    """A module; counts are of its whole subtree, what is shared within it counted once."""

    path: str
    class_name: str
    module: str = Field(description="The Python module that the class comes from.")
    extra_repr: str
    training: bool
    depth: int
    num_children: int
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    shared_with: str | None = Field(description="The first path of the same module, or null.")
    shape_id: str
    class_status: Literal["inferred", "unknown"] | None = Field(
        None, description="There where the class was concluded from names and shapes, or is not known."
    )


class Module(ModuleFacts):
    """A module under its name, relative to `target`."""

    name: str


class TensorFacts(Answer):
    """A tensor of the tree; `values` only where there are at most 64."""

    path: str
    shape: list[int] | None
    dtype: str
    device: str
    numel: int
    num_bytes: int
    shared_with: str | None = Field(description="The first path of the same tensor, or null.")
    values: NestedValues = Field(
        description="Nested numbers; null in place of one that is not finite, or of all where they are too many or not "
        "at hand, as on a page of a checkpoint after its first 1,000 small tensors: `values` has those of any."
    )
    nonfinite: NestedWords | None = Field(
        None, description='Only where a number is not finite: its kind, "nan", "inf" or "-inf", in the same nesting.'
    )
    stats: Stats | None
    layout: str | None = Field(None, description="Only of a tensor that is not strided: `sparse_coo` and so on.")


class ParameterFacts(TensorFacts):
    """A parameter."""

    requires_grad: bool


class Parameter(ParameterFacts):
    """A parameter under its name, relative to `target`."""

    name: str


class BufferFacts(TensorFacts):
    """A buffer."""

    persistent: bool


class Buffer(BufferFacts):
    """A buffer under its name, relative to `target`."""

    name: str


class NamedModules(Page):
    """A page of modules."""

    items: list[Module]


class Modules(Page):
    """A page of modules, without names."""

    items: list[ModuleFacts]


class NamedParameters(Page):
    """A page of parameters."""

    items: list[Parameter]


class Parameters(Page):
    """A page of parameters, without names."""

    items: list[ParameterFacts]


class NamedBuffers(Page):
    """A page of buffers."""

    items: list[Buffer]


class Buffers(Page):
    """A page of buffers, without names."""

    items: list[BufferFacts]
