"""Who may ask what: tried on the layer around a small application, and over every route of the whole one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import problems
from app.access import SECURITY_HEADERS, Access, Policy
from app.main import create_app
from app.settings import Settings
from app.tokens import cookie_value
from tests.asgi import ask, ask_raw

TOKEN = "a-token-for-these-tests"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
OPEN = {
    ("GET", "/healthz"),
    ("HEAD", "/healthz"),
    ("GET", "/login"),
    ("HEAD", "/login"),
    ("POST", "/login"),
    ("POST", "/language"),
    ("GET", "/words/language.js"),
    ("HEAD", "/words/language.js"),
}


async def count_body(scope: Scope, receive: Receive, send: Send) -> None:
    """A small application: it answers with the size of the body that it read."""
    size = 0
    async for part in Request(scope, receive).stream():
        size += len(part)
    await PlainTextResponse(str(size))(scope, receive, send)


def guard(settings: Settings, app: ASGIApp = count_body, silence_s: float = 30.0) -> Access:
    def refuse(request: Request, error: Exception) -> Response:
        return problems.respond(request, problems.problem_of(error, request.scope))

    return Access(app, replace(Policy.of(settings), silence_s=silence_s), refuse)


@pytest.fixture
def loopback() -> Access:
    return guard(Settings())


@pytest.fixture
def hosted() -> Access:
    return guard(Settings(host="0.0.0.0", token=TOKEN, allow_host=("trees.example.org", "lab:9000")))


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(host="0.0.0.0", token=TOKEN))


BEARER = {"Authorization": f"Bearer {TOKEN}"}


class TestHost:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "localhost.:8000"]
    )
    def test_loopback_names_with_the_port_are_answered(self, loopback: Access, host: str) -> None:
        assert ask_raw(loopback, "/", {"Host": host}) == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:8000",
            "127.0.0.1",
            "127.0.0.1:8001",
            "127.0.0.1:8000.evil.example",
            "127.0.0.1.evil.example:8000",
            "evil@127.0.0.1:8000",
            "192.168.0.7:8000",
            "127.0.0.1:8000/",
            "127.0.0.1:x",
            "127.0.0.1:99999",
            "127.0.0.1:",
            "[::1",
            "",
        ],
    )
    def test_other_hosts_are_misdirected(self, loopback: Access, host: str) -> None:
        assert ask_raw(loopback, "/", {"Host": host}) == 421

    def test_a_request_without_a_host_is_misdirected(self, loopback: Access) -> None:
        assert ask_raw(loopback, "/", {}) == 421

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1:9000",
            "localhost",
            "192.168.0.7:8000",
            "[fe80::1]:8000",
            "trees.example.org",
            "trees.example.org:1",
            "lab:9000",
        ],
    )
    def test_with_a_token_addresses_and_named_hosts_are_answered(self, hosted: Access, host: str) -> None:
        assert ask_raw(hosted, "/", {"Host": host, **BEARER}) == 200

    @pytest.mark.parametrize("host", ["evil.example:8000", "lab", "lab:9001", "xtrees.example.org"])
    def test_with_a_token_other_names_are_misdirected_all_the_same(self, hosted: Access, host: str) -> None:
        assert ask_raw(hosted, "/", {"Host": host, **BEARER}) == 421

    def test_the_problem_names_the_host_and_the_option(self, loopback: Access) -> None:
        answer = ask(loopback, "GET", "/", base="http://evil.example:8000")
        assert answer.headers["content-type"] == "application/problem+json"
        assert "'evil.example:8000'" in answer.json()["detail"]
        assert "--allow-host" in answer.json()["detail"]


class TestOrigin:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
    @pytest.mark.parametrize("site", ["cross-site", "same-site", "", "nonsense"])
    def test_a_page_of_another_site_changes_nothing(self, loopback: Access, method: str, site: str) -> None:
        assert ask(loopback, method, "/", headers={"Sec-Fetch-Site": site}).status_code == 403

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    def test_own_pages_and_the_address_bar_may(self, loopback: Access, site: str) -> None:
        headers = {"Sec-Fetch-Site": site, "Origin": "http://elsewhere.example"}
        assert ask(loopback, "POST", "/", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("http://127.0.0.1:8000", 200),
            ("http://127.0.0.1:8001", 403),
            ("http://localhost:8000", 403),
            ("http://evil.example", 403),
            ("null", 403),
            ("", 403),
        ],
    )
    def test_a_browser_without_fetch_metadata_is_known_by_its_origin(
        self, loopback: Access, origin: str, status: int
    ) -> None:
        assert ask(loopback, "POST", "/", headers={"Origin": origin}).status_code == status

    def test_a_program_sends_neither_and_may(self, loopback: Access) -> None:
        assert ask(loopback, "POST", "/").status_code == 200

    def test_reading_is_not_asked_where_it_comes_from(self, loopback: Access) -> None:
        assert ask(loopback, "GET", "/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200

    def test_behind_a_proxy_that_ends_tls_the_origin_is_still_its_host(self) -> None:
        app = guard(Settings(allow_host=("trees.example.org",)))
        headers = {"Host": "trees.example.org", "Origin": "https://trees.example.org"}
        assert ask(app, "POST", "/", headers=headers).status_code == 200


class TestToken:
    @pytest.mark.parametrize(
        "given", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xe9"]
    )
    def test_a_wrong_token_is_401_and_says_what_to_send(self, hosted: Access, given: str) -> None:
        answer = ask(hosted, "GET", "/api/trees", headers={"Authorization": given.encode("latin-1")})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="moduletree"'
        assert answer.headers["content-type"] == "application/problem+json"

    def test_the_right_token_opens(self, hosted: Access) -> None:
        assert ask(hosted, "GET", "/api/trees", headers=BEARER).status_code == 200
        assert ask(hosted, "GET", "/api/trees", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200

    def test_the_cookie_of_this_port_opens_and_of_another_does_not(self, hosted: Access) -> None:
        def status_with(cookie: str) -> int:
            return ask(hosted, "GET", "/api/trees", headers={"Cookie": cookie.encode("latin-1")}).status_code

        assert status_with(f"a=b; moduletree_8000={cookie_value(TOKEN)}") == 200
        assert status_with(f"moduletree_9000={cookie_value(TOKEN)}") == 401
        assert status_with(f"moduletree_8000={TOKEN}") == 401
        assert status_with("moduletree_8000=\xe9; ;=") == 401

    @pytest.mark.parametrize("accept", ["text/html,*/*;q=0.8", "*/*"])
    def test_who_asks_for_a_page_is_led_to_the_login_page_and_back(self, hosted: Access, accept: str) -> None:
        answer = ask(hosted, "GET", "/trees/t_a?tab=parameters&x=%26", headers={"Accept": accept})
        assert answer.status_code == 303
        there = urlsplit(answer.headers["location"])
        assert there.path == "/login"
        assert parse_qs(there.query) == {"next": ["/trees/t_a?tab=parameters&x=%26"]}

    @pytest.mark.parametrize("path", ["/api/trees", "/api", "/metrics", "/readyz"])
    def test_who_asks_for_data_is_told(self, hosted: Access, path: str) -> None:
        assert ask(hosted, "GET", path, headers={"Accept": "text/html"}).status_code == 401

    def test_a_change_is_not_led_anywhere(self, hosted: Access) -> None:
        assert ask(hosted, "POST", "/trees", headers={"Accept": "text/html"}).status_code == 401

    def test_no_token_is_asked_on_loopback_unless_one_was_given(self, loopback: Access) -> None:
        assert ask(loopback, "GET", "/api/trees").status_code == 200
        assert ask(guard(Settings(token=TOKEN)), "GET", "/api/trees").status_code == 401

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "trees.example.org", ""])
    def test_without_a_token_nothing_is_served_off_loopback(self, host: str) -> None:
        with pytest.raises(ValueError, match="token"):
            Policy.of(Settings(host=host))


def all_routes(app: FastAPI) -> Iterator[str]:
    for context in iter_route_contexts(app.routes):
        assert context.path is not None
        yield context.path.replace(":path", "").replace("{", "").replace("}", "")


class TestEveryRoute:
    def test_none_but_the_open_ones_answers_without_the_token(self, app: FastAPI) -> None:
        paths = {
            *all_routes(app),
            "/",
            "/api",
            "/api/",
            "/nowhere",
            "/static",
            "//static/x",
            "/Login",
            "/login/",
            "/healthz/x",
        }
        for path in paths:
            for method in METHODS:
                for accept in ("*/*", "text/html"):
                    if (method, path) in OPEN:
                        continue
                    status = ask_raw(app, path, {"Host": "127.0.0.1:8000", "Accept": accept}, method)
                    assert status in {401, 303}, (method, path, accept, status)

    def test_the_open_ones_do(self, app: FastAPI) -> None:
        assert ask(app, "GET", "/healthz").status_code == 200
        assert ask(app, "GET", "/login").status_code == 200
        assert ask(app, "GET", "/static/css/base.css").status_code == 200

    @pytest.mark.parametrize(
        "path", ["/static/../pyproject.toml", "/static/../../etc/passwd", "/static//etc/passwd", "/static/\0"]
    )
    def test_the_way_out_of_the_static_files_leads_nowhere(self, app: FastAPI, path: str) -> None:
        assert ask_raw(app, path, {"Host": "127.0.0.1:8000"}) == 404

    def test_a_websocket_is_closed(self, app: FastAPI) -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(app({"type": "websocket", "path": "/", "headers": []}, receive, send))
        assert [message["type"] for message in sent] == ["websocket.close"]


class TestSecurityHeaders:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/healthz"),
            ("GET", "/login"),
            ("GET", "/nowhere"),
            ("GET", "/static/css/base.css"),
            ("POST", "/fails"),
        ],
    )
    def test_are_on_every_answer(self, method: str, path: str) -> None:
        app = create_app(Settings())

        @app.post("/fails")
        def fails() -> None:
            raise RuntimeError("a secret of the server")

        answer = ask(app, method, path)
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
        if path == "/fails":
            assert answer.status_code == 500
            assert answer.headers["content-type"] == "application/problem+json"
            assert "secret" not in answer.text

    def test_no_script_and_no_style_stands_in_a_page(self) -> None:
        policy = SECURITY_HEADERS["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")


async def chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


class TestBody:
    def test_one_that_announces_too_much_is_refused_before_it_is_read(self) -> None:
        answer = ask(guard(Settings(max_body=2000)), "POST", "/", content=b"x" * 2001)
        assert answer.status_code == 413
        assert answer.json()["limit"] == 2000

    def test_one_that_fits_is_read(self) -> None:
        assert ask(guard(Settings(max_body=2000)), "POST", "/", content=b"x" * 2000).text == "2000"

    def test_one_in_chunks_is_counted(self) -> None:
        app = create_app(Settings(max_body=2000))

        @app.post("/count")
        async def count(request: Request) -> int:
            return len(await request.body())

        assert ask(app, "POST", "/count", content=chunks(1000, 1000)).json() == 2000
        answer = ask(app, "POST", "/count", content=chunks(1000, 1000, 1))
        assert answer.status_code == 413
        assert answer.json()["limit"] == 2000

    def test_an_upload_may_be_larger(self) -> None:
        app = guard(Settings(max_body=2000, max_upload=4000))
        path = "/api/trees/t_a/load_state_dict"
        assert ask(app, "POST", path, content=b"x" * 4000).text == "4000"
        assert ask(app, "POST", path, content=b"x" * 4001).json()["limit"] == 4000

    def test_who_may_not_ask_may_send_a_few_bytes_only(self) -> None:
        assert ask(guard(Settings()), "POST", "/login", content=b"x" * 5000).status_code == 413

    def test_one_that_stops_coming_is_408(self) -> None:
        app = FastAPI()
        problems.install(app)

        @app.post("/count")
        async def count(request: Request) -> int:
            return len(await request.body())

        async def stall() -> AsyncIterator[bytes]:
            yield b"x"
            await asyncio.Event().wait()

        answer = ask(guard(Settings(), app, silence_s=0.02), "POST", "/count", content=stall())
        assert answer.status_code == 408
        assert answer.headers["connection"] == "close"
