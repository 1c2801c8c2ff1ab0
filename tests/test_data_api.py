"""Data and modules over HTTP: files are uploaded, torch's modules trained, and what does not fit refused."""

from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import load
from torch import nn

from app.api import data_schemas, run_options
from app.training import optimizers
from tests.api.client import TreeClient, refused
from tests.live import LiveServer
from tests.test_runs_api import RunClient

PEOPLE = "age,height,name\n1,3,a\n2,5,b\n,7,c\n4,x,d\n"


class DataClient(RunClient):
    """Runs on the tutorial's tree, and uploads to learn from."""

    def upload(self, text: str, **more: str) -> dict[str, Any]:
        answer = self.http.post("/api/data", files={"file": ("people.csv", text.encode())}, data=more)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/api/data/{found['id']}"
        return found

    def start_on(self, tree: TreeClient, **body: Any) -> httpx.Response:
        return tree.post("runs", **body)

    def factory(self, target: str, **kwargs: Any) -> TreeClient:
        return TreeClient(self.http, {"kind": "factory", "target": target, "kwargs": kwargs, "device": "cpu"})


@pytest.fixture
def client(server: LiveServer) -> DataClient:
    return DataClient(server)


def errors(answer: httpx.Response) -> dict[tuple[Any, ...], str]:
    refused(answer, 422)
    return {tuple(error["loc"]): error["msg"] for error in answer.json()["errors"]}


def test_an_upload_says_what_its_columns_hold(client: DataClient) -> None:
    found = client.upload(PEOPLE, name="people")
    assert (found["name"], found["num_rows"], found["delimiter"], found["has_header"]) == ("people", 4, ",", True)
    assert [(each["name"], each["num_missing"], each["num_non_numeric"]) for each in found["columns"]] == [
        ("age", 1, 0),
        ("height", 0, 1),
        ("name", 0, 4),
    ]
    assert (found["columns"][0]["min"], found["columns"][0]["max"]) == (1, 4)
    assert [(each["row"], each["column"]) for each in found["problems"]][:3] == [(2, "name"), (3, "name"), (4, "age")]
    assert client.http.get(f"/api/data/{found['id']}").json() == found
    assert found in client.http.get("/api/data").json()["items"]
    data_schemas.DataList.model_validate_json(client.http.get("/api/data").content)
    data_schemas.Data.model_validate(data_schemas.DATA)


def test_a_file_that_is_no_table_is_refused(client: DataClient) -> None:
    answer = client.http.post("/api/data", files={"file": ("a.csv", b"a,b\n1,2,3\n")})
    assert ("body", "file", "row", 2) in errors(answer)


@pytest.mark.parametrize("data_id", ["d_none", "%2e%2e", "d_" + "a" * 50])
@pytest.mark.parametrize("method", ["get", "delete"])
def test_data_that_is_not_there_is_a_404(client: DataClient, method: str, data_id: str) -> None:
    refused(client.http.request(method, f"/api/data/{data_id}"), 404)


def test_cells_without_a_number_are_named_and_never_dropped_unasked(client: DataClient) -> None:
    data = {"kind": "csv", "upload": client.upload(PEOPLE)["id"], "x": ["age"], "y": ["height"]}
    found = errors(client.start_on(client.tree, data=data))
    assert "2 of 4 rows" in found["body", "data", "missing"]
    assert found["body", "data", "x"] == "row 4, column 'age': no value"
    assert found["body", "data", "y"] == "row 5, column 'height': 'x' is no number"
    run = client.ended(client.start(data={**data, "missing": "drop"}))
    shown = run["config"]["data"]
    assert (shown["name"], shown["count"], shown["num_dropped"]) == ("people.csv", 2, 2)


def test_a_run_learns_from_its_columns_after_the_upload_is_gone(client: DataClient) -> None:
    upload = client.upload("".join(f"{x};{2 * x + 1}\n" for x in range(10)))["id"]
    data = {"kind": "csv", "upload": upload, "x": ["column1"], "y": ["column2"]}
    run = client.start(epochs=100_000, data=data)
    assert client.http.delete(f"/api/data/{upload}").status_code == 204
    client.under_way(run)
    client.post(run, "cancel")
    items = client.get(run, "/epochs", params={"limit": 1}).json()["items"]
    assert items[0]["loss"] == pytest.approx(37.1365013)
    assert "no data" in errors(client.start_on(client.tree, data=data))["body", "data", "upload"]
    page = client.http.get(f"/trees/{client.tree_id}?run={run['id']}").text
    assert "10 rows of people.csv" in page


def test_columns_can_be_standardized(client: DataClient) -> None:
    upload = client.upload("x,y\n1,10\n2,20\n3,30\n")["id"]
    data = {"kind": "csv", "upload": upload, "x": ["x"], "y": ["y"], "standardize": True}
    run = client.ended(client.start(data=data, epochs=500, lr=0.1))
    assert (run["fit"]["slope"], run["fit"]["intercept"]) == pytest.approx((1, 0), abs=1e-3)


def test_columns_that_are_not_there_are_named(client: DataClient) -> None:
    upload = client.upload("x,y\n1,10\n")["id"]
    found = errors(client.start_on(client.tree, data={"kind": "csv", "upload": upload, "x": ["z"], "y": ["y"]}))
    assert found["body", "data", "x", 0] == "people.csv has no column 'z'; it has x, y"


def test_a_module_of_torch_is_trained_as_torch_trains_it(client: DataClient) -> None:
    tree = client.factory("torch.nn:Linear", in_features=2, out_features=1)
    assert tree.opened.json()["can"] == {"train": True, "edit": False, "forward": False}
    x, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]], [[1.0], [2.0], [3.0]]
    answer = client.start_on(tree, seed=7, epochs=5, lr=0.1, data={"kind": "table", "x": x, "y": y})
    run = client.ended(answer.json())
    torch.manual_seed(7)
    model = nn.Linear(2, 1)
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(5):
        loss = nn.functional.mse_loss(model(torch.tensor(x)), torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert [item["loss"] for item in client.get(run, "/epochs").json()["items"]] == losses
    # Its values are the tree's from then on, and the next run goes on from them.
    parameters = client.http.get(f"{tree.url}/named_parameters").json()["items"]
    assert [each["values"] for each in parameters] == [p.tolist() for p in model.parameters()]
    again = client.ended(client.start_on(tree, epochs=1, data={"kind": "table", "x": x, "y": y}).json())
    with torch.no_grad():
        assert again["loss"] == nn.functional.mse_loss(model(torch.tensor(x)), torch.tensor(y)).item()
    assert again["result_revision"] == 3
    assert client.post(run, "apply").json()["num_applied"] == 2


def test_dropout_and_batch_norm_come_back_after_a_checkpoint(client: DataClient) -> None:
    layers = [
        {"target": "torch.nn:Linear", "kwargs": {"in_features": 1, "out_features": 4}},
        {"target": "torch.nn:BatchNorm1d", "kwargs": {"num_features": 4}},
        {"target": "torch.nn:Dropout"},
        {"target": "torch.nn:Linear", "kwargs": {"in_features": 4, "out_features": 1}},
    ]
    tree = client.factory("torch.nn:Sequential", args=layers)
    answer = client.start_on(
        tree, data={"kind": "sine"}, batch_size=32, validation_split=0.2, module_stats_every=2, frozen=["0"], seed=0
    )
    run = client.ended(answer.json())
    assert (run["status"], run["num_module_stats"]) == ("succeeded", 5)
    assert run["validation_loss"] is not None
    buffers = {each["name"]: each["values"] for each in client.http.get(f"{tree.url}/named_buffers").json()["items"]}
    assert buffers["1.num_batches_tracked"] == 30


@pytest.mark.parametrize(
    ("target", "kwargs", "body", "where", "words"),
    [
        ("Linear", {"in_features": 3, "out_features": 1}, {}, ["data", "x"], ["takes (N, 3)", "x is (10, 1)"]),
        ("Linear", {"in_features": 1, "out_features": 2}, {}, ["data", "y"], ["gives (10, 2)", "y is (10, 1)"]),
        ("LSTM", {"input_size": 1, "hidden_size": 1}, {}, ["data", "x"], ["gives a tuple"]),
        ("Bilinear", {"in1_features": 1, "in2_features": 1, "out_features": 1}, {}, ["data", "x"], ["TypeError"]),
        ("Linear", {"in_features": 1, "out_features": 1}, {"step": "fused"}, ["step"], ["LinearModels"]),
        ("Linear", {"in_features": 1, "out_features": 1}, {"frozen": [""]}, ["frozen"], ["nothing is left"]),
        ("Linear", {"in_features": 1, "out_features": 1}, {"frozen": ["head"]}, ["frozen", 0], ["no module 'head'"]),
    ],
)
def test_a_module_that_does_not_fit_is_refused_before_the_run(
    client: DataClient, target: str, kwargs: dict[str, Any], body: dict[str, Any], where: list[Any], words: list[str]
) -> None:
    tree = client.factory(f"torch.nn:{target}", **kwargs)
    found = errors(client.start_on(tree, **body))
    assert list(found) == [("body", *where)]
    assert all(word in found["body", *where] for word in words)


def test_a_batch_norm_that_is_given_one_point_at_the_end_is_refused(client: DataClient) -> None:
    tree = client.factory("torch.nn:BatchNorm1d", num_features=1)
    assert "(1, 1)" in errors(client.start_on(tree, batch_size=9))["body", "data", "x"]
    assert client.start_on(tree, batch_size=8).status_code == 202


def test_a_module_on_meta_is_not_trained(client: DataClient) -> None:
    source = {"kind": "factory", "target": "torch.nn:Linear", "kwargs": {"in_features": 1, "out_features": 1}}
    tree = TreeClient(client.http, {**source, "device": "meta"})
    assert '"device": "cpu"' in refused(client.start_on(tree), 409)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"data": {"kind": "table", "x": [[1, 2], [3, 4]], "y": [[1], [2]]}}, ("body", "data", "y")),
        ({"frozen": ["sub1", "sub9"]}, ("body", "frozen", 1)),
        ({"frozen": [""]}, ("body", "frozen")),
        ({"step": "fused", "loss": "L1Loss"}, ("body", "step")),
    ],
)
def test_a_tree_of_linear_models_that_does_not_fit_is_refused(
    client: DataClient, body: dict[str, Any], where: tuple[Any, ...]
) -> None:
    assert list(errors(client.start_on(client.tree, **body))) == [where]


def test_nothing_is_broadcast_unasked(client: DataClient) -> None:
    client.tree.changed("delete", target="bias")
    client.tree.changed("register_parameter", name="bias", value=[0.0, 1.0])
    assert "gives (10, 2)" in errors(client.start_on(client.tree))["body", "data", "y"]
    client.tree.changed("delete", target="weight")
    assert "weight" in errors(client.start_on(client.tree))["body", "data", "x"]


def test_parameters_that_the_forward_does_not_use_are_none_to_train(client: DataClient) -> None:
    client.tree.changed("requires_grad_", requires_grad=False)
    client.tree.changed("requires_grad_", target="sub1", requires_grad=True)
    assert "no parameter that the forward uses" in errors(client.start_on(client.tree))["body", "frozen"]


def test_the_options_name_all_that_a_run_may_be_asked(client: DataClient) -> None:
    answer = client.http.get("/api/run_options")
    run_options.RunOptions.model_validate_json(answer.content)
    run_options.RunOptions.model_validate(run_options.EXAMPLE)
    found = answer.json()
    named = {kind: {each["name"]: each["arguments"] for each in found[kind]} for kind in ("optimizers", "data")}
    assert set(named["optimizers"]) == set(optimizers.OPTIMIZERS)
    momentum = {"name": "momentum", "type": "float", "required": False, "default": 0, "choices": []}
    assert momentum in named["optimizers"]["SGD"]
    assert set(named["data"]) == {"line", "polynomial", "sine", "table", "csv"}


def test_the_state_dict_of_a_trained_module_is_what_the_run_left(client: DataClient) -> None:
    tree = client.factory("torch.nn:Linear", in_features=1, out_features=1)
    client.ended(client.start_on(tree, epochs=1).json())
    answer = client.http.get(f"{tree.url}/state_dict")
    assert answer.status_code == 200, answer.text
    assert set(load(answer.content)) == {"weight", "bias"}
