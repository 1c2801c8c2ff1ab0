"""Trees from specs and grids: what is built, what is drawn, and what is refused, before memory is taken."""

import json
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from app.errors import Invalid, Misfit, NameRefused, TooLarge
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from app.trees.texts import repr_of
from tests.models import ODD_NAMES
from tests.trees.strategies import specs

MB = 1_000_000


def opened(root: object, **options: object) -> LinearModel:
    return open_source({"kind": "linear", "root": root, **options}, Limits(max_modules=1_000, max_depth=100))


def grid(branching: object, depth: object, **options: object) -> LinearModel:
    limits = Limits(max_modules=250_000, max_depth=20_000)
    return open_source({"kind": "grid", "branching": branching, "depth": depth, **options}, limits)


class Reference(nn.Module):
    """The tutorial's class, drawn by torch's own constructor."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(1))
        self.bias = nn.Parameter(torch.rand(1))


def built_one_by_one(spec: Mapping[str, Any]) -> nn.Module:
    model = Reference()
    with torch.no_grad():
        for name in ("weight", "bias"):
            if spec.get(name) is not None:
                model.get_parameter(name).fill_(spec[name])
    for name, value in (spec.get("buffers") or {}).items():
        model.register_buffer(name, torch.tensor(value))
    for name, child in (spec.get("children") or {}).items():
        model.add_module(name, built_one_by_one(child))
    return model


def drawn_where_left_out(spec: Mapping[str, Any], generator: torch.Generator) -> Iterator[Tensor]:
    for name in ("weight", "bias"):
        given_value = spec.get(name)
        yield torch.rand(1, generator=generator) if given_value is None else torch.tensor([float(given_value)])
    for child in (spec.get("children") or {}).values():
        yield from drawn_where_left_out(child, generator)


@settings(max_examples=60)
@given(specs())
def test_a_spec_opens_as_the_tree_it_spells(spec: dict[str, Any]) -> None:
    model, reference = opened(json.loads(json.dumps(spec)), seed=0), built_one_by_one(spec)
    assert [name for name, _ in model.named_modules()] == [name for name, _ in reference.named_modules()]
    assert list(model.state_dict()) == list(reference.state_dict())
    buffers = dict(reference.named_buffers())
    for name, buffer in model.named_buffers():
        assert buffer.dtype == buffers[name].dtype
        assert torch.equal(buffer, buffers[name])


@settings(max_examples=60)
@given(specs(), st.integers(-(2**63), 2**64 - 1))
def test_what_is_left_out_is_drawn_in_preorder_weight_first(spec: dict[str, Any], seed: int) -> None:
    expected = drawn_where_left_out(spec, torch.Generator().manual_seed(seed))
    drawn = opened(spec, seed=seed).parameters()
    assert [parameter.item() for parameter in drawn] == [value.item() for value in expected]


def test_a_seed_gives_what_torch_draws_in_the_constructors_one_by_one() -> None:
    spec: dict[str, Any] = {"children": {"a": {"children": {"b": {}, "c": {}}}, "d": {}}}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = built_one_by_one(spec).state_dict()
    assert opened(spec, seed=7).state_dict() == expected


def test_the_global_random_numbers_are_left_alone() -> None:
    before = torch.get_rng_state()
    opened({}, seed=1)
    opened({})
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_each_tree_is_another() -> None:
    assert opened({}).weight != opened({}).weight


@pytest.mark.parametrize(("branching", "depth"), [(1, 0), (1, 5), (3, 0), (3, 1), (3, 3), (10, 2)])
def test_a_grid_is_a_full_tree_drawn_in_preorder(branching: int, depth: int) -> None:
    def spec(below: int) -> dict[str, Any]:
        children = {f"sub{number}": spec(below - 1) for number in range(1, branching + 1)} if below else {}
        return {"children": children}

    model, expected = grid(branching, depth, seed=3), opened(spec(depth), seed=3)
    assert list(model.state_dict().items()) == list(expected.state_dict().items())
    assert all(not module.chain for module in model.modules() if isinstance(module, LinearModel))


def test_a_grid_of_ten_by_five_has_111111_modules() -> None:
    index = TreeIndex.of(grid(10, 5, seed=0))
    assert len(index) == 111_111
    assert index.totals.num_parameters[0] == 222_222
    assert len(index.shapes.ids) == 6


def test_forward_is_the_same_for_every_module() -> None:
    for model in (grid(2, 2, forward="chain"), opened({"children": {"a": {"children": {"b": {}}}}}, forward="chain")):
        assert all(module.chain for module in model.modules() if isinstance(module, LinearModel))


def memory_taken(open_it: object) -> int:
    assert callable(open_it)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            open_it()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("branching", "depth"),
    [(10**9, 1), (10**9, 10**9), (2, 10**9), (1, 10**9), (10**400, 3), (500, 3), (10**9, 20_000)],
)
def test_a_grid_over_the_limits_takes_no_memory(branching: int, depth: int) -> None:
    assert memory_taken(lambda: grid(branching, depth)) < MB


def test_a_grid_without_levels_does_not_name_children() -> None:
    tracemalloc.start()
    try:
        assert len(TreeIndex.of(grid(10**9, 0))) == 1
        assert tracemalloc.get_traced_memory()[1] < MB
    finally:
        tracemalloc.stop()


def test_a_spec_over_the_limits_is_refused_on_the_way() -> None:
    wide: dict[str, Any] = {"children": {str(number): {} for number in range(100_000)}}
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"children": {"a": deep}}
    assert memory_taken(lambda: opened(wide)) < MB
    assert memory_taken(lambda: opened(deep)) < MB
    while deep:  # or else Python takes it apart level in level
        deep = deep["children"]["a"]


def test_the_limits_are_named() -> None:
    with pytest.raises(TooLarge, match="more than 1,000 modules") as refused:
        opened({"children": {str(number): {} for number in range(1_000)}})
    assert refused.value.limit == 1_000
    with pytest.raises(TooLarge, match="10 and depth 6 has more than 250,000 modules"):
        grid(10, 6)
    with pytest.raises(TooLarge, match="20,001 is more than 20,000"):
        grid(1, 20_001)


def misfits_of(root: object, **options: object) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(Invalid) as refused:
        opened(root, **options)
    assert refused.value.detail.endswith(".")
    return [(misfit.loc, misfit.msg) for misfit in refused.value.errors]


def test_every_misfit_of_a_spec_is_told_at_once_with_its_place() -> None:
    root = {
        "weight": "1",
        "bias": True,
        "weigth": 1,
        "buffers": {"ragged": [[1], [2, 3]], "word": "x", "fine": [1, 2]},
        "children": {"a": {"children": {"b": 3}}, "c": {"weight": 1e39}, "d": {"buffers": [1]}},
    }
    found = dict(misfits_of(root, seed="x", forward="up"))
    assert set(found) == {
        ("source", "seed"),
        ("source", "forward"),
        ("source", "root", "weigth"),
        ("source", "root", "weight"),
        ("source", "root", "bias"),
        ("source", "root", "buffers", "ragged"),
        ("source", "root", "buffers", "word"),
        ("source", "root", "children", "a", "children", "b"),
        ("source", "root", "children", "c", "weight"),
        ("source", "root", "children", "d", "buffers"),
    }
    assert found["source", "root", "weight"] == "expected a number, got a string"
    assert found["source", "root", "children", "c", "weight"] == "too large for float32"


def test_misfits_without_end_are_cut_short() -> None:
    assert len(misfits_of({f"key{number}": 1 for number in range(1_000)})) == 20
    assert len(misfits_of({"children": {str(number): 1 for number in range(500)}})) == 20


@pytest.mark.parametrize("root", [None, [], "x", 3, True, {"children": {"a": None}}])
def test_what_is_no_spec_is_refused(root: object) -> None:
    assert [msg.startswith("expected a LinearSpec") for _, msg in misfits_of(root)] == [True]


def test_every_misfit_of_a_grid_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        grid(0, 1.5, seed=2**64, forward=None)
    assert refused.value.errors == (
        Misfit(("source", "seed"), f"expected -2**63 to 2**64 - 1, got {2**64}"),
        Misfit(("source", "forward"), "expected one of own, chain, got None"),
        Misfit(("source", "branching"), "expected 1 or more, got 0"),
        Misfit(("source", "depth"), "expected a whole number, got 1.5"),
    )


@pytest.mark.parametrize("kind", [None, "LINEAR", 3, ["linear"]])
def test_a_kind_that_is_not_there_is_refused_with_those_that_are(kind: object) -> None:
    with pytest.raises(Invalid, match="expected one of linear, grid"):
        open_source({"kind": kind}, Limits())


@pytest.mark.parametrize("name", ["", "a.b", ".", "weight", "forward", "training", "_modules", "__class__"])
@pytest.mark.parametrize("what", ["buffers", "children"])
def test_a_name_that_torch_refuses_is_refused_in_torchs_words(name: str, what: str) -> None:
    register = LinearModel().register_buffer if what == "buffers" else LinearModel().add_module
    with pytest.raises(KeyError) as torchs:
        register(name, None)
    with pytest.raises(NameRefused) as refused:
        opened({"children": {"a": {what: {name: {} if what == "children" else 1}}}})
    assert refused.value.detail == torchs.value.args[0]
    assert refused.value.target == name


def test_a_child_cannot_have_the_name_of_a_buffer() -> None:
    with pytest.raises(NameRefused, match="attribute 'a' already exists"):
        opened({"buffers": {"a": 1}, "children": {"a": {}}})


def test_names_that_are_markup_or_control_characters_are_names() -> None:
    model = opened({"children": {name: {"buffers": {name: 1}} for name in ODD_NAMES}})
    assert [name for name, _ in model.named_children()] == list(ODD_NAMES)
    assert repr_of(TreeIndex.of(model)) == repr(model)


def test_a_name_that_is_no_unicode_text_is_refused() -> None:
    # It could be neither kept, nor sent, nor printed.
    roots: tuple[dict[str, Any], ...] = ({"children": {"\ud800": {}}}, {"buffers": {"a\udfff": 1}})
    for root in roots:
        assert [msg for _, msg in misfits_of(root)] == ["expected Unicode text, got a lone surrogate in a name"]
