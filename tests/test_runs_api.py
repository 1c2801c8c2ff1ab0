"""Runs over HTTP: started, looked at, stopped, and refused in words."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from app.api import run_examples, run_schemas
from app.training.config import RunConfig
from tests.api.client import TUTORIAL, TreeClient, refused
from tests.event_source import events_of, follow
from tests.live import LiveServer
from tests.training.tutorial_run import AT_TEN, LOSSES, PREDICTIONS

ENDLESS = {
    "optimizer": "LBFGS",
    "optimizer_args": {"max_iter": 10**9, "max_eval": 10**9, "tolerance_grad": -1, "tolerance_change": -1},
    "data": {"kind": "line", "count": 100_000},
}


class RunClient:
    """The tutorial's tree on the shared server, and runs on it."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.http = server.client
        self.tree = TreeClient.linear(self.http, TUTORIAL)
        self.tree_id = self.tree.opened.json()["id"]

    def start(self, **body: Any) -> dict[str, Any]:
        answer = self.tree.post("runs", **body)
        assert answer.status_code == 202, answer.text
        run: dict[str, Any] = answer.json()
        return run

    def get(self, run: dict[str, Any], path: str = "", **more: Any) -> httpx.Response:
        return self.http.get(f"/api/runs/{run['id']}{path}", **more)

    def post(self, run: dict[str, Any], path: str) -> httpx.Response:
        return self.http.post(f"/api/runs/{run['id']}/{path}")

    def ended(self, run: dict[str, Any]) -> dict[str, Any]:
        events_of(self.server, run["id"], batch=1000)
        found: dict[str, Any] = self.get(run).json()
        return found

    def under_way(self, run: dict[str, Any]) -> None:
        with follow(self.server, f"/api/runs/{run['id']}/events") as source:
            source.until("epoch")


@pytest.fixture
def runs(server: LiveServer) -> RunClient:
    return RunClient(server)


def test_the_tutorials_run(runs: RunClient) -> None:
    run = runs.ended(runs.start())
    assert (run["status"], run["epochs_done"], run["result_revision"]) == ("succeeded", 10, 2)
    items = runs.get(run, "/epochs").json()["items"]
    assert [item["epoch"] for item in items] == list(range(10))
    assert [item["loss"] for item in items] == pytest.approx(LOSSES, rel=1e-5)
    forward = runs.tree.post("forward", x=[[float(number)] for number in range(10)]).json()["y"]
    assert [row[0] for row in forward] == pytest.approx(PREDICTIONS, abs=5e-5)
    assert runs.tree.post("forward", x=[[10.0]]).json()["y"][0] == pytest.approx([AT_TEN], abs=5e-5)


def test_an_answer_to_start_says_where_the_run_is(runs: RunClient) -> None:
    answer = runs.tree.post("runs")
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/api/runs/{run['id']}"
    assert run["status"] in {"queued", "running"}
    assert (run["tree"], run["tree_revision"], run["number"]) == (runs.tree_id, 1, 1)
    assert run["config"] == run_examples.CONFIG
    runs.ended(run)


def test_an_empty_body_is_the_tutorials(runs: RunClient) -> None:
    answer = runs.http.post(f"{runs.tree.url}/runs")
    assert answer.status_code == 202
    assert runs.ended(answer.json())["loss"] == pytest.approx(LOSSES[-1], rel=1e-5)


def test_every_misfit_is_told_with_its_place(runs: RunClient) -> None:
    answer = runs.tree.post(
        "runs",
        epochs=0,
        lr=-1,
        optimizer_args={"momentun": 0.9},
        loss="MSE",
        data={"kind": "table", "x": [[1], [2]], "y": [[1]]},
        module_stats_every=-5,
    )
    refused(answer, 422)
    assert [error["loc"] for error in answer.json()["errors"]] == [
        ["body", "epochs"],
        ["body", "module_stats_every"],
        ["body", "loss"],
        ["body", "lr"],
        ["body", "optimizer_args", "momentun"],
        ["body", "data", "y"],
    ]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"epoch": 10}, ["body", "epoch"]),
        ({"epochs": "10"}, ["body", "epochs"]),
        ({"epochs": 1.5}, ["body", "epochs"]),
        ({"lr": None}, ["body", "lr"]),
        ({"data": {"kind": "parquet"}}, ["body", "data"]),
        ({"data": {"kind": "csv", "upload": "d_1"}}, ["body", "data", "csv", "x"]),
        ({"data": {"kind": "table", "x": [[1]], "y": [["1"]]}}, ["body", "data", "table", "y", 0, 0]),
        ({"optimizer_args": [1]}, ["body", "optimizer_args"]),
    ],
)
def test_a_body_that_does_not_fit_the_schema_is_a_422(runs: RunClient, body: dict[str, Any], where: list[Any]) -> None:
    answer = runs.tree.post("runs", **body)
    refused(answer, 422)
    assert answer.json()["errors"][0]["loc"] == where


@pytest.mark.parametrize(
    "body",
    [
        {"lr": 10**400},
        {"epochs": 10**400},
        {"seed": -(10**400)},
        {"optimizer_args": {"momentum": 10**400}},
        {"optimizer_args": {"momentum": {"a": [[[]]]}}},
        {"data": {"kind": "line", "slope": 10**400}},
        {"data": {"kind": "line", "count": 10**18}},
        {"data": {"kind": "table", "x": [[10**400]], "y": [[1]]}},
        {"optimizer": "__class__"},
        {"optimizer": "\ud7ff"},
    ],
)
def test_numbers_past_all_bounds_are_refused(runs: RunClient, body: dict[str, Any]) -> None:
    assert runs.tree.post("runs", **body).status_code in {413, 422}


def test_nan_is_no_json(runs: RunClient) -> None:
    headers = {"content-type": "application/json"}
    refused(runs.http.post(f"{runs.tree.url}/runs", content='{"lr": NaN}', headers=headers), 422)


def test_a_table_over_the_limit_is_a_413(runs: RunClient) -> None:
    rows = [[1.0]] * 10_001
    answer = runs.tree.post("runs", data={"kind": "table", "x": rows, "y": rows})
    assert refused(answer, 413)
    assert answer.json()["limit"] == 20_000


def test_a_table_is_learnt_as_a_line_is(runs: RunClient) -> None:
    x = [[float(number)] for number in range(10)]
    y = [[2 * number + 1.0] for number in range(10)]
    run = runs.ended(runs.start(data={"kind": "table", "x": x, "y": y}))
    assert run["loss"] == pytest.approx(LOSSES[-1], rel=1e-5)
    assert run["config"]["data"] == {"kind": "table", "x": x, "y": y}


def test_losses_that_are_not_finite_are_null_with_their_kind(runs: RunClient) -> None:
    run = runs.ended(runs.start(lr=1e30))
    assert (run["status"], run["loss"], run["nonfinite"], run["fit"]) == ("succeeded", None, "nan", None)
    items = runs.get(run, "/epochs").json()["items"]
    assert [(item["loss"] is None, item.get("nonfinite")) for item in items[:3]] == [
        (False, None),
        (True, "inf"),
        (True, "nan"),
    ]


def test_a_frozen_tree_is_a_409(runs: RunClient) -> None:
    runs.tree.changed("requires_grad_", requires_grad=False)
    assert "cannot be trained" in refused(runs.tree.post("runs"), 409)


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("run_id", ["r_none", "%00", "r_" + "x" * 60])
def test_a_run_that_is_not_there_is_a_404(runs: RunClient, method: str, run_id: str) -> None:
    refused(runs.http.request(method, f"/api/runs/{run_id}"), 404)


@pytest.mark.parametrize("path", ["epochs", "events"])
def test_what_is_below_a_run_that_is_not_there_is_a_404(runs: RunClient, path: str) -> None:
    refused(runs.http.get(f"/api/runs/r_none/{path}"), 404)


@pytest.mark.parametrize("path", ["cancel", "pause", "resume", "apply"])
def test_commands_to_a_run_that_is_not_there_are_a_404(runs: RunClient, path: str) -> None:
    refused(runs.http.post(f"/api/runs/r_none/{path}"), 404)


def test_a_run_on_a_tree_that_is_not_there_is_a_404(runs: RunClient) -> None:
    refused(runs.http.post("/api/trees/t_none/runs"), 404)


# A machine that is busy with others may take longer once, not each time.
TRIES = 3


def cancelled_in_s(runs: RunClient, run: dict[str, Any]) -> float:
    """Cancel a run that is under way, and return how long the answer took."""
    runs.under_way(run)
    answer = runs.post(run, "cancel")
    assert answer.json()["status"] == "cancelled"
    assert "cancelled" in refused(runs.post(run, "cancel"), 409)
    return answer.elapsed.total_seconds()


@pytest.mark.parametrize("options", [{"epochs": 10_000_000}, ENDLESS], ids=["many epochs", "an endless epoch"])
def test_cancel_answers_within_200_ms_with_the_run_as_it_ended(runs: RunClient, options: dict[str, Any]) -> None:
    assert any(cancelled_in_s(runs, runs.start(**options)) < 0.2 for _ in range(TRIES))


def test_pause_and_resume(runs: RunClient) -> None:
    run = runs.start(epochs=10_000_000)
    runs.under_way(run)
    assert runs.post(run, "pause").json()["status"] == "paused"
    done = runs.get(run).json()["epochs_done"]
    assert "paused" in refused(runs.post(run, "pause"), 409)
    assert runs.get(run).json()["epochs_done"] == done
    assert runs.post(run, "resume").json()["status"] == "running"
    assert runs.post(run, "cancel").json()["status"] == "cancelled"
    refused(runs.post(run, "resume"), 409)


def test_an_active_run_is_not_deleted(runs: RunClient) -> None:
    run = runs.start(epochs=10_000_000)
    assert "cancel it" in refused(runs.http.delete(f"/api/runs/{run['id']}"), 409)
    runs.post(run, "cancel")
    assert runs.http.delete(f"/api/runs/{run['id']}").status_code == 204
    refused(runs.get(run), 404)


def test_runs_are_listed_newest_first(runs: RunClient) -> None:
    started = [runs.ended(runs.start(epochs=1))["id"] for _ in range(3)]
    query: dict[str, Any] = {"tree": runs.tree_id, "limit": 2}
    first = runs.http.get("/api/runs", params=query).json()
    second = runs.http.get("/api/runs", params={**query, "cursor": first["next"]}).json()
    assert [run["id"] for run in first["items"] + second["items"]] == started[::-1]
    assert (first["total"], second["next"]) == (3, None)
    assert [run["number"] for run in first["items"]] == [3, 2]


@pytest.mark.parametrize("query", [{"cursor": "!"}, {"limit": 0}, {"limit": 1001}])
def test_a_list_that_cannot_be_is_a_422(runs: RunClient, query: dict[str, Any]) -> None:
    refused(runs.http.get("/api/runs", params=query), 422)


def test_a_run_says_that_its_tree_is_gone(runs: RunClient) -> None:
    run = runs.ended(runs.start())
    assert runs.http.delete(runs.tree.url).status_code == 204
    run = runs.get(run).json()
    assert (run["tree"], run["tree_deleted"], run["tree_name"]) == (runs.tree_id, True, "LinearModel")
    assert runs.http.get("/api/runs", params={"tree": runs.tree_id}).json()["items"] == [run]
    refused(runs.post(run, "apply"), 404)


def test_a_result_is_applied_where_it_still_fits(runs: RunClient) -> None:
    run = runs.ended(runs.start())
    runs.tree.changed("undo")
    runs.tree.changed("delete", target="sub1.sub2_1")
    applied = runs.post(run, "apply").json()
    assert (applied["num_applied"], applied["num_unfit"]) == (4, 2)
    assert [unfit["path"] for unfit in applied["unfit"]] == ["sub1.sub2_1.weight", "sub1.sub2_1.bias"]
    assert runs.tree.get().json()["revision"] == applied["revision"]
    assert runs.tree.post("forward", x=[[10.0]]).json()["y"][0] == pytest.approx([AT_TEN], abs=5e-5)


def test_epochs_page_by_page(runs: RunClient) -> None:
    run = runs.ended(runs.start(epochs=2500))
    found: list[dict[str, Any]] = []
    after: int | None = -1
    while after is not None:
        page = runs.get(run, "/epochs", params={"after": after, "limit": 1000}).json()
        found += page["items"]
        after = page["next"]
    assert [item["epoch"] for item in found] == list(range(2500))
    assert runs.get(run, "/epochs", params={"after": 2499}).json() == {"items": [], "next": None}


def test_epochs_as_csv_are_all_in_one_file(runs: RunClient) -> None:
    run = runs.ended(runs.start(epochs=2500, lr=1e-4))
    answer = runs.get(run, "/epochs", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="run-1-epochs.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    items = runs.get(run, "/epochs", params={"limit": 2500}).json()["items"]
    assert [(int(row["epoch"]), float(row["loss"]), row["at"]) for row in rows] == [
        (item["epoch"], item["loss"], item["at"]) for item in items
    ]
    some = runs.get(run, "/epochs", params={"after": 99, "limit": 5}, headers={"accept": "text/csv"}).text
    assert [line.partition(",")[0] for line in some.splitlines()] == ["epoch", "100", "101", "102", "103", "104"]


def test_csv_writes_a_loss_that_is_not_finite_as_a_word(runs: RunClient) -> None:
    run = runs.ended(runs.start(lr=1e30, epochs=3))
    text = runs.get(run, "/epochs", headers={"accept": "text/csv"}).text
    assert [row["loss"] for row in csv.DictReader(io.StringIO(text))][1:] == ["inf", "nan"]


def test_answers_are_what_the_document_says(runs: RunClient) -> None:
    run = runs.ended(runs.start(epochs=5, lr=1e30, checkpoint_every=2))
    run_schemas.Run.model_validate_json(runs.get(run).content)
    run_schemas.RunList.model_validate_json(runs.http.get("/api/runs").content)
    run_schemas.EpochList.model_validate_json(runs.get(run, "/epochs").content)
    run_schemas.Applied.model_validate_json(runs.post(run, "apply").content)
    assert set(run_schemas.Run.model_fields) == set(run)
    for shown, model in (
        (run_examples.RUN, run_schemas.Run),
        (run_examples.QUEUED, run_schemas.Run),
        (run_examples.RUNS, run_schemas.RunList),
        (run_examples.EPOCHS, run_schemas.EpochList),
        (run_examples.APPLIED, run_schemas.Applied),
    ):
        model.model_validate_json(json.dumps(shown))
    for example in run_examples.NEW_RUNS.values():
        run_schemas.NewRun.model_validate(example["value"])


def test_the_defaults_of_a_request_are_those_of_training() -> None:
    assert run_schemas.NewRun().config() == RunConfig()
