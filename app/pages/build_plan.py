"""What a row of the builder was sent with, read: one change of the tree, all of it or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from app.api.bodies import decode
from app.errors import Invalid, Misfit, NameRefused
from app.pages.build_rows import as_typed, fields_of
from app.pages.forms import invalid
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.translation import said
from app.trees import edit, rearrange
from app.trees.index import TreeIndex
from app.trees.limits import Limits

ACTS = ("set", "child", "sibling", "duplicate", "up", "down", "in", "out", "move", "remove")
FIRST_CHILD = "sub1"
MAX_NOTE = 200

Typed = Mapping[str, str]
Step = Callable[[nn.Module, str], str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps on the tree, each of which takes the path that the one before left and returns its own; `note` says all.

    Where the steps end is the module that is at hand afterwards.
    """

    target: str
    steps: tuple[Step, ...] = ()
    note: str = ""
    misfits: tuple[Misfit, ...] = field(default=())

    def make(self, tree: OpenTree) -> str:
        """Make the change and return the path of the module that is at hand afterwards."""
        path = self.target
        for step in self.steps:
            path = step(tree.module, path)
        return path

    def then(self, step: Step, note: str) -> "Plan":
        """Return the plan with one step more."""
        notes = f"{self.note}; {note}" if self.note else note
        return replace(self, steps=(*self.steps, step), note=notes[:MAX_NOTE])


def plan_of(opened: OpenTree, row: int, typed: Typed, limits: Limits) -> Plan:
    """Return what the form of a row asks for: its fields where they were changed, then its button.

    Raises `Invalid` with every misfit, each at its field.
    """
    index, act = opened.index, typed.get("act") or "set"
    if act not in ACTS:
        raise invalid(
            [("act", said("expected one of %(names)s, got %(value)r", names=", ".join(ACTS), value=act[:40]))]
        )
    target = index.path(row)
    if act == "remove":
        return Plan(target).then(_remove(index, row), f"del {target}")
    plan = _placed(opened, row, typed, act)
    plan = _with_values(index, row, typed, plan)
    if plan.misfits:
        raise Invalid("; ".join(misfit.msg for misfit in plan.misfits) + ".", plan.misfits)
    return _with_more(plan, act if row or act != "sibling" else "child", limits)


def _placed(opened: OpenTree, row: int, typed: Typed, act: str) -> Plan:
    # The name and the place are one move: this step is the only one that can be refused, and it is the first.
    index, target = opened.index, opened.index.path(row)
    if not row:
        return Plan(target)
    typed_name = typed.get("name", as_typed(index.name[row]))
    name = index.name[row] if typed_name == as_typed(index.name[row]) else typed_name
    above, position = _destination(index, row, typed, act)
    if position == list(index.children(index.parent[row])).index(row) and above == target.rpartition(".")[0]:
        position = None
    to = f"{above}.{name}" if above else name
    if to == target and position is None:
        return Plan(target)
    misfits = _misfits_of_name(opened.module, target, above, name)

    def move(root: nn.Module, path: str) -> str:
        rearrange.move(root, path, to, position)
        return to

    note = f"move({target!r}, {to!r}{'' if position is None else f', {position}'})"
    return replace(Plan(target).then(move, note), misfits=misfits)


def _destination(index: TreeIndex, row: int, typed: Typed, act: str) -> tuple[str, int | None]:
    parent = index.parent[row]
    above, siblings = index.path(parent), list(index.children(parent))
    at = siblings.index(row)
    match act:
        case "up" if at:
            return above, at - 1
        case "down" if at + 1 < len(siblings):
            return above, at + 1
        case "in" if at:
            return index.path(siblings[at - 1]), None
        case "out" if parent:
            return above.rpartition(".")[0], list(index.children(index.parent[parent])).index(parent) + 1
        case "move":
            return typed.get("above", ""), _position(typed)
    return above, None


def _position(typed: Typed) -> int | None:
    text = typed.get("position", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid([("position", _("expected a whole number, got %(text)r", text=text[:40]))])
    return int(text) if text else None


def _misfits_of_name(root: nn.Module, target: str, above: str, name: str) -> tuple[Misfit, ...]:
    owner, _, old = target.rpartition(".")
    try:
        if (above, name) != (owner, old):
            rearrange.check_free(edit.submodule(root, above), name, name)
    except NameRefused as error:
        return (Misfit(("name",), error.detail),)
    return ()


def _with_values(index: TreeIndex, row: int, typed: Typed, plan: Plan) -> Plan:
    entries = [
        columns.tensor[entry] for columns in (index.parameters, index.buffers) for entry in index.own(columns, row)
    ]
    for each, tensor in zip(fields_of(index, row), entries, strict=True):
        text = typed.get(each.key, each.text).strip().replace("\u2212", "-")
        if not each.is_editable or text == each.text:
            continue
        try:
            value = _value(each.key, text, tensor)
            rearrange.fitted(tensor, value)
        except Invalid as error:
            misfits = tuple(Misfit((each.key,), misfit.msg) for misfit in error.errors)
            plan = replace(plan, misfits=(*plan.misfits, *misfits))
        else:
            plan = plan.then(_copy(each.name, value), f"{each.name}.copy_({rearrange.shown(value)})")
    return plan


def _value(key: str, text: str, tensor: Tensor) -> object:
    try:
        value = decode(text.encode())
    except (Invalid, UnicodeEncodeError):
        raise invalid(
            [(key, _("expected a number or nested lists of numbers, got %(given)s", given=repr(text[:40])))]
        ) from None
    return [value] if tensor.shape == (1,) and isinstance(value, bool | int | float) else value


def _copy(name: str, value: object) -> Step:
    def copy(root: nn.Module, path: str) -> str:
        rearrange.copy_(root, f"{path}.{name}" if path else name, value)
        return path

    return copy


def _with_more(plan: Plan, act: str, limits: Limits) -> Plan:
    def duplicate(root: nn.Module, path: str) -> str:
        return rearrange.duplicate(root, path, limits=limits)

    def child(root: nn.Module, path: str) -> str:
        return _add(root, path, limits)

    def sibling(root: nn.Module, path: str) -> str:
        return _add(root, path.rpartition(".")[0], limits, after=path.rpartition(".")[2])

    match act:
        case "duplicate":
            return plan.then(duplicate, f"duplicate({plan.target!r})")
        case "child":
            return plan.then(child, f"{plan.target + '.' if plan.target else ''}add_module(LinearModel())")
        case "sibling":
            return plan.then(sibling, "add_module(LinearModel())")
    return plan


def _add(root: nn.Module, above: str, limits: Limits, after: str = "") -> str:
    owner = edit.submodule(root, above)
    names = list(owner._modules)
    last = after or (names[-1] if names else "")
    is_first = not last and rearrange.is_free(owner, FIRST_CHILD)
    name = FIRST_CHILD if is_first else rearrange.next_name(owner, last or FIRST_CHILD)
    edit.add_module(root, above, name, {}, limits)
    path = f"{above}.{name}" if above else name
    if after:
        rearrange.move(root, path, path, names.index(after) + 1)
    return path


def _remove(index: TreeIndex, row: int) -> Step:
    siblings = list(index.children(index.parent[row])) if row else []
    at = siblings.index(row) if row else 0
    left = siblings[at - 1] if at else siblings[at + 1] if len(siblings) > 1 else index.parent[row]

    def remove(root: nn.Module, path: str) -> str:
        edit.delete(root, path)
        return index.path(left)

    return remove
