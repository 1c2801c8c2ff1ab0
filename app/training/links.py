"""The modules that a tree of LinearModels calls, in the order of the calls."""

from collections.abc import Sequence

from torch import nn

from app.trees.linear import LinearModel


def links_of(model: nn.Module) -> Sequence[LinearModel]:
    """Return what `forward` goes through, each a factor and a summand; nothing where one of them is no LinearModel."""
    links: list[LinearModel] = []
    todo = [model]
    while todo:
        module = todo.pop()
        if not isinstance(module, LinearModel):
            return ()
        links.append(module)
        if module.chain:
            todo.extend(child for child in reversed(module._modules.values()) if child is not None)
    return links
