"""The stream: what happens in one run or in several, as server-sent events."""

import zlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api import run_examples
from app.api.dependencies import RunsDep
from app.api.documents import failures, view
from app.api.event_stream import HEADERS, MEDIA_TYPE, EventStream
from app.api.runs import RunId
from app.training.subscription import Cursor, Subscription

router = APIRouter(prefix="/api", tags=["The stream"])

MAX_RUNS = 32
MAX_BATCH_MS = 10_000
LATEST = "latest"

WHAT = (
    "`status`, `epoch` (or `epochs`), `modules` (with `module_stats_every`) and `end` events, each with a JSON object "
    "as its data. Every id is the number of the event in its run, from 1, without gaps; that of `epochs` is the number "
    "of its last epoch, and with `modules=false` the numbers of what is left out are skipped. Comment lines come every "
    "15 s when nothing else does."
)
LastEventId = Annotated[
    str | None,
    Header(
        description="The id of the last event that came; a browser sends it when it reconnects. Goes before `after`."
    ),
]
BatchMs = Annotated[
    int,
    Query(ge=0, le=MAX_BATCH_MS, description="Collect epochs for so many milliseconds into one `epochs` event."),
]
Modules = Annotated[
    bool,
    Query(
        description="Whether `modules` events are sent: those of a run with thousands of modules are large, and "
        "`GET /api/runs/{run_id}/modules` has the statistics too. Without them ids skip theirs."
    ),
]


def _stream(**examples: tuple[str, str]) -> dict[int | str, dict[str, Any]]:
    shown = {name: {"summary": summary, "value": value} for name, (summary, value) in examples.items()}
    content = {MEDIA_TYPE: {"schema": {"type": "string", "description": WHAT}, "examples": shown}}
    return {
        200: {"description": "The stream", "content": content},
        204: {"description": "All is over and was received: an EventSource then stays closed"},
        404: run_examples.NO_SUCH_RUN,
        **failures(422),
    }


@view(
    router,
    "/runs/{run_id}/events",
    response_class=Response,
    responses=_stream(
        epochs=("Each epoch its own event", run_examples.STREAM),
        batched=("`?batch=50`", run_examples.BATCHED),
    ),
)
def run_events(
    runs: RunsDep,
    run_id: RunId,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Begin after the event of this id.")] = 0,
    batch: BatchMs = 0,
    modules: Modules = True,
    last_event_id: LastEventId = None,
) -> Response:
    """What happens in the run, from the start or after the event named, and as it happens.

    The server closes the stream after `end`.
    """
    last, is_over = runs.last_event(run_id)
    position = min(_number(last_event_id, after), last)
    if is_over and position == last:
        return Response(status_code=204, headers=HEADERS)
    cursors = [Cursor(run_id, position)]
    return EventStream(Subscription(runs.feeds, cursors, batch_s=batch / 1000, has_modules=modules))


@view(
    router,
    "/events",
    response_class=Response,
    responses=_stream(several=("Events name their run; ids are opaque", run_examples.SEVERAL)),
)
def events(
    runs: RunsDep,
    run: Annotated[
        list[str], Query(min_length=1, max_length=MAX_RUNS, description="Id of a run; may come several times.")
    ],
    after: Annotated[
        str | None,
        Query(
            description="Begin after the event of this id; `latest` begins with what happens next, or with the `end`"
            " of a run that is over.",
            max_length=2000,
        ),
    ] = None,
    batch: BatchMs = 0,
    modules: Modules = True,
    last_event_id: LastEventId = None,
) -> Response:
    """What happens in several runs, in one stream: a browser opens at most six to a host.

    Events are those of each run with `run` in their data; their ids are opaque, and resume all of the runs.
    """
    ids = list(dict.fromkeys(run))
    name = f"{zlib.crc32(','.join(ids).encode()):08x}"
    known = [runs.last_event(run_id) for run_id in ids]
    begin = [last - is_over if after == LATEST else 0 for last, is_over in known]
    wanted = _positions(last_event_id, name, len(ids)) or _positions(after, name, len(ids)) or begin
    cursors = [
        Cursor(run_id, min(position, last), is_over and position >= last)
        for run_id, position, (last, is_over) in zip(ids, wanted, known, strict=True)
    ]
    if all(cursor.has_ended for cursor in cursors):
        return Response(status_code=204, headers=HEADERS)
    return EventStream(Subscription(runs.feeds, cursors, batch_s=batch / 1000, name=name, has_modules=modules))


def _number(last_event_id: str | None, after: int) -> int:
    # Lenient: an error would stop a browser's EventSource for good.
    text = (last_event_id or "").strip()
    return int(text) if _is_number(text) else after


def _positions(event_id: str | None, name: str, count: int) -> Sequence[int] | None:
    """Return the positions that an id of a stream over the same runs holds, or None for any other."""
    first, *texts = (event_id or "").strip().split(".")
    if first != name or len(texts) != count or not all(map(_is_number, texts)):
        return None
    return [int(text) for text in texts]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
