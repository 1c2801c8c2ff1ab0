"""The contract: what the document says, what there is, and what is answered are the same."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from pydantic import BaseModel
from schemathesis.checks import CHECKS, load_all_checks

from app.api import (
    data_schemas,
    repeat_schemas,
    schemas,
    search_schemas,
    tensor_schemas,
    trace_schemas,
    view_schemas,
    whole_schemas,
)
from app.api.data import ColumnRow, DataRow
from app.api.factories import ArgumentRow, CheckpointItem, FactoryArgument, FactoryItem, FactoryRow
from app.api.trees import TreeRow
from app.main import create_app
from app.settings import Settings
from app.storage.data_files import CellProblem
from app.trees.fold import Folded, FoldedRow
from app.trees.found_page import FoundRow, FoundTensor
from app.trees.receipts import Counted, DtypeBytes, Receipt
from app.trees.rows import BufferRow, HeatMap, Histogram, ModuleRow, ParameterRow, TensorStats, ValuesPage
from app.trees.shape_graph import Shape, ShapeGraph, Sharing
from app.trees.sources.checkpoint.listing import FoundCheckpoint
from app.trees.summary import Summary, SummaryRow
from app.trees.trace import Stop, Trace
from app.trees.trace_inputs import Input
from app.trees.traced_values import Traced
from tests.live import LiveServer

VIEWS = (
    "modules", "named_modules", "children", "named_children", "parameters", "named_parameters", "buffers",
    "named_buffers", "get_submodule", "get_parameter", "get_buffer", "state_dict", "repr", "skeleton", "code",
    "summary", "folded", "shapes", "receipt", "search", "origin",
    "values", "stats", "heat_map", "trace",
)  # fmt: skip
CHANGES = (
    "register_buffer", "register_parameter", "add_module", "delete", "apply", "requires_grad_", "train", "eval",
    "load_state_dict", "undo", "redo", "forward", "move", "duplicate", "copy_",
)  # fmt: skip
OPERATIONS = {
    ("post", "/api/trees"),
    ("get", "/api/trees"),
    ("post", "/api/trees/upload"),
    ("get", "/api/trees/{tree_id}"),
    ("patch", "/api/trees/{tree_id}"),
    ("delete", "/api/trees/{tree_id}"),
    *[("get", f"/api/trees/{{tree_id}}/{view}") for view in VIEWS],
    *[("post", f"/api/trees/{{tree_id}}/{change}") for change in CHANGES],
    ("get", "/api/apply_functions"),
    ("get", "/api/factories"),
    ("get", "/api/checkpoints"),
    ("post", "/api/trees/{tree_id}/runs"),
    ("get", "/api/runs"),
    ("get", "/api/runs/compare"),
    ("get", "/api/run_options"),
    ("post", "/api/data"),
    ("get", "/api/data"),
    ("get", "/api/data/{data_id}"),
    ("delete", "/api/data/{data_id}"),
    ("get", "/api/runs/{run_id}/picture"),
    ("get", "/api/runs/{run_id}"),
    ("delete", "/api/runs/{run_id}"),
    *[("post", f"/api/runs/{{run_id}}/{change}") for change in ("cancel", "pause", "resume", "apply")],
    ("get", "/api/runs/{run_id}/epochs"),
    ("get", "/api/runs/{run_id}/insights"),
    ("get", "/api/runs/{run_id}/modules"),
    ("get", "/api/runs/{run_id}/events"),
    ("get", "/api/events"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}
LATER = ("diff",)

# Streams without an end are left out, and so is what starts training: those have tests of their own.
ENDLESS = ("/api/runs/{run_id}/events", "/api/events")
METHODS = ("get", "post", "patch", "delete", "put")


app = create_app(Settings())
document = app.openapi()
components = {"components": document["components"]}
schema = schemathesis.openapi.from_dict(document)
schema.config.generation.update(modes=list(schemathesis.GenerationMode))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


each_operation = pytest.mark.parametrize(
    "operation", [pytest.param(each, id=f"{method} {path}") for method, path, each in operations()]
)


class TestDocument:
    def test_lists_the_operations_of_this_release_and_no_other(self) -> None:
        assert {(method, path) for method, path, _ in operations()} == OPERATIONS

    def test_says_nothing_of_what_comes_later(self) -> None:
        paths = " ".join(document["paths"])

        assert not [word for word in LATER if word in paths]
        kinds = document["components"]["schemas"]["NewTree"]["properties"]["source"]["discriminator"]["mapping"]
        assert set(kinds) == {"linear", "grid", "factory", "config", "checkpoint"}

    def test_names_each_operation_once_after_the_method(self) -> None:
        ids = {path: each["operationId"] for _, path, each in operations() if path.startswith("/api/trees/{tree_id}/")}
        del ids["/api/trees/{tree_id}/runs"]

        assert all(path.rpartition("/")[2] == operation_id for path, operation_id in ids.items())
        every = [each["operationId"] for _, _, each in operations()]
        assert len(every) == len(set(every))

    @each_operation
    def test_every_operation_is_described_tagged_and_has_an_example(self, operation: dict[str, Any]) -> None:
        assert operation["description"]
        assert operation["tags"]
        for content in _contents(operation):
            for media_type in content.values():
                assert "example" in media_type or "examples" in media_type, content

    @each_operation
    def test_every_failure_is_a_problem(self, operation: dict[str, Any]) -> None:
        for status, response in operation["responses"].items():
            if status >= "4":
                content = response["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}

    @each_operation
    def test_every_example_fits_its_schema(self, operation: dict[str, Any]) -> None:
        for content in _contents(operation):
            for media_type, each in content.items():
                if "json" in media_type and "ndjson" not in media_type:
                    validator = jsonschema_rs.Draft202012Validator(
                        {"components": document["components"], **each["schema"]}
                    )
                    for example in _examples(each):
                        validator.validate(example)

    @pytest.mark.parametrize(
        ("row", "model"),
        [
            (ModuleRow, view_schemas.Module),
            (ParameterRow, view_schemas.Parameter),
            (BufferRow, view_schemas.Buffer),
            (TensorStats, tensor_schemas.Stats),
            (Histogram, tensor_schemas.Histogram),
            (ValuesPage, tensor_schemas.ValuesPage),
            (HeatMap, tensor_schemas.HeatMap),
            (Summary, whole_schemas.Summary),
            (SummaryRow, whole_schemas.SummaryRow),
            (FoldedRow, repeat_schemas.FoldedRow),
            (Folded, repeat_schemas.Folded),
            (Shape, repeat_schemas.Shape),
            (Sharing, repeat_schemas.Sharing),
            (ShapeGraph, repeat_schemas.ShapeGraph),
            (Receipt, repeat_schemas.Receipt),
            (DtypeBytes, repeat_schemas.DtypeBytes),
            (Counted, repeat_schemas.Counted),
            (FoundRow, search_schemas.FoundRow),
            (FoundTensor, search_schemas.FoundTensor),
            (Trace, trace_schemas.Trace),
            (Stop, trace_schemas.TraceStop),
            (Traced, trace_schemas.Traced),
            (Input, trace_schemas.TraceInput),
            (TreeRow, schemas.Tree),
            (FactoryRow, FactoryItem),
            (ArgumentRow, FactoryArgument),
            (DataRow, data_schemas.Data),
            (ColumnRow, data_schemas.DataColumn),
            (CellProblem, data_schemas.CellProblem),
            (FoundCheckpoint, CheckpointItem),
        ],
    )
    def test_rows_have_the_fields_that_the_document_names(
        self, row: type[msgspec.Struct], model: type[BaseModel]
    ) -> None:
        assert set(row.__struct_fields__) == set(model.model_fields)


class TestExamples:
    def test_every_request_example_works_on_the_tutorials_tree(self, generous: LiveServer) -> None:
        http = generous.client
        tried = []
        for method, path, operation in operations():
            media_types = operation.get("requestBody", {}).get("content", {})
            for example in _examples(media_types.get("application/json", {})):
                url = path.replace("{tree_id}", _new_tree(http))
                if example.get("data", {}).get("kind") == "csv":
                    # The upload that an example names is there only once somebody has sent it.
                    sent = http.post("/api/data", files={"file": ("people.csv", b"age,height\n1,2\n2,3\n")})
                    example["data"]["upload"] = sent.json()["id"]
                answer = http.request(method, url, json=example)
                assert answer.is_success, f"{method} {path} {example}: {answer.text}"
                tried.append(path)
        assert len(tried) >= 13

    def test_every_view_answers_what_its_example_looks_like(self, server: LiveServer) -> None:
        tree = _new_tree(server.client)
        for view in VIEWS:
            weight = {"target": "weight"}
            query = {
                **dict.fromkeys(("get_parameter", "values", "stats", "heat_map"), weight),
                "get_buffer": {"target": "buf"},
                "search": {"q": "weight"},
            }
            server.client.post(f"/api/trees/{tree}/register_buffer", json={"name": "buf", "value": [4]})
            answer = server.client.get(f"/api/trees/{tree}/{view}", params=query.get(view))
            content = document["paths"][f"/api/trees/{{tree_id}}/{view}"]["get"]["responses"]["200"]["content"]
            media_type = answer.headers["content-type"].partition(";")[0]
            assert media_type in content
            if view == "origin":
                # Of a tree that was made here there are no files, and nothing was noted.
                assert set(content[media_type]["example"]) == set(answer.json())
            elif media_type == "application/json":
                assert _shape(content[media_type]["example"]) == _shape(answer.json())


@pytest.fixture
def opened(server: LiveServer) -> str:
    """A tree for all that is tried on one operation."""
    return _new_tree(server.client)


load_all_checks()
checks: list[Any] = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


@(
    schema.include(path_regex="^/api/(trees|apply_functions|factories|checkpoints|data|run_options)")
    .exclude(path_regex="/runs$")
    .parametrize()
)
@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_is_answered_as_it_says(
    case: schemathesis.Case[Any], server: LiveServer, opened: str
) -> None:
    if "tree_id" in case.path_parameters:
        case.path_parameters["tree_id"] = opened
    if isinstance(case.body, dict) and isinstance(case.body.get("source"), dict):
        _bound(case.body["source"])
    answer = case.call(base_url=server.url)
    case.validate_response(answer, checks=checks)


def _new_tree(http: httpx.Client) -> str:
    root = {"weight": 1.0, "children": {"sub1": {"children": {"sub2_1": {}}}}}
    answer = http.post("/api/trees", json={"source": {"kind": "linear", "root": root}})
    tree_id: str = answer.json()["id"]
    return tree_id


def _bound(source: Any) -> None:
    # A grid in between, of a hundred thousand modules, fits too, and takes its time.
    for key, most in (("branching", 4), ("depth", 3)):
        if type(source.get(key)) is int and most < source[key] < 10**6:
            source[key] = most


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "requestBody" in operation:
        yield operation["requestBody"]["content"]
    for status, response in operation["responses"].items():
        if status.startswith("2") and "content" in response:
            yield response["content"]


def _examples(media_type: dict[str, Any]) -> list[Any]:
    named = media_type.get("examples", {})
    return [media_type["example"]] if "example" in media_type else [each["value"] for each in named.values()]


def _shape(document: Any) -> Any:
    """The keys of a document at all levels, and the kinds of its lists' first items."""
    if isinstance(document, dict):
        return {key: _shape(value) for key, value in document.items() if value is not None}
    if isinstance(document, list):
        return [_shape(document[0])] if document else []
    return "number" if isinstance(document, int | float) and not isinstance(document, bool) else type(document).__name__
