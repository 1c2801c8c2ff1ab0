"""Changing a tree: a path for each of nn.Module's methods and for what it has none, every change a new revision."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel

from app.api import calls, examples, requests, schemas
from app.api.answers import TreeId
from app.api.bodies import JsonRoute, in_body
from app.api.dependencies import TreesDep
from app.api.documents import answer, failures
from app.api.entity_tags import IfMatch, Precondition
from app.api.trees import tree_answer
from app.storage.trees import OpenTree, Trees
from app.trees import edit, rearrange
from app.trees.apply import apply as apply_function

router = APIRouter(prefix="/api", route_class=JsonRoute)

MAX_NOTE = 200


class Changes:
    """Makes the changes that one request asks for, under its `If-Match`."""

    def __init__(self, trees: Trees, tree_id: str, if_match: Precondition | None) -> None:
        self.trees = trees
        self.tree_id = tree_id
        self.if_match = if_match

    def make(self, change: Callable[[OpenTree], object], target: str, call: str) -> Response:
        """Make the change and answer with the tree; `call` is what a person would type on the module at `target`."""
        note = f"{target}.{call}" if target else call
        with in_body():
            record, _ = self.trees.edit(self.tree_id, change, note=note[:MAX_NOTE], if_match=self.if_match)
        return tree_answer(record)


async def _changes(trees: TreesDep, tree_id: TreeId, if_match: IfMatch) -> Changes:
    return Changes(trees, tree_id, if_match)


ChangesDep = Annotated[Changes, Depends(_changes)]


def _change(name: str, *statuses: int) -> Callable[..., Any]:
    responses = {200: answer(examples.TREE), **failures(404, 409, 412, *statuses)}
    return router.post(
        f"/trees/{{tree_id}}/{name}",
        operation_id=name,
        summary=name,
        tags=["Changing"],
        response_model=schemas.Tree,
        responses=responses,
    )


def _body(example: dict[str, Any]) -> Any:
    return Body(openapi_examples={"tutorial": {"value": example}})


def _optional(model: type[BaseModel], example: dict[str, Any]) -> Any:
    return Body(default_factory=model, openapi_examples={"example": {"value": example}})


@_change("register_buffer", 413)
def register_buffer(
    changes: ChangesDep, body: Annotated[requests.RegisterBuffer, _body({"name": "buf", "value": [4]})]
) -> Response:
    """`module.register_buffer(name, torch.tensor(value), persistent)`; a name that torch refuses is a 409."""

    def change(tree: OpenTree) -> None:
        options: Any = {"dtype": body.dtype, "persistent": body.persistent}
        edit.register_buffer(tree.module, body.target, body.name, body.value, **options)

    return changes.make(change, body.target, f"register_buffer({body.name!r})")


@_change("register_parameter", 413)
def register_parameter(
    changes: ChangesDep, body: Annotated[requests.RegisterParameter, _body({"name": "weight2", "value": [2.0]})]
) -> Response:
    """`module.register_parameter(name, nn.Parameter(torch.tensor(value), requires_grad))`."""

    def change(tree: OpenTree) -> None:
        options: Any = {"dtype": body.dtype, "requires_grad": body.requires_grad}
        edit.register_parameter(tree.module, body.target, body.name, body.value, **options)

    return changes.make(change, body.target, f"register_parameter({body.name!r})")


@_change("add_module", 413)
def add_module(
    changes: ChangesDep, body: Annotated[requests.AddModule, _body({"name": "sub2", "root": {"weight": 2.0}})]
) -> Response:
    """`module.add_module(name, LinearModel())`, with all that is nested in it; a child of that name is replaced."""

    def change(tree: OpenTree) -> None:
        edit.add_module(tree.module, body.target, body.name, body.root, changes.trees.limits)

    return changes.make(change, body.target, f"add_module({body.name!r})")


@_change("delete")
def delete(changes: ChangesDep, body: Annotated[requests.Delete, _body({"target": "sub1.sub2_1"})]) -> Response:
    """`del` of a submodule, parameter or buffer."""
    return changes.make(lambda tree: edit.delete(tree.module, body.target), "", f"del {body.target}")


@_change("move", 413)
def move(
    changes: ChangesDep, body: Annotated[requests.Move, _body({"target": "sub1.sub2_1", "to": "sub2", "position": 0})]
) -> Response:
    """Give a submodule another name, another parent, or both; it is the same module afterwards.

    The root, and a path inside the submodule itself, are a 409; so is a name that torch refuses or that is taken. Of a
    submodule that stands in several places, the one that is named is moved.
    """

    def change(tree: OpenTree) -> None:
        rearrange.move(tree.module, body.target, body.to, body.position)

    return changes.make(change, "", f"move({body.target!r}, {body.to!r})")


@_change("duplicate", 413)
def duplicate(changes: ChangesDep, body: Annotated[requests.Duplicate, _body({"target": "sub1"})]) -> Response:
    """`copy.deepcopy` of a submodule, added beside it or at `to`: values, modes and what is frozen come along.

    A parameter or submodule that is shared inside stays shared inside the copy, and is shared with nothing outside.
    """

    def change(tree: OpenTree) -> None:
        limits = changes.trees.limits
        rearrange.duplicate(tree.module, body.target, body.to, body.position, limits=limits)

    call = f"duplicate({body.target!r}{'' if body.to is None else f', {body.to!r}'})"
    return changes.make(change, "", call)


@_change("copy_", 413)
def copy_(
    changes: ChangesDep, body: Annotated[requests.Copy, _body({"target": "sub1.weight", "value": [2.0]})]
) -> Response:
    """`tensor.copy_(torch.tensor(value))`: another value for a parameter or buffer, in place.

    Unlike torch this neither broadcasts nor rounds: another shape or dtype is a 422 that names both. A tensor that is
    shared between places changes at all of them.
    """

    def change(tree: OpenTree) -> None:
        rearrange.copy_(tree.module, body.target, body.value)

    return changes.make(change, body.target, f"copy_({rearrange.shown(body.value)})")


@_change("apply", 413)
def apply(
    changes: ChangesDep,
    body: Annotated[requests.Apply, _body({"fn": "make_new_weight", "args": {"name": "weight2", "value": [2.0]}})],
) -> Response:
    """`module.apply(fn)`: a named function over every submodule, children first; see `GET /api/apply_functions`."""

    def change(tree: OpenTree) -> None:
        apply_function(tree.module, body.target, body.fn, body.args)

    return changes.make(change, body.target, f"apply({body.fn})")


@_change("requires_grad_")
def requires_grad_(
    changes: ChangesDep,
    body: Annotated[
        requests.RequiresGrad, _optional(requests.RequiresGrad, {"target": "sub1", "requires_grad": False})
    ],
) -> Response:
    """`module.requires_grad_(requires_grad)`: freeze, or unfreeze, all parameters of the subtree."""

    def change(tree: OpenTree) -> None:
        edit.requires_grad_(tree.module, body.target, body.requires_grad)

    return changes.make(change, body.target, f"requires_grad_({body.requires_grad})")


@_change("train")
def train(
    changes: ChangesDep, body: Annotated[requests.Train, _optional(requests.Train, {"target": "sub1", "mode": True})]
) -> Response:
    """`module.train(mode)`."""

    def change(tree: OpenTree) -> None:
        edit.train(tree.module, body.target, body.mode)

    return changes.make(change, body.target, f"train({body.mode})")


@_change("eval")
def eval(  # noqa: A001
    changes: ChangesDep, body: Annotated[requests.Eval, _optional(requests.Eval, {"target": "sub1"})]
) -> Response:
    """`module.eval()`."""
    return changes.make(lambda tree: edit.train(tree.module, body.target, False), body.target, "eval()")


@_change("undo")
def undo(trees: TreesDep, tree_id: TreeId, if_match: IfMatch) -> Response:
    """Go back to the revision before this one; a 409 at the first."""
    return tree_answer(trees.undo(tree_id, if_match))


@_change("redo")
def redo(trees: TreesDep, tree_id: TreeId, if_match: IfMatch) -> Response:
    """Go forward to the revision that was undone last; a 409 when there is none."""
    return tree_answer(trees.redo(tree_id, if_match))


router.include_router(calls.router)
