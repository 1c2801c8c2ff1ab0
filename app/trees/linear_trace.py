"""The trace of LinearModels: a chain goes through its children without calling them, so no hook would hear of them."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from app.collector import collector_paused
from app.errors import TooLarge
from app.translation import said
from app.trees.foreign import Raised, attempt
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel, linear_models
from app.trees.trace import FLOPS_PER_MAC, MAX_UNCALLED, Stop, Trace, check_given, said_of
from app.trees.trace_inputs import Input, make_inputs
from app.trees.traced_values import Traced, inputs_of, values_of

MAX_PATH_CHARS = 64_000_000
# What the tutorial's loop feeds.
SUGGESTED = [Input((10, 1))]


def trace_linear(index: TreeIndex, inputs: Sequence[Input]) -> Trace:
    """Return what `trace` would of a live tree of LinearModels if every LinearModel of a chain were called.

    Its cost grows with the modules that are gone through, at any depth; the modules are left alone. Raises `Invalid`
    when no input is given, `TooLarge` when the paths have more than 64 million characters.
    """
    check_given(inputs)
    args, kwargs = make_inputs(inputs)
    going = _Going(index)
    with collector_paused():
        raised = attempt(lambda: going.through(args, kwargs))
        return going.trace(inputs, raised if isinstance(raised, Raised) else None)


class _Going:
    """A forward on its way: the rows it came to, and what went into each."""

    def __init__(self, index: TreeIndex) -> None:
        self.index = index
        self.rows: list[int] = []
        self.inputs: list[list[Traced]] = []
        self.values: list[list[Traced]] = []
        self._results: dict[tuple[object, ...], Tensor] = {}
        self._noted: Tensor | None = None

    def through(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Go through the root and, of chains, all below, in the order of `LinearModel.forward`, which is pre-order."""
        row, x, end = 0, None, len(self.index)
        while row < end:
            module = self.index.modules[row]
            self.rows.append(row)
            if x is None:
                self.inputs.append(inputs_of(tuple(args), kwargs))
                x = _stand_in(module).forward(*args, **kwargs)
            else:
                self._note(x)
                x = self._result(module, x)
            row = row + 1 if vars(module).get("chain") else self.index.end[row]
        self.values.append(values_of(x))

    def _note(self, x: Tensor) -> None:
        # Results of one kind are one tensor, and most modules of a chain are given the same.
        if x is not self._noted:
            self._noted = x
            self.values.append(values_of(x))
            self.inputs.append(inputs_of((x,), {}))
        else:
            self.values.append(self.values[-1])
            self.inputs.append(self.inputs[-1])

    def _result(self, module: nn.Module, x: Tensor) -> Tensor:
        key = (_kind(x), _kind(module.weight), _kind(module.bias))
        result = self._results.get(key)
        if result is None:
            result = _stand_in(module).forward(x)
            if None not in key:
                self._results[key] = result
        return result

    def trace(self, given: Sequence[Input], raised: Raised | None) -> Trace:
        """Return how far it came."""
        index, rows, count = self.index, self.rows, len(self.rows)
        num_chars = int(index.path_chars[rows].sum())
        if num_chars > MAX_PATH_CHARS:
            detail = said(
                "The paths of what is called have %(num_chars)s characters, more than %(max_path_chars)s.",
                num_chars=f"{num_chars:,}",
                max_path_chars=f"{MAX_PATH_CHARS:,}",
            )
            raise TooLarge(detail, MAX_PATH_CHARS)
        # What a module returns is what the first one after its subtree is given, or the end's.
        after = [bisect_left(rows, index.end[row]) for row in rows]
        is_done = [raised is None or following < count for following in after]
        uncalled = np.setdiff1d(np.arange(len(index)), rows)
        return Trace(
            given=list(given),
            row=rows,
            path=list(index.paths(rows)),
            class_name=[index.classes[index.class_id[row]].name for row in rows],
            order=list(range(count)),
            calls=[1] * count,
            varies=[False] * count,
            is_done=is_done,
            inputs=self.inputs,
            outputs=[self.values[at - 1] if done else [] for at, done in zip(after, is_done, strict=True)],
            flops=[0] * count,
            macs=[0] * count,
            own_flops=[0] * count,
            total_flops=0,
            total_macs=0,
            flops_per_mac=FLOPS_PER_MAC,
            num_uncalled=len(uncalled),
            uncalled=uncalled[:MAX_UNCALLED].tolist(),
            notes=[],
            stopped=self._stop(raised) if raised is not None else None,
        )

    def _stop(self, raised: Raised) -> Stop:
        row = self.rows[-1]
        name = self.index.classes[self.index.class_id[row]].name
        return Stop(row, self.index.path(row), name, self.inputs[-1], said_of(raised), raised.where)


def _kind(value: object) -> object:
    return (tuple(value.shape), value.dtype) if isinstance(value, Tensor) else None


def _stand_in(module: nn.Module) -> LinearModel:
    """Return a LinearModel without children and values, otherwise like this one; raises what `forward` would."""
    (made,) = linear_models(1)
    for name in ("weight", "bias"):
        value = getattr(module, name)
        if isinstance(value, nn.Module):
            made._modules[name] = value
        else:
            made._buffers[name] = value.detach().to("meta")
    return made
