"""SGD's step on the MSELoss of LinearModels, written out by hand: autograd's bits at a fraction of its cost.

    h = x        for each link:       h = h * weight + bias
    g = (h - y) * 2 / n               and from the last link back:
    bias.grad = sum(g)                weight.grad = sum(g * what the link was given)        g = g * weight

Products, sums of two and differences are rounded once whoever computes them, so numpy does those, at a quarter of
torch's cost a call; sums of many and the optimizer's `add_`, where rounding depends on the order, are torch's own. What
is summed are the rows of one matrix, the squares of the loss among them: one call sums them all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim

from app.training.config import RunConfig
from app.training.links import links_of
from app.translation import said
from app.trees.linear import LinearModel

# Up to here a float32 counts: the mean is the sum over the number of points, which torch takes as one.
MAX_ELEMENTS = 2**24

Row: TypeAlias = NDArray[np.float32]
_Call: TypeAlias = tuple[np.ufunc, Row, Row, Row]


def misfit(config: RunConfig, model: nn.Module, x: Sequence[int], y: Sequence[int]) -> str | None:
    """Return why the fused step cannot train `model` on data of the shapes `x` and `y`, or None where it can."""
    if config.optimizer != "SGD" or any(config.optimizer_args.get(name) for name in ("fused", "differentiable")):
        return said('the fused step is that of SGD without "fused" and "differentiable"')
    if config.loss != "MSELoss" or set(config.loss_args.items()) - {("reduction", "mean")}:
        return said('the fused step is that of MSELoss with the reduction "mean"')
    links = links_of(model)
    if not links or not all(_is_number(link._parameters.get(name)) for link in links for name in ("weight", "bias")):
        return said("the fused step takes LinearModels whose weight and bias are float32 of shape (1,)")
    if not any(parameter.requires_grad for parameter in _parameters(links)):
        return said("no parameter that the tree's forward uses requires a gradient")
    if tuple(x) != tuple(y):
        return said(
            "the fused step needs y in the shape of x, %(x)s; got %(y)s",
            x=str(tuple(x)),
            y=str(tuple(y)),
        )
    if torch.Size(x).numel() > MAX_ELEMENTS:
        return said("the fused step takes up to %(most)s numbers", most=f"{MAX_ELEMENTS:,}")
    return None


def _is_number(parameter: Tensor | None) -> bool:
    return parameter is not None and parameter.shape == (1,) and parameter.dtype is torch.float32


def _parameters(links: Sequence[LinearModel]) -> Iterator[Tensor]:
    return (link._parameters[name] for link in links for name in ("weight", "bias"))  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class _Link:
    """One module of the forward: its numbers, and the rows that its gradients are summed from, -1 for none."""

    weight: Row
    bias: Row
    weight_row: int
    bias_row: int


@dataclass(slots=True)
class _Stretch:
    """Parameters that lie behind each other in memory, moved by one call, with their gradients."""

    tensors: Sequence[Tensor]
    values: Tensor
    gradients: Tensor
    momentum: Tensor | None = None


class FusedStep:
    """Steps of a model that `misfit` has nothing against. Numpy's warnings of overflow are left to the caller."""

    name = "fused"

    def __init__(self, model: nn.Module, optimizer: optim.Optimizer) -> None:
        links = links_of(model)
        # In the order in which they lie in memory, so that neighbours are moved together.
        trained = sorted((p for p in _parameters(links) if p.requires_grad), key=Tensor.data_ptr)
        rows = {id(parameter): row for row, parameter in enumerate(trained)}
        self._num_trained = len(trained)
        self._sums = torch.zeros(len(trained) + 1)
        self._squares = self._sums.numpy()[-1:]
        for row, parameter in enumerate(trained):
            parameter.grad = self._sums[row : row + 1]
        self._links = [_link(link, rows) for link in links]
        self._group = optimizer.param_groups[0]
        self._optimizer = optimizer
        self._stretches = list(_stretches(trained, self._sums))
        for stretch in self._stretches:
            self._take_momentum(stretch)
        self._spaces: dict[int, _Space] = {}
        # A schedule asks whether the optimizer has moved anything before it: nobody calls its `step`.
        optimizer._opt_called = True  # type: ignore[attr-defined]

    def loss(self, x: Tensor, y: Tensor) -> float:
        """Return the loss, and leave its gradients at the parameters; x and y are contiguous."""
        space = self._spaces.get(x.numel())
        if space is None:
            space = self._spaces[x.numel()] = _Space(self._links, self._num_trained, x.numel())
        space.fill(x, y)
        torch.sum(space.summed, 1, out=self._sums)
        # In float64 and rounded once more it is what float32 makes of it.
        return float(np.float32(self._squares.item(0) / space.count))

    def take(self) -> None:
        """Move the parameters as `torch.optim.SGD` does."""
        group = self._group
        lr, momentum, weight_decay = group["lr"], group["momentum"], group["weight_decay"]
        for stretch in self._stretches:
            values, gradients = stretch.values, stretch.gradients
            if group["maximize"]:
                gradients = -gradients
            if weight_decay != 0:
                gradients = gradients.add(values, alpha=weight_decay)
            if momentum != 0:
                gradients = self._with_momentum(stretch, gradients)
            values.add_(gradients, alpha=-lr)

    def _with_momentum(self, stretch: _Stretch, gradients: Tensor) -> Tensor:
        group, momentum = self._group, self._group["momentum"]
        if stretch.momentum is None:
            stretch.momentum = gradients.clone()
            self._give_momentum(stretch)
        else:
            stretch.momentum.mul_(momentum).add_(gradients, alpha=1 - group["dampening"])
        return gradients.add(stretch.momentum, alpha=momentum) if group["nesterov"] else stretch.momentum

    def _take_momentum(self, stretch: _Stretch) -> None:
        state = self._optimizer.state
        kept = [state[tensor].get("momentum_buffer") for tensor in stretch.tensors if tensor in state]
        if kept and all(buffer is not None for buffer in kept):
            stretch.momentum = torch.cat(kept)
            self._give_momentum(stretch)

    def _give_momentum(self, stretch: _Stretch) -> None:
        # The optimizer holds views, so that its state dict is what torch's own step would have left.
        assert stretch.momentum is not None
        for number, tensor in enumerate(stretch.tensors):
            self._optimizer.state[tensor]["momentum_buffer"] = stretch.momentum[number : number + 1]


def _link(link: LinearModel, rows: dict[int, int]) -> _Link:
    weight, bias = link.weight, link.bias
    # Of no dimension: numpy broadcasts those three times as fast as those of one.
    factor, summand = (parameter.detach().numpy().reshape(()) for parameter in (weight, bias))
    return _Link(factor, summand, rows.get(id(weight), -1), rows.get(id(bias), -1))


def _stretches(trained: Sequence[Tensor], sums: Tensor) -> Iterator[_Stretch]:
    first = 0
    for after in range(1, len(trained) + 1):
        last = trained[after - 1]
        if (
            after == len(trained)
            or trained[after].data_ptr() != last.data_ptr() + last.itemsize
            or not _share(last, trained[after])
        ):
            together = trained[first:after]
            values = together[0].detach().as_strided((len(together),), (1,))
            yield _Stretch(together, values, sums[first:after])
            first = after


def _share(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


class _Space:
    """Memory for one number of points: what each link was given, and the rows that are summed."""

    def __init__(self, links: Sequence[_Link], num_trained: int, count: int) -> None:
        self.count = count
        rows = np.empty((num_trained + 1, count), np.float32)
        self.summed = torch.from_numpy(rows)
        self._x, self._y = np.empty(count, np.float32), np.empty(count, np.float32)
        self._points: tuple[Tensor, Tensor] | None = None
        self._calls = [*self._forward(links), *self._backward(links, rows)]

    def fill(self, x: Tensor, y: Tensor) -> None:
        """Go forward and back: the rows are there to be summed."""
        points = self._points
        if points is None or points[0] is not x or points[1] is not y:
            self._x[:], self._y[:] = x.numpy().reshape(-1), y.numpy().reshape(-1)
            self._points = x, y
        for call, one, other, out in self._calls:
            call(one, other, out)

    def _forward(self, links: Sequence[_Link]) -> Iterator[_Call]:
        self._given = [self._x]
        for link in links:
            output = np.empty_like(self._x)
            yield np.multiply, self._given[-1], link.weight, output
            yield np.add, output, link.bias, output
            self._given.append(output)

    def _backward(self, links: Sequence[_Link], rows: NDArray[np.float32]) -> Iterator[_Call]:
        # No gradient is asked for before the first link that is trained.
        first = min(number for number, link in enumerate(links) if max(link.weight_row, link.bias_row) >= 0)
        spares = np.empty((2, self.count), np.float32)
        arriving = [rows[link.bias_row] if link.bias_row >= 0 else spares[n % 2] for n, link in enumerate(links)]
        yield np.subtract, self._given[-1], self._y, arriving[-1]
        yield np.multiply, arriving[-1], arriving[-1], rows[-1]
        yield np.multiply, arriving[-1], np.array(2.0 / self.count, np.float32), arriving[-1]
        for number in range(len(links) - 1, first - 1, -1):
            link = links[number]
            if link.weight_row >= 0:
                yield np.multiply, arriving[number], self._given[number], rows[link.weight_row]
            if number > first:
                yield np.multiply, arriving[number], link.weight, arriving[number - 1]
