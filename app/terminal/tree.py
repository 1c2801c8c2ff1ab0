"""The folded tree in a terminal: `(0-11): 12 x GPT2Block`."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from app.printable import printable
from app.terminal.figures import count, num_bytes, shape_text
from app.terminal.lines import Line, print_lines, print_text
from app.terminal.marks import module_marks, tensor_marks
from app.trees.fold import Run, run_totals, runs_below
from app.trees.index import TreeIndex
from app.trees.origin import Origin, num_stored
from app.trees.receipts import Receipt, receipt
from app.trees.tensors import TensorColumns

OF_RUNS = "n x: the number is of all n together, those of the rows below it are of one."
UNKNOWN = "?: not known, since a checkpoint names tensors and no classes."
INFERRED = "inferred: concluded from the names and shapes of tensors, not read."


def print_tree(
    console: Console,
    index: TreeIndex,
    origin: Origin,
    row: int = 0,
    *,
    max_depth: int | None = None,
    with_parameters: bool = False,
) -> None:
    """Print the module at a row and what is below, to `max_depth` levels, and what it comes to."""
    runs = list(runs_below(index, row, max_depth))
    lines = [line for run, depth in runs for line in _lines(index, run, depth, with_parameters=with_parameters)]
    print_lines(console, lines)
    shown = {index.classes[index.class_id[run.rows[0]]].status for run, _ in runs}
    legend = [
        *([OF_RUNS] if any(len(run.rows) > 1 for run, _ in runs) else []),
        *([UNKNOWN] if "unknown" in shown else []),
        *([INFERRED] if "inferred" in shown else []),
        *origin.notes,
    ]
    print_text(console, Text())
    for line in legend:
        print_text(console, Text(printable(line), "dim"))
    for text in _totals(index, row, receipt(index, row, stored=num_stored(origin, index, row))):
        print_text(console, text)


def _lines(index: TreeIndex, run: Run, depth: int, *, with_parameters: bool) -> Iterator[Line]:
    row, many = run.rows[0], len(run.rows)
    cls = index.classes[index.class_id[row]]
    extra = ", ".join(filter(None, map(str.strip, index.extra_repr.get(row, "").splitlines())))
    yield Line(
        depth=depth,
        name=f"({run.label})" if run.label else "",
        kind=f"{many:,} x {cls.shown}" if many > 1 else cls.shown,
        about=f"({extra})" if extra else "",
        marks=tuple(module_marks(index, run, is_top=depth == 0)),
        number=count(run_totals(index, run).num_parameters),
    )
    if with_parameters:
        for columns in (index.parameters, index.buffers):
            yield from (_tensor_line(index, columns, entry, depth + 1) for entry in index.own(columns, row))


def _tensor_line(index: TreeIndex, columns: TensorColumns, entry: int, depth: int) -> Line:
    kind = index.kinds.all[columns.kind[entry]]
    return Line(
        depth=depth,
        name=columns.name[entry],
        about=f"{shape_text(kind.shape)} {kind.dtype_name}",
        marks=tuple(tensor_marks(index, columns, entry)),
        number=count(kind.numel),
        is_minor=True,
    )


def _totals(index: TreeIndex, row: int, counted: Receipt) -> Iterator[Text]:
    """Yield the receipt, what says nothing new left out; the number of parameters is last."""
    total = counted.parameters.value
    if counted.listed.value != total:
        tied = counted.num_tied.value
        yield _number(counted.listed.value, f"as listed: {tied:,} {_plural(tied, 'name is', 'names are')} tied")
    if counted.stored is not None and counted.stored.value != total:
        yield _number(counted.stored.value, "as stored in the file")
    if counted.frozen.value:
        yield _number(counted.trainable.value, "trainable")
        yield _number(counted.frozen.value, "frozen")
    if counted.persistent.value:
        yield _number(counted.persistent.value, "in buffers")
    if counted.other_buffers.value:
        yield _number(counted.other_buffers.value, "in buffers that the state dict leaves out")
    if counted.no_shape.value:
        yield _number(counted.no_shape.value, "tensors without a shape yet, counted as nothing")
    parts = [f"{printable(part.dtype)} {num_bytes(part.num_bytes)}" for part in counted.by_dtype]
    of = f": {', '.join(parts)}" if len(parts) > 1 else f" of {printable(counted.by_dtype[0].dtype)}" if parts else ""
    yield _number(counted.num_bytes.value, f"bytes{of}")
    num_modules = int(index.totals.num_modules[row])
    yield _number(num_modules, _plural(num_modules, "module", "modules"))
    yield _number(total, _plural(total, "parameter", "parameters"), "bold green")


def _plural(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def _number(value: int, what: str, style: str = "green") -> Text:
    return Text.assemble((f"{value:>19,}", style), f" {what}")
