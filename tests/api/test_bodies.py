"""JSON bodies: read strictly, at any depth, and never taken for more than they are."""

import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.bodies import decode
from app.api.deep_json import MAX_DEPTH, decode_deep
from app.errors import Invalid, TooLarge
from tests.api.client import TreeClient, refused
from tests.live import LiveServer

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)

NOT_JSON = [
    b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"{a:1}", b'{"a" 1}', b"[1 2]", b"{}{}", b"nul", b"01", b"+1", b"'a'",
    b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b'"\\ud800"', b'"\\x"', b'"a\nb"', b'"abc', b"\xff",
    b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b'[{"a":{"b":1,"b":1}}]', b"9" * 5000, b"]", b"[}",
    b'{"a":}', b"[" * 50,
]  # fmt: skip


@given(documents, st.booleans())
def test_both_readers_read_what_json_writes(document: Any, is_ascii: bool) -> None:
    body = json.dumps(document, ensure_ascii=is_ascii).encode()

    assert decode(body) == decode_deep(body) == document


@given(st.binary() | st.text(alphabet='{}[]:,"\\ 1e.-au\n').map(str.encode))
def test_both_readers_refuse_the_same(body: bytes) -> None:
    assert _outcome(decode, body) == _outcome(decode_deep, body)


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_not_json_is_refused_by_both(body: bytes) -> None:
    for read in (decode, decode_deep):
        with pytest.raises(Invalid):
            read(body)


def test_a_key_that_stands_twice_is_named() -> None:
    with pytest.raises(Invalid, match="'sub1' stands twice"):
        decode(b'{"children":{"sub1":{},"sub2":{},"sub1":{}}}')


def test_nesting_has_an_end() -> None:
    assert decode(b"[" * 50_000 + b"]" * 50_000)
    with pytest.raises(TooLarge):
        decode(b"[" * (MAX_DEPTH + 1))


@pytest.mark.parametrize("body", [body for body in NOT_JSON if body.strip()])
def test_over_http_it_is_422(http: httpx.Client, body: bytes) -> None:
    refused(http.post("/api/trees", content=body, headers={"content-type": "application/json"}), 422)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"[" * 100_001, b'{"source":' * 60_000])
def test_another_document_or_none_is_4xx(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/api/trees", content=body, headers={"content-type": "application/json"})

    refused(answer, 413 if len(body) > 100_000 and body.startswith(b"[[") else 422)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "json", "a/b+json"])
def test_another_content_type_is_422_and_says_which(http: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}

    assert "application/json" in refused(http.post("/api/trees", content=b"{}", headers=headers), 422)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"])
def test_json_by_another_name_is_read(tree: TreeClient, content_type: str) -> None:
    answer = tree.http.post(f"{tree.url}/eval", content=b'{"target":"sub1"}', headers={"content-type": content_type})

    assert answer.status_code == 200, answer.text


def test_an_empty_body_is_422_where_something_is_required(tree: TreeClient) -> None:
    answer = tree.http.post(f"{tree.url}/register_buffer", headers={"content-type": "application/json"})

    refused(answer, 422)


def test_a_body_over_the_limit_is_413_before_it_is_sent(server: LiveServer) -> None:
    url = urlsplit(server.url)
    connection = HTTPConnection(str(url.hostname), url.port, timeout=5)
    connection.putrequest("POST", "/api/trees")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.status == 413
    assert json.loads(answer.read())["limit"] > 0
    connection.close()


def _outcome(read: Callable[[bytes], object], body: bytes) -> object:
    try:
        return json.dumps(read(body))
    except Invalid:
        return Invalid
