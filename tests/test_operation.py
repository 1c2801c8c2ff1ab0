"""Is it alive, can it work, what does it do: and the document that says how it is asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Page, expect
from sqlalchemy.exc import OperationalError

from app.main import create_app
from app.openapi import METHODS
from app.settings import Settings
from tests.asgi import ask
from tests.axe import AXE, violations
from tests.live import LiveServer

PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    answer = ask(app, "GET", "/api/openapi.json")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def contents(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from part.get("content", {}).values()


def has_example(content: dict[str, Any]) -> bool:
    return "example" in content or bool(content.get("examples"))


def test_alive_and_ready(server: LiveServer) -> None:
    assert server.client.get("/healthz").json() == {"status": "alive"}
    assert server.client.get("/readyz").json() == {"status": "ready"}
    assert server.client.head("/healthz").status_code == 200


def test_not_ready_when_the_database_does_not_answer() -> None:
    app = create_app(Settings())

    class Silent:
        def check(self) -> None:
            raise OperationalError("SELECT 1", None, Exception("disk I/O error"))

    app.state.database, app.state.runs = Silent(), None
    answer = ask(app, "GET", "/readyz")
    assert answer.status_code == 503
    assert "database" in answer.json()["detail"]
    assert "disk" not in answer.text


def test_requests_are_counted_by_route_and_not_by_path(server: LiveServer) -> None:
    for name in ("t_one", "t_two"):
        assert server.client.get(f"/api/trees/{name}").status_code == 404
    server.client.get("/static/css/base.css")
    server.client.get("/no/such/page")
    figures = server.client.get("/metrics")
    assert figures.headers["content-type"].startswith("text/plain")
    lines = figures.text.splitlines()
    assert any(
        line.startswith('moduletree_requests_total{method="GET",route="/api/trees/{tree_id}",status="404"}')
        for line in lines
    )
    assert any(line.startswith('moduletree_requests_total{method="GET",route="/static"') for line in lines)
    assert "t_one" not in figures.text
    assert "/no/such/page" not in figures.text


def test_every_operation_has_an_example(document: dict[str, Any]) -> None:
    missing = []
    for name, operation in operations(document):
        asked = list(contents(operation.get("requestBody", {})))
        answered = [
            content
            for status, response in operation["responses"].items()
            if status.startswith("2")
            for content in contents(response)
        ]
        is_empty = not asked and not answered
        if not is_empty and not any(map(has_example, asked + answered)):
            missing.append(name)
    assert not missing


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["description"], f"{name} {status}"
                assert list(response["content"]) == ["application/problem+json"], f"{name} {status}"
                assert response["content"]["application/problem+json"]["schema"] == PROBLEM, f"{name} {status}"


def test_the_document_refers_to_nothing_that_it_lacks(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= schemas.keys()
    assert "HTTPValidationError" not in text


def test_operations_have_a_summary_and_one_id_each(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert operation.get("tags"), name


def test_every_route_of_the_api_is_in_the_document(app: FastAPI, document: dict[str, Any]) -> None:
    told = {(path, method.upper()) for path, item in document["paths"].items() for method in METHODS if method in item}
    for context in iter_route_contexts(app.routes):
        path = context.path or ""
        if path.startswith("/api/") and path != "/api/openapi.json":
            for method in (context.methods or set()) - {"HEAD"}:
                assert (path, method) in told


def test_the_reference_is_drawn_without_leaving_the_server(page: Page) -> None:
    page.add_init_script(AXE)
    page.goto("/docs#/Trees/open_tree")
    asked = page.locator("#operations-Trees-open_tree")
    asked.wait_for()
    expect(asked).to_be_in_viewport()
    asked.get_by_role("tab", name="Schema").first.click()
    asked.get_by_role("button", name="Try it out").click()
    expect(asked.get_by_role("textbox", name="Request body")).to_be_editable()
    page.locator("#operations-Operation-healthz .opblock-summary-control").focus()
    page.keyboard.press("Enter")
    alive = page.locator("#operations-Operation-healthz")
    alive.get_by_role("button", name="Try it out").click()
    alive.get_by_role("button", name="Execute").click()
    expect(alive.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert page.url.endswith("/docs#/Operation/healthz")
    assert violations(page) == []


def test_the_token_is_asked_for_in_a_dialog_that_gives_the_focus_back(page: Page) -> None:
    page.add_init_script(AXE)
    page.goto("/docs")
    asks = page.locator(".btn.authorize.unlocked")
    asks.click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(asks).to_be_focused()


def test_without_scripts_the_reference_names_the_document(plain_page: Page) -> None:
    plain_page.goto("/docs")
    expect(plain_page.get_by_role("link", name="/api/openapi.json")).to_be_visible()
