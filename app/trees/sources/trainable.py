"""Which trees of a factory can be trained: what they are made by has to be there in every process that trains."""

from collections.abc import Iterator, Mapping

from app.trees.index import TreeIndex
from app.trees.sources.building import Device
from app.trees.sources.factories import DEFAULT


def is_trainable(source: Mapping[str, object], index: TreeIndex) -> bool:
    """Whether a source makes a module on the CPU by `torch.nn` alone, all of whose tensors have a shape.

    A source that was kept without its arguments makes none.
    """
    if source.get("kind") != "factory" or source.get("device") != Device.CPU.value:
        return False
    if not isinstance(source.get("kwargs", {}), Mapping):
        return False
    is_known = all(target.startswith(f"{DEFAULT}:") for target in _targets(source))
    return is_known and all(kind.shape is not None for kind in index.kinds.all)


def _targets(source: Mapping[str, object]) -> Iterator[str]:
    todo: list[object] = [source]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            if isinstance(target := value.get("target"), str):
                yield target
            todo.extend(value.values())
        elif isinstance(value, list | tuple):
            todo.extend(value)
