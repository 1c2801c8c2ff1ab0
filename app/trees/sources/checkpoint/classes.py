"""Classes inferred from the names and shapes of a module's own tensors, where that is sound; never more than a guess.

A file of tensors says nothing of classes. What is inferred here holds for modules written as torch's own are; where
two classes leave the same tensors (a norm of weight and bias, a square matrix in a file with `Conv1D`), the name of the
module decides if it can, and else the class stays unknown.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.trees.description import Kind, ModuleClass
from app.trees.sources.checkpoint.dtypes import DTYPES

UNKNOWN = ModuleClass("", "")
BUFFERS = frozenset({"running_mean", "running_var", "num_batches_tracked"})
"""Names that are buffers in torch's own modules."""

_HINTS = {
    hint: re.compile(pattern, re.IGNORECASE)
    for hint, pattern in {
        "no_embedding": r"unembed|embed_out|output_embed|proj|bias",
        "embedding": r"embed|embd|^(wte|wpe|shared)$",
        "rms_norm": r"rms_?norm",
        "layer_norm": r"layer_?norm|^ln(_|\d|$)|_ln\d*$",
        "group_norm": r"group_?norm|^gn\d*$",
        "transposed": r"transpose|deconv|upsample|^up",
        "convolution": r"conv",
    }.items()
}
_RECURRENT = re.compile(r"(weight|bias)_(ih|hh|hr)(_l(\d+)(_reverse)?)?")
_GATES = {4: "LSTM", 3: "GRU", 1: "RNN"}

_Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Inferred:
    """A class, and what its `extra_repr` would say of what the shapes tell."""

    cls: ModuleClass
    extra_repr: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a module beside its tensors' shapes; `has_conv1d` says so of any in the file."""

    name: str
    has_children: bool
    has_conv1d: bool


def is_conv1d(tensors: Mapping[str, Kind]) -> bool:
    """Whether a module is surely transformers' `Conv1D`: a matrix of inputs by outputs, and a bias of the outputs."""
    if set(tensors) != {"weight", "bias"}:
        return False
    weight, bias = tensors["weight"].shape, tensors["bias"].shape
    return weight is not None and len(weight) == 2 and bias == weight[1:] and weight[0] != weight[1]


def infer(tensors: Mapping[str, Kind], evidence: Evidence) -> Inferred | None:
    """Return the class of a module with these tensors of its own, or None where it cannot be told."""
    shapes = {name: kind.shape for name, kind in tensors.items() if kind.shape is not None}
    trained = [kind for name, kind in tensors.items() if name not in BUFFERS]
    if len(shapes) != len(tensors) or not all(DTYPES[kind.dtype].is_differentiable for kind in trained):
        return None
    for rule in _RULES:
        found = rule(shapes, evidence)
        if found is not None:
            return found
    return None


def hints_of(name: str) -> frozenset[str]:
    """Return what the name of a module speaks for."""
    return frozenset(hint for hint, pattern in _HINTS.items() if pattern.search(name))


def _attention(shapes: _Shapes, evidence: Evidence) -> Inferred | None:
    weight = shapes.get("in_proj_weight", ())
    if not evidence.has_children or len(weight) != 2 or weight[0] != 3 * weight[1]:
        return None
    if set(shapes) <= {"in_proj_weight", "in_proj_bias", "bias_k", "bias_v"}:
        return _inferred("MultiheadAttention", "activation", f"embed_dim={weight[1]}")
    return None


def _batch_norm(shapes: _Shapes, evidence: Evidence) -> Inferred | None:
    names = set(shapes)
    if not {"running_mean", "running_var"} <= names or not names <= BUFFERS | {"weight", "bias"}:
        return None
    sizes = {shape for name, shape in shapes.items() if name != "num_batches_tracked"}
    if evidence.has_children or len(sizes) != 1 or len(shapes["running_mean"]) != 1:
        return None
    (features,) = shapes["running_mean"]
    affine = "weight" in names
    return _inferred("BatchNorm", "batchnorm", f"{features}, affine={affine}, track_running_stats=True")


def _recurrent(shapes: _Shapes, evidence: Evidence) -> Inferred | None:
    found = [_RECURRENT.fullmatch(name) for name in shapes]
    if not found or not all(found) or evidence.has_children:
        return None
    is_cell = "weight_ih" in shapes
    suffix = "" if is_cell else "_l0"
    inputs, hidden = shapes.get(f"weight_ih{suffix}", ()), shapes.get(f"weight_hh{suffix}", ())
    projection = shapes.get(f"weight_hr{suffix}", ())
    size = projection[1] if len(projection) == 2 else hidden[1] if len(hidden) == 2 else 0
    if len(inputs) != 2 or not size or inputs[0] % size:
        return None
    name = _GATES.get(inputs[0] // size)
    if name is None or hidden[0] != inputs[0]:
        return None
    extra = f"{inputs[1]}, {size}"
    if is_cell:
        return _inferred(f"{name}Cell", "rnn", extra)
    layers = len({match[4] for match in found if match})
    extra += f", proj_size={projection[0]}" if projection else ""
    extra += f", num_layers={layers}" if layers > 1 else ""
    extra += ", bidirectional=True" if any(match and match[5] for match in found) else ""
    return _inferred(name, "rnn", extra)


def _weight_and_bias(shapes: _Shapes, evidence: Evidence) -> Inferred | None:
    weight, bias = shapes.get("weight", ()), shapes.get("bias")
    if evidence.has_children or not set(shapes) <= {"weight", "bias"} or not weight:
        return None
    rule = {1: _norm, 2: _matrix}.get(len(weight), _convolution)
    return rule(weight, bias, evidence)


def _norm(weight: tuple[int, ...], bias: tuple[int, ...] | None, evidence: Evidence) -> Inferred | None:
    hints = hints_of(evidence.name)
    if bias is None:
        return _inferred("RMSNorm", "normalization", f"{weight}") if "rms_norm" in hints else None
    if bias == weight and "layer_norm" in hints:
        return _inferred("LayerNorm", "normalization", f"{weight}, elementwise_affine=True")
    if bias == weight and "group_norm" in hints:
        return _inferred("GroupNorm", "normalization", f"num_channels={weight[0]}, affine=True")
    return None


def _matrix(weight: tuple[int, ...], bias: tuple[int, ...] | None, evidence: Evidence) -> Inferred | None:
    rows, columns = weight
    hints = hints_of(evidence.name)
    if bias is not None:
        if bias == (columns,) and rows != columns:
            cls = ModuleClass("Conv1D", "transformers.pytorch_utils", inferred=True)
            return Inferred(cls, f"nf={columns}, nx={rows}")
        if bias != (rows,) or (evidence.has_conv1d and rows == columns):
            return None
    elif "embedding" in hints or "no_embedding" in hints:
        if "no_embedding" not in hints:
            return _inferred("Embedding", "sparse", f"{rows}, {columns}")
        if not evidence.name.endswith("proj"):
            return None
    return _inferred("Linear", "linear", f"in_features={columns}, out_features={rows}, bias={bias is not None}")


def _convolution(weight: tuple[int, ...], bias: tuple[int, ...] | None, evidence: Evidence) -> Inferred | None:
    dims, hints = len(weight) - 2, hints_of(evidence.name)
    if dims > 3 or (dims == 1 and "convolution" not in hints):
        return None
    kernel = f"kernel_size={weight[2:]}, bias={bias is not None}"
    if "transposed" in hints or (bias is not None and bias != weight[:1]):
        if bias != weight[1:2]:
            return None
        return _inferred(f"ConvTranspose{dims}d", "conv", f"in_channels={weight[0]}, {kernel}")
    return _inferred(f"Conv{dims}d", "conv", f"out_channels={weight[0]}, {kernel}")


def _inferred(name: str, module: str, extra_repr: str) -> Inferred:
    return Inferred(ModuleClass(name, f"torch.nn.modules.{module}", inferred=True), extra_repr)


_RULES: tuple[Callable[[_Shapes, Evidence], Inferred | None], ...] = (
    _weight_and_bias,
    _batch_norm,
    _attention,
    _recurrent,
)
