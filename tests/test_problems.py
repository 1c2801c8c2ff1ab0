"""What a failed request is answered with."""

import json
from collections.abc import Iterator
from typing import ClassVar

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from app import errors, problems
from app.errors import (
    CannotDo,
    CannotStore,
    Invalid,
    Misfit,
    ModuletreeError,
    NameRefused,
    NotFound,
    RevisionMismatch,
    TargetNotFound,
    TooLarge,
    TooManyRuns,
    Unauthorized,
    UnreadableFile,
)
from app.pages.error import error_page
from tests.asgi import ask

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Config(BaseModel):
    epochs: int
    lr: float = 0.01


def app_that_raises(error: Exception) -> FastAPI:
    app = FastAPI()
    problems.install(app, error_page)

    @app.get("/api/fails")
    @app.get("/fails")
    async def fails() -> None:
        raise error

    @app.post("/api/config")
    async def config(body: Config) -> Config:
        return body

    @app.get("/api/config")
    async def default_config() -> Config:
        return Config(epochs=10)

    return app


def answer_to(error: Exception) -> httpx.Response:
    return ask(app_that_raises(error), "GET", "/api/fails")


def subclasses_of(kind: type[ModuletreeError]) -> Iterator[type[ModuletreeError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses_of(subclass)


def test_every_error_is_drawn_in_the_tree_and_has_a_status() -> None:
    for kind in subclasses_of(ModuletreeError):
        if kind.__module__ != errors.__name__:
            continue
        assert kind.__name__ in (errors.__doc__ or "")
        assert any(base in problems.STATUSES for base in kind.__mro__), kind


@pytest.mark.parametrize(
    ("error", "status", "extra"),
    [
        (NotFound("There is no tree 't_x'."), 404, {}),
        (TargetNotFound("LinearModel has no attribute `sub9`", "sub9"), 404, {"target": "sub9"}),
        (NameRefused("attribute 'sub1' already exists", "sub1"), 409, {"target": "sub1"}),
        (CannotDo("There is nothing to undo."), 409, {}),
        (RevisionMismatch('"1"', 2), 412, {"revision": 2}),
        (TooLarge("Too many modules.", 5), 413, {"limit": 5}),
        (Invalid("It does not fit."), 422, {}),
        (UnreadableFile("The header is cut."), 422, {}),
        (errors.NotAllowed("Not under a root."), 403, {}),
        (Unauthorized("A token is needed."), 401, {}),
        (TooManyRuns("The queue is full.", 3), 429, {}),
        (CannotStore("The disk is full."), 503, {}),
        (HTTPException(418, "Tea."), 418, {}),
    ],
)
def test_each_error_has_its_status_and_its_members(error: Exception, status: int, extra: dict[str, object]) -> None:
    answer = answer_to(error)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document.keys() == {"type", "title", "status", "detail"} | extra.keys()
    assert document["type"] == "about:blank"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"] == getattr(error, "detail", None)
    assert extra.items() <= document.items()


def test_titles_are_those_of_today() -> None:
    assert answer_to(Invalid("It does not fit.")).json()["title"] == "Unprocessable Content"
    assert answer_to(TooLarge("Too many.", 1)).json()["title"] == "Content Too Large"


def test_an_error_may_bring_members_of_its_own() -> None:
    class Refused(CannotDo):
        members: ClassVar = {"missing_keys": ["bias"]}

    answer = answer_to(Refused("The keys do not match."))
    assert (answer.status_code, answer.json()["missing_keys"]) == (409, ["bias"])


def test_a_full_queue_says_when_to_try_again() -> None:
    assert answer_to(TooManyRuns("The queue is full.", 3)).headers["retry-after"] == "3"
    assert answer_to(CannotStore("The disk is full.")).headers["retry-after"] == "5"


def test_every_misfit_is_told_at_once() -> None:
    misfits = (Misfit(("root", "children", "a", "weight"), "not a number"), Misfit(("root", "bias"), "not a number"))
    assert answer_to(Invalid("It does not fit.", misfits)).json()["errors"] == [
        {"loc": ["root", "children", "a", "weight"], "msg": "not a number"},
        {"loc": ["root", "bias"], "msg": "not a number"},
    ]


def test_what_was_not_raised_on_purpose_tells_nothing() -> None:
    answer = answer_to(RuntimeError("/home/someone/secret"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_what_does_not_fit_the_schema_is_422_with_places() -> None:
    answer = ask(app_that_raises(CannotDo("")), "POST", "/api/config", json={"epochs": "ten", "lr": []})
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", "epochs"], ["body", "lr"]]
    assert answer.json()["detail"].startswith("body.epochs: Input should be a valid integer")
    assert answer.json()["detail"].endswith(", and 1 more.")


def test_a_long_list_of_misfits_is_cut() -> None:
    misfits = tuple(Misfit((number,), "not a number") for number in range(10_000))
    assert len(answer_to(Invalid("It does not fit.", misfits)).json()["errors"]) == problems.MOST_ERRORS


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"epochs":' * 100_000,
        b"\xff\xfe",
        b'{"epochs": ' + b"9" * 5000 + b"}",
        b'{"epochs": NaN}',
        b'{"epochs": "\\ud800"}',
        b"",
        b"null",
    ],
)
def test_no_body_is_a_failure_of_the_server(body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ask(app_that_raises(CannotDo("")), "POST", "/api/config", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_an_unknown_path_and_method_are_problems_too() -> None:
    app = app_that_raises(CannotDo(""))
    missing = ask(app, "GET", "/api/nowhere")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert "/api/nowhere" in missing.json()["detail"]
    refused = ask(app, "DELETE", "/api/config")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, POST"
    assert refused.json()["detail"] == "/api/config does not take DELETE; it takes GET, POST."


def test_a_name_that_is_no_text_is_answered_all_the_same() -> None:
    answer = answer_to(TargetNotFound("LinearModel has no attribute `\ud800`", "\ud800"))
    assert json.loads(answer.content)["target"] == "\ud800"
    page = ask(app_that_raises(NotFound("no tree '\ud800'")), "GET", "/fails", headers=PAGE)
    assert page.status_code == 404


def test_a_person_gets_a_page_and_a_program_the_problem() -> None:
    app = app_that_raises(Invalid("It does not fit <b>", (Misfit(("name",), "is <i>"),)))
    page = ask(app, "GET", "/fails", headers=PAGE)
    assert page.status_code == 422
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "It does not fit &lt;b&gt;" in page.text
    assert "is &lt;i&gt;" in page.text
    assert ask(app, "GET", "/fails").headers["content-type"] == "application/problem+json"
    assert ask(app, "GET", "/api/fails", headers=PAGE).headers["content-type"] == "application/problem+json"
