"""The two clients: what plans ask for, done with httpx."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Any, Self

import httpx

from app.client.http import address, answer_of, as_stream, meant, options, prepared
from app.client.operation import Awaiting, Blocking, Course
from app.client.runs import RunOperations
from app.client.steps import Connect, Give, Pause, Receive, Reply, Request, Step
from app.client.trees import TreeOperations

DEFAULT_URL = "http://127.0.0.1:8000"


class Client(Blocking, TreeOperations, RunOperations):
    """A client of the server at `url`, which may be the address with a token that it prints at its start.

    An answer that is silent for `timeout` seconds is given up; further options are `httpx.Client`'s. Methods raise a
    `ClientError`. Threads may share a client.
    """

    def __init__(self, url: str = DEFAULT_URL, token: str | None = None, *, timeout: float = 60, **more: Any) -> None:
        self.url, told = address(url)
        self._http = httpx.Client(**options(self.url, token or told, timeout) | more)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def carry_out(self, course: Course[Any]) -> Generator[Any, None, None]:
        """Yield what a plan gives, doing its steps one after the other."""
        with _Stream() as stream:
            while (step := course.step) is not None:
                if isinstance(step, Give):
                    yield from step.items
                    course.answer(None)
                    continue
                try:
                    reply = self._do(step, stream)
                except httpx.RequestError as error:
                    course.fail(meant(error, self.url))
                else:
                    course.answer(reply)

    def _do(self, step: Step, stream: "_Stream") -> Reply:
        match step:
            case Request():
                with ExitStack() as files:
                    return answer_of(self._http.send(prepared(self._http, step, files)))
            case Connect(request):
                response = stream.open(self._http.send(as_stream(self._http, request), stream=True))
                if response.status_code != httpx.codes.OK:
                    response.read()
                return answer_of(response)
            case Receive():
                return next(stream.pieces, b"")
            case Pause(seconds):
                time.sleep(seconds)
                return None


class AsyncClient(Awaiting, TreeOperations, RunOperations):
    """The same for asyncio: methods are awaited, lists and streams are iterated by `async for`.

    A stream that is left before its end is closed at once by `contextlib.aclosing`.
    """

    def __init__(self, url: str = DEFAULT_URL, token: str | None = None, *, timeout: float = 60, **more: Any) -> None:
        self.url, told = address(url)
        self._http = httpx.AsyncClient(**options(self.url, token or told, timeout) | more)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def carry_out(self, course: Course[Any]) -> AsyncGenerator[Any, None]:
        """Yield what a plan gives, doing its steps one after the other."""
        async with _AsyncStream() as stream:
            while (step := course.step) is not None:
                if isinstance(step, Give):
                    for item in step.items:
                        yield item
                    course.answer(None)
                    continue
                try:
                    reply = await self._do(step, stream)
                except httpx.RequestError as error:
                    course.fail(meant(error, self.url))
                else:
                    course.answer(reply)

    async def _do(self, step: Step, stream: "_AsyncStream") -> Reply:
        match step:
            case Request():
                with ExitStack() as files:
                    return answer_of(await self._http.send(prepared(self._http, step, files)))
            case Connect(request):
                response = await stream.open(await self._http.send(as_stream(self._http, request), stream=True))
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                return answer_of(response)
            case Receive():
                return await anext(stream.pieces, b"")
            case Pause(seconds):
                await asyncio.sleep(seconds)
                return None


class _Stream(ExitStack):
    """The stream that is open; opening another closes it."""

    pieces: Iterator[bytes] = iter(())

    def open(self, response: httpx.Response) -> httpx.Response:
        self.close()
        self.callback(response.close)
        self.pieces = response.iter_raw()
        return response


class _AsyncStream(AsyncExitStack):
    """The stream that is open; opening another closes it."""

    pieces: AsyncIterator[bytes]

    async def open(self, response: httpx.Response) -> httpx.Response:
        await self.aclose()
        self.push_async_callback(response.aclose)
        self.pieces = response.aiter_raw()
        return response
