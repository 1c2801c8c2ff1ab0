"""Why a tree cannot be trained as it is asked to: told before the run, with the shapes."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.errors import Misfit, TargetNotFound
from app.training import losses
from app.training.config import MAX_FROZEN, RunConfig, num_validation
from app.training.data import num_points
from app.translation import said
from app.trees.index import TreeIndex
from app.trees.sources.forward import Output
from app.trees.values import DTYPES

DTYPE = "float32"
USED = ("weight", "bias")
Bools: TypeAlias = NDArray[np.bool_]


def frozen_misfits(index: TreeIndex, config: RunConfig) -> list[Misfit]:
    """Return what is wrong with the frozen targets: not in the tree, or nothing is left to train."""
    num = len(config.frozen)
    if num > MAX_FROZEN:
        return [Misfit(("frozen",), said("expected up to %(most)s targets, got %(num)s", most=MAX_FROZEN, num=num))]
    rows = [_row(index, target) for target in config.frozen]
    missing = [
        Misfit(("frozen", place), said("the tree has no module %(target)r", target=config.frozen[place][:200]))
        for place, row in enumerate(rows)
        if row is None
    ]
    if missing or not config.frozen:
        return missing
    if not left_to_train(index, [row for row in rows if row is not None]).any():
        return [Misfit(("frozen",), said("nothing is left to train: no other parameter requires a gradient"))]
    return []


def _row(index: TreeIndex, target: str) -> int | None:
    try:
        return index.row(target)
    except TargetNotFound:
        return None


def left_to_train(index: TreeIndex, frozen: Sequence[int]) -> Bools:
    """Return for each entry of the parameters whether it requires a gradient and lies in none of the frozen subtrees.

    A parameter that is shared with a frozen subtree lies in it.
    """
    columns = index.parameters
    is_frozen = np.zeros(len(columns), bool)
    for row in frozen:
        is_frozen[columns.start[row] : columns.start[index.end[row]]] = True
    is_held = np.zeros(len(columns), bool)
    is_held[columns.first[is_frozen]] = True
    left: Bools = np.frombuffer(columns.flag, np.bool_) & ~is_held[columns.first]
    return left


def shapes_asked(config: RunConfig, features: int) -> list[tuple[int, ...]]:
    """Return the shapes of x that the forward will be given: batches, a last one that is smaller, the validation's."""
    kept = num_validation(config)
    points = num_points(config.data) - kept
    size = config.batch_size or points
    return [(num, features) for num in dict.fromkeys((size, points % size, kept)) if num]


def linear_outputs(index: TreeIndex, config: RunConfig, shapes: Sequence[tuple[int, ...]]) -> list[Output]:
    """Return what a tree of LinearModels gives for each shape, without a forward: a chain may be 100,000 modules."""
    columns = index.parameters
    called = np.fromiter(_called(index), np.int64)
    is_called = np.zeros(len(index), bool)
    is_called[called] = True
    owner = np.asarray(columns.owner, np.int64)
    is_used = np.fromiter((name in USED for name in columns.name), bool, len(columns)) & is_called[owner]
    kinds = {columns.kind[entry] for entry in np.flatnonzero(is_used).tolist()}
    given = {index.kinds.all[kind].shape or () for kind in kinds}
    dtypes = {DTYPES[index.kinds.all[kind].dtype_name] for kind in kinds}
    has = np.bincount(owner[is_used], minlength=len(index))
    try:
        # One that is no parameter may be a buffer, or missing.
        for row in called[has[called] < len(USED)].tolist():
            others: list[Tensor] = [getattr(index.modules[row], name) for name in USED]
            given |= {tuple(tensor.shape) for tensor in others}
            dtypes |= {tensor.dtype for tensor in others}
    except AttributeError as error:
        return [Output(problem=str(error)) for _ in shapes]
    frozen = [row for target in config.frozen if (row := _row(index, target)) is not None]
    requires_grad = bool((left_to_train(index, frozen) & is_used).any())
    return [_broadcast(shape, given, dtypes, requires_grad=requires_grad) for shape in shapes]


def _called(index: TreeIndex) -> Iterator[int]:
    """Yield the rows of the modules that the forward goes through."""
    row = 0
    while row < len(index):
        yield row
        row = row + 1 if vars(index.modules[row]).get("chain") else index.end[row]


def _broadcast(
    shape: tuple[int, ...], given: set[tuple[int, ...]], dtypes: set[torch.dtype], *, requires_grad: bool
) -> Output:
    dtype = torch.float32
    for other in dtypes:
        dtype = torch.promote_types(dtype, other)
    try:
        # torch's own imports its compiler when it is first called.
        out = np.broadcast_shapes(shape, *given)
    except ValueError as error:
        return Output(problem=str(error))
    return Output(out, str(dtype).removeprefix("torch."), requires_grad)


def output_misfits(
    config: RunConfig, shapes: Sequence[tuple[int, ...]], outputs: Sequence[Output], features: int
) -> Iterator[Misfit]:
    """Yield why what the forward gives is nothing that the loss can be taken of, for the first shape that shows it."""
    for x, output in zip(shapes, outputs, strict=True):
        y = (x[0], features)
        misfit = _output_misfit(x, y, output)
        if misfit is not None:
            yield misfit
            return
    message = losses.refusal_of(config.loss, config.loss_args, features) if outputs else None
    if message is not None:
        yield Misfit(("loss",), said("%(loss)s does not take it: %(error)s", loss=config.loss, error=message))


def _output_misfit(x: tuple[int, ...], y: tuple[int, ...], output: Output) -> Misfit | None:
    takes = _any_rows(output.takes)
    if output.problem and takes and takes != _any_rows(str(x)):
        error = output.problem
        detail = said("the tree takes %(takes)s, the data's x is %(x)s: %(error)s", takes=takes, x=x, error=error)
        return Misfit(("data", "x"), detail)
    if output.problem:
        return Misfit(("data", "x"), said("the tree does not take x of %(x)s: %(error)s", x=x, error=output.problem))
    if output.shape != y:
        # A loss would broadcast them, and learn something else.
        detail = said("the tree gives %(given)s for x of %(x)s, the data's y is %(y)s", given=output.shape, x=x, y=y)
        return Misfit(("data", "y"), detail)
    if output.dtype != DTYPE:
        detail = said("the tree gives %(given)s, the data's y is %(y)s", given=output.dtype, y=DTYPE)
        return Misfit(("data", "y"), detail)
    if not output.requires_grad:
        return Misfit(("frozen",), said("no parameter that the forward uses is left to train"))
    return None


def _any_rows(takes: str) -> str:
    first, comma, rest = takes.removeprefix("(").partition(",")
    return f"(N,{rest}" if comma and first.isdecimal() else takes
