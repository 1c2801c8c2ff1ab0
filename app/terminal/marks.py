"""The words that set a row apart: inferred, shared, tied, frozen, eval, buffer."""

from collections.abc import Iterator

from app.trees.fold import Run
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns


def module_marks(index: TreeIndex, run: Run, *, is_top: bool) -> Iterator[str]:
    """Yield the marks of a module, or of a run by its first; what holds of all above it is said there."""
    row, above = run.rows[0], None if is_top else index.parent[run.rows[0]]
    status = index.classes[index.class_id[row]].status
    if status == "inferred":
        yield status
    if len(run.rows) > (num_distinct := len({int(index.first[one]) for one in run.rows})):
        yield f"{num_distinct:,} distinct"
    if (first := int(index.first[row])) != row:
        yield f"shared with {index.path(first) or 'the root'}"
    tied = [entry for entry in index.own(index.parameters, row) if _is_tied(index.parameters, entry)]
    if len(tied) == 1 and first == row:
        yield f"{index.parameters.name[tied[0]]} tied to {tensor_path(index, index.parameters, tied[0])}"
    elif tied and first == row:
        yield f"{len(tied):,} tied"
    if _is_frozen(index, row) and (above is None or not _is_frozen(index, above)):
        yield "frozen"
    if bool(index.training[row]) is not (above is None or bool(index.training[above])):
        yield "train" if index.training[row] else "eval"


def tensor_marks(index: TreeIndex, columns: TensorColumns, entry: int) -> Iterator[str]:
    """Yield the marks of a parameter or buffer."""
    if columns is index.buffers:
        yield "buffer" if columns.flag[entry] else "buffer, not persistent"
    elif not columns.flag[entry]:
        yield "frozen"
    if _is_tied(columns, entry):
        yield f"tied to {tensor_path(index, columns, entry)}"


def tensor_path(index: TreeIndex, columns: TensorColumns, entry: int) -> str:
    """Return the path of the first place of a tensor."""
    first = int(columns.first[entry])
    above = index.path(columns.owner[first])
    return f"{above}.{columns.name[first]}" if above else columns.name[first]


def _is_tied(columns: TensorColumns, entry: int) -> bool:
    return int(columns.first[entry]) != entry


def _is_frozen(index: TreeIndex, row: int) -> bool:
    return bool(index.totals.num_parameters[row]) and not index.totals.num_trainable[row]
