"""New trees of LinearModels from forms: dotted names, a spec as JSON or in a link, a full grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from starlette.datastructures import FormData

from app.errors import Invalid, Misfit, ModuletreeError, NameRefused
from app.pages.calls import posted
from app.pages.forms import Field, Form, field_of, invalid
from app.pages.new_desk import Asked, Desk, Sent, document_of, name_field, name_of
from app.pages.spec_preview import SpecPreview, spec_preview
from app.pages.templating import Context
from app.storage.records import TreeRecord
from app.translation import gettext as _
from app.translation import said

KINDS = ("linear", "spec", "grid")
SPARE_ROWS = 2
MOST_ROWS = 300
FORWARDS = ("own", "chain")
SPEC = """{
  "weight": 0.9385080337524414,
  "bias": 0.5002855658531189,
  "children": {
    "sub1": {"children": {"sub2_1": {}}}
  }
}"""
BODIES = {
    "linear": '{"source": {"kind": "linear", "root": {"children": {"sub1": {"children": {"sub2_1": {}}}}}}}',
    "spec": '{"source": {"kind": "linear", "root": {"weight": 2, "bias": 1}}}',
    "grid": '{"source": {"kind": "grid", "branching": 10, "depth": 3, "seed": 0}}',
}


@dataclass(frozen=True, slots=True)
class ModuleField:
    """One LinearModel of the form: where it hangs, its numbers, and what is wrong with which of them."""

    target: str
    weight: str
    bias: str
    problem: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class LinearPage(Context):
    """The form for LinearModels of one kind; `rows` are those of dotted names, `preview` what a spec will build."""

    template: ClassVar[str] = "new_linear.html"

    kind: str
    form: Form
    rows: tuple[ModuleField, ...]
    preview: SpecPreview | None
    curl: str


def blank(desk: Desk, asked: Asked) -> LinearPage:
    """Return the form of a kind as it is first shown, or with the spec of a link in it; raises what is wrong there."""
    if asked.kind == "spec" and asked.spec:
        return previewed(desk, Sent(asked.typed))
    rows = (ModuleField("", "", ""), ModuleField("sub1", "", ""), ModuleField("sub1.sub2_1", "", ""))
    return _page(desk, asked.kind, _form(asked.kind), rows)


def with_more_rows(desk: Desk, sent: Sent) -> LinearPage:
    """Return the form as it was filled in, with empty rows after those that were."""
    kind = sent.typed["kind"]
    return _page(desk, kind, _form(kind).refused(sent.typed, ModuletreeError("")), _rows(sent.form))


def previewed(desk: Desk, sent: Sent) -> LinearPage:
    """Return the form as it was filled in, with what its spec will build; raises what is wrong with it."""
    name_of(sent.typed)
    preview = spec_preview(_source("spec", sent.typed, ()), desk.trees.limits)
    return _page(desk, "spec", _form("spec").refused(sent.typed, ModuletreeError("")), (), preview)


def open_tree(desk: Desk, sent: Sent) -> TreeRecord:
    """Return the tree that the form describes; raises what is wrong with it."""
    source = _source(sent.typed["kind"], sent.typed, _rows(sent.form))
    return desk.trees.open(source, name_of(sent.typed))


def refused(desk: Desk, sent: Sent, error: ModuletreeError) -> LinearPage:
    """Return the form as it was filled in, what is wrong at its field or its row."""
    kind = sent.typed["kind"]
    form, rows = _refused(kind, sent.typed, _rows(sent.form), error)
    return _page(desk, kind, form, rows)


def _page(
    desk: Desk, kind: str, form: Form, rows: Sequence[ModuleField], preview: SpecPreview | None = None
) -> LinearPage:
    spare = max(0, SPARE_ROWS - sum(1 for row in rows[1:] if not row.target))
    more = tuple(ModuleField("", "", "") for _spare in range(spare))
    return LinearPage(kind, form, (*rows, *more), preview, posted(desk.origin, "/api/trees", BODIES[kind]))


def _form(kind: str) -> Form:
    name = name_field("LinearModel")
    seed = Field("seed", "seed", kind="number", placeholder=_("none"), hint=_("for what is drawn by torch.rand(1)"))
    forward = Field(
        "forward",
        "forward",
        "own",
        "choice",
        FORWARDS,
        hint=_("own: y = x * weight + bias, children unused; chain: then through the children in order"),
    )
    own = {
        "linear": (),
        "spec": (Field("spec", "spec", SPEC, "long", hint=_("a LinearSpec: weight, bias, buffers, children")),),
        "grid": (
            Field("branching", "branching", "10", "number", hint=_("children of each module")),
            Field("depth", "depth", "3", "number", hint=_("levels below the root; 10 × 5 has 111,111 modules")),
        ),
    }[kind]
    submit = _("Grow the grid") if kind == "grid" else _("Build the tree")
    return Form(kind, kind, "/trees", submit, (name, *own, seed, forward))


def _rows(sent: FormData) -> tuple[ModuleField, ...]:
    columns = [[str(value) for value in sent.getlist(name)][:MOST_ROWS] for name in ("target", "weight", "bias")]
    return tuple(ModuleField(*row) for row in zip(*columns, strict=False)) or (ModuleField("", "", ""),)


def _refused(
    kind: str, typed: Mapping[str, str], rows: tuple[ModuleField, ...], error: ModuletreeError
) -> tuple[Form, tuple[ModuleField, ...]]:
    form = _form(kind)
    if isinstance(error, Invalid) and kind == "linear":
        return _with_row_problems(form.refused(typed, _of_fields(form, error)), rows, error)
    if kind == "spec" and isinstance(error, NameRefused | Invalid):
        error = _at_spec(form, error)
    return form.refused(typed, error), rows


def _of_fields(form: Form, error: Invalid) -> ModuletreeError:
    names = {field.name for field in form.fields}
    mine = tuple(misfit for misfit in error.errors if field_of(misfit, names) and "row" not in misfit.loc)
    return Invalid(error.detail, mine) if mine else ModuletreeError("")


def _at_spec(form: Form, error: ModuletreeError) -> ModuletreeError:
    """The same with each misfit at its field; those inside the spec stand at it, with their places in it."""
    if not isinstance(error, Invalid) or not error.errors:
        return Invalid(error.detail, (Misfit(("spec",), error.detail),))
    names = {field.name for field in form.fields}
    return Invalid(error.detail, tuple(_in_spec(misfit, names) for misfit in error.errors))


def _in_spec(misfit: Misfit, names: set[str]) -> Misfit:
    if misfit.loc and misfit.loc[-1] in names and len(misfit.loc) <= 2:
        return Misfit(misfit.loc[-1:], misfit.msg)
    place = ".".join(map(str, misfit.loc[2:]))
    return Misfit(("spec",), f"{place}: {misfit.msg}" if place else misfit.msg)


def _with_row_problems(
    form: Form, rows: tuple[ModuleField, ...], error: Invalid
) -> tuple[Form, tuple[ModuleField, ...]]:
    found: dict[int, Misfit] = {}
    for misfit in error.errors:
        row = misfit.loc[1] if misfit.loc[:1] == ("row",) else _row_at(rows, misfit)
        if isinstance(row, int):
            found[row] = misfit
    return form, tuple(_marked(row, found[number]) if number in found else row for number, row in enumerate(rows))


def _marked(row: ModuleField, misfit: Misfit) -> ModuleField:
    wrong = misfit.loc[-1] if misfit.loc[-1] in ("weight", "bias") else "target"
    msg = misfit.msg if wrong == "target" else f"{wrong}: {misfit.msg}"
    return ModuleField(row.target, row.weight, row.bias, msg, str(wrong))


def _row_at(rows: tuple[ModuleField, ...], misfit: Misfit) -> int | None:
    names = [str(part) for before, part in zip(misfit.loc, misfit.loc[1:], strict=False) if before == "children"]
    target = ".".join(names)
    return next((number for number, row in enumerate(rows) if row.target == target), None)


def _source(kind: str, typed: Mapping[str, str], rows: Sequence[ModuleField]) -> dict[str, object]:
    source: dict[str, object] = {"kind": "linear", "forward": typed.get("forward") or "own"}
    if seed := _whole(typed, "seed"):
        source |= seed
    match kind:
        case "grid":
            wanted = dict.fromkeys(("branching", "depth"))
            return {**source, **wanted, **_whole(typed, "branching"), **_whole(typed, "depth"), "kind": "grid"}
        case "spec":
            return {**source, "root": document_of("spec", typed.get("spec", ""))}
        case _:
            return {**source, "root": _nested(rows)}


def _whole(typed: Mapping[str, str], name: str) -> dict[str, int]:
    text = typed.get(name, "").strip().replace(",", "")
    if not text:
        return {}
    try:
        return {name: int(text)}
    except ValueError:
        raise invalid([(name, said("expected a whole number, got %(text)r", text=text[:40]))]) from None


def _nested(rows: Sequence[ModuleField]) -> dict[str, Any]:
    """The LinearSpec of the rows; a row's parent may stand anywhere, and is made where no row is."""
    root: dict[str, Any] = {}
    problems: list[Misfit] = []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if number and not row.target and not (row.weight.strip() or row.bias.strip()):
            continue
        if number and not row.target:
            problems.append(Misfit(("row", number), said("expected where it hangs, such as sub1.sub2_1")))
        elif row.target in seen:
            problems.append(Misfit(("row", number), said("%(target)r stands here twice", target=row.target)))
        else:
            seen.add(row.target)
            spec = root
            for name in row.target.split(".") if row.target else ():
                spec = spec.setdefault("children", {}).setdefault(name, {})
            problems.extend(_set_numbers(spec, row, number))
    if problems:
        detail = "; ".join(f"row {misfit.loc[1]}: {misfit.msg}" for misfit in problems)
        raise Invalid(said("%(detail)s.", detail=detail), tuple(problems))
    return root


def _set_numbers(spec: dict[str, Any], row: ModuleField, number: int) -> list[Misfit]:
    problems = []
    for name, text in (("weight", row.weight.strip()), ("bias", row.bias.strip())):
        if text:
            try:
                spec[name] = float(text.replace("−", "-"))
            except ValueError:
                msg = said("expected a number, got %(text)r", text=text[:40])
                problems.append(Misfit(("row", number, name), msg))
    return problems
