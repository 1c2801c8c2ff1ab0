"""The changes that a tree of LinearModels takes: torch's own methods, with its own messages.

Each raises before it changes anything.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from app.errors import CannotDo, Invalid, Misfit, NameRefused, TargetNotFound
from app.translation import said
from app.trees.index import printed_class
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.spec import build, parse_spec
from app.trees.values import check_text, tensor_of


def submodule(root: nn.Module, target: str) -> nn.Module:
    """Return the module at `target`; raises `TargetNotFound` with torch's message."""
    try:
        return root.get_submodule(target)
    except AttributeError as error:
        raise TargetNotFound(str(error), target) from error


def register_buffer(
    root: nn.Module,
    target: str,
    name: str,
    value: object,
    *,
    dtype: str | None = None,
    persistent: bool = True,
) -> None:
    """Register `torch.tensor(value)` as a buffer of the module at `target`."""
    module = submodule(root, target)
    check_text(name, ("name",))
    tensor = tensor_of(value, ("value",), dtype)
    try:
        module.register_buffer(name, tensor, persistent=persistent)
    except KeyError as error:
        raise NameRefused(str(error.args[0]), target) from error


def register_parameter(
    root: nn.Module,
    target: str,
    name: str,
    value: object,
    *,
    dtype: str | None = None,
    requires_grad: bool = True,
) -> None:
    """Register `nn.Parameter(torch.tensor(value))` with the module at `target`.

    Raises `Invalid` when a gradient is required of a dtype that cannot have one.
    """
    module = submodule(root, target)
    check_text(name, ("name",))
    tensor = tensor_of(value, ("value",), dtype)
    if dtype is None and not tensor.is_floating_point():
        tensor = tensor.to(torch.float32)
    if requires_grad and not tensor.is_floating_point():
        msg = said("only a floating-point parameter can require a gradient, not one of %(dtype)s", dtype=dtype)
        raise Invalid(said("requires_grad: %(msg)s.", msg=msg), (Misfit(("requires_grad",), msg),))
    try:
        module.register_parameter(name, nn.Parameter(tensor, requires_grad=requires_grad))
    except KeyError as error:
        raise NameRefused(str(error.args[0]), target) from error


def add_module(root: nn.Module, target: str, name: str, spec: object, limits: Limits) -> None:
    """Add the LinearModels of a LinearSpec as `name` to the module at `target`; they take the root's forward.

    As in torch, a child that has the name already is replaced.
    """
    module = submodule(root, target)
    check_text(name, ("name",))
    parsed = parse_spec(spec, max_modules=limits.max_modules, max_depth=limits.max_depth)
    child = build(parsed, chain=isinstance(root, LinearModel) and root.chain)
    try:
        module.add_module(name, child)
    except KeyError as error:
        raise NameRefused(str(error.args[0]), target) from error


def delete(root: nn.Module, target: str) -> None:
    """Delete the submodule, parameter or buffer at `target`; raises `CannotDo` for the root."""
    if not target:
        raise CannotDo(said("The root cannot be deleted from its tree: delete the tree."))
    path, _, name = target.rpartition(".")
    owner = submodule(root, path)
    held = (owner._modules, owner._parameters, owner._buffers)
    if not any(name in entries for entries in held):
        raise TargetNotFound(
            said("%(class_name)s has no attribute `%(name)s`", class_name=printed_class(owner), name=name), target
        )
    delattr(owner, name)


def requires_grad_(root: nn.Module, target: str, requires_grad: bool = True) -> None:
    """Freeze or unfreeze every floating-point parameter in the subtree at `target`."""
    for module in subtree(submodule(root, target)):
        for parameter in module._parameters.values():
            if parameter is not None and (parameter.is_floating_point() or not requires_grad):
                parameter.requires_grad_(requires_grad)


def train(root: nn.Module, target: str, mode: bool = True) -> None:
    """Put every module in the subtree at `target` in training or evaluation mode."""
    for module in subtree(submodule(root, target)):
        module.training = mode


def forward(root: nn.Module, x: object) -> Tensor:
    """Return `module(x)` for nested numbers; raises `Invalid` for an `x` that does not fit, with torch's message."""
    value = tensor_of(x, ("x",))
    if not value.is_floating_point():
        value = value.to(torch.float32)
    try:
        with torch.no_grad():
            y: Tensor = root(value)
    except (RuntimeError, TypeError) as error:
        raise Invalid(said("x: %(error)s", error=str(error)), (Misfit(("x",), str(error)),)) from error
    except AttributeError as error:
        raise CannotDo(said("This tree has no forward as it is: %(error)s.", error=str(error))) from error
    return y


def subtree(top: nn.Module) -> Iterator[nn.Module]:
    """Yield the module and all below it in pre-order, each once, without recursion."""
    seen = {id(top)}
    todo = [top]
    while todo:
        module = todo.pop()
        yield module
        for child in reversed(module._modules.values()):
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                todo.append(child)
