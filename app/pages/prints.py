"""What `print` shows of the items of a list, beside the list itself."""

from collections.abc import Iterator, Sequence

from app.pages.calls import shortened
from app.pages.visible import printed
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns
from app.trees.texts import repr_of

PRINTED = 3
PRINTED_MODULES = 40
PRINTED_CHARS = 2_000


def prints_of_modules(index: TreeIndex, rows: Sequence[int], top: int, *, named: bool) -> str:
    """Return what a loop over modules prints, for the first three."""
    paths = index.paths(rows[:PRINTED], top)
    return _lines(rows, (_line(path, module_text(index, row), named) for row, path in zip(rows, paths, strict=False)))


def module_text(index: TreeIndex, row: int) -> str:
    """Return the module's `repr`; of a large one the class alone."""
    if index.end[row] - row > PRINTED_MODULES:
        return f"{index.classes[index.class_id[row]].shown}(…)"
    return repr_of(index, row)


def prints_of_tensors(
    index: TreeIndex, columns: TensorColumns, entries: Sequence[int], top: int, *, named: bool
) -> str:
    """Return what a loop over parameters or buffers prints, for the first three."""
    owners = [columns.owner[entry] for entry in entries[:PRINTED]]
    paths = index.paths(owners, top)
    names = (
        f"{path}.{columns.name[entry]}" if path else columns.name[entry]
        for entry, path in zip(entries, paths, strict=False)
    )
    lines = (
        _line(name, tensor_text(index, columns, entry), named) for entry, name in zip(entries, names, strict=False)
    )
    return _lines(entries, lines)


def tensor_text(index: TreeIndex, columns: TensorColumns, entry: int) -> str:
    """Return the tensor's `repr`; of one whose values are not at hand what torch prints of a meta tensor."""
    if index.is_live:
        return repr(columns.tensor[entry])[:PRINTED_CHARS]
    kind = index.kinds.all[columns.kind[entry]]
    size = "" if kind.shape is None else f", size={kind.shape}"
    dtype = "" if kind.dtype_name == "float32" else f", dtype=torch.{kind.dtype_name}"
    if columns is index.buffers:
        return f"tensor(..., device='meta'{size}{dtype})"
    grad = ", requires_grad=True" if columns.flag[entry] else ""
    return f"Parameter containing:\ntensor(..., device='meta'{size}{dtype}{grad})"


def _line(name: str, text: str, named: bool) -> str:
    return printed(f"{shortened(name)} {text}" if named else text)


def _lines(items: Sequence[int], lines: Iterator[str]) -> str:
    return "\n".join([*lines, *(["…"] if len(items) > PRINTED else [])])
