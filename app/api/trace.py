"""What a forward would do: shapes, FLOPs and MACs of every module, without its arithmetic."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api import trace_schemas as schemas
from app.api.answers import AnswersDep
from app.api.documents import answer, failures, view
from app.api.queries import in_query
from app.api.traces import TracesDep
from app.trees.trace_inputs import Input, parse_inputs

router = APIRouter(prefix="/api/trees/{tree_id}", tags=["What repeats and what it costs"])

Inputs = Annotated[
    list[str] | None,
    Query(
        alias="input",
        description="The sizes of one tensor, `2,3,224,224`, or of several with `;` between, each as "
        "`name=sizes:dtype` where it has a keyword or a dtype of its own; `()` has no dimensions. If left out, those "
        "that are suggested for the tree.",
        examples=["2,3,224,224", "input_ids=1,128:int64"],
    ),
]
Dtype = Annotated[str, Query(description="dtype of the inputs that name none.", examples=["bfloat16"])]


@view(
    router,
    "/trace",
    response_model=schemas.Trace,
    responses={200: answer(schemas.EXAMPLE), **failures(403, 404, 409, 413, 422), 429: schemas.TOO_MANY},
)
async def trace(answers: AnswersDep, traces: TracesDep, texts: Inputs = None, dtype: Dtype = "float32") -> Response:
    """What goes into and comes out of every module for an input, and what it costs, on the meta device.

    By column, one entry a module that was called, in pre-order. FLOPs are of matrix products, convolutions and
    attention as torch's FlopCounterMode counts them, two of them a MAC. A forward that fails is an answer too:
    `stopped` says where.
    """
    inputs = inputs_of(texts or (), dtype)
    key = key_of(inputs)
    response = await answers.awaited(key, lambda: traces.make(answers.record.id, inputs))
    traces.latest.note(answers.record.id, answers.record.revision, key)
    return response


def inputs_of(texts: Sequence[str], dtype: str) -> list[Input]:
    """Return the inputs that a query names, none where it names none; raises `Invalid` with every misfit."""
    with in_query():
        return parse_inputs(texts, dtype)


def key_of(inputs: Sequence[Input]) -> tuple[str, tuple[Input, ...]]:
    """Return the key that the trace is kept under."""
    return "trace", tuple(inputs)
