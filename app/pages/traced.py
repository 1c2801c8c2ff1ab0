"""The trace that the pages of a tree's modules show: the last one of its present revision, and the one asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswersDep
from app.api.kept import KeptDep
from app.api.trace import inputs_of, key_of
from app.api.traces import TracesDep
from app.errors import ModuletreeError
from app.pages.forms import problems_of
from app.problems import status_of
from app.trees.trace import Trace

DTYPE = "float32"
FIELDS = {"input", "dtype"}


@dataclass(frozen=True, slots=True)
class Traced:
    """A trace of a revision; `problems` are what is wrong with what was `typed`, by field, and `status` says so."""

    trace: Trace | None = None
    revision: int = 0
    typed: str = ""
    dtype: str = DTYPE
    problems: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


async def _traced(
    answers: AnswersDep,
    traces: TracesDep,
    kept: KeptDep,
    tab: str = "",
    texts: Annotated[list[str] | None, Query(alias="input")] = None,
    dtype: str = DTYPE,
) -> Traced:
    """Trace what the tab's form asks for, then return the last trace there is."""
    tree_id, typed = answers.record.id, [text for text in texts or () if text.strip()]
    problems: Mapping[str, str] = {}
    status = 200
    if tab == "trace" and typed:
        try:
            key = key_of(inputs := inputs_of(typed, dtype))
            revision, _ = await answers.plain(key, lambda: traces.make(tree_id, inputs))
            traces.latest.note(tree_id, revision, key)
        except ModuletreeError as error:
            problems, status = problems_of(error, FIELDS), status_of(error)
    revision = answers.record.revision
    if typed:
        revision = (await run_in_threadpool(answers.trees.get, tree_id)).revision
    trace = await run_in_threadpool(traces.latest.find, kept, tree_id, revision)
    return Traced(trace, revision, "; ".join(typed), dtype, problems, status)


TracedDep = Annotated[Traced, Depends(_traced)]
