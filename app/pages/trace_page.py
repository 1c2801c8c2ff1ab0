"""The page of a trace: what goes into and comes out of every module for an input, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswersDep
from app.api.trace import inputs_of, key_of
from app.api.traces import TracesDep, suggested
from app.errors import ModuletreeError
from app.pages.calls import Call, in_pytorch, origin_of, over_http
from app.pages.forms import problems_of
from app.pages.links import module_url, with_query
from app.pages.templating import READING, Context, page
from app.pages.trace_code import trace_code
from app.pages.trace_rows import TraceView, trace_view
from app.pages.traced_text import Values, common_dtype, values_text
from app.pages.tree_head import TreeHead, tree_head
from app.problems import status_of
from app.storage.trees import Trees
from app.translation import N_
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.trace import Trace
from app.trees.trace_inputs import Input
from app.trees.values import DTYPES

router = APIRouter(include_in_schema=False)

DTYPE = "float32"
FIELDS = {"input", "dtype"}
CHANGED = N_("The tree was changed while it was traced: trace it again.")

_decode = msgspec.json.Decoder(Trace).decode


@dataclass(frozen=True, slots=True)
class TraceField:
    """What was typed, or is suggested, and what is wrong with it."""

    value: str
    problem: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a forward stopped; `path` is "" for the root."""

    path: str
    class_name: str
    url: str
    inputs: Values
    error: str
    where: str


@dataclass(frozen=True, slots=True)
class TraceTotals:
    """The whole forward in figures, and how they were counted."""

    flops: int
    macs: int
    flops_per_mac: int
    has_shared: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TracePage(Context):
    """A trace of the tree, or the form that asks for one."""

    template: ClassVar[str] = "trace.html"

    tree: TreeHead
    inputs: TraceField
    dtype: TraceField
    dtypes: tuple[str, ...]
    suggestion: str
    trouble: str
    totals: TraceTotals | None
    view: TraceView | None
    stopped: Stopped | None
    raw_url: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for."""

    tree_id: str
    texts: tuple[str, ...]
    dtype: str
    origin: str


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of it: the trace of a revision, or what is wrong, by field."""

    revision: int = 0
    trace: Trace | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@router.api_route("/trees/{tree_id}/trace", methods=READING)
async def show_trace(
    request: Request,
    answers: AnswersDep,
    traces: TracesDep,
    tree_id: str,
    texts: Annotated[list[str] | None, Query(alias="input")] = None,
    dtype: str = "float32",
) -> Response:
    """A trace on the inputs of the query, or on those that are suggested; without either, the form."""
    typed = tuple(text for text in texts or () if text.strip())
    asked = _Asked(tree_id, typed, dtype, origin_of(request))
    status = 200
    try:
        inputs = inputs_of(typed, dtype)
        revision, body = await answers.plain(key := key_of(inputs), lambda: traces.make(tree_id, inputs))
        traces.latest.note(tree_id, revision, key)
        made = _Made(revision, await run_in_threadpool(_decode, body))
    except ModuletreeError as error:
        problems = problems_of(error, FIELDS)
        if not typed:
            problems.pop("input", None)
        made = _Made(problems=problems)
        status = status_of(error) if problems else 200
    return await run_in_threadpool(lambda: page(_page(answers.trees, asked, made), status))


def _page(trees: Trees, asked: _Asked, made: _Made) -> TracePage:
    history, trace, problems = trees.history(asked.tree_id), made.trace, made.problems
    with trees.reading(asked.tree_id) as opened:
        if trace is not None and opened.record.revision != made.revision:
            trace, problems = None, {"": _(CHANGED)}
        head, usual, index = tree_head(opened, history, "trace"), suggested(opened), opened.index
        view = trace_view(index, asked.tree_id, opened.record.name, trace) if trace is not None else None
        code = trace_code(index, trace.given if trace is not None else usual)
        totals = _totals(index, trace) if trace is not None else None
    path, suggestion = f"/api/trees/{asked.tree_id}/trace", _text(usual, asked.dtype)
    query = {"input": "; ".join(asked.texts), "dtype": "" if asked.dtype == DTYPE else asked.dtype}
    return TracePage(
        tree=head,
        inputs=TraceField(query["input"] or suggestion, problems.get("input", "")),
        dtype=TraceField(asked.dtype, problems.get("dtype", "")),
        dtypes=tuple(dict.fromkeys((*DTYPES, asked.dtype))),
        suggestion=suggestion if asked.texts and (trace is None or trace.given != usual) else "",
        trouble=problems.get("", ""),
        totals=totals,
        view=view,
        stopped=_stopped(trace, asked.tree_id) if trace is not None else None,
        raw_url=with_query(path, **query),
        calls=(in_pytorch(code, _printed(trace)), over_http(asked.origin, path, **query)),
    )


def _text(inputs: Sequence[Input], dtype: str) -> str:
    """Return inputs as they are typed, `dtype` going without saying."""
    return "; ".join(str(one).removesuffix(f":{dtype}") for one in inputs)


def _totals(index: TreeIndex, trace: Trace) -> TraceTotals:
    return TraceTotals(
        flops=trace.total_flops,
        macs=trace.total_macs,
        flops_per_mac=trace.flops_per_mac,
        has_shared=bool((index.previous >= 0).any()),
        notes=tuple(trace.notes),
    )


def _stopped(trace: Trace, tree_id: str) -> Stopped | None:
    stop = trace.stopped
    if stop is None:
        return None
    return Stopped(
        path=stop.path,
        class_name=stop.class_name,
        url=module_url(tree_id, stop.path, stop.row),
        inputs=values_text(stop.inputs, common_dtype(trace)),
        error=stop.error,
        where=stop.where,
    )


def _printed(trace: Trace | None) -> str:
    return str(trace.total_flops) if trace is not None and trace.stopped is None else ""
