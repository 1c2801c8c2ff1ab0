"""Factories: what is in the table, what it says of each, what fits their arguments, and what they build."""

import inspect
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import Invalid, NotAllowed, TooLarge
from app.trees.sources.arguments import Argument, Type, Variadic
from app.trees.sources.building import BuildLimits, Built
from app.trees.sources.factories import CannotImport, Factories, Factory, FactoryTable
from app.trees.sources.factory import build_factory, check_factory

ODD = "tests.trees.sources.odd_models"
TABLE = FactoryTable.of([ODD])
LIMITS = BuildLimits(max_modules=1_000, max_cpu_elements=10_000)


def source(target: str, device: str = "meta", **kwargs: Any) -> dict[str, Any]:
    return {"kind": "factory", "target": target, "kwargs": kwargs, "device": device}


def build(target: str, device: str = "meta", **kwargs: Any) -> Built:
    return build_factory(source(target, device, **kwargs), TABLE, LIMITS)


def argument(target: str, name: str) -> Argument:
    return next(one for one in TABLE.get(target).arguments if one.name == name)


def test_every_public_module_class_of_torch_nn_is_in_the_table() -> None:
    table = FactoryTable.of()
    classes = {
        f"torch.nn:{name}"
        for name, value in vars(nn).items()
        if not name.startswith("_") and isinstance(value, type) and issubclass(value, nn.Module)
    }
    assert set(table.by_id) == classes
    assert not [factory.id for factory in table.by_id.values() if factory.unfit]


def test_what_an_allowed_module_defines_is_added_and_no_more() -> None:
    names = {factory.name for factory in TABLE.by_id.values() if factory.module == ODD}
    assert {"Net", "make_net", "raises", "lies", "BrokenRepr"} <= names
    # Not its own, private, not annotated, or returning something else.
    assert not names & {"Linear", "_private", "says_nothing", "makes_a_number", "Kind", "ZOO", "Path"}


def test_one_callable_can_be_allowed_by_its_name() -> None:
    table = FactoryTable.of([f"{ODD}:says_nothing"])
    assert table.get(f"{ODD}:says_nothing").arguments[0].default == 2
    with pytest.raises(NotAllowed):
        table.get(f"{ODD}:Net")


def test_a_name_that_cannot_be_had_is_left_out() -> None:
    lazy = "tests.trees.sources.lazy_package"
    assert f"{lazy}:Net" in FactoryTable.of([lazy]).by_id
    with pytest.raises(CannotImport, match="'Missing': ImportError: it needs what is not installed"):
        FactoryTable.of([f"{lazy}:Missing"])


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("nosuch.module", "nosuch.module cannot be imported: ModuleNotFoundError: No module named 'nosuch'"),
        ("tests.trees.sources.broken_package", "RuntimeError: the data set is not there"),
        (f"{ODD}:nosuch", f"{ODD} has no callable 'nosuch'"),
    ],
)
def test_what_cannot_be_allowed_says_why(entry: str, says: str) -> None:
    with pytest.raises(CannotImport) as error:
        FactoryTable.of([entry])
    assert error.value.detail.startswith(f"--allow-import {entry}: ")
    assert says in error.value.detail


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("os:system", "starting the server with --allow-import os adds it"),
        ("mypackage.models:make", "starting the server with --allow-import mypackage.models adds it"),
        (f"{ODD}:says_nothing", f"starting the server with --allow-import {ODD}:says_nothing adds it"),
        ("torch.nn.Transformer", "did you mean 'torch.nn:Transformer'?"),
        ("torch.nn:Transfomer", "did you mean 'torch.nn:Transformer'?"),
        ("torch.nn:Module.__init__", "not among the factories"),
        ("", "which looks like 'torch.nn:Transformer'"),
        (":", "which looks like 'torch.nn:Transformer'"),
        (None, "expected the id of a factory"),
        (["torch.nn:Linear"], "expected the id of a factory"),
    ],
)
def test_another_target_is_refused_with_the_option_that_allows_it(target: Any, says: str) -> None:
    with pytest.raises(NotAllowed) as error:
        check_factory({"kind": "factory", "target": target}, TABLE)
    assert says in error.value.detail


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_any_other_text_is_refused(target: str) -> None:
    if target not in TABLE.by_id:
        with pytest.raises(NotAllowed):
            TABLE.get(target)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TABLE.by_id["os:system"] = TABLE.get("torch.nn:Linear")  # type: ignore[index]
    with pytest.raises(TypeError):
        TABLE.calls["os:system"] = print  # type: ignore[index]


def test_search_puts_names_before_text() -> None:
    assert TABLE.search("transformer")[0].name == "Transformer"
    assert {factory.name for factory in TABLE.search("conv 2d transpose")} >= {"ConvTranspose2d"}
    assert [factory.name for factory in TABLE.search("conv")][:3] == ["Conv1d", "Conv2d", "Conv3d"]
    assert len(TABLE.search("")) == len(TABLE)
    assert TABLE.search("no such thing") == []


def test_the_table_travels_as_data() -> None:
    encoded = msgspec.json.encode(list(TABLE.by_id.values()))
    again = Factories(TABLE.allowed, msgspec.json.decode(encoded, type=list[Factory]))
    assert again.by_id == TABLE.by_id


def test_arguments_have_types_defaults_and_lines() -> None:
    net = TABLE.get(f"{ODD}:Net")
    assert net.doc == "A small network."
    assert [(one.name, one.annotation, one.required, one.default_text, one.doc) for one in net.arguments] == [
        ("depth", "an integer", True, "", "how many layers there are, one after the other."),
        ("width", "an integer", False, "8", "the size of each layer"),
        ("kind", "'thin' or 'wide'", False, "'thin'", "which of them"),
        ("rates", "a list of numbers", False, "(0.5, 0.25)", ""),
        ("act", "any value", False, "ReLU", ""),
        ("inner", "a module, as {target, kwargs} or null", False, "None", ""),
        ("more", "an object of integers or null", False, "None", ""),
        ("word", "'thin' or 'wide'", False, "<Kind.THIN: 'thin'>", ""),
    ]
    assert net.arguments[3].default == [0.5, 0.25]
    assert net.arguments[2].types[0].choices == ("thin", "wide")


def test_unnamed_positions_and_further_names_are_told_apart() -> None:
    one, many, more = TABLE.get(f"{ODD}:make_net").arguments
    assert (one.positional_only, many.variadic, more.variadic) == (True, Variadic.POSITIONAL, Variadic.KEYWORD)


def test_arguments_that_only_an_overload_names_are_there() -> None:
    assert [one.name for one in TABLE.get("torch.nn:LSTM").arguments][:3] == ["input_size", "hidden_size", "num_layers"]
    assert argument("torch.nn:LSTM", "bidirectional").doc.startswith("If True, becomes a bidirectional")
    assert TABLE.get("torch.nn:LSTM").doc != ""


def test_the_device_is_the_sources_and_private_arguments_are_hidden() -> None:
    names = {one.name for factory in FactoryTable.of().by_id.values() for one in factory.arguments}
    assert "device" not in names
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("name", ["Linear", "Conv2d", "Transformer", "Embedding", "MultiheadAttention", "Dropout"])
def test_names_defaults_and_order_are_those_of_the_signature(name: str) -> None:
    parameters = [
        one
        for one in inspect.signature(getattr(nn, name)).parameters.values()
        if one.name != "device" and not one.name.startswith("_")
    ]
    arguments = TABLE.get(f"torch.nn:{name}").arguments
    assert [one.name for one in arguments] == [one.name for one in parameters]
    assert [one.required for one in arguments] == [one.default is inspect.Parameter.empty for one in parameters]
    assert argument("torch.nn:Linear", "bias").default is True


def test_what_is_left_without_a_type_takes_any_value() -> None:
    assert argument("torch.nn:MultiheadAttention", "embed_dim").types[0].type is Type.ANY


def got(target: str, **kwargs: Any) -> Any:
    return build(target, **kwargs).module.got


def test_arguments_arrive_as_the_callable_wants_them() -> None:
    assert got(f"{ODD}:Net", depth=2.0, rates=[1, 0.5], kind="wide", more={"a": 1}, word="wide") == (
        2,
        8,
        "wide",
        [1, 0.5],
        {"a": 1},
        "wide",
    )
    assert got(f"{ODD}:make_net", depth=3, sizes=[1, 2], color="red") == (3, (1, 2), {"color": "red"})
    conv = build("torch.nn:Conv2d", in_channels=3, out_channels=4, kernel_size=[3, 5], dtype="bfloat16").module
    assert isinstance(conv, nn.Conv2d)
    assert (conv.kernel_size, conv.weight.dtype) == ((3, 5), torch.bfloat16)


def test_modules_among_the_arguments_are_made_by_the_table_too() -> None:
    layer = {"target": "torch.nn:TransformerEncoderLayer", "kwargs": {"d_model": 8, "nhead": 2}}
    encoder = build("torch.nn:TransformerEncoder", encoder_layer=layer, num_layers=3).module
    assert len(list(encoder.get_submodule("layers").children())) == 3
    rows = [{"target": "torch.nn:Linear", "kwargs": {"in_features": 2, "out_features": 3}}, {"target": "torch.nn:ReLU"}]
    assert [type(one) for one in build("torch.nn:Sequential", args=rows).module.children()] == [nn.Linear, nn.ReLU]
    named = build("torch.nn:ModuleDict", modules={"a": rows[0], "b": rows[1]}).module
    assert [name for name, _ in named.named_children()] == ["a", "b"]
    with pytest.raises(NotAllowed, match="'os:system' is not among the factories"):
        build("torch.nn:Sequential", args=[{"target": "os:system", "kwargs": {"command": "true"}}])


def misfits(target: str, **kwargs: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        check_factory({"kind": "factory", "target": target, "kwargs": kwargs}, TABLE)
    assert all(misfit.loc[:2] == ("source", "kwargs") for misfit in error.value.errors)
    return {".".join(map(str, misfit.loc[2:])): misfit.msg for misfit in error.value.errors}


def test_every_misfit_is_told_at_once_with_its_place() -> None:
    layer = {"target": "torch.nn:TransformerEncoderLayer", "kwargs": {"d_model": 16.5}}
    assert misfits("torch.nn:TransformerEncoder", encoder_layer=layer, num_layer="3", norm=[1]) == {
        "num_layer": "there is no such argument; did you mean 'num_layers'?",
        "encoder_layer.kwargs.d_model": "expected an integer, got 16.5",
        "encoder_layer.kwargs.nhead": "expected an integer: it has no default",
        "num_layers": "expected an integer: it has no default",
        "norm": "expected a module, as {target, kwargs} or null, got a list of 1",
    }


@pytest.mark.parametrize(
    ("target", "kwargs", "place", "says"),
    [
        ("torch.nn:Linear", {"in_features": True, "out_features": 1}, "in_features", "expected an integer, got true"),
        ("torch.nn:Linear", {"in_features": "3", "out_features": 1}, "in_features", "expected an integer, got '3'"),
        ("torch.nn:Linear", {"in_features": None, "out_features": 1}, "in_features", "got null"),
        ("torch.nn:Linear", {"in_features": 1.5, "out_features": 1}, "in_features", "expected an integer, got 1.5"),
        ("torch.nn:Linear", {"in_features": 10**50, "out_features": 1}, "in_features", "more than 40 digits"),
        ("torch.nn:Linear", {"in_features": float("inf"), "out_features": 1}, "in_features", "expected an integer"),
        ("torch.nn:Linear", {"in_features": float("nan"), "out_features": 1}, "in_features", "expected an integer"),
        ("torch.nn:Linear", {"in_features": 1, "out_features": 1, "dtype": "load"}, "dtype", "expected a dtype"),
        ("torch.nn:Linear", {"in_features": 1, "out_features": 1, "device": "cuda"}, "device", "no such argument"),
        ("torch.nn:Dropout", {"p": "x" * 20_000}, "p", "expected a number"),
        (f"{ODD}:Net", {"depth": 1, "kind": "fat"}, "kind", "expected 'thin' or 'wide', got 'fat'"),
        (f"{ODD}:Net", {"depth": 1, "rates": [1, "a"]}, "rates", "expected a list of numbers, got a list of 2"),
        (f"{ODD}:Net", {"depth": 1, "rates": [1.0] * 20_000}, "rates", "more than 10,000 items"),
        (f"{ODD}:Net", {"depth": 1, "more": {str(n): n for n in range(20_000)}}, "more", "more than 10,000 items"),
        (f"{ODD}:Net", {"depth": 1, "act": "x" * 20_000}, "act", "longer than 10,000 characters"),
        (f"{ODD}:make_net", {"sizes": 3}, "sizes", "expected a list of integers, got 3"),
        (f"{ODD}:make_net", {"not a name": 3}, "not a name", "there is no such argument"),
        ("torch.nn:BCELoss", {"weight": [[1], [2, 3]]}, "weight", ""),
    ],
)
def test_a_value_that_does_not_fit_is_refused(target: str, kwargs: dict[str, Any], place: str, says: str) -> None:
    found = misfits(target, **kwargs)
    assert list(found) == [place]
    assert says in found[place]


def test_kwargs_that_are_no_object_and_deep_nesting_are_refused() -> None:
    with pytest.raises(Invalid, match=r"source.kwargs: expected an object, got a list of 2"):
        check_factory({"target": "torch.nn:ReLU", "kwargs": [1, 2]}, TABLE)
    deep: Any = {"target": "torch.nn:ReLU"}
    for _ in range(50):
        deep = {"target": "torch.nn:Sequential", "kwargs": {"args": [deep]}}
    with pytest.raises(Invalid, match="nested deeper than 32 levels"):
        check_factory({"target": "torch.nn:Sequential", "kwargs": {"args": [deep]}}, TABLE)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["in_features", "out_features", "bias", "dtype", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_any_json_builds_or_is_refused_in_our_words(kwargs: dict[str, Any]) -> None:
    refused = False
    try:
        build("torch.nn:Linear", **kwargs)
    except Invalid:
        refused = True
    fits = isinstance(kwargs.get("in_features"), int | float) and isinstance(kwargs.get("out_features"), int | float)
    assert fits or refused


def test_on_meta_tensors_have_no_values_and_on_the_cpu_they_do() -> None:
    assert all(p.is_meta for p in build("torch.nn:Transformer", d_model=8, nhead=2).module.parameters())
    assert not next(build("torch.nn:Linear", "cpu", in_features=2, out_features=2).module.parameters()).is_meta


def test_a_model_that_asks_for_values_says_so_and_offers_the_cpu() -> None:
    with pytest.raises(Invalid) as error:
        build(f"{ODD}:asks_for_values")
    assert error.value.errors[0].loc == ("source", "device")
    assert "cannot be built on the meta device" in error.value.detail
    assert ".item()" in error.value.detail
    assert "in asks_for_values.<locals>.<listcomp> (odd_models.py, line " in error.value.detail
    assert '"device": "cpu"' in error.value.detail
    assert len(list(build(f"{ODD}:asks_for_values", "cpu").module.children())) == 4


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("raises", "raised KeyError: 'no such thing', in raises (odd_models.py, line "),
        ("exits", "raised SystemExit: 7, in exits (odd_models.py, line "),
        ("lies", "returned int, expected a torch.nn.Module"),
    ],
)
def test_what_a_constructor_raises_is_told(target: str, says: str) -> None:
    with pytest.raises(Invalid) as error:
        build(f"{ODD}:{target}")
    assert error.value.detail.startswith(f"{ODD}:{target} ")
    assert says in error.value.detail


def test_what_torch_refuses_is_told_in_its_words() -> None:
    with pytest.raises(Invalid, match=r"raised RuntimeError: Trying to create tensor with negative dimension -1"):
        build("torch.nn:Linear", in_features=-1, out_features=2)


def test_another_device_is_refused() -> None:
    for device in ("cuda", "META", None, 3):
        with pytest.raises(Invalid, match=r"source.device: expected one of meta, cpu"):
            check_factory({"target": "torch.nn:ReLU", "device": device}, TABLE)


def test_too_many_modules_are_stopped_while_they_are_made() -> None:
    many: list[tuple[str, dict[str, Any]]] = [
        (f"{ODD}:many", {"count": 2_000}),
        (f"{ODD}:Net", {"depth": 2_000}),
        ("torch.nn:Transformer", {"d_model": 8, "nhead": 2, "num_encoder_layers": 10**9}),
    ]
    for target, kwargs in many:
        with pytest.raises(TooLarge, match="more than 1,000 modules") as error:
            build(target, **kwargs)
        assert error.value.limit == 1_000


def test_a_large_model_is_refused_on_the_cpu_before_memory_is_taken() -> None:
    with pytest.raises(TooLarge, match=r"has 1,000,000,001,000,000 elements; on the CPU the limit") as error:
        build("torch.nn:Linear", "cpu", in_features=10**9, out_features=10**6)
    assert error.value.limit == 10_000
    assert build("torch.nn:Linear", in_features=10**9, out_features=10**6).notes == []


def test_torch_is_as_before_after_a_build() -> None:
    set_state = nn.Module.__setstate__
    build("torch.nn:Linear", in_features=1, out_features=1)
    assert nn.Module.__setstate__ is set_state
    assert not next(nn.Linear(1, 1).parameters()).is_meta


def test_warnings_are_kept_as_notes() -> None:
    assert build(f"{ODD}:talks").notes == ["mind the step"]
