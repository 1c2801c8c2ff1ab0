"""The tutorial's worked examples over HTTP, to the printed digit."""

import httpx

from tests.api.client import TreeClient

PRINTED = """\
LinearModel(
  (sub1): LinearModel(
    (sub2_1): LinearModel()
  )
)"""


def nested(http: httpx.Client) -> TreeClient:
    """linear_model1.sub1 = linear_model2; linear_model2.sub2_1 = linear_model3."""
    tree = TreeClient.linear(http, {})
    tree.changed("add_module", name="sub1", root={})
    tree.changed("add_module", target="sub1", name="sub2_1", root={})
    return tree


def test_parameters_are_weight_0_7849_and_bias_0_4208(http: httpx.Client) -> None:
    tree = TreeClient.linear(http, {"weight": 0.7849, "bias": 0.4208})

    assert [round(item["values"][0], 4) for item in tree.items("parameters")] == [0.7849, 0.4208]
    named = {item["name"]: item for item in tree.items("named_parameters")}
    assert [round(named[name]["values"][0], 4) for name in ("weight", "bias")] == [0.7849, 0.4208]
    weight = tree.get("get_parameter", target="weight").json()
    assert round(weight["values"][0], 4) == 0.7849
    assert weight["requires_grad"] is True


def test_register_buffer_buf_is_tensor_4(http: httpx.Client) -> None:
    tree = TreeClient.linear(http, {})
    tree.changed("register_buffer", name="buf", value=[4])

    assert [item["values"] for item in tree.items("buffers")] == [[4]]
    assert [(item["name"], item["values"]) for item in tree.items("named_buffers")] == [("buf", [4])]
    buffer = tree.get("get_buffer", target="buf").json()
    assert (buffer["dtype"], buffer["shape"], buffer["values"]) == ("int64", [1], [4])
    assert buffer["persistent"] is True


def test_sub1_and_sub2_1_are_printed_as_in_the_tutorial(http: httpx.Client) -> None:
    tree = nested(http)

    assert tree.get("repr").text == PRINTED
    assert tree.get("repr", target="sub1").text == "LinearModel(\n  (sub2_1): LinearModel()\n)"
    assert tree.get("repr", target="sub1.sub2_1").text == "LinearModel()"


def test_modules_and_children_are_named_as_in_the_tutorial(http: httpx.Client) -> None:
    tree = nested(http)

    assert tree.names("named_modules") == ["", "sub1", "sub1.sub2_1"]
    assert [item["path"] for item in tree.items("modules")] == ["", "sub1", "sub1.sub2_1"]
    assert tree.names("named_children") == ["sub1"]
    assert [item["path"] for item in tree.items("children")] == ["sub1"]
    assert tree.get("get_submodule", target="sub1").json()["path"] == "sub1"


def test_apply_make_new_weight_gives_every_submodule_weight2(http: httpx.Client) -> None:
    tree = TreeClient.linear(http, {"children": {"sub": {}}})
    tree.changed("apply", fn="make_new_weight")

    for target in ("weight2", "sub.weight2"):
        weight2 = tree.get("get_parameter", target=target).json()
        assert weight2["values"] == [2.0]
        assert weight2["requires_grad"] is True


def test_apply_takes_the_name_and_the_value(http: httpx.Client) -> None:
    tree = TreeClient.linear(http, {})
    tree.changed("apply", fn="make_new_weight", args={"name": "weight3", "value": [[1.0, 2.0]]})

    assert tree.get("get_parameter", target="weight3").json()["values"] == [[1.0, 2.0]]


def test_forward_is_x_times_weight_plus_bias(http: httpx.Client) -> None:
    tree = TreeClient.linear(http, {"weight": 2, "bias": 1, "children": {"sub1": {"weight": 100}}})

    answer = tree.post("forward", x=[[0], [1], [10.5]])
    assert answer.json() == {"y": [[1.0], [3.0], [22.0]]}
    assert tree.get().json()["revision"] == 1


def test_chain_feeds_the_result_through_the_children(http: httpx.Client) -> None:
    root = {"weight": 2, "bias": 1, "children": {"sub1": {"weight": 10, "bias": 0}}}
    tree = TreeClient.linear(http, root, forward="chain")

    assert tree.post("forward", x=[[1.0]]).json() == {"y": [[30.0]]}
