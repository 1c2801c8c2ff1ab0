"""The training loop: the tutorial's five steps, as a plain generator of epochs."""

from collections.abc import Callable, Iterable, Iterator

from torch import Tensor, nn, optim

from app.training.optimizers import needs_closure

Epoch = tuple[int, float]


def train(
    model: nn.Module, criterion: nn.Module, optimizer: optim.Optimizer, x: Tensor, y: Tensor, epochs: Iterable[int]
) -> Iterator[Epoch]:
    """Yield each epoch with its loss, before its step: at that moment `model` is what the loss was computed from.

    The step is taken when the next epoch is asked for, and the last one when the generator is exhausted.
    """
    if needs_closure(optimizer):
        yield from _train_by_closure(model, criterion, optimizer, x, y, epochs)
        return
    for epoch in epochs:
        pred = model(x)
        loss = criterion(pred, y)
        optimizer.zero_grad()
        loss.backward()
        yield epoch, loss.item()
        optimizer.step()


def _train_by_closure(
    model: nn.Module, criterion: nn.Module, optimizer: optim.Optimizer, x: Tensor, y: Tensor, epochs: Iterable[int]
) -> Iterator[Epoch]:
    def evaluate() -> Tensor:
        loss: Tensor = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for epoch in epochs:
        loss = evaluate()
        yield epoch, loss.item()
        optimizer.step(_first(loss, evaluate))  # type: ignore[arg-type]


def _first(loss: Tensor, evaluate: Callable[[], Tensor]) -> Callable[[], Tensor]:
    # The gradients of the first evaluation are there already: nothing has moved since.
    ready = [loss]
    return lambda: ready.pop() if ready else evaluate()
