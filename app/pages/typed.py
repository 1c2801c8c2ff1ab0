"""What a form asks for, read: a change of the tree, ready to be made."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.api.bodies import decode
from app.errors import Invalid, TargetNotFound
from app.pages.forms import invalid
from app.storage.trees import OpenTree
from app.translation import said
from app.trees import edit
from app.trees.apply import APPLY_FUNCTIONS, ApplyFunction, apply
from app.trees.limits import Limits

Typed = Mapping[str, str]
MAX_NOTE = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A change ready to be made: what it does to a tree, its note, and the target that is selected afterwards."""

    make: Callable[[OpenTree], object]
    call: str
    target: str

    @property
    def note(self) -> str:
        """The change as a person would type it."""
        return (f"{self.target}.{self.call}" if self.target and not self.call.startswith("del ") else self.call)[
            :MAX_NOTE
        ]


def change_of(action: str, target: str, typed: Typed, limits: Limits) -> Change:
    """Return the change that a form asks for; raises `Invalid` for what cannot be read."""
    return _READERS[action](target, typed, limits)


def _register_buffer(target: str, typed: Typed, limits: Limits) -> Change:
    name, value, dtype = typed.get("name", ""), numbers(typed, "value"), typed.get("dtype") or None
    persistent = "persistent" in typed

    def make(tree: OpenTree) -> None:
        edit.register_buffer(tree.module, target, name, value, dtype=dtype, persistent=persistent)

    return Change(make, f"register_buffer({name!r})", target)


def _register_parameter(target: str, typed: Typed, limits: Limits) -> Change:
    name, value, dtype = typed.get("name", ""), numbers(typed, "value"), typed.get("dtype") or None
    requires_grad = "requires_grad" in typed

    def make(tree: OpenTree) -> None:
        edit.register_parameter(tree.module, target, name, value, dtype=dtype, requires_grad=requires_grad)

    return Change(make, f"register_parameter({name!r})", target)


def _add_module(target: str, typed: Typed, limits: Limits) -> Change:
    name = typed.get("name", "")
    spec = {key: numbers(typed, key) for key in ("weight", "bias") if typed.get(key, "").strip()}

    def make(tree: OpenTree) -> None:
        edit.add_module(tree.module, target, name, spec, limits)

    return Change(make, f"add_module({name!r})", target)


def _apply(target: str, typed: Typed, limits: Limits) -> Change:
    fn = typed.get("fn", "")
    function = APPLY_FUNCTIONS.get(fn)
    given = dict(_arguments(function, typed)) if function else {}
    return Change(lambda tree: apply(tree.module, target, fn, given), f"apply({fn})", target)


def _arguments(function: ApplyFunction, typed: Typed) -> Iterator[tuple[str, object]]:
    for argument in function.arguments:
        text = typed.get(argument.name, "")
        if argument.kind == "true or false":
            yield argument.name, argument.name in typed
        elif argument.kind.startswith("a string"):
            if text or argument.kind == "a string":
                yield argument.name, text
        elif text.strip():
            yield argument.name, _readable(text)


def _requires_grad(target: str, typed: Typed, limits: Limits) -> Change:
    wanted = typed.get("requires_grad") == "true"
    return Change(lambda tree: edit.requires_grad_(tree.module, target, wanted), f"requires_grad_({wanted})", target)


def _train(target: str, typed: Typed, limits: Limits) -> Change:
    return Change(lambda tree: edit.train(tree.module, target, True), "train()", target)


def _eval(target: str, typed: Typed, limits: Limits) -> Change:
    return Change(lambda tree: edit.train(tree.module, target, False), "eval()", target)


def _delete(target: str, typed: Typed, limits: Limits) -> Change:
    name = typed.get("name", "")
    whole = f"{target}.{name}" if target and name else name or target
    after = target if name else target.rpartition(".")[0]
    return Change(lambda tree: edit.delete(tree.module, whole), f"del {whole}", after)


_READERS: dict[str, Callable[[str, Typed, Limits], Change]] = {
    "register_buffer": _register_buffer,
    "register_parameter": _register_parameter,
    "add_module": _add_module,
    "apply": _apply,
    "requires_grad_": _requires_grad,
    "train": _train,
    "eval": _eval,
    "delete": _delete,
}
ACTIONS = frozenset(_READERS)


def numbers(typed: Typed, name: str) -> object:
    """Return the nested numbers in a field; raises `Invalid` where it holds something else."""
    text = typed.get(name, "").strip()
    try:
        return decode(text.encode())
    except (Invalid, UnicodeEncodeError):
        raise invalid(
            [(name, said("expected a number or nested lists of numbers, such as [4]; got %(text)r", text=text[:60]))]
        ) from None


def _readable(text: str) -> object:
    try:
        return decode(text.encode())
    except (Invalid, UnicodeEncodeError):
        return text


def nearest(opened: OpenTree, target: str) -> str:
    """Return the target, or the nearest one above it that is there."""
    while target:
        try:
            opened.index.row(target)
        except TargetNotFound:
            target = target.rpartition(".")[0]
        else:
            return target
    return ""
