"""The zoo: models that are odd in one way each, by name. What is odd is the first line of each one's docstring."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import prune, spectral_norm
from torch.nn.utils.parametrizations import weight_norm

from app.trees.linear import LinearModel

Maker = Callable[[], nn.Module]

ZOO: dict[str, Maker] = {}

ODD_NAMES = (
    "with space",
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "&amp;",
    "quote'double\"",
    "line\nbreak",
    "tab\tand\x1b[31m",
    "a/b\\c",
    "100%",
    "%2e",
    "{{ name }}",
    "`code`",
    "모듈",
    "🔥🧠",
    "\u202eright to left",
    "e\u0301",
    "0",
    "-1",
    " ",
    "class",
    "__debug__",
    "#?&=+",
    "|",
    "\u2028",
)


def odd(make: Maker) -> Maker:
    ZOO[make.__name__] = make
    return make


class Holder(nn.Module):
    """A module that has nothing but what it is given."""


def holding(**children: nn.Module | None) -> Holder:
    holder = Holder()
    for name, child in children.items():
        holder.add_module(name, child)
    return holder


def nested_linear_models() -> LinearModel:
    """The tutorial's three: `sub1` in the root, `sub2_1` in it."""
    model1, model2, model3 = LinearModel(), LinearModel(), LinearModel()
    model1.sub1 = model2
    model2.sub2_1 = model3
    return model1


ZOO["nested_linear_models"] = nested_linear_models


@odd
def nothing() -> nn.Module:
    """No parameter, no buffer, no child."""
    return Holder()


@odd
def shared_under_two_parents() -> nn.Module:
    """One module with children of its own is in two places, at different depths."""
    shared = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    return holding(left=holding(part=shared), right=holding(inner=holding(part=shared)), last=nn.Linear(1, 1))


@odd
def shared_siblings() -> nn.Module:
    """One activation stands between all layers, so that siblings are the same module."""
    activation, linear = nn.ReLU(), nn.Linear(2, 2)
    return nn.Sequential(linear, activation, nn.Linear(2, 2), activation, linear)


@odd
def shared_within_shared() -> nn.Module:
    """A shared module holds a shared module: eight places for one."""
    model: nn.Module = nn.Linear(2, 2)
    for _ in range(3):
        model = holding(a=model, b=model)
    return model


@odd
def tied_parameters() -> nn.Module:
    """An embedding and the head's weight are one parameter."""
    model = nn.ModuleDict({"embedding": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    head, embedding = model["head"], model["embedding"]
    assert isinstance(head, nn.Linear)
    assert isinstance(embedding, nn.Embedding)
    head.weight = embedding.weight
    return model


@odd
def tied_in_one_module() -> nn.Module:
    """One parameter and one buffer, each under two names of the same module, and of its child."""
    model, child = Holder(), Holder()
    parameter, buffer = nn.Parameter(torch.ones(3)), torch.zeros(2)
    model.child = child
    for module in (model, child):
        for name in ("first", "second"):
            module.register_parameter(name, parameter)
            module.register_buffer(name + "_buffer", buffer)
    return model


@odd
def parameter_that_is_a_buffer_too() -> nn.Module:
    """One tensor is a parameter in one place and a buffer in another: its bytes are there once."""
    parameter = nn.Parameter(torch.ones(4))
    model = holding(left=Holder(), right=Holder())
    model.get_submodule("left").register_parameter("weight", parameter)
    model.get_submodule("right").register_buffer("weight", parameter)
    return model


@odd
def nones() -> nn.Module:
    """A child, a parameter and a buffer that are registered and None."""
    model = holding(first=None, linear=nn.Linear(2, 2, bias=False), last=None)
    model.register_parameter("parameter", None)
    model.register_parameter("real", nn.Parameter(torch.ones(1)))
    model.register_buffer("buffer", None)
    model.register_buffer("real_buffer", torch.ones(1))
    model.norm = nn.BatchNorm1d(2, affine=False, track_running_stats=False)
    return model


@odd
def non_persistent_buffers() -> nn.Module:
    """Buffers that the state dict leaves out, between ones that it has."""
    model = holding(child=Holder())
    for module in (model, model.get_submodule("child")):
        module.register_buffer("kept", torch.ones(2))
        module.register_buffer("fleeting", torch.ones(3), persistent=False)
        module.register_buffer("kept_too", torch.ones(4))
    return model


@odd
def recurrent() -> nn.Module:
    """Parameters that are made in loops and flattened: weight_ih_l0_reverse and the like."""
    return nn.Sequential(nn.LSTM(2, 3, num_layers=2, bidirectional=True), nn.GRUCell(3, 2))


@odd
def parameter_containers() -> nn.Module:
    """ParameterList, ParameterDict and BufferList-like holders print their tensors as if they were children."""
    model = Holder()
    model.list = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1, 3))])
    model.dict = nn.ParameterDict({"a": nn.Parameter(torch.ones(1)), "b": nn.Parameter(torch.ones(2))})
    model.empty = nn.ParameterList()
    return model


@odd
def module_containers() -> nn.Module:
    """ModuleList folds what it prints, by a `__repr__` of its own; ModuleDict does not."""
    return nn.ModuleDict(
        {
            "blocks": nn.ModuleList([nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)]),
            "none": nn.ModuleList(),
            "by_name": nn.ModuleDict({"a": nn.Identity(), "b": nn.ModuleList([nn.Identity()])}),
        }
    )


@odd
def transformer() -> nn.Module:
    """Attention holds a parameter next to a child, and a class that prints under another name than it is known by."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), num_layers=2)


@odd
def parametrized() -> nn.Module:
    """`weight` is a property that computes; its class is made on the spot, as ParametrizedLinear."""
    return nn.Sequential(weight_norm(nn.Linear(2, 3)), nn.Linear(3, 1))


@odd
def odd_names() -> nn.Module:
    """Names that are markup, control characters, another script, or no identifiers: as children and as tensors."""
    model = Holder()
    for number, name in enumerate(ODD_NAMES):
        child = LinearModel()
        child.register_buffer(name, torch.tensor([number]))
        child.add_module(ODD_NAMES[-number - 1] + "+", Holder())
        model.add_module(name, child)
    return model


@odd
def complex_numbers() -> nn.Module:
    """Complex parameters, and a buffer that is a conjugate view."""
    model = Holder()
    model.register_parameter("weight", nn.Parameter(torch.tensor([[1 + 2j, -3j]])))
    model.register_parameter("one", nn.Parameter(torch.tensor([1 + 1j])))
    model.register_buffer("conjugate", torch.tensor([1 + 2j, 3 - 4j]).conj())
    return model


@odd
def on_meta() -> nn.Module:
    """Tensors without data."""
    return nn.Sequential(nn.Linear(1_000, 1_000, device="meta"), nn.BatchNorm1d(1_000, device="meta"))


@odd
def odd_shapes() -> nn.Module:
    """Tensors without dimensions, without elements, with many dimensions, and not contiguous."""
    model = Holder()
    for name, tensor in {
        "scalar": torch.tensor(4.0),
        "empty": torch.empty(0),
        "empty_rows": torch.empty(0, 3),
        "empty_columns": torch.empty(2, 0),
        "cube": torch.arange(24.0).reshape(2, 3, 4),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "strided": torch.arange(10.0)[::3],
        "expanded": torch.ones(1).expand(5),
        "large": torch.arange(65.0),
    }.items():
        model.register_parameter(name, nn.Parameter(tensor))
        model.register_buffer(name + "_buffer", tensor)
    return model


@odd
def odd_dtypes() -> nn.Module:
    """Buffers of every dtype that a tensor of numbers can have here, and integer parameters without gradients."""
    model = Holder()
    for dtype in (
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.float8_e4m3fn,
    ):
        word = str(dtype).removeprefix("torch.")
        model.register_buffer("b_" + word, torch.tensor([0, 1, 1]).to(dtype))
        model.register_parameter("p_" + word, nn.Parameter(torch.tensor([1]).to(dtype), requires_grad=False))
    return model


@odd
def sparse_buffer() -> nn.Module:
    """A buffer that is not dense."""
    model = Holder()
    model.register_buffer("adjacency", torch.eye(3).to_sparse())
    return model


@odd
def frozen() -> nn.Module:
    """Half of the parameters take no gradient."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    model[0].requires_grad_(False)
    model[1].get_parameter("bias").requires_grad_(False)
    return model


@odd
def partly_in_eval_mode() -> nn.Module:
    """A subtree is in evaluation mode while the rest trains."""
    model = nn.Sequential(nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2)), nn.Dropout())
    model[0].eval()
    return model


@odd
def uninitialised() -> nn.Module:
    """Lazy modules: their parameters and buffers have no shape yet."""
    return nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(), nn.Linear(3, 1))


@odd
def recurrent_with_projections() -> nn.Module:
    """Each direction has a matrix of its own shape that projects what it hands on: weight_hr_l0 and the like."""
    return nn.LSTM(2, 4, num_layers=2, proj_size=3, bidirectional=True, bias=False)


@odd
def embeddings() -> nn.Module:
    """A row for padding, which is counted though it never learns, a bag, and a table that is given, not learned."""
    return nn.ModuleDict(
        {
            "words": nn.Embedding(7, 3, padding_idx=0, max_norm=1.0),
            "bag": nn.EmbeddingBag(5, 3, mode="sum"),
            "given": nn.Embedding(2, 3).requires_grad_(False),
        }
    )


@odd
def convolutions() -> nn.Module:
    """Groups divide a weight, depthwise to one channel each; a transposed one holds them the other way round."""
    return nn.Sequential(
        nn.Conv2d(6, 12, 3, groups=3),
        nn.Conv1d(4, 4, 3, groups=4, bias=False, padding="same", padding_mode="circular"),
        nn.ConvTranspose2d(6, 4, (3, 1), groups=2, output_padding=1, stride=2),
    )


@odd
def attention_of_other_sizes() -> nn.Module:
    """Keys and values of sizes of their own: three projections stand where one is None, next to two learned rows."""
    return nn.MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True)


@odd
def pruned() -> nn.Module:
    """A hook makes `weight`, which is no parameter any more, of `weight_orig` and a buffer of ones and zeros."""
    model = nn.Linear(4, 3)
    prune.random_unstructured(model, "weight", amount=5)  # type: ignore[no-untyped-call]
    return model


@odd
def normed_by_a_hook() -> nn.Module:
    """Spectral norm of the old kind: `weight_orig`, and two vectors as buffers."""
    return nn.Sequential(spectral_norm(nn.Linear(3, 2)), nn.ReLU())


@odd
def wrapped() -> nn.Module:
    """A wrapper adds a level and no number of its own, and the same model is in two wrappers."""
    inner = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    return holding(first=nn.DataParallel(inner), second=nn.DataParallel(inner))


@odd
def container_with_tensors_of_its_own() -> nn.Module:
    """A Sequential that holds a parameter, buffers of both kinds, and one of its layers under another name."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    model.scale = nn.Parameter(torch.ones(2))
    model.kept = nn.Buffer(torch.zeros(3))
    model.fleeting = nn.Buffer(torch.zeros(4), persistent=False)
    model.again = model[0]
    return model


@odd
def parameters_in_two_lists() -> nn.Module:
    """One parameter is twice in a list, in a second list and in a dict; what the dict holds else is a list."""
    shared = nn.Parameter(torch.ones(2, 2))
    model = Holder()
    model.list = nn.ParameterList([shared, nn.Parameter(torch.ones(1)), shared])
    model.other = nn.ParameterList([shared])
    model.dict = nn.ParameterDict({"shared": shared, "list": nn.ParameterList([shared])})
    return model


@odd
def ways_not_taken() -> nn.Module:
    """Branches of which a forward would take one, in lists of dicts of lists, two of them the same."""
    branch = nn.ModuleList([nn.Conv1d(1, 1, 1), nn.ModuleDict({"act": nn.PReLU()})])
    return nn.ModuleList([nn.ModuleDict({"a": branch, "b": nn.ModuleList([branch, nn.PReLU(3)])}), nn.ModuleDict()])


@odd
def tied_and_half_frozen() -> nn.Module:
    """A tied weight takes no gradient in either place, while the bias beside one of them does."""
    first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3)
    first.weight = second.weight
    second.weight.requires_grad_(False)
    return nn.Sequential(first, second)


@odd
def lazy_and_shared() -> nn.Module:
    """What has no shape yet stands in two places, and buffers have none either."""
    norm = nn.LazyBatchNorm2d(affine=False)
    return nn.Sequential(nn.LazyConv2d(2, 3), norm, nn.LazyConvTranspose1d(2, 1, bias=False), norm)


@odd
def deep_chain() -> nn.Module:
    """Thirty LinearModels, each in the one before."""
    model = LinearModel()
    for _ in range(29):
        above = LinearModel()
        above.add_module("sub1", model)
        model = above
    return model


class OneLine(nn.Module):
    def extra_repr(self) -> str:
        return "size=3, name='<b>'"


class ManyLines(nn.Module):
    def extra_repr(self) -> str:
        return "(size): 3\n\n  indented\nlast"


class OwnRepr(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(1, 1)

    def __repr__(self) -> str:
        return "OwnRepr:\n  all mine\n"


class OtherName(nn.Module):
    def _get_name(self) -> str:
        return "Alias"


@odd
def own_texts() -> nn.Module:
    """Classes that print themselves in their own way, alone and around children."""
    model = holding(one=OneLine(), many=ManyLines(), own=OwnRepr(), other=OtherName())
    for outer in (OneLine(), ManyLines(), OtherName()):
        for inner in (OneLine(), ManyLines(), OwnRepr(), OtherName()):
            outer.add_module("in\n" + type(inner).__name__, inner)
        model.add_module(type(outer).__name__, outer)
    return model


def same_name_again() -> type[nn.Module]:
    class Twin(nn.Module):
        pass

    return Twin


@odd
def twins() -> nn.Module:
    """Two classes of the same name from the same Python module."""
    return holding(one=same_name_again()(), two=same_name_again()())


@odd
def not_finite() -> nn.Module:
    """Values that are no numbers, or infinite, or as large and small as they come."""
    model = Holder()
    values = torch.tensor([[float("nan"), float("inf")], [float("-inf"), 1.0]])
    model.register_parameter("weight", nn.Parameter(values))
    model.register_parameter("lone", nn.Parameter(torch.tensor([float("nan")])))
    model.register_buffer("huge", torch.tensor([1.7e308, -1.7e308, 5e-324], dtype=torch.float64))
    return model


def chain_of(depth: int, leaf: Callable[[], nn.Module] = Holder) -> nn.Module:
    """`depth` modules below a root, one in the other, each named `sub1`."""
    model = leaf()
    for _ in range(depth):
        above = leaf()
        above.add_module("sub1", model)
        model = above
    return model


def values_of(module: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers by name, copied."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return {name: tensor.detach().clone() for name, tensor in named}
