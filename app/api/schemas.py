"""What answers are made of, as Pydantic models.

Most are only documented by them: what is large is encoded from the rows of `app.trees`, and a test holds the two
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


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Can(_Answer):
    """What this tree can do."""

    train: bool
    edit: bool
    forward: bool


class Tree(_Answer):
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


class OriginFile(_Answer):
    """One file of a checkpoint."""

    name: str
    num_bytes: int


class Origin(_Answer):
    """What the source said of a tree besides its structure."""

    format: Literal["safetensors", "shards", "torch"] | None = Field(description="How the checkpoint is written.")
    files: list[OriginFile]
    stored_bytes: int | None = Field(description="The data of all tensors as the files have it.")
    metadata: dict[str, str] = Field(description="`__metadata__` of a safetensors file, as it stands there.")
    notes: list[str]
    inputs: list[str] = Field(description="Inputs that a forward is likely to take, to be given to `trace`.")


class TreeList(_Answer):
    """Trees, newest first; `next` is the cursor of the next page, or null."""

    items: list[Tree]
    total: int
    next: str | None


class ModuleFacts(_Answer):
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


class Histogram(_Answer):
    """Counts of finite values between each two neighbouring edges."""

    edges: list[float]
    counts: list[int]


class Stats(_Answer):
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


class TensorFacts(_Answer):
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


class _Page(_Answer):
    total: int = Field(description="How many items the whole list has.")
    next: str | None = Field(description="Cursor of the next page, or null at the end.")


class NamedModules(_Page):
    """A page of modules."""

    items: list[Module]


class Modules(_Page):
    """A page of modules, without names."""

    items: list[ModuleFacts]


class NamedParameters(_Page):
    """A page of parameters."""

    items: list[Parameter]


class Parameters(_Page):
    """A page of parameters, without names."""

    items: list[ParameterFacts]


class NamedBuffers(_Page):
    """A page of buffers."""

    items: list[Buffer]


class Buffers(_Page):
    """A page of buffers, without names."""

    items: list[BufferFacts]


class StateDictEntry(_Answer):
    """A tensor of the state dict, without its values."""

    name: str
    shape: list[int] | None
    dtype: str


class StateDict(_Answer):
    """What the state dict holds, in torch's order."""

    items: list[StateDictEntry]
    total: int


class SummaryRow(_Answer):
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


class Summary(_Answer):
    """The modules of a summary in pre-order; the first is the total."""

    rows: list[SummaryRow]


class Skeleton(_Answer):
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


class ApplyArgument(_Answer):
    """An argument of a function that `apply` takes; `default` is null where it is `required`."""

    name: str
    kind: str
    required: bool
    default: Any


class ApplyFunction(_Answer):
    """A function that `apply` takes."""

    name: str
    doc: str
    args: list[ApplyArgument]


class ApplyFunctions(_Page):
    """All functions that `apply` takes."""

    items: list[ApplyFunction]


class Mismatched(_Answer):
    """A name on both sides with different shapes."""

    name: str
    expected: list[int]
    got: list[int]


class LoadedStateDict(_Answer):
    """What `load_state_dict` found: keys that the file lacks, keys that the tree lacks, and tensors that do not fit."""

    missing_keys: list[str]
    unexpected_keys: list[str]
    mismatched: list[Mismatched]
    revision: int


class ForwardOutput(_Answer):
    """What the root answered."""

    y: NestedValues
    nonfinite: NestedWords | None = None
