"""The values of one tensor, however large: a page of them, statistics, a heat map."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from app.api import tensor_examples, tensor_schemas
from app.api.answers import JSON, Answers, AnswersDep
from app.api.documents import answer, failures, view
from app.errors import TargetNotFound
from app.storage.trees import OpenTree
from app.trees.index import TreeIndex
from app.trees.tensor_data import Reading, Ready
from app.trees.tensor_values import MAX_PAGE
from app.trees.tensors import TensorColumns

router = APIRouter(prefix="/api/trees/{tree_id}", tags=["Looking in"])

WAIT_S = 1.0
RETRY_AFTER = "1"
MAX_START = 2**62
DEFAULT_COUNT = 1_000
INDEX_PATTERN = r"^([0-9]{1,18}(,[0-9]{1,18})*)?$"

Target = Annotated[str, Query(description="Dotted path of a parameter or a buffer.", examples=["weight"])]
Start = Annotated[int, Query(ge=0, le=MAX_START, description="The element to begin at.")]
Count = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many elements at most.")]
Index = Annotated[
    str,
    Query(
        pattern=INDEX_PATTERN,
        description="Which matrix of a tensor of more than two dimensions: where in those before the last two, each "
        "at 0 if left out.",
        examples=["0,3"],
    ),
]
Ask = Callable[[OpenTree, TensorColumns, int], Reading[Any]]

LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": tensor_schemas.InTheMaking, **tensor_examples.IN_THE_MAKING},
    429: tensor_examples.TOO_MANY,
    **failures(404, 409, 422),
}


@view(
    router,
    "/values",
    response_model=tensor_schemas.ValuesPage,
    responses={200: answer(tensor_examples.VALUES), **failures(404, 409, 422)},
)
async def values(answers: AnswersDep, target: Target = "", start: Start = 0, count: Count = DEFAULT_COUNT) -> Response:
    """A page of a parameter's or a buffer's values, in row-major order."""

    def ask(opened: OpenTree, columns: TensorColumns, entry: int) -> Reading[Any]:
        return Ready(opened.index.data.page(columns, entry, start, count))

    return await _answer(answers, target, ask)


@view(
    router,
    "/stats",
    response_model=tensor_schemas.Stats,
    responses={200: answer(tensor_examples.STATS), **LATER},
)
async def stats(answers: AnswersDep, target: Target = "") -> Response:
    """Statistics of all values of a parameter or a buffer in double precision, with a histogram of 64 equal bins.

    Those of a checkpoint are read from its file: of one of up to 8 MiB at once, of a larger one in the background.
    """

    def ask(opened: OpenTree, columns: TensorColumns, entry: int) -> Reading[Any]:
        return opened.index.data.stats_reading(columns, entry)

    return await _answer(answers, target, ask)


@view(
    router,
    "/heat_map",
    response_model=tensor_schemas.HeatMap,
    responses={200: answer(tensor_examples.HEAT_MAP), **LATER},
)
async def heat_map(answers: AnswersDep, target: Target = "", index: Index = "") -> Response:
    """A parameter's or a buffer's last two dimensions as a picture of at most 128 by 512 cells."""

    def ask(opened: OpenTree, columns: TensorColumns, entry: int) -> Reading[Any]:
        return opened.index.data.heat_map_reading(columns, entry, index_of(index))

    return await _answer(answers, target, ask)


async def _answer(answers: Answers, target: str, ask: Ask) -> Response:
    revision, reading = await run_in_threadpool(_asked, answers, target, ask)
    if not await has_come(reading):
        done, total = reading.progress
        later = {"cache-control": "no-store", "retry-after": RETRY_AFTER}
        return Response(msgspec.json.encode({"done": done, "total": total}), 202, later, JSON)
    return await run_in_threadpool(lambda: answers.made(revision, msgspec.json.encode(reading.result())))


def _asked(answers: Answers, target: str, ask: Ask) -> tuple[int, Reading[Any]]:
    with answers.trees.reading(answers.record.id) as opened:
        columns, entry = tensor_at(opened.index, target)
        return opened.record.revision, ask(opened, columns, entry)


async def has_come(reading: Reading[Any]) -> bool:
    """Wait for a reading, a second at most; whether its result is there. No thread waits with it."""
    loop, has_ended = asyncio.get_running_loop(), asyncio.Event()
    reading.when_done(lambda: loop.call_soon_threadsafe(has_ended.set))
    with suppress(TimeoutError):
        await asyncio.wait_for(has_ended.wait(), WAIT_S)
    return reading.is_done


def tensor_at(index: TreeIndex, target: str) -> tuple[TensorColumns, int]:
    """Return the parameter at `target`, or the buffer; raises `TargetNotFound` with `get_parameter`'s message."""
    try:
        return index.parameters, index.parameter(target)
    except TargetNotFound:
        with suppress(TargetNotFound):
            return index.buffers, index.buffer(target)
        raise


def index_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a text that `INDEX_PATTERN` describes."""
    return tuple(map(int, text.split(","))) if text else ()
