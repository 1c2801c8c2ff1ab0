"""JSON bodies: read whole, decoded off the event loop when they are big, and only then given to Pydantic."""

import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from app.api.deep_json import decode_deep
from app.errors import Invalid, Misfit
from app.translation import said

THREAD_FROM = 64 * 1024
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"([ \t\r\n]*:)?', re.DOTALL)


class JsonRoute(APIRoute):
    """A route whose JSON body comes decoded by `decode`: strictly, at any depth, in a thread when it is big.

    FastAPI then validates and documents it as for any other route.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None or isinstance(self.body_field.field_info, params.Form):
            return handle

        async def read_then_handle(request: Request) -> Response:
            read = _ReadRequest(request.scope, request.receive)
            await read.decode_body()
            return await handle(read)

        return read_then_handle


class _ReadRequest(Request):
    document: object = None

    async def decode_body(self) -> None:
        body = await self.body()
        if not body:
            return
        _check_content_type(self.headers.get("content-type", ""))
        self.document = decode(body) if len(body) < THREAD_FROM else await run_in_threadpool(decode, body)

    async def json(self) -> object:
        return self.document


@contextmanager
def in_body() -> Iterator[None]:
    """Say of every misfit that is raised inside that it stands in the body."""
    try:
        yield
    except Invalid as error:
        misfits = tuple(Misfit(("body", *misfit.loc), misfit.msg) for misfit in error.errors)
        raise type(error)(error.detail, misfits) from error


def decode(body: bytes) -> object:
    """Return the JSON document, read as strictly as RFC 8259 allows.

    Raises `Invalid` for text that is not JSON in UTF-8, lone surrogates, NaN and infinities, numbers past float64, a
    key that stands twice in one object, and nesting deeper than `deep_json.MAX_DEPTH`.
    """
    try:
        document = msgspec.json.decode(body)
    except RecursionError:
        return decode_deep(body)
    except UnicodeDecodeError:
        raise Invalid(said("The body is not UTF-8.")) from None
    except msgspec.DecodeError as error:
        raise Invalid(said("The body is not JSON: %(error)s.", error=str(error))) from None
    if _num_keys_written(body) != _num_keys(document):
        return decode_deep(body)
    return document


def _check_content_type(content_type: str) -> None:
    essence = content_type.partition(";")[0].strip().lower()
    if essence != "application/json" and not (essence.startswith("application/") and essence.endswith("+json")):
        raise Invalid(
            said(
                "The body must come as Content-Type: application/json, not %(essence)s.",
                essence=essence or "without one",
            )
        )


def _num_keys_written(body: bytes) -> int:
    return sum(1 for match in _STRINGS.finditer(body) if match[1])


def _num_keys(document: object) -> int:
    count = 0
    todo = [document]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            count += len(item)
            todo.extend(part for part in item.values() if isinstance(part, dict | list))
        elif isinstance(item, list):
            todo.extend(part for part in item if isinstance(part, dict | list))
    return count
