"""What scripts of a page are refused is no error in the browser's console; everybody else is refused by the status."""

import pytest

from tests.live import LiveServer
from tests.pages.reader import HTML, Reader

OF_PAGE = {"x-requested-with": "page"}
KOREAN = {"accept-language": "ko"}
DOTTED = {"name": "a.b", "value": "[4]"}


@pytest.fixture(scope="module")
def tree(server: LiveServer) -> str:
    return Reader(server.client).open_tree({"kind": "linear", "root": {}, "seed": 0})


def test_a_form_that_a_script_sends_comes_back_with_its_status_beside_it(server: LiveServer, tree: str) -> None:
    address = f"{tree}/register_buffer?part=inspector&tab=change"
    headers = {**HTML, "origin": server.url}
    plain = server.client.post(address, data=DOTTED, headers=headers)
    asked = server.client.post(address, data=DOTTED, headers={**headers, **OF_PAGE})
    assert (plain.status_code, plain.headers.get("x-status")) == (409, None)
    assert (asked.status_code, asked.headers["x-status"], asked.headers["cache-control"]) == (200, "409", "no-store")
    assert asked.text == plain.text


def test_what_is_not_refused_is_as_ever(server: LiveServer, tree: str) -> None:
    asked = server.client.get(tree, headers={**HTML, **OF_PAGE})
    assert (asked.status_code, asked.headers.get("x-status")) == (200, None)
    assert server.client.get(f"{tree}/nowhere/at/all", headers={**HTML, **OF_PAGE}).headers["x-status"] == "404"


def test_the_api_refuses_by_its_status_whoever_asks(server: LiveServer, tree: str) -> None:
    asked = server.client.get(f"/api{tree}/search?q=numel>", headers={**OF_PAGE, **KOREAN})
    assert (asked.status_code, asked.headers.get("x-status")) == (422, None)
    assert asked.json()["errors"][0]["msg"] == 'expected a number after "numel>"'


def test_scripts_are_given_what_the_api_gives_and_refused_in_the_readers_language(
    server: LiveServer, tree: str
) -> None:
    given = [server.client.get(f"{start}{tree}/search?q=a", headers=OF_PAGE) for start in ("/api", "/for-scripts")]
    assert given[0].json() == given[1].json()
    asked = server.client.get(f"/for-scripts{tree}/search?q=numel>", headers={**OF_PAGE, **KOREAN})
    assert (asked.status_code, asked.headers["x-status"]) == (200, "422")
    assert "수가 있어야 합니다" in asked.json()["errors"][0]["msg"]
    asked = server.client.post(f"/for-scripts{tree}/redo", headers={**OF_PAGE, **KOREAN})
    assert (asked.status_code, asked.headers["x-status"], asked.json()["status"]) == (200, "409", 409)
    assert server.client.post(f"/for-scripts{tree}/redo").status_code == 409
    assert server.client.delete(f"/for-scripts{tree}").status_code == 405
    for path in ("/runs/r_gone", "/runs/r_gone/modules", "/runs/r_gone/picture", "/runs/compare?run=r_gone"):
        asked = server.client.get(f"/for-scripts{path}", headers=OF_PAGE)
        assert (asked.status_code, asked.headers["x-status"]) == (200, "404")


def test_another_site_cannot_ask_as_a_page(server: LiveServer, tree: str) -> None:
    answer = server.client.post(f"/for-scripts{tree}/undo", headers={**OF_PAGE, "origin": "http://elsewhere.example"})
    assert answer.json()["status"] == 403


@pytest.mark.parametrize(
    ("action", "typed", "words"),
    [
        ("register_buffer", DOTTED, "buffer 이름에는"),
        ("register_buffer", {"name": "weight", "value": "1"}, "weight&#39;가 이미 있습니다"),
        ("add_module", {"name": ""}, "모듈 이름은 비워 둘 수 없습니다"),
        ("register_parameter", {"name": "a", "value": "[[1], [2, 3]]"}, "길이는"),
    ],
)
def test_what_torch_refuses_stands_in_korean_on_a_korean_page(
    server: LiveServer, tree: str, action: str, typed: dict[str, str], words: str
) -> None:
    headers = {**HTML, **KOREAN, "origin": server.url}
    answer = server.client.post(f"{tree}/{action}?part=inspector&tab=change", data=typed, headers=headers)
    assert answer.is_client_error
    assert words in answer.text
    assert 'lang="en"' not in answer.text.partition('role="alert"')[2].partition("</p>")[0]


def test_what_a_request_lacks_is_said_in_korean(server: LiveServer, tree: str) -> None:
    answer = server.client.get(f"{tree}/build?top=many", headers={**HTML, **KOREAN})
    assert answer.status_code == 422
    assert "정수여야 하는데 정수로 읽을 수 없습니다" in answer.text
    answer = server.client.get(f"{tree}/modules/none", headers={**HTML, **KOREAN})
    assert "LinearModel에 `none` 속성이 없습니다" in answer.text
