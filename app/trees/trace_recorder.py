"""Who calls whom in a forward, and what it costs: told by the hooks around every module."""

import sys
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from app.trees.describe import places
from app.trees.traced_values import Traced, inputs_of, values_of


class Places:
    """The distinct modules with the first place of each."""

    def __init__(self, root: nn.Module, max_modules: int, max_depth: int) -> None:
        self.modules: list[nn.Module] = []
        self.row: list[int] = []
        self.number: dict[int, int] = {}
        self._parent: list[int] = []
        self._name: list[str] = []
        for row, place in enumerate(places(root, max_modules=max_modules, max_depth=max_depth)):
            self._parent.append(place.parent)
            self._name.append(place.name)
            if id(place.module) not in self.number:
                self.number[id(place.module)] = len(self.modules)
                self.modules.append(place.module)
                self.row.append(row)

    def path(self, number: int) -> str:
        """Return the dotted path of the first place of a module."""
        row, names = self.row[number], []
        while row:
            names.append(self._name[row])
            row = self._parent[row]
        return ".".join(reversed(names))


@dataclass(slots=True)
class Calls:
    """All calls of one module."""

    order: int
    inputs: list[Traced]
    outputs: list[Traced] = field(default_factory=list)
    count: int = 0
    num_open: int = 0
    varies: bool = False
    is_done: bool = False
    flops: int = 0
    own_flops: int = 0


@dataclass(slots=True)
class _Frame:
    """A call that has not returned yet."""

    number: int
    start: int
    inside: int = 0


class Counter(FlopCounterMode):
    """FlopCounterMode's formulas, added up in one number: what belongs to which module is told by the hooks here.

    Its own tracker goes by names and warns of modules that are called again.
    """

    def __init__(self) -> None:
        super().__init__(display=False)
        self.mod_tracker: Any = _NoTracker()

    @property
    def total(self) -> int:
        """All FLOPs until now."""
        return sum(self.flop_counts["Global"].values())


class _NoTracker:
    parents = ("Global",)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *args: object) -> None:
        pass


class Recorder:
    """Hears from hooks which module is called and what it returns, and what was counted meanwhile."""

    def __init__(self, places: Places) -> None:
        self.counter = Counter()
        self.places = places
        self.calls: dict[int, Calls] = {}
        self._stack: list[_Frame] = []
        self.stopped: tuple[BaseException, int, list[Traced]] | None = None

    def enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note that a module is called."""
        number = self.places.number[id(module)]
        inputs = inputs_of(args, kwargs)
        calls = self.calls.get(number)
        if calls is None:
            calls = self.calls[number] = Calls(len(self.calls), inputs)
        elif calls.inputs != inputs:
            calls.varies = True
        calls.count += 1
        calls.num_open += 1
        self._stack.append(_Frame(number, self.counter.total))

    def leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Note that a module returned, or that its call raised."""
        number = self.places.number[id(module)]
        error = sys.exc_info()[1]
        if error is not None and not self._is_known(error):
            self.stopped = (error, number, inputs_of(args, kwargs))
        calls = self.calls.get(number)
        if calls is None or not calls.num_open:
            return
        while self._stack[-1].number != number:
            self._close(self._stack.pop())
        if error is None:
            outputs = values_of(output)
            calls.varies |= calls.is_done and calls.outputs != outputs
            if not calls.is_done:
                calls.outputs = outputs
            calls.is_done = True
        else:
            calls.is_done = False
        self._close(self._stack.pop())

    def _is_known(self, error: BaseException | None) -> bool:
        # What a module caught and raised again in other words stopped where it came up first.
        while self.stopped is not None and error is not None:
            if error is self.stopped[0]:
                return True
            error = error.__cause__
        return False

    def _close(self, frame: _Frame) -> None:
        spent = self.counter.total - frame.start
        calls = self.calls[frame.number]
        calls.num_open -= 1
        calls.own_flops += spent - frame.inside
        # A module that calls itself counts what is inside it once.
        if not calls.num_open:
            calls.flops += spent
        if self._stack:
            self._stack[-1].inside += spent

    def close(self) -> None:
        """End what has not returned: an error went through it."""
        while self._stack:
            self._close(self._stack.pop())
