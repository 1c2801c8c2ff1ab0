"""How one step is taken: by autograd, as the tutorial does, or by an optimizer that evaluates the loss itself."""

from typing import Protocol

from torch import Tensor, nn, optim

from app.training.optimizers import needs_closure


class Step(Protocol):
    """The two halves of a step: between them the model is what the loss was computed from, and its gradients are there.

    `name` is what a run says of it.
    """

    name: str

    def loss(self, x: Tensor, y: Tensor) -> float:
        """Return the loss, and leave its gradients at the parameters."""

    def take(self) -> None:
        """Let the optimizer move the parameters."""


class AutogradStep:
    """The tutorial's step: forward, backward, and the optimizer's."""

    name = "autograd"

    def __init__(self, model: nn.Module, criterion: nn.Module, optimizer: optim.Optimizer) -> None:
        self._model = model
        self._criterion = criterion
        self._parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self._step = optimizer.step

    def loss(self, x: Tensor, y: Tensor) -> float:
        """Return the loss, and leave its gradients at the parameters."""
        loss: Tensor = self._criterion(self._model(x), y)
        # What `zero_grad` does, without its records for a profiler: 4 % of an epoch.
        for parameter in self._parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def take(self) -> None:
        """Let the optimizer move the parameters."""
        self._step()


class ClosureStep:
    """A step of an optimizer that evaluates the loss itself, several times, as LBFGS does."""

    name = "autograd"

    def __init__(self, model: nn.Module, criterion: nn.Module, optimizer: optim.Optimizer) -> None:
        self._model = model
        self._criterion = criterion
        self._optimizer = optimizer

    def loss(self, x: Tensor, y: Tensor) -> float:
        """Return the loss, and leave its gradients at the parameters."""
        self._x, self._y = x, y
        self._first: Tensor | None = self._evaluate()
        return self._first.item()

    def take(self) -> None:
        """Let the optimizer evaluate the loss as often as it likes, and move the parameters."""
        self._optimizer.step(self._next)  # type: ignore[arg-type]

    def _next(self) -> Tensor:
        # The gradients of the first evaluation are there already: nothing has moved since.
        ready, self._first = self._first, None
        return self._evaluate() if ready is None else ready

    def _evaluate(self) -> Tensor:
        loss: Tensor = self._criterion(self._model(self._x), self._y)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss


def torch_step(model: nn.Module, criterion: nn.Module, optimizer: optim.Optimizer) -> Step:
    """Return the step that the optimizer asks for."""
    kind = ClosureStep if needs_closure(optimizer) else AutogradStep
    return kind(model, criterion, optimizer)
