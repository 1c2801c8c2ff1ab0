"""Moving, duplicating and values in place over HTTP: each one revision, undone as it was done."""

from typing import Any

import httpx
import pytest
from safetensors.torch import load

from tests.api.client import TUTORIAL, TreeClient, refused


@pytest.fixture
def tree(http: httpx.Client) -> TreeClient:
    return TreeClient.linear(http, TUTORIAL)


def state(tree: TreeClient) -> tuple[list[str], dict[str, list[float]]]:
    values = load(tree.get("state_dict").content)
    return tree.names("named_modules"), {name: tensor.tolist() for name, tensor in values.items()}


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("move", {"target": "sub1.sub2_1", "to": "sub0", "position": 0}),
    ("move", {"target": "sub0", "to": "sub9"}),
    ("duplicate", {"target": "sub1"}),
    ("duplicate", {"target": "sub1", "to": "sub9.below", "position": 0}),
    ("copy_", {"target": "sub9.below.weight", "value": [2.5]}),
    ("copy_", {"target": "weight", "value": [-1]}),
]


def test_each_is_one_revision_that_undo_takes_back_and_redo_makes_again(tree: TreeClient) -> None:
    states = [state(tree)]
    for number, (path, body) in enumerate(CHANGES, start=2):
        assert tree.changed(path, **body)["revision"] == number
        states.append(state(tree))
    assert states[-1][0] == ["", "sub9", "sub9.below", "sub1", "sub2"]
    assert states[-1][1]["sub9.below.weight"] == [2.5]
    for before in reversed(states[:-1]):
        tree.changed("undo")
        assert state(tree) == before
    for after in states[1:]:
        tree.changed("redo")
        assert state(tree) == after


def test_what_is_frozen_and_in_eval_mode_stays_so_when_the_tree_is_read_again(tree: TreeClient) -> None:
    tree.changed("requires_grad_", target="sub1", requires_grad=False)
    tree.changed("eval", target="sub1.sub2_1")
    tree.changed("duplicate", target="sub1")
    tree.changed("move", target="sub1.sub2_1", to="sub2.again")
    tree.changed("undo")
    tree.changed("redo")
    found = {item["path"]: item["requires_grad"] for item in tree.items("named_parameters")}
    assert found["sub2.again.weight"] is False
    assert {item["path"]: item["training"] for item in tree.items("named_modules")}["sub2.again"] is False


def test_what_is_refused_says_why_and_changes_nothing(tree: TreeClient) -> None:
    assert refused(tree.post("move", target="", to="a"), 409).startswith("The root has no place")
    assert "cannot contain itself" in refused(tree.post("move", target="sub1", to="sub1.sub2_1.x"), 409)
    assert refused(tree.post("move", target="sub1", to="weight"), 409) == "attribute 'weight' already exists"
    assert refused(tree.post("duplicate", target="sub1", to="sub1"), 409) == "attribute 'sub1' already exists"
    assert refused(tree.post("move", target="sub9", to="a"), 404) == "LinearModel has no attribute `sub9`"
    assert refused(tree.post("copy_", target="sub1", value=1), 404)
    answer = tree.post("move", target="sub1", to="a", position=1)
    assert "expected 0 to 0, got 1" in refused(answer, 422)
    assert answer.json()["errors"] == [{"loc": ["body", "position"], "msg": "expected 0 to 0, got 1"}]
    assert tree.get().json()["revision"] == 1


def test_a_value_that_does_not_fit_is_told_with_both_shapes_and_both_dtypes(tree: TreeClient) -> None:
    tree.changed("register_buffer", name="count", value=[1, 2])
    answer = tree.post("copy_", target="count", value=[0.5])
    refused(answer, 422)
    assert answer.json()["errors"] == [
        {"loc": ["body", "value"], "msg": "expected the shape [2], got [1]"},
        {"loc": ["body", "value"], "msg": "expected values of int64, got float32"},
    ]
    refused(tree.post("copy_", target="count", value="x"), 422)


def test_they_obey_if_match(tree: TreeClient) -> None:
    for path, body in CHANGES[:1] + CHANGES[2:3] + CHANGES[-1:]:
        refused(tree.post(path, if_match='"9"', **body), 412)
    assert tree.post("duplicate", if_match='"1"', target="sub1").json()["revision"] == 2


def test_a_tree_known_by_its_structure_only_refuses_them(http: httpx.Client) -> None:
    tree = TreeClient(
        http, {"kind": "factory", "target": "torch.nn:Linear", "kwargs": {"in_features": 1, "out_features": 1}}
    )
    for path, body in CHANGES[:1] + CHANGES[2:3] + CHANGES[-1:]:
        assert "structure" in refused(tree.post(path, **body), 409)
