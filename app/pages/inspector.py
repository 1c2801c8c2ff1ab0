"""The inspector: what is known of the selected module, each fact with how it was found, and what can be done to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.pages.calls import Call
from app.pages.comparison import Comparison, comparison
from app.pages.counted import ReceiptLine, receipt_lines
from app.pages.facts import Fact, Facts
from app.pages.forms import Form
from app.pages.glance import Glance, glance_of
from app.pages.hues import hues
from app.pages.insight import Insight, insight_of
from app.pages.insights import InsightLine, insights_about
from app.pages.inspector_head import InspectorHead, inspector_head
from app.pages.inspector_tabs import Tab, tabs
from app.pages.links import module_url, tree_url
from app.pages.look import Look, row_of
from app.pages.module_calls import ModuleCalls
from app.pages.module_forms import ModuleForms
from app.pages.module_trace import ModuleTrace, TraceTab
from app.pages.tensor_facts import MOST_CHILDREN, MOST_TENSORS, ChildFact, ModuleParts, TensorFact
from app.pages.touched_runs import TouchedRun, num_touched, touched_runs
from app.pages.visible import printed
from app.storage.trees import OpenTree, Trees, structure_only
from app.training.insights.insight import Kind
from app.training.runs import Runs
from app.trees.gradient import Reach
from app.trees.index import TreeIndex
from app.trees.origin import num_stored
from app.trees.receipts import receipt
from app.trees.texts import repr_of

REPR_ROWS = 300


@dataclass(frozen=True, slots=True)
class RunInsights:
    """What the log of a run says of the selected module."""

    number: int
    url: str
    lines: tuple[InsightLine, ...]


@dataclass(frozen=True, slots=True)
class Inspector:
    """What stands at the right of the page; what no tab but the open one shows is left out.

    `cannot` says why the tree is not changed and trained, "" where it can be.
    """

    tree_url: str
    revision: int
    row: int
    target: str
    head: InspectorHead
    tab: str
    tabs: tuple[Tab, ...]
    change_url: str
    insight: Insight | None
    run_insights: RunInsights | None
    facts: tuple[Fact, ...]
    receipt: tuple[ReceiptLine, ...]
    parameters: tuple[TensorFact, ...]
    num_more_parameters: int
    buffers: tuple[TensorFact, ...]
    num_more_buffers: int
    glance: Glance | None
    children: tuple[ChildFact, ...]
    num_more_children: int
    comparison: Comparison | None
    trace: TraceTab | None
    runs: tuple[TouchedRun, ...]
    text: str
    forms: tuple[Form, ...]
    calls: tuple[Call, ...]
    cannot: str


def inspector(trees: Trees, runs: Runs, opened: OpenTree, look: Look) -> Inspector:
    """Return what is known of the module that is looked at; raises as `row_of` does."""
    index, tree_id = opened.index, opened.record.id
    row = row_of(opened, look.target, look.row, look.revision)
    target = index.path(row)
    parts = ModuleParts(index, tree_id, row, target, look.tab)
    forms = ModuleForms(opened, row, target, look.origin, look.fn)
    traced = ModuleTrace(opened, row, target, look.traced)
    parameters, buffers = tuple(parts.parameters()), tuple(parts.buffers())
    text = _text(index, row) if look.tab in ("overview", "repr") else ""
    is_first = look.tab == "overview"
    others = [other for other in look.others if 0 <= other < len(index) and other != row]
    numbers = {
        "parameters": len(parts.parameter_entries),
        "buffers": len(parts.buffer_entries),
        "children": len(parts.child_rows),
        "runs": num_touched(runs, opened, row),
    }
    if others or look.tab == "compare":
        numbers["compare"] = len(others) + 1
    return Inspector(
        tree_url=tree_url(tree_id),
        revision=opened.record.revision,
        row=row,
        target=target,
        head=inspector_head(opened, row, target, look, forms),
        tab=look.tab,
        tabs=tabs(tree_id, target, row, numbers),
        change_url=module_url(tree_id, target, row, tab="change"),
        insight=insight_of(index, row) if is_first else None,
        run_insights=_run_insights(runs, opened, row, look.asked.run) if is_first else None,
        facts=(*Facts(index, row, tree_id), *traced.facts()) if is_first else (),
        receipt=receipt_lines(receipt(index, row, stored=num_stored(opened.origin, index, row))) if is_first else (),
        parameters=parameters,
        num_more_parameters=max(0, numbers["parameters"] - MOST_TENSORS),
        buffers=buffers,
        num_more_buffers=max(0, numbers["buffers"] - MOST_TENSORS),
        glance=_glance(opened, row, target, look),
        children=tuple(parts.children(hues(cls.name for cls in index.classes))),
        num_more_children=max(0, numbers["children"] - MOST_CHILDREN),
        comparison=comparison(index, tree_id, opened.record.name, [*others, row]) if look.tab == "compare" else None,
        trace=traced.tab() if look.tab == "trace" else None,
        runs=touched_runs(trees, runs, opened, row, target) if look.tab == "runs" else (),
        text=text,
        forms=_forms(forms, look, parameters, buffers),
        calls=ModuleCalls(index, tree_id, row, target, look.origin).of_tab(look.tab, text),
        cannot="" if opened.record.facts.can.edit else structure_only(opened.record).detail,
    )


def _run_insights(runs: Runs, opened: OpenTree, row: int, asked: str) -> RunInsights | None:
    """What the run that is open says of the module: the one asked for, or the tree's newest."""
    index, tree_id = opened.index, opened.record.id
    listed, _before = runs.list(tree_id, 1)
    run = runs.get(asked) if asked else next(iter(listed), None)
    if run is None or run.tree != tree_id:
        return None
    # That no gradient reaches it is said of the tree already, with its reason.
    known = () if Reach(index)(row) else (Kind.NO_GRADIENT,)
    lines = insights_about(runs, run, index.path(row), known)
    return RunInsights(run.number, f"/runs/{run.id}", lines) if lines else None


def _text(index: TreeIndex, row: int) -> str:
    if index.end[row] - row > REPR_ROWS:
        return ""
    return printed(repr_of(index, row))


def _glance(opened: OpenTree, row: int, target: str, look: Look) -> Glance | None:
    index, tab = opened.index, look.tab
    if tab not in ("overview", "parameters", "buffers"):
        return None
    own = index.own(index.buffers, row)
    chosen = index.buffers.name[own[0]] if tab == "buffers" and not look.tensor and own else look.tensor
    return glance_of(opened, row, target, chosen)


def _forms(
    forms: ModuleForms, look: Look, parameters: tuple[TensorFact, ...], buffers: tuple[TensorFact, ...]
) -> tuple[Form, ...]:
    makers: dict[str, Callable[[], Sequence[Form]]] = {
        "change": forms.change_forms,
        "parameters": lambda: forms.tensor_forms(parameters, are_buffers=False),
        "buffers": lambda: forms.tensor_forms(buffers, are_buffers=True),
    }
    make, refused = makers.get(look.tab), look.form
    made = [replace(form, is_open=form.key == look.opened) for form in make()] if make is not None else []
    if refused is None:
        return tuple(made)
    if refused.key not in {form.key for form in made}:
        return refused, *made
    return tuple(refused if form.key == refused.key else form for form in made)
