"""Changes that torch has no method for: moving and duplicating modules, values put in place.

Each raises before it changes anything. A module that stands in several places is moved at the one that is named; a
value that is put into a shared tensor shows wherever that tensor is.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from app.errors import CannotDo, Invalid, Misfit, NameRefused, TargetNotFound, TooLarge
from app.translation import said
from app.trees.copies import copied
from app.trees.edit import submodule, subtree
from app.trees.index import printed_class
from app.trees.limits import Limits
from app.trees.runs_of_names import numbered
from app.trees.values import check_text, tensor_of


def move(root: nn.Module, target: str, to: str, position: int | None = None) -> None:
    """Give the module at `target` the dotted path `to`: another name, another parent, or both.

    Under the same parent it keeps its place among its siblings, under another it comes last, unless `position` says
    which it takes, from 0. Parameters, gradients and modes stay as they are: it is the same module afterwards.

    Raises `CannotDo` for the root and for a path inside the module itself, `NameRefused` with torch's message for a
    name that torch refuses or that is taken, `TargetNotFound` and `Invalid`.
    """
    if not target:
        raise CannotDo(said("The root has no place that it could be moved from."))
    owner, name = _owner(root, target)
    parent, new = _place(root, to)
    module = owner._modules[name]
    if module is not None and parent is not owner and any(each is parent for each in subtree(module)):
        raise CannotDo(
            said("%(to)r is inside %(target)r: a module cannot contain itself.", to=to[:200], target=target[:200])
        )
    at = _position(position, parent, is_same := parent is owner)
    if not (is_same and new == name):
        check_free(parent, new, to)
    names = list(owner._modules)
    del owner._modules[name]
    parent._modules[new] = module
    _put(parent, new, names.index(name) if at is None and is_same else at)


def duplicate(
    root: nn.Module, target: str, to: str | None = None, position: int | None = None, *, limits: Limits
) -> str:
    """Add a copy of the module at `target`, with all that is nested in it, and return its path.

    Where no path `to` is given, the name counts up: `sub1`, then `sub2` or the next that is free. Beside the module
    itself the copy comes right after it, under another parent last, unless `position` says otherwise. See `copied` for
    what is shared. Raises as `move` does, and `TooLarge` before anything is copied.
    """
    if not target:
        raise CannotDo(said("The root cannot be duplicated inside its own tree: open the tree's link once more."))
    owner, name = _owner(root, target)
    above = target.rpartition(".")[0]
    path = to if to is not None else f"{above}.{next_name(owner, name)}".removeprefix(".")
    parent, new = _place(root, path)
    check_free(parent, new, path)
    at = _position(position, parent, is_same=False)
    module = submodule(root, target)
    _check_count(root, module, limits)
    copy = copied(module)
    after = list(parent._modules).index(name) + 1 if at is None and parent is owner else at
    parent._modules[new] = copy
    _put(parent, new, after)
    return path


def copy_(root: nn.Module, target: str, value: object) -> None:
    """Put a value into the parameter or buffer at `target`, by `Tensor.copy_`: it stays the same tensor.

    Raises `Invalid` for a value of another shape or dtype, and `TargetNotFound`.
    """
    tensor = tensor_at(root, target)
    fitting = fitted(tensor, value)
    with torch.no_grad():
        tensor.copy_(fitting)


def tensor_at(root: nn.Module, target: str) -> Tensor:
    """Return the parameter or buffer at `target`; raises `TargetNotFound` with torch's message."""
    path, _, name = target.rpartition(".")
    owner = submodule(root, path)
    found = owner._parameters.get(name)
    tensor = found if found is not None else owner._buffers.get(name)
    if tensor is None:
        raise TargetNotFound(
            said("%(class_name)s has no attribute `%(name)s`", class_name=printed_class(owner), name=name), target
        )
    return tensor


def fitted(tensor: Tensor, value: object) -> Tensor:
    """Return the value as a tensor of that shape and dtype; raises `Invalid` with every misfit of the two.

    Where torch would broadcast or round, this refuses.
    """
    loc, dtype = ("value",), _word(tensor.dtype)
    # Any number has a floating-point form; what others can hold depends on the kind of number that came.
    given = tensor_of(value, loc, dtype if tensor.is_floating_point() else None)
    misfits = []
    if given.shape != tensor.shape:
        shapes = {"expected": _shape(tensor.shape), "got": _shape(given.shape)}
        misfits.append(Misfit(loc, said("expected the shape %(expected)s, got %(got)s", **shapes)))
    if given.numel() and not _can_hold(tensor.dtype, given.dtype):
        kinds = {"expected": dtype, "got": _word(given.dtype)}
        misfits.append(Misfit(loc, said("expected values of %(expected)s, got %(got)s", **kinds)))
    if misfits:
        raise Invalid("; ".join(f"value: {misfit.msg}" for misfit in misfits) + ".", tuple(misfits))
    return tensor_of(value, loc, dtype)


def shown(value: object) -> str:
    """Return a value for the note of its change: short lists of numbers in full, anything else as dots."""
    numbers = value if isinstance(value, list) else [value]
    is_short = len(numbers) <= 4 and all(isinstance(number, bool | int | float) for number in numbers)
    return str(value)[:80] if is_short else "..."


def next_name(owner: nn.Module, name: str) -> str:
    """Return the first free name that counts on from one: `sub2` after `sub1`, `block2` after `block`."""
    found = numbered(name)
    prefix, number = (found.prefix, found.number) if found else (name, 1)
    while not is_free(owner, f"{prefix}{number + 1}"):
        number += 1
    return f"{prefix}{number + 1}"


def is_free(owner: nn.Module, name: str) -> bool:
    """Whether the module has nothing of that name: no child, no tensor, and no attribute that torch would protect."""
    return name not in owner._modules and not hasattr(owner, name)


def check_free(parent: nn.Module, name: str, to: str) -> None:
    """Raise `NameRefused`, with torch's message, for a name that a new child cannot have; `to` is its whole path.

    That of another child is refused too, where torch would let the new one take its place.
    """
    if name in parent._modules:
        raise NameRefused(said("attribute '%(name)s' already exists", name=name), to)
    try:
        parent.add_module(name, None)
    except KeyError as error:
        raise NameRefused(str(error.args[0]), to) from error
    del parent._modules[name]


def _owner(root: nn.Module, target: str) -> tuple[nn.Module, str]:
    submodule(root, target)
    path, _, name = target.rpartition(".")
    return submodule(root, path), name


def _place(root: nn.Module, to: str) -> tuple[nn.Module, str]:
    check_text(to, ("to",))
    path, _, name = to.rpartition(".")
    return submodule(root, path), name


def _position(position: int | None, parent: nn.Module, is_same: bool) -> int | None:
    most = len(parent._modules) - (1 if is_same else 0)
    if position is not None and not 0 <= position <= most:
        msg = said("expected 0 to %(most)s, got %(position)s", most=f"{most:,}", position=f"{position:,}")
        raise Invalid(said("position: %(msg)s.", msg=msg), (Misfit(("position",), msg),))
    return position


def _put(parent: nn.Module, name: str, position: int | None) -> None:
    # A dictionary keeps the order of arrival: those behind the place leave and come again.
    if position is None:
        return
    for other in [other for other in parent._modules if other != name][position:]:
        parent._modules[other] = parent._modules.pop(other)


def _check_count(root: nn.Module, module: nn.Module, limits: Limits) -> None:
    count = sum(1 for top in (root, module) for _ in subtree(top))
    if count > limits.max_modules:
        limit = limits.max_modules
        raise TooLarge(said("The tree would have more than %(limit)s modules.", limit=f"{limit:,}"), limit)


def _can_hold(dtype: torch.dtype, given: torch.dtype) -> bool:
    return dtype == given if dtype is torch.bool else torch.can_cast(given, dtype)


def _shape(shape: Sequence[int]) -> str:
    return str(list(shape))


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
