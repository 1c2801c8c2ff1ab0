"""The stack, the marks and the memo of a pickle that is followed, and what its globals stand for."""

from collections.abc import Callable
from typing import TypeAlias

from app.translation import said
from app.trees.sources.checkpoint.pickle_values import Global, Opaque, Storage
from app.trees.sources.checkpoint.pickled_tensor import TensorRun
from app.trees.sources.checkpoint.rebuilds import CALLS, INERT, OPAQUE
from app.trees.sources.checkpoint.refusal import Refusal

_MOST_NEEDS = 50
_MOST_PATH = 200

FindStorage: TypeAlias = Callable[[object], Storage]


class Machine:
    """The stack, the marks and the memo, while the opcodes are followed.

    The memo is a list as long as its numbers come in order, as they do from every pickler, so that a large number
    takes no memory.
    """

    def __init__(self, data: bytes, find_storage: FindStorage) -> None:
        self.data = data
        self.at = 0
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: list[object] = []
        self.far_memo: dict[int, object] = {}
        self.needs: dict[str, None] = {}
        self.find_storage = find_storage
        self.tensor_run = TensorRun(data, self.memo, find_storage)

    def remember(self, number: int) -> None:
        """Put the top of the stack under a number of the memo."""
        if number < len(self.memo):
            self.memo[number] = self.stack[-1]
            self.tensor_run.forget()
        elif number == len(self.memo):
            self.memo.append(self.stack[-1])
        else:
            self.far_memo[number] = self.stack[-1]

    def pop_mark(self) -> list[object]:
        """Return what was pushed since the last mark, and go back to what was before it."""
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def find_global(self, module: str, name: str) -> Global | Opaque:
        """Return what stands for a global, which is only ever named."""
        if len(module) + len(name) > _MOST_PATH:
            raise Refusal(said("its pickle names a global by %(num)s characters", num=f"{len(module) + len(name):,}"))
        module = "builtins" if module == "__builtin__" else module
        path = f"{module}.{name}"
        if path in CALLS or path in INERT:
            return Global(path)
        if len(self.needs) < _MOST_NEEDS:
            self.needs[path if path.isprintable() else ascii(path)] = None
        return OPAQUE

    def call(self, function: object, arguments: object) -> object:
        """Return what a global makes of its arguments, by its entry in the table."""
        if not isinstance(arguments, tuple):
            raise Refusal(said("its pickle calls something with what is not a tuple of arguments"))
        if self.needs and (function is OPAQUE or any(argument is OPAQUE for argument in arguments)):
            return OPAQUE
        if not isinstance(function, Global):
            raise Refusal(said("its pickle calls something that is not a function"))
        made = CALLS.get(function.path)
        if made is None:
            raise Refusal(said("its pickle calls %(path)s, which is only read as a name", path=function.path))
        return made(arguments)
