"""Traces: shapes against what a forward on the CPU gives, FLOPs against sums by hand, and a module left as it was."""

import copy
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import pytest
import torch
from torch import Tensor, nn

from app.errors import Invalid
from app.trees.linear import LinearModel
from app.trees.trace import Trace, trace
from app.trees.trace_inputs import Input, make_inputs, parse_inputs, suggest_inputs
from tests.models import ZOO


def traced(module: nn.Module, *inputs: str, dtype: str = "float32") -> Trace:
    return trace(module, parse_inputs(inputs, dtype), max_modules=10_000, max_depth=1_000)


def by_path(found: Trace, column: list[Any]) -> dict[str, Any]:
    return dict(zip(found.path, column, strict=True))


def shapes(found: Trace) -> dict[str, list[list[int] | None]]:
    return {path: [value.shape for value in values] for path, values in by_path(found, found.outputs).items()}


def test_linear_layers_cost_two_flops_a_multiply_accumulate() -> None:
    found = traced(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5)), "2,3")
    assert found.path == ["", "0", "1", "2"]
    assert found.row == [0, 1, 2, 3]
    assert found.flops == [2 * 2 * (12 + 20), 2 * 2 * 12, 0, 2 * 2 * 20]
    assert found.own_flops == [0, 48, 0, 80]
    assert (found.total_flops, found.total_macs, found.flops_per_mac) == (128, 64, 2)
    assert shapes(found) == {"": [[2, 5]], "0": [[2, 4]], "1": [[2, 4]], "2": [[2, 5]]}
    assert found.order == [0, 1, 2, 3]
    assert found.stopped is None


@pytest.mark.parametrize(
    ("module", "inputs", "macs"),
    [
        (nn.Conv2d(3, 8, 3), ["2,3,10,10"], 2 * 8 * 8 * 8 * 3 * 9),
        (nn.Conv1d(4, 8, 3, groups=2), ["1,4,10"], 8 * 8 * 2 * 3),
        (nn.ConvTranspose2d(3, 8, 2, stride=2), ["1,3,5,5"], 5 * 5 * 3 * 8 * 4),
        (nn.LSTM(8, 16), ["5,2,8"], 5 * 2 * 4 * 16 * (8 + 16)),
        (nn.GRU(8, 16, num_layers=2), ["5,2,8"], 5 * 2 * 3 * 16 * (8 + 16 + 16 + 16)),
        (nn.MultiheadAttention(16, 2), ["query=5,2,16;key=5,2,16;value=5,2,16"], 10 * 16 * 64 + 2 * 2 * 2 * 25 * 8),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_macs_are_those_counted_by_hand(module: nn.Module, inputs: list[str], macs: int) -> None:
    assert traced(module, *inputs).total_macs == macs


ON_CPU: list[tuple[str, Callable[[], nn.Module], list[str]]] = [
    ("recurrent", lambda: nn.LSTM(2, 3, num_layers=2, bidirectional=True), ["5,2,2"]),
    ("transformer", ZOO["transformer"], ["2,5,4"]),
    ("batch norm", lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.MaxPool2d(2)), ["1,3,9,9"]),
    ("embedding", lambda: nn.Sequential(nn.Embedding(7, 3), nn.Linear(3, 2)), ["2,4:int64"]),
    ("parametrized", ZOO["parametrized"], ["4,2"]),
    ("shared siblings", ZOO["shared_siblings"], ["4,2"]),
]


@pytest.mark.parametrize(("name", "make", "inputs"), ON_CPU, ids=[name for name, *_ in ON_CPU])
def test_shapes_are_those_of_a_real_forward(name: str, make: Callable[[], nn.Module], inputs: list[str]) -> None:
    module = make().eval()
    seen: dict[int, Any] = {}
    handles = [
        one.register_forward_hook(lambda one, _, output: seen.setdefault(id(one), output)) for one in module.modules()
    ]
    was_on = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    args = [torch.zeros(one.shape, dtype=getattr(torch, one.dtype)) for one in parse_inputs(inputs)]
    with torch.no_grad():
        module(*args)
    torch.backends.mha.set_fastpath_enabled(was_on)
    for handle in handles:
        handle.remove()
    found = traced(module, *inputs)
    modules = dict(module.named_modules())
    assert len(found.path) == len(seen)
    for path, outputs in by_path(found, found.outputs).items():
        leaves = [leaf for leaf in torch.utils._pytree.tree_leaves(seen[id(modules[path])]) if isinstance(leaf, Tensor)]
        assert [value.shape for value in outputs if value.shape is not None] == [list(leaf.shape) for leaf in leaves]


def test_submodules_of_a_fused_encoder_are_seen_and_the_switch_is_put_back() -> None:
    encoder = ZOO["transformer"]().eval()
    assert torch.backends.mha.get_fastpath_enabled()
    assert "layers.1.linear2" in traced(encoder, "2,5,4").path
    assert torch.backends.mha.get_fastpath_enabled()


def state(module: nn.Module) -> list[Any]:
    """All that a forward could change: classes, attributes and registered things by identity, hooks, modes, values."""
    found: list[Any] = []
    for path, one in module.named_modules(remove_duplicate=False):
        attributes = {key: list(value) if isinstance(value, list) else value for key, value in vars(one).items()}
        plain = {key: value for key, value in attributes.items() if not isinstance(value, dict | list | set)}
        held = {
            key: list(value.items()) if isinstance(value, dict) else list(value)
            for key, value in attributes.items()
            if isinstance(value, dict | list | set)
        }
        ids = {key: [id(part) for part in map(last, value)] for key, value in held.items()}
        found.append((path, type(one), list(plain), [id(value) for value in plain.values()], ids, one.training))
    return found


def last(item: Any) -> Any:
    return item[1] if isinstance(item, tuple) else item


def values(module: nn.Module) -> list[Tensor]:
    tensors = [*module.parameters(), *module.buffers()]
    return [tensor.detach().clone() for tensor in tensors if not nn.parameter.is_lazy(tensor)]


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("transformer", ["2,5,4"]),
        ("uninitialised", ["4,3"]),
        ("parametrized", ["4,2"]),
        ("partly_in_eval_mode", ["4,2"]),
        ("recurrent", ["5,2,2"]),
        ("shared_siblings", ["4,7"]),
        ("nothing", ["1"]),
        ("frozen", ["1,2"]),
    ],
)
def test_a_traced_module_is_what_it_was(name: str, inputs: list[str]) -> None:
    module = ZOO[name]()
    before, numbers = state(module), values(module)
    keep = [copy.copy(vars(one)) for one in module.modules()]
    traced(module, *inputs)
    assert state(module) == before
    assert all(torch.equal(a, b) for a, b in zip(values(module), numbers, strict=True))
    assert keep


class Counts(nn.Module):
    """Changes itself in its forward: a buffer in place, an attribute, a new buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))
        self.calls = 0
        self.table = torch.ones(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.get_buffer("seen").add_(1)
        self.calls += 1
        self.register_buffer("late", torch.zeros(2))
        return x @ self.table


def test_what_a_forward_does_to_its_module_is_undone() -> None:
    module = Counts()
    found = traced(module, "2,4")
    assert (found.stopped, shapes(found)) == (None, {"": [[2, 3]]})
    assert (module.calls, module.get_buffer("seen").item(), list(module._buffers)) == (0, 0.0, ["seen"])
    assert module.table.device.type == "cpu"


def test_no_arithmetic_is_done() -> None:
    found = traced(nn.Linear(200_000, 200_000, device="meta"), "1000,200000")
    assert found.total_flops == 2 * 1_000 * 200_000**2


@dataclass
class Answer:
    scores: Tensor
    hidden: tuple[Tensor, ...]
    note: str


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


class Many(nn.Module):
    def __init__(self, answer: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor, *, scale: Tensor | None = None) -> Any:
        return self.answer(x if scale is None else x * scale)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (lambda x: x, [""]),
        (lambda x: (x, [x, None]), ["0", "1.0", "1.1"]),
        (lambda x: {"a": x, "b": {"c": x}}, ["a", "b.c"]),
        (lambda x: OrderedDict(z=x), ["z"]),
        (lambda x: Answer(x, (x, x), "hello"), ["scores", "hidden.0", "hidden.1", "note"]),
        (lambda x: Pair(x, x), ["left", "right"]),
        (lambda x: object(), [""]),
        (lambda x: [], []),
    ],
)
def test_outputs_of_any_kind_are_shown(answer: Callable[[Tensor], Any], names: list[str]) -> None:
    (outputs,) = traced(Many(answer), "2,3").outputs
    assert [value.name for value in outputs] == names
    assert all(value.shape == [2, 3] for value in outputs if value.dtype)


def test_a_list_that_holds_itself_and_a_long_one_end() -> None:
    def endless(x: Tensor) -> Any:
        listed: list[Any] = [x]
        listed.append(listed)
        return listed

    (outputs,) = traced(Many(endless), "1").outputs
    assert outputs[-1].text.endswith("more")
    (outputs,) = traced(Many(lambda x: [x] * 100), "1").outputs
    assert (len(outputs), outputs[-1].text) == (33, "68 more")


def test_inputs_by_keyword_have_their_names() -> None:
    found = traced(Many(lambda x: x), "2,3", "scale=3:float64")
    assert [(value.name, value.shape, value.dtype) for value in found.inputs[0]] == [
        ("0", [2, 3], "float32"),
        ("scale", [3], "float64"),
    ]
    assert [str(one) for one in found.given] == ["2,3:float32", "scale=3:float64"]


def test_a_module_that_is_called_again_adds_up() -> None:
    found = traced(ZOO["shared_siblings"](), "4,2")
    assert by_path(found, found.calls) == {"": 1, "0": 2, "1": 2, "2": 1}
    assert by_path(found, found.flops)["0"] == 2 * (2 * 4 * 2 * 2)
    assert not any(found.varies)


def test_other_shapes_in_a_later_call_are_marked() -> None:
    act = nn.ReLU()
    found = traced(nn.Sequential(act, nn.Linear(2, 3), act), "4,2")
    assert by_path(found, found.varies) == {"": False, "0": True, "1": False}


class Recursive(nn.Module):
    """Calls itself."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x: Tensor, again: int = 2) -> Any:
        x = self.linear(x)
        return self(x, again - 1) if again else x


def test_a_module_that_calls_itself_counts_once_what_is_inside() -> None:
    found = traced(Recursive(), "1,2")
    assert by_path(found, found.flops) == {"": 24, "linear": 24}
    assert by_path(found, found.calls) == {"": 3, "linear": 3}


def test_modules_that_are_not_called_are_counted() -> None:
    model = LinearModel()
    model.sub1 = LinearModel()
    found = traced(model, "3")
    assert (found.path, found.num_uncalled, found.uncalled) == ([""], 1, [1])


def test_where_a_forward_stops_is_shown_with_how_far_it_came() -> None:
    block = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 6))
    found = traced(holding_chain(block), "2,3")
    assert found.stopped is not None
    assert (found.stopped.path, found.stopped.class_name, found.stopped.row) == ("inner.1", "Linear", 3)
    assert [value.shape for value in found.stopped.inputs] == [[2, 4]]
    assert "RuntimeError" in found.stopped.error
    assert by_path(found, found.is_done) == {"": False, "inner": False, "inner.0": True, "inner.1": False}
    assert by_path(found, found.flops)["inner.0"] == 48


def holding_chain(inner: nn.Module) -> nn.Module:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Any:
            return self.inner(x)

    return Outer()


class Careful(nn.Module):
    """Catches what one child raises, and says it in other words, or goes on."""

    def __init__(self, *, goes_on: bool) -> None:
        super().__init__()
        self.goes_on = goes_on
        self.child = nn.Sequential(nn.Linear(9, 9))
        self.after = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Any:
        try:
            return self.child(x)
        except RuntimeError as error:
            if not self.goes_on:
                raise ValueError("the child failed") from error
        return self.after(x)


def test_an_error_that_a_forward_catches_is_none() -> None:
    found = traced(Careful(goes_on=True), "2,3")
    assert found.stopped is None
    assert by_path(found, found.is_done) == {"": True, "child": False, "child.0": False, "after": True}
    assert by_path(found, found.flops)[""] == 36


def test_an_error_in_other_words_stopped_where_it_came_up() -> None:
    stopped = traced(Careful(goes_on=False), "2,3").stopped
    assert stopped is not None
    assert (stopped.path, stopped.error) == ("child.0", "ValueError: the child failed")
    assert stopped.where.startswith("Careful.forward (test_trace.py, line ")


class Asks(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum().item() > 0 else -x


def test_a_forward_that_needs_values_says_so() -> None:
    stopped = traced(Asks(), "2,3").stopped
    assert stopped is not None
    assert "needs the values of a tensor" in stopped.error
    assert ".item()" in stopped.error
    assert stopped.where.startswith("Asks.forward (test_trace.py, line ")


def test_the_wrong_number_of_inputs_is_an_error_of_the_root() -> None:
    stopped = traced(nn.Linear(2, 2), "1,2", "1,2").stopped
    assert stopped is not None
    assert (stopped.path, "TypeError" in stopped.error) == ("", True)


def test_hooks_are_removed_after_an_error_too() -> None:
    module = Careful(goes_on=False)
    before = state(module)
    traced(module, "2,3")
    assert state(module) == before


def test_own_hooks_of_a_module_still_run() -> None:
    module = nn.Sequential(nn.Linear(2, 3))
    module[0].register_forward_hook(lambda _module, _args, output: output[:1])
    assert shapes(traced(module, "4,2")) == {"": [[1, 3]], "0": [[1, 3]]}


def test_a_trace_travels() -> None:
    found = traced(Many(lambda x: Answer(x, (x,), "a")), "2,3")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Trace) == found


@pytest.mark.parametrize(
    ("texts", "inputs"),
    [
        (["2,3,224,224"], [Input((2, 3, 224, 224))]),
        (["2x3×4"], [Input((2, 3, 4))]),
        (["(2, 3)"], [Input((2, 3))]),
        (["[2,3]:bf16"], [Input((2, 3), "bfloat16")]),
        (["5"], [Input((5,))]),
        (["()"], [Input(())]),
        (["1,128:int64"], [Input((1, 128), "int64")]),
        (["1,128:torch.long"], [Input((1, 128), "int64")]),
        (["ids=1,8:int64; mask=1,8:bool"], [Input((1, 8), "int64", "ids"), Input((1, 8), "bool", "mask")]),
        (["1,2", "tgt = 3,4"], [Input((1, 2)), Input((3, 4), name="tgt")]),
        (["0,3"], [Input((0, 3))]),
    ],
)
def test_inputs_are_read(texts: list[str], inputs: list[Input]) -> None:
    assert parse_inputs(texts) == inputs
    assert parse_inputs([str(one) for one in inputs]) == inputs


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["a,b"], "expected sizes such as 2,3,224,224"),
        (["2,,3"], "expected sizes"),
        (["-1,3"], "expected sizes"),
        (["2,3:blue"], "expected a dtype such as float32 or int64, got 'blue'"),
        (["2,3:load"], "expected a dtype"),
        (["1," * 20 + "1"], "expected at most 16 sizes"),
        (["9999999,9999999"], "elements"),
        (["a=1;a=2"], "'a' is given twice"),
        (["a=1;2"], "must come before"),
        (["1;" * 40], "expected at most 32 inputs"),
        (["9" * 16], "at most 15 digits"),
        (["2,3:"], "expected a dtype"),
        (["=2,3"], "expected sizes"),
        (["a b=2,3"], "expected sizes"),
        # A pattern that may split blanks in many ways would take hours.
        ([f"a={' ' * 10_000}1:!"], "expected a dtype"),
        ([f"a={' ' * 10_000}b"], "expected sizes"),
    ],
)
def test_inputs_that_cannot_be_read_say_why(texts: list[str], says: str) -> None:
    with pytest.raises(Invalid, match=r"^input: ") as error:
        parse_inputs(texts)
    assert any(says in misfit.msg for misfit in error.value.errors)


def test_inputs_have_no_values() -> None:
    args, kwargs = make_inputs(parse_inputs(["1000000,1000000", "ids=3:int64"]))
    assert args[0].is_meta
    assert kwargs["ids"].dtype is torch.int64


def test_no_input_is_refused() -> None:
    with pytest.raises(Invalid, match="expected the sizes of at least one input"):
        traced(nn.ReLU())


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(3, 4)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()),
        nn.Sequential(nn.Conv1d(3, 4, 3)),
        nn.Sequential(nn.Embedding(3, 4), nn.Linear(4, 2)),
        nn.LSTM(3, 4, batch_first=True),
        ZOO["transformer"](),
        nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
    ],
    ids=lambda module: type(module).__name__,
)
def test_a_suggested_input_is_taken(module: nn.Module) -> None:
    inputs = suggest_inputs(module)
    assert inputs
    assert trace(module, inputs, max_modules=1_000, max_depth=100).stopped is None


def test_sizes_that_are_no_numbers_are_not_suggested() -> None:
    module = nn.Linear(3, 4)
    module.in_features = "many"  # type: ignore[assignment]
    assert suggest_inputs(module) == []


def test_nothing_is_suggested_where_nothing_says_it() -> None:
    assert suggest_inputs(nn.ReLU()) == []
    assert suggest_inputs(nn.BatchNorm1d(3)) == []
