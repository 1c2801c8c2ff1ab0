"""What the last trace of a tree says of one module: its inputs and outputs, and what it cost."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.api.latest_traces import place_in
from app.api.traces import can_be_traced, suggested
from app.pages import filters
from app.pages.facts import Fact
from app.pages.links import LONGEST_TARGET, module_url, tree_url
from app.pages.marks import Share, shape_text, share_of
from app.pages.traced import DTYPE, Traced
from app.pages.traced_text import Values, common_dtype, values_text
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.trees.trace import Trace
from app.trees.trace_inputs import Input
from app.trees.values import DTYPES

MOST_CHILDREN = 50


@dataclass(frozen=True, slots=True)
class TracedModule:
    """A module in a trace; `is_done` is False where the forward stopped in it."""

    inputs: Values
    outputs: Values
    calls: int
    varies: bool
    is_done: bool
    flops: int
    macs: int
    own_flops: int
    share: Share


@dataclass(frozen=True, slots=True)
class TracedChild:
    """A child in a trace."""

    row: int
    name: str
    url: str
    traced: TracedModule


@dataclass(frozen=True, slots=True)
class TraceTab:
    """What the tab of the trace shows; `module` is None before there is a trace, `why_not` where there can be none."""

    url: str
    target: str
    row: str
    input: str
    input_problem: str
    dtype: str
    dtype_problem: str
    dtypes: tuple[str, ...]
    trouble: str
    given: str
    common_dtype: str
    module: TracedModule | None
    children: tuple[TracedChild, ...]
    stopped: str
    whole_url: str
    why_not: str


class ModuleTrace:
    """The last trace of a tree, asked about the module at a row."""

    def __init__(self, opened: OpenTree, row: int, target: str, traced: Traced) -> None:
        self.opened = opened
        self.row = row
        self.target = target
        self.asked = traced
        self.trace = traced.trace if traced.revision == opened.record.revision else None
        self.dtype = common_dtype(self.trace) if self.trace is not None else ""
        self.can = can_be_traced(opened)
        self.usual = given_text(suggested(opened)) if self.can else ""

    def facts(self) -> Iterator[Fact]:
        """Yield what goes in, comes out and is done, or where to ask for it."""
        if self.trace is None:
            if self.can:
                usual = given_said(suggested(self.opened))
                said = _("Trace with %(inputs)s", inputs=usual) if usual else _("Trace it")
                yield Fact(_("Output"), _("not traced"), said, url=self._ask())
            return
        found = self._module(self.trace, self.row)
        given = _("for %(inputs)s, on meta", inputs=given_said(self.trace.given))
        if found is None:
            yield Fact(_("Output"), _("not called"), given, url=self._ask())
            return
        yield Fact(_("Input"), _shapes(found.inputs), "", is_code=True)
        yield Fact(_("Output"), _shapes(found.outputs), given, is_code=True, url=self._ask())
        macs = _("%(macs)s MACs", macs=filters.exact(found.macs))
        yield Fact(_("FLOPs"), filters.exact(found.flops), macs if found.flops else _("no product, no attention"))

    def tab(self) -> TraceTab:
        """Return the tab: the form, and what the last trace says of the module and its children."""
        record, asked, trace = self.opened.record, self.asked, self.trace
        given = given_text(trace.given) if trace is not None else ""
        is_long = len(self.target) > LONGEST_TARGET
        return TraceTab(
            url=tree_url(record.id) if is_long else module_url(record.id, self.target),
            target=self.target,
            row=str(self.row) if is_long else "",
            input=asked.typed or given or self.usual,
            input_problem=asked.problems.get("input", ""),
            dtype=asked.dtype,
            dtype_problem=asked.problems.get("dtype", ""),
            dtypes=tuple(dict.fromkeys((*DTYPES, asked.dtype))),
            trouble=asked.problems.get("", ""),
            given=given_said(trace.given) if trace is not None else "",
            common_dtype=self.dtype,
            module=self._module(trace, self.row) if trace is not None else None,
            children=tuple(self._children(trace)) if trace is not None else (),
            stopped=_stop_text(trace) if trace is not None else "",
            whole_url=f"{tree_url(record.id)}/trace",
            why_not="" if self.can else _("Nothing says how the modules of this tree call each other."),
        )

    def _children(self, trace: Trace) -> Iterator[TracedChild]:
        index = self.opened.index
        for row in index.distinct_children(self.row)[:MOST_CHILDREN]:
            if (found := self._module(trace, row)) is not None:
                name = index.name[row]
                path = f"{self.target}.{name}" if self.target else name
                yield TracedChild(row, name, module_url(self.opened.record.id, path, row, tab="trace"), found)

    def _module(self, trace: Trace, row: int) -> TracedModule | None:
        at = place_in(trace, int(self.opened.index.first[row]))
        if at is None:
            return None
        return TracedModule(
            inputs=values_text(trace.inputs[at], self.dtype),
            outputs=values_text(trace.outputs[at], self.dtype),
            calls=trace.calls[at],
            varies=trace.varies[at],
            is_done=trace.is_done[at],
            flops=trace.flops[at],
            macs=trace.macs[at],
            own_flops=trace.own_flops[at],
            share=share_of(trace.flops[at], trace.total_flops),
        )

    def _ask(self) -> str:
        query = {"input": "; ".join(map(str, suggested(self.opened)))} if self.trace is None else {}
        return module_url(self.opened.record.id, self.target, self.row, tab="trace", **query)


def given_text(inputs: list[Input]) -> str:
    """Return inputs as they are typed, the usual dtype going without saying."""
    return "; ".join(str(one).removesuffix(f":{DTYPE}") for one in inputs)


def given_said(inputs: list[Input]) -> str:
    """Return inputs as they are shown: `input_ids [1, 16] int64`."""
    parts = ((one.name, shape_text(one.shape), one.dtype if one.dtype != DTYPE else "") for one in inputs)
    return ", ".join(" ".join(filter(None, words)) for words in parts)


def _shapes(values: Values) -> str:
    shapes = [tensor.shape for tensor in values.tensors]
    more = [_("%(num)s more", num=filters.exact(values.num_more))] if values.num_more else []
    return ", ".join([*shapes, *more]) or values.others or filters.DASH


def _stop_text(trace: Trace) -> str:
    if trace.stopped is None:
        return ""
    return _(
        "The forward stopped in %(path)s: %(error)s.",
        path=trace.stopped.path or _("the root"),
        error=trace.stopped.error,
    )
