"""`Traces`: makes the traces of trees, none of them twice at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from app.api.latest_traces import LatestTraces
from app.api.queries import in_query
from app.errors import CannotDo, TooManyRuns
from app.storage.source_documents import LARGE, MAX_BYTES
from app.storage.trees import OpenTree, Trees
from app.translation import said
from app.trees.linear_trace import SUGGESTED, trace_linear
from app.trees.sources.workshop import Workshop
from app.trees.trace import Trace, check_given
from app.trees.trace_inputs import Input

AT_ONCE = 2
MAX_WAITING = 32
RETRY_AFTER_S = 5
BUILT = ("factory", "config")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be traced: the source to be built, or, for a live tree, the trace as JSON already."""

    tree_id: str
    revision: int
    inputs: tuple[Input, ...]
    source: Mapping[str, object]
    body: bytes | None = None


class Traces:
    """Traces trees as JSON: live ones here, others in the workshop, for which no tree is held and no thread waits.

    Who asks for what is being made already joins it. The workshop traces two at once; more than `max_waiting` are
    refused with `TooManyRuns`.
    """

    def __init__(self, trees: Trees, workshop: Workshop, *, max_waiting: int = MAX_WAITING) -> None:
        self._trees = trees
        self._workshop = workshop
        self._max_waiting = max_waiting
        self._threads = ThreadPoolExecutor(AT_ONCE, "traces")
        self._making: dict[tuple[str, int, tuple[Input, ...]], Future[bytes]] = {}
        self.latest = LatestTraces()

    async def make(self, tree_id: str, inputs: Sequence[Input]) -> tuple[int, bytes]:
        """Return a revision and the JSON of its `Trace` on the inputs, or on those that are suggested where none are.

        Raises `Invalid` where none are suggested either, `CannotDo` for a tree that nobody can call, and what
        `Workshop.trace` does.
        """
        asked = await run_in_threadpool(self._ask, tree_id, inputs)
        if asked.body is not None:
            return asked.revision, asked.body
        return asked.revision, await asyncio.shield(asyncio.wrap_future(self._begun(asked)))

    def close(self) -> None:
        """Give up what waits for its turn."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, tree_id: str, inputs: Sequence[Input]) -> _Asked:
        with self._trees.reading(tree_id) as opened:
            is_live = opened.index.is_live
            source = {} if is_live else _source_of(opened)
            chosen = tuple(inputs or suggested(opened))
            with in_query():
                check_given(chosen)
            body = msgspec.json.encode(trace_linear(opened.index, chosen)) if is_live else None
            return _Asked(tree_id, opened.record.revision, chosen, source, body)

    def _begun(self, asked: _Asked) -> Future[bytes]:
        # Called in the event loop only: nobody comes in between.
        key = (asked.tree_id, asked.revision, asked.inputs)
        making = self._making.get(key)
        if making is None:
            if len(self._making) >= self._max_waiting:
                detail = said(
                    "%(num)s traces wait for their turn already; ask again in some seconds.", num=len(self._making)
                )
                raise TooManyRuns(detail, RETRY_AFTER_S)
            making = self._making[key] = self._threads.submit(self._trace, asked)
            making.add_done_callback(lambda _: self._making.pop(key))
        return making

    def _trace(self, asked: _Asked) -> bytes:
        found = self._workshop.trace(asked.source, asked.inputs)
        with self._trees.reading(asked.tree_id) as opened:
            _check_rows(found, opened)
        return msgspec.json.encode(found)


def suggested(opened: OpenTree) -> list[Input]:
    """Return inputs that a tree's forward is likely to take, none where nothing says so."""
    return SUGGESTED if opened.index.is_live else opened.origin.inputs


def can_be_traced(opened: OpenTree) -> bool:
    """Return whether there is a forward to be called on the meta device."""
    try:
        return opened.index.is_live or bool(_source_of(opened))
    except CannotDo:
        return False


def _source_of(opened: OpenTree) -> Mapping[str, object]:
    record = opened.record
    source = opened.origin.built_from or record.source
    kind = str(source.get("kind"))
    if kind not in BUILT:
        raise CannotDo(
            said(
                "%(name)r was opened from a %(kind)s, which does not say how its modules call each "
                "other: it cannot be traced. One with its config.json beside it can.",
                name=record.name,
                kind=kind,
            )
        )
    if LARGE[kind] in source and source[LARGE[kind]] is None:
        raise CannotDo(
            said(
                "%(name)r cannot be built again for a trace: its %(part)s had more than %(most)s "
                "bytes, which are not kept.",
                name=record.name,
                part=LARGE[kind],
                most=f"{MAX_BYTES[kind]:,}",
            )
        )
    return source


def _check_rows(found: Trace, opened: OpenTree) -> None:
    index, rows = opened.index, found.row
    if rows[-1] >= len(index) or list(index.paths(rows)) != found.path:
        raise CannotDo(
            said(
                "%(name)r is built in another way now than when it was opened: open it again to trace it.",
                name=opened.record.name,
            )
        )


async def _traces(request: Request) -> Traces:
    traces: Traces = request.app.state.traces
    return traces


TracesDep = Annotated[Traces, Depends(_traces)]
