"""Changing a tree: torch's own refusals, revisions, preconditions, undo and redo, files."""

import threading
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import load, save

from app.trees.linear import LinearModel
from tests.api.client import TreeClient, refused


def headed(header: bytes) -> bytes:
    """A safetensors file of this header, and no more."""
    return len(header).to_bytes(8, "little") + header


class TestTorchsRefusals:
    @pytest.mark.parametrize("name", ["", "a.b", "weight", "sub1", "training", "forward"])
    def test_register_buffer(self, tree: TreeClient, name: str) -> None:
        module = LinearModel()
        module.sub1 = LinearModel()
        with pytest.raises(KeyError) as torch_error:
            module.register_buffer(name, torch.tensor([1.0]))

        assert refused(tree.post("register_buffer", name=name, value=[1.0]), 409) == torch_error.value.args[0]
        assert tree.get().json()["revision"] == 1

    @pytest.mark.parametrize("name", ["", "a.b", "sub1", "training"])
    def test_register_parameter(self, tree: TreeClient, name: str) -> None:
        module = LinearModel()
        module.sub1 = LinearModel()
        with pytest.raises(KeyError) as torch_error:
            module.register_parameter(name, torch.nn.Parameter(torch.tensor([1.0])))

        assert refused(tree.post("register_parameter", name=name, value=[1.0]), 409) == torch_error.value.args[0]

    @pytest.mark.parametrize("name", ["", "a.b", "weight", "training"])
    def test_add_module(self, tree: TreeClient, name: str) -> None:
        with pytest.raises(KeyError) as torch_error:
            LinearModel().add_module(name, LinearModel())

        assert refused(tree.post("add_module", name=name, root={}), 409) == torch_error.value.args[0]

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("register_buffer", {"name": "b", "value": 1}),
            ("register_parameter", {"name": "p", "value": 1}),
            ("add_module", {"name": "m", "root": {}}),
            ("apply", {"fn": "zero_"}),
            ("requires_grad_", {}),
            ("train", {}),
            ("eval", {}),
        ],
    )
    def test_a_target_that_is_not_there(self, tree: TreeClient, path: str, body: dict[str, Any]) -> None:
        module = LinearModel()
        with pytest.raises(AttributeError) as torch_error:
            module.get_submodule("nothing")

        assert refused(tree.post(path, target="nothing", **body), 404) == str(torch_error.value)

    def test_delete_of_nothing(self, tree: TreeClient) -> None:
        assert refused(tree.post("delete", target="sub1.nothing"), 404) == "LinearModel has no attribute `nothing`"
        refused(tree.post("delete", target=""), 409)


class TestBodies:
    @pytest.mark.parametrize(
        ("path", "body", "place"),
        [
            ("register_buffer", {"name": "b"}, ["body", "value"]),
            ("register_buffer", {"name": 1, "value": 1}, ["body", "name"]),
            ("register_buffer", {"name": "b", "value": "x"}, ["body", "value"]),
            ("register_buffer", {"name": "b", "value": [[1], 2]}, ["body", "value"]),
            ("register_buffer", {"name": "b", "value": None}, ["body", "value"]),
            ("register_buffer", {"name": "b", "value": 1, "dtype": "complex64"}, ["body", "dtype"]),
            ("register_buffer", {"name": "b", "value": 300, "dtype": "uint8"}, ["body", "value"]),
            ("register_buffer", {"name": "b", "value": 2**80}, ["body", "value"]),
            ("register_buffer", {"name": "b", "value": 1, "persistent": "yes"}, ["body", "persistent"]),
            ("register_buffer", {"name": "b", "value": 1, "shape": [1]}, ["body", "shape"]),
            ("register_parameter", {"name": "p", "value": 1, "dtype": "int64"}, ["body", "requires_grad"]),
            ("add_module", {"name": "m", "root": []}, ["body", "root"]),
            ("add_module", {"name": "m", "root": {"children": {"c": {"bias": "x"}}}},
             ["body", "root", "children", "c", "bias"]),
            ("apply", {"fn": "exec"}, ["body", "fn"]),
            ("apply", {"fn": "normal_", "args": {"mean": "x"}}, ["body", "args", "mean"]),
            ("apply", {"fn": "normal_", "args": {"nothing": 1}}, ["body", "args", "nothing"]),
            ("apply", {"fn": "constant_"}, ["body", "args", "val"]),
            ("apply", {"fn": "make_new_weight", "args": {"value": [[1], [2, 3]]}}, ["body", "args", "value"]),
            ("delete", {}, ["body", "target"]),
            ("forward", {}, ["body", "x"]),
            ("forward", {"x": "1"}, ["body", "x"]),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_422_and_says_where(
        self, tree: TreeClient, path: str, body: dict[str, Any], place: list[str]
    ) -> None:
        answer = tree.post(path, **body)

        refused(answer, 422)
        assert place in [error["loc"] for error in answer.json()["errors"]]
        assert tree.get().json()["revision"] == 1

    @pytest.mark.parametrize("path", ["train", "eval", "requires_grad_", "undo"])
    def test_a_call_whose_arguments_all_have_defaults_needs_no_body(self, tree: TreeClient, path: str) -> None:
        tree.changed("eval")

        assert tree.http.post(f"{tree.url}/{path}").status_code == 200


class TestChanges:
    def test_each_answers_the_tree_at_the_next_revision(self, tree: TreeClient) -> None:
        changes: list[tuple[str, dict[str, Any]]] = [
            ("register_buffer", {"target": "sub1", "name": "b", "value": [[1.0, 2.0]], "persistent": False}),
            ("register_parameter", {"name": "p", "value": [1, 2], "dtype": "float64", "requires_grad": False}),
            ("add_module", {"name": "sub2", "root": {"children": {"x": {}}}}),
            ("apply", {"target": "sub2", "fn": "ones_"}),
            ("requires_grad_", {"target": "sub1", "requires_grad": False}),
            ("train", {"mode": False}),
            ("train", {"target": "sub1"}),
            ("eval", {"target": "sub1.sub2_1"}),
            ("delete", {"target": "sub2.x"}),
            ("delete", {"target": "sub1.b"}),
            ("delete", {"target": "p"}),
        ]
        for number, (path, body) in enumerate(changes, start=2):
            answer = tree.post(path, **body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["revision"] == number
            assert answer.headers["etag"] == f'"{number}"'
            assert answer.json() == tree.get().json()

    def test_they_do_what_torch_does(self, tree: TreeClient) -> None:
        tree.changed("register_buffer", target="sub1", name="b", value=[[1, 2]], dtype="float16", persistent=False)
        buffer = tree.get("get_buffer", target="sub1.b").json()
        assert (buffer["dtype"], buffer["values"], buffer["persistent"]) == ("float16", [[1.0, 2.0]], False)

        tree.changed("requires_grad_", target="sub1", requires_grad=False)
        frozen = {item["name"] for item in tree.items("named_parameters") if not item["requires_grad"]}
        assert frozen == {"sub1.weight", "sub1.bias", "sub1.sub2_1.weight", "sub1.sub2_1.bias"}
        assert tree.get().json()["num_trainable"] == 2

        tree.changed("eval", target="sub1.sub2_1")
        assert [item["training"] for item in tree.items("modules")] == [True, True, False]

        tree.changed("delete", target="sub1.sub2_1")
        assert tree.names("named_modules") == ["", "sub1"]

    def test_apply_reaches_every_submodule_and_is_reproducible_by_seed(self, tree: TreeClient) -> None:
        values = []
        for _ in range(2):
            tree.changed("apply", fn="normal_", args={"mean": 5.0, "std": 0.5, "seed": 3})
            values.append([item["values"] for item in tree.items("parameters")])

        assert values[0] == values[1]
        assert all(2 < value[0] < 8 for value in values[0])

    def test_every_listed_function_can_be_asked_for(self, http: httpx.Client, tree: TreeClient) -> None:
        functions = {each["name"]: each for each in http.get("/api/apply_functions").json()["items"]}
        assert {"make_new_weight", "requires_grad_", "zero_", "normal_", "kaiming_uniform_"} <= set(functions)

        for name, function in functions.items():
            args = {each["name"]: 1 for each in function["args"] if each["required"]}
            answer = tree.post("apply", fn=name, args=args)
            assert answer.status_code in {200, 409}, answer.text
            tree.changed("undo") if answer.status_code == 200 else refused(answer, 409)

    def test_one_that_fails_half_way_leaves_everything_as_it_was(self, tree: TreeClient) -> None:
        before = tree.items("named_parameters")

        refused(tree.post("apply", fn="xavier_uniform_"), 409)
        assert tree.items("named_parameters") == before
        assert tree.get().json()["revision"] == 1

    def test_many_at_once_under_if_match_let_one_through(self, tree: TreeClient) -> None:
        statuses: list[int] = []

        def change() -> None:
            with httpx.Client(base_url=tree.http.base_url, trust_env=False) as http:
                answer = http.post(f"{tree.url}/eval", headers={"if-match": '"1"'})
                statuses.append(answer.status_code)

        threads = [threading.Thread(target=change) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(statuses) == [200] + [412] * 7
        assert tree.get().json()["revision"] == 2


class TestUndo:
    def test_goes_back_and_redo_forward(self, tree: TreeClient) -> None:
        tree.changed("register_buffer", name="b", value=1)
        tree.changed("register_buffer", name="c", value=2)

        undone = tree.changed("undo")
        assert (undone["revision"], undone["can_undo"], undone["can_redo"]) == (2, True, True)
        assert tree.names("named_buffers") == ["b"]
        assert tree.changed("undo")["can_undo"] is False
        assert tree.names("named_buffers") == []
        assert tree.changed("redo")["revision"] == 2
        assert tree.changed("redo")["revision"] == 3
        assert tree.names("named_buffers") == ["b", "c"]

    def test_ends_at_the_first_revision_and_redo_at_the_last(self, tree: TreeClient) -> None:
        refused(tree.post("undo"), 409)
        refused(tree.post("redo"), 409)

    def test_a_change_after_it_takes_a_number_never_used(self, tree: TreeClient) -> None:
        tree.changed("eval")
        tree.changed("undo")

        assert tree.changed("register_buffer", name="b", value=1)["revision"] == 3
        refused(tree.post("redo"), 409)

    def test_obeys_if_match(self, tree: TreeClient) -> None:
        tree.changed("eval")

        refused(tree.post("undo", if_match='"1"'), 412)
        assert tree.post("undo", if_match='"2"').status_code == 200
        refused(tree.post("redo", if_match='"2"'), 412)
        refused(tree.post("forward", if_match='"2"', x=1), 412)


class TestForward:
    def test_an_x_that_would_take_minutes_through_all_modules_is_413(self, http: httpx.Client) -> None:
        source = {"kind": "grid", "branching": 10, "depth": 4, "forward": "chain"}
        tree = TreeClient(http, source)

        assert tree.post("forward", x=[1.0, 2.0]).status_code == 200
        refused(tree.post("forward", x=[0] * 20_000), 413)

    def test_whole_numbers_go_through_as_float32(self, tree: TreeClient) -> None:
        assert tree.post("forward", x=2).json() == tree.post("forward", x=2.0).json()


class TestLoadStateDict:
    def test_puts_the_values_of_the_file_into_the_tree(self, tree: TreeClient) -> None:
        given = {name: torch.full_like(tensor, 0.5) for name, tensor in load(tree.get("state_dict").content).items()}
        answer = tree.load(save(given))

        assert answer.json() == {"missing_keys": [], "unexpected_keys": [], "mismatched": [], "revision": 2}
        assert answer.headers["etag"] == '"2"'
        assert {tuple(item["values"]) for item in tree.items("parameters")} == {(0.5,)}

    def test_strict_refuses_with_all_problems_and_changes_nothing(self, tree: TreeClient) -> None:
        answer = tree.load(save({"weight": torch.ones(2), "extra": torch.ones(1)}))

        assert "extra" in refused(answer, 409)
        problem = answer.json()
        assert problem["missing_keys"][0] == "bias"
        assert problem["unexpected_keys"] == ["extra"]
        assert problem["mismatched"] == [{"name": "weight", "expected": [1], "got": [2]}]
        assert tree.get().json()["revision"] == 1

    def test_without_strict_what_fits_is_loaded(self, tree: TreeClient) -> None:
        given = {"weight": torch.tensor([7.0]), "bias": torch.ones(2), "extra": torch.ones(1)}
        answer = tree.load(save(given), strict="false").json()

        assert answer["unexpected_keys"] == ["extra"]
        assert answer["mismatched"] == [{"name": "bias", "expected": [1], "got": [2]}]
        assert len(answer["missing_keys"]) == 4
        assert tree.get("get_parameter", target="weight").json()["values"] == [7.0]

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"PK\x03\x04",
            b"\xff" * 8,
            b"\x02\x00\x00\x00\x00\x00\x00\x00{}trailing",
            b"\x10\x00\x00\x00\x00\x00\x00\x00{}",
            b"\x08\x00\x00\x00\x00\x00\x00\x00not json",
            b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",
            headed(b'{"weight":{"dtype":"F32","shape":[9999999999],"data_offsets":[0,4]}}'),
            headed(b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
            headed(b'{"weight":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}') + b"1234",
            headed(b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}') + b"1234",
            headed(b"[" * 10_000),
        ],
    )
    def test_a_file_that_is_none_is_422(self, tree: TreeClient, data: bytes) -> None:
        refused(tree.load(data, strict="false"), 422)
        assert tree.get().json()["revision"] == 1

    def test_a_form_that_does_not_fit_is_422(self, tree: TreeClient) -> None:
        url = f"{tree.url}/load_state_dict"

        refused(tree.http.post(url), 422)
        refused(tree.http.post(url, json={"strict": True}), 422)
        refused(tree.http.post(url, data={"file": "text"}), 422)
        refused(tree.load(save({}), strict="perhaps"), 422)
        refused(tree.http.post(url, content=b"--x", headers={"content-type": "multipart/form-data"}), 422)
        broken = {"content-type": "multipart/form-data; boundary=x"}
        refused(tree.http.post(url, content=b"no boundary here", headers=broken), 422)

    def test_obeys_if_match(self, tree: TreeClient) -> None:
        files = {"file": ("model.safetensors", tree.get("state_dict").content)}
        answer = tree.http.post(f"{tree.url}/load_state_dict", files=files, headers={"if-match": '"9"'})

        refused(answer, 412)
