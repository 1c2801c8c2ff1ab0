"""How a browser brings the token: once, and never in a log or an address that stays."""

from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.pages.login import local_path
from app.settings import Settings
from tests.asgi import ask
from tests.live import LiveServer

TOKEN = "a-token-for-these-tests"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(host="0.0.0.0", token=TOKEN))


class Hosted(LiveServer):
    """A server that asks for a token; it is awaited where it asks for none."""

    def _is_ready(self) -> bool:
        return self.client.get("/healthz").is_success


def cookie_of(answer: httpx.Response) -> SimpleCookie:
    return SimpleCookie(answer.headers["set-cookie"])


@pytest.mark.parametrize("way", ["address", "form"])
def test_the_token_becomes_a_cookie_and_leaves_the_address(app: FastAPI, way: str) -> None:
    if way == "address":
        answer = ask(app, "GET", "/login", params={"token": TOKEN, "next": "/trees/t_a"})
    else:
        answer = ask(app, "POST", "/login", data={"token": f" {TOKEN} ", "next": "/trees/t_a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/trees/t_a")
    morsel = cookie_of(answer)["moduletree_8000"]
    assert morsel["httponly"] is True
    assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("strict", "/", "")
    assert TOKEN not in morsel.value
    opened = ask(app, "GET", "/api/nowhere", headers={"Cookie": f"moduletree_8000={morsel.value}"})
    assert opened.status_code == 404


def test_the_cookie_is_of_the_port_that_the_browser_sees(app: FastAPI) -> None:
    answer = ask(app, "GET", "/login", base="http://127.0.0.1:9000", params={"token": TOKEN})
    assert list(cookie_of(answer)) == ["moduletree_9000"]


@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x", "\xe9"])
def test_a_wrong_token_shows_the_form_again(app: FastAPI, given: str) -> None:
    for answer in (
        ask(app, "GET", "/login", params={"token": given}),
        ask(app, "POST", "/login", data={"token": given}),
    ):
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert 'role="alert"' in answer.text


def test_a_form_without_a_token_is_no_failure(app: FastAPI) -> None:
    assert ask(app, "POST", "/login").status_code == 401
    assert ask(app, "POST", "/login", data={"token": TOKEN, "next": "/" + "x" * 3000}).status_code in {303, 422}


def test_where_no_token_is_asked_for_the_way_leads_on() -> None:
    app = create_app(Settings())
    assert ask(app, "GET", "/login?next=/trees/t_a").headers["location"] == "/trees/t_a"
    assert ask(app, "POST", "/login").headers["location"] == "/"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/trees/t_a?tab=x#y", "/trees/t_a?tab=x#y"),
        ("/", "/"),
        ("", "/"),
        ("trees", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("http://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/login?token=x", "/"),
    ],
)
def test_the_way_back_stays_on_this_server(text: str, path: str) -> None:
    assert local_path(text) == path


def test_a_link_from_another_site_is_tried_again_before_a_person_is_asked(app: FastAPI) -> None:
    def page(site: str) -> str:
        return ask(app, "GET", "/login?next=/trees/t_a", headers={"Sec-Fetch-Site": site}).text

    assert '<meta http-equiv="refresh" content="0;url=/trees/t_a">' in page("cross-site")
    assert "http-equiv" not in page("same-origin")
    assert "http-equiv" not in page("none")


def test_a_server_off_loopback_makes_a_token_and_tells_it_once(tmp_path: Path) -> None:
    with Hosted(tmp_path, "--host", "0.0.0.0") as server:
        told = server.lines[-1].removeprefix("Moduletree is at ").strip()
        port = urlsplit(told).port
        token = urlsplit(told).query.removeprefix("token=")
        assert told == f"http://127.0.0.1:{port}/login?token={token}"
        assert len(token) >= 22
        with httpx.Client(base_url=server.url, trust_env=False) as browser:
            assert browser.get("/api/trees").status_code == 401
            assert browser.get(told).status_code == 303
            assert browser.get("/api/trees").status_code == 200
            assert browser.get(f"/login?token={token}x").status_code == 401
        assert server.output.count(token) == 1
