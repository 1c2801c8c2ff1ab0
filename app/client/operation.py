"""Turns plans into methods of both clients: of one that returns, and of one that is awaited."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from app.client.errors import ClientError
from app.client.steps import Flow, Give, Plan, Reply, Step

P = ParamSpec("P")
T = TypeVar("T")


class Course(Generic[T]):
    """A plan on its way: `step` is what to do next, None when it has come to its `result`."""

    def __init__(self, plan: Generator[Step | Give[Any], Reply, T]) -> None:
        self.step: Step | Give[Any] | None = None
        self.result: T
        self._plan = plan
        self._go(lambda: next(plan))

    def answer(self, reply: Reply) -> None:
        """Go on with what came of the step."""
        self._go(lambda: self._plan.send(reply))

    def fail(self, error: ClientError) -> None:
        """Go on without: the plan knows another way, or raises the error."""
        self._go(lambda: self._plan.throw(error))

    def _go(self, move: Callable[[], Step | Give[Any]]) -> None:
        try:
            self.step = move()
        except StopIteration as done:
            self.step, self.result = None, done.value


class Blocking(ABC):
    """A client whose methods return when all is done."""

    @abstractmethod
    def carry_out(self, course: Course[Any]) -> Generator[Any, None, None]:
        """Yield what the plan gives."""

    def result_of(self, plan: Plan[T]) -> T:
        """Return what the plan comes to."""
        course = Course(plan)
        for _ in self.carry_out(course):
            pass
        return course.result


class Awaiting(ABC):
    """A client whose methods are awaited, and whose lists and streams are iterated by `async for`."""

    @abstractmethod
    def carry_out(self, course: Course[Any]) -> AsyncGenerator[Any, None]:
        """Yield what the plan gives."""

    async def result_of(self, plan: Plan[T]) -> T:
        """Return what the plan comes to."""
        course = Course(plan)
        async for _ in self.carry_out(course):
            pass
        return course.result


class Operation(Generic[P, T]):
    """A method that returns what its plan comes to."""

    def __init__(self, plan: Callable[Concatenate[Any, P], Plan[T]]) -> None:
        self.plan = plan
        self.__doc__ = plan.__doc__

    @overload
    def __get__(self, client: None, owner: object) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: object) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: object) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: object) -> Any:
        if client is None:
            return self

        @wraps(self.plan)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.result_of(self.plan(client, *args, **kwargs))

        return method


class Listing(Generic[P, T]):
    """A method that iterates what its plan gives."""

    def __init__(self, plan: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.plan = plan
        self.__doc__ = plan.__doc__

    @overload
    def __get__(self, client: None, owner: object) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: object) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: object) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: object) -> Any:
        if client is None:
            return self

        @wraps(self.plan)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.carry_out(Course(self.plan(client, *args, **kwargs)))

        return method
