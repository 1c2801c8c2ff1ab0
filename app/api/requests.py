"""What requests hold, as Pydantic models; anything else in a body is refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from typing_extensions import TypeAliasType

NestedNumbers = TypeAliasType("NestedNumbers", "bool | int | float | list[NestedNumbers]")
Forward = Literal["own", "chain"]
Dtype = Literal["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]

# What may be large or deep is only documented here: it is read without recursion where it is made into tensors and
# modules, off the event loop.
Numbers = Annotated[
    SkipValidation[NestedNumbers], Field(description="A number, or equally long lists of them, as for `torch.tensor`.")
]
Target = Annotated[
    str, Field(description='Dotted path of the submodule the call is made on; "" is the root.', examples=["sub1"])
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class LinearSpec(_Request):
    """A LinearModel and what is nested in it; a weight or bias left out is `torch.rand(1)`."""

    weight: float | None = None
    bias: float | None = None
    buffers: dict[str, NestedNumbers] | None = None
    children: dict[str, "LinearSpec"] | None = None


class LinearSource(_Request):
    """LinearModels nested as `root` says; what is left out is drawn in pre-order, weight before bias."""

    kind: Literal["linear"]
    root: SkipValidation[LinearSpec]
    seed: int | None = Field(None, ge=-(2**63), lt=2**64)
    forward: Forward = Field("own", description="`chain` feeds the result through the children in order.")


class GridSource(_Request):
    """A full tree of LinearModels, `branching` children in each down to `depth` levels: `sub1`, `sub2`, ..."""

    kind: Literal["grid"]
    branching: int = Field(ge=1)
    depth: int = Field(ge=0)
    seed: int | None = Field(None, ge=-(2**63), lt=2**64)
    forward: Forward = "own"


class FactorySource(_Request):
    """What a callable of the server's table returns; `GET /api/factories` lists them with their arguments."""

    kind: Literal["factory"]
    target: str = Field(
        max_length=1_000, description="`module:name` of the callable.", examples=["torch.nn:Transformer"]
    )
    kwargs: dict[str, Any] = Field(
        default_factory=dict,
        description="Its arguments. A module among them is `{target, kwargs}` again, a list of them for `*args`.",
        examples=[{"d_model": 512, "nhead": 8}],
    )
    device: Literal["meta", "cpu"] = Field("meta", description="On `meta`, tensors have shapes and take no memory.")


class ConfigSource(_Request):
    """The architecture that a Hugging Face `config.json` describes, on the meta device; nothing is downloaded."""

    kind: Literal["config"]
    config: dict[str, Any] = Field(description="The object of the `config.json`.")
    architecture: str | None = Field(
        None, max_length=200, description="Class of `transformers`, where it is another than the config's first."
    )


class CheckpointSource(_Request):
    """A checkpoint under a `--root` of the server; only its headers are read."""

    kind: Literal["checkpoint"]
    path: str = Field(
        min_length=1,
        max_length=4_096,
        description="A `.safetensors` file, a `*.safetensors.index.json` with its shards beside it, or a `.pt` or "
        "`.pth` state dict; absolute, or relative to a root.",
    )


Source = Annotated[
    LinearSource | GridSource | FactorySource | ConfigSource | CheckpointSource, Field(discriminator="kind")
]


class NewTree(_Request):
    """What to open, and under which name."""

    name: str | None = Field(None, min_length=1, max_length=200)
    source: Source


class TreeName(_Request):
    """The new name of a tree."""

    name: str = Field(min_length=1, max_length=200)


class RegisterBuffer(_Request):
    """`module.register_buffer(name, torch.tensor(value), persistent)`."""

    target: Target = ""
    name: str
    value: Numbers
    dtype: Dtype | None = Field(None, description="What torch infers from the value where left out.")
    persistent: bool = True


class RegisterParameter(_Request):
    """`module.register_parameter(name, nn.Parameter(torch.tensor(value), requires_grad))`."""

    target: Target = ""
    name: str
    value: Numbers
    dtype: Dtype | None = Field(None, description="What torch infers from the value where left out.")
    requires_grad: bool = True


class AddModule(_Request):
    """`module.add_module(name, LinearModel())`, with all that is nested in it."""

    target: Target = ""
    name: str
    root: SkipValidation[LinearSpec]


class Delete(_Request):
    """`del` of a submodule, parameter or buffer."""

    target: str = Field(examples=["sub1.sub2_1"])


class Move(_Request):
    """Another name for a submodule, another parent, or both."""

    target: str = Field(description="Dotted path of the submodule that is moved.", examples=["sub1"])
    to: str = Field(description="The dotted path that it gets.", examples=["sub2"])
    position: int | None = Field(
        None,
        ge=0,
        description="Its place among its new siblings, from 0; where left out, it keeps the one it has under the same "
        "parent and comes last under another.",
    )


class Duplicate(_Request):
    """A copy of a submodule, with all that is nested in it."""

    target: str = Field(description="Dotted path of the submodule that is copied.", examples=["sub1"])
    to: str | None = Field(
        None, description="The dotted path of the copy; where left out, its name counts up: `sub1`, `sub2`."
    )
    position: int | None = Field(
        None,
        ge=0,
        description="Its place among its siblings, from 0; where left out, it comes right after what it was copied "
        "from, and last under another parent.",
    )


class Copy(_Request):
    """`tensor.copy_(torch.tensor(value))`, of the same shape and dtype."""

    target: str = Field(description="Dotted path of the parameter or buffer.", examples=["sub1.weight"])
    value: Numbers


class Apply(_Request):
    """`module.apply(fn)`; `GET /api/apply_functions` lists the functions and their arguments."""

    target: Target = ""
    fn: str
    args: dict[str, SkipValidation[Any]] = Field(default_factory=dict)


class RequiresGrad(_Request):
    """`module.requires_grad_(requires_grad)`."""

    target: Target = ""
    requires_grad: bool = True


class Train(_Request):
    """`module.train(mode)`."""

    target: Target = ""
    mode: bool = True


class Eval(_Request):
    """`module.eval()`."""

    target: Target = ""


class ForwardInput(_Request):
    """What to call the root with."""

    x: Numbers
