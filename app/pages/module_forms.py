"""What can be done to a module: each action as a form."""

import json
from collections.abc import Iterator, Mapping

from app.pages import filters
from app.pages.calls import module_code, posted
from app.pages.forms import Field, Form
from app.pages.links import LONGEST_TARGET, module_url, with_query
from app.pages.tensor_facts import TensorFact
from app.pages.visible import clipped
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.apply import APPLY_FUNCTIONS, Argument
from app.trees.values import DTYPES

MOST_TENSORS = 20


class ModuleForms:
    """The forms for the module at a target of a tree."""

    def __init__(self, opened: OpenTree, row: int, target: str, origin: str, fn: str = "") -> None:
        self.opened = opened
        self.index = opened.index
        self.row = row
        self.target = target
        self.origin = origin
        self.fn = fn if fn in APPLY_FUNCTIONS else next(iter(APPLY_FUNCTIONS))
        self.module = module_code(target)
        self.can_edit = opened.record.facts.can.edit

    def change_forms(self) -> tuple[Form, ...]:
        """Return the forms that add, apply and delete; of a tree that cannot be changed those for the tree itself."""
        of_tree = () if self.row else (self.rename(), self.delete_tree())
        if not self.can_edit:
            return of_tree
        forms = (self.add_module(), self.register_buffer(), self.register_parameter(), self.apply())
        return (*forms, *(of_tree or (self.delete(),)))

    def quick_forms(self) -> tuple[Form, ...]:
        """Return the forms that are one button: freeze or unfreeze, train or eval."""
        if not self.can_edit:
            return ()
        frozen = bool(self.index.totals.num_parameters[self.row]) and not self.index.totals.num_trainable[self.row]
        wanted = "true" if frozen else "false"
        grad = Form(
            "requires_grad_",
            "requires_grad_",
            self._url("requires_grad_"),
            _("Unfreeze") if frozen else _("Freeze"),
            (Field("requires_grad", "", wanted, "hidden"),),
            f"{self.module}.requires_grad_({wanted.capitalize()})",
        )
        mode = "eval" if self.index.training[self.row] else "train"
        return grad, Form(mode, mode, self._url(mode), f"{mode}()", (), f"{self.module}.{mode}()")

    def tensor_forms(self, tensors: tuple[TensorFact, ...], *, are_buffers: bool) -> tuple[Form, ...]:
        """Return, for each own tensor, the forms that give it another value and that delete it."""
        if not self.can_edit:
            return ()
        return tuple(
            form
            for number, tensor in enumerate(tensors[:MOST_TENSORS])
            for form in self._tensor_forms(number, tensor, are_buffers)
        )

    def _tensor_forms(self, number: int, tensor: TensorFact, are_buffers: bool) -> Iterator[Form]:
        action = "register_buffer" if are_buffers else "register_parameter"
        flag = "persistent" if are_buffers else "requires_grad"
        shown = clipped(tensor.name, 40)
        hint = _("%(shape)s %(dtype)s; nested lists of numbers", shape=tensor.shape, dtype=tensor.dtype)
        yield Form(
            f"value-{number}",
            f"{shown} =",
            self._url(action, tensor.name),
            _("Set the value"),
            (
                Field("dtype", "", tensor.dtype, "hidden"),
                Field("value", "value", tensor.typed, hint=hint),
                Field(flag, flag, "on" if tensor.is_set else "", "check"),
            ),
            about=_("give it another value"),
        )
        yield Form(
            f"delete-{number}",
            f"del {shown}",
            self._url("delete", tensor.name),
            _("Delete"),
            kind="bad",
            about=_("undo brings it back"),
        )

    def add_module(self) -> Form:
        body = {"target": self.target, "name": "sub2", "root": {"weight": 2.0, "bias": 1.0}}
        return self._form(
            "add_module",
            _("Add the module"),
            (
                Field("name", "name", hint=_('anything but "."; a child of that name is replaced'), placeholder="sub2"),
                Field("weight", "weight", kind="number", placeholder="torch.rand(1)"),
                Field("bias", "bias", kind="number", placeholder="torch.rand(1)"),
            ),
            "add_module(name, LinearModel())",
            body,
            _("a LinearModel as a child"),
        )

    def register_buffer(self) -> Form:
        return self._form(
            "register_buffer",
            _("Register the buffer"),
            (
                Field("name", "name", placeholder="buf"),
                Field("value", "value", hint=_("a number, or nested lists of numbers"), placeholder="[4]"),
                _dtype(),
                Field("persistent", "persistent", "on", "check", hint=_("kept in the state dict")),
            ),
            "register_buffer(name, torch.tensor(value), persistent)",
            {"target": self.target, "name": "buf", "value": [4]},
            _("a tensor that is saved and not trained"),
        )

    def register_parameter(self) -> Form:
        return self._form(
            "register_parameter",
            _("Register the parameter"),
            (
                Field("name", "name", placeholder="weight2"),
                Field("value", "value", hint=_("a number, or nested lists of numbers"), placeholder="[2.0]"),
                _dtype(),
                Field("requires_grad", "requires_grad", "on", "check"),
            ),
            "register_parameter(name, nn.Parameter(torch.tensor(value)))",
            {"target": self.target, "name": "weight2", "value": [2.0]},
            _("a tensor that is trained"),
        )

    def apply(self) -> Form:
        function = APPLY_FUNCTIONS[self.fn]
        arguments = tuple(_field_of(argument) for argument in function.arguments)
        given = {each.name: each.default for each in function.arguments if not each.is_required}
        count = self.index.end[self.row] - self.row
        return self._form(
            "apply",
            ngettext("Apply", "Apply to %(num)s modules", count, num=filters.exact(count)),
            (Field("fn", "fn", self.fn, "choice", tuple(APPLY_FUNCTIONS), hint=_(function.doc)), *arguments),
            f"apply({self.fn})",
            {"target": self.target, "fn": self.fn, "args": given},
            _("a function over every submodule, children first"),
            again=module_url(self.opened.record.id, self.target, self.row),
        )

    def delete(self) -> Form:
        name = clipped(self.index.name[self.row], 40)
        body = {"target": self.target}
        return self._form("delete", _("Delete %(name)s", name=name), (), "", body, _("undo brings it back"), kind="bad")

    def rename(self) -> Form:
        field = Field("name", "name", self.opened.record.name)
        return Form(
            "rename", _("rename"), f"{self._tree()}/rename", _("Rename the tree"), (field,), about=_("the tree itself")
        )

    def delete_tree(self) -> Form:
        url = f"{self._tree()}/delete_tree"
        about = _("with its revisions; its runs are kept")
        return Form("delete_tree", _("delete the tree"), url, _("Delete the tree"), about=about, kind="bad")

    def _form(
        self,
        action: str,
        submit: str,
        fields: tuple[Field, ...],
        call: str,
        body: Mapping[str, object],
        about: str,
        kind: str = "",
        again: str = "",
    ) -> Form:
        code = f"{self.module}.{call}" if call else f"del {self.module}" if self.target else ""
        if len(self.target) > LONGEST_TARGET:
            body = {**body, "target": clipped(self.target, 160)}
        curl = posted(self.origin, f"/api/trees/{self.opened.record.id}/{action}", json.dumps(body))
        return Form(action, action, self._url(action), submit, fields, code, curl, about, kind, again=again)

    def _tree(self) -> str:
        return f"/trees/{self.opened.record.id}"

    def _url(self, action: str, name: str = "") -> str:
        # In the address, since browsers turn a line break inside a field into two characters.
        if len(self.target) > LONGEST_TARGET:
            revision = str(self.opened.record.revision)
            return with_query(f"{self._tree()}/{action}", row=str(self.row), revision=revision, name=name)
        return with_query(f"{self._tree()}/{action}", target=self.target, name=name)


def _dtype() -> Field:
    return Field("dtype", "dtype", "", "choice", ("", *DTYPES), placeholder=_("as torch infers it"))


def _field_of(argument: Argument) -> Field:
    if argument.kind == "true or false":
        return Field(argument.name, argument.name, "on" if argument.default is True else "", "check")
    text = "" if argument.is_required or argument.default is None else _text(argument.default)
    kind = "number" if "number" in argument.kind else "text"
    return Field(argument.name, argument.name, text, kind, hint=_(argument.kind))


def _text(default: object) -> str:
    return default if isinstance(default, str) else json.dumps(default)
