"""All that there is to a tree of modules, as plain values that `==` compares."""

from torch import Tensor, nn

from app.trees.linear import LinearModel


def told(module: nn.Module) -> list[tuple[object, ...]]:
    """Every place in order: class, mode, forward, and each tensor with all that is known of it."""
    return [
        (
            path,
            type(place).__name__,
            place.training,
            isinstance(place, LinearModel) and place.chain,
            [(name, *told_of(tensor), tensor.requires_grad) for name, tensor in _own(place._parameters)],
            [
                (name, *told_of(tensor), name not in place._non_persistent_buffers_set)
                for name, tensor in _own(place._buffers)
            ],
        )
        for path, place in module.named_modules(remove_duplicate=False)
    ]


def told_of(tensor: Tensor) -> tuple[object, ...]:
    """The kind and the values of a tensor; NaN equals NaN."""
    return type(tensor).__name__, tuple(tensor.shape), tensor.dtype, repr(tensor.detach().tolist())


def _own(tensors: dict[str, Tensor | None] | dict[str, nn.Parameter | None]) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, tensor in tensors.items() if tensor is not None]
