"""A receipt as lines: each number with how it was counted."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.pages import filters
from app.trees.receipts import Counted, Receipt


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A number, and the sentence that says how it was counted; `brief` is empty for what is not worth a mention."""

    label: str
    value: str
    how: str
    brief: str


def receipt_lines(receipt: Receipt) -> tuple[ReceiptLine, ...]:
    """Return the lines of a receipt; what cannot be here, such as what a file holds, is left out."""
    return (*_counts(receipt), *_bytes(receipt))


def _counts(receipt: Receipt) -> Iterator[ReceiptLine]:
    yield _line("Parameters", receipt.parameters, "distinct", is_always=True)
    yield _line("As listed", receipt.listed, "listed", is_always=True)
    if receipt.stored is not None:
        yield _line("Stored", receipt.stored, "stored", is_always=True)
    yield _line("Tied names", receipt.num_tied, filters.plural(receipt.num_tied.value, "tied name", "tied names"))
    yield _line("Trainable", receipt.trainable, "trainable")
    yield _line("Frozen", receipt.frozen, "frozen")
    yield _line("Persistent buffers", receipt.persistent, "in persistent buffers")
    yield _line("Other buffers", receipt.other_buffers, "in other buffers")
    if receipt.no_shape.value:
        yield _line("Without a shape", receipt.no_shape, "without a shape")


def _bytes(receipt: Receipt) -> Iterator[ReceiptLine]:
    yield ReceiptLine("Bytes", filters.exact(receipt.num_bytes.value), receipt.num_bytes.how, "")
    for one in receipt.by_dtype:
        tensors = f"{filters.exact(one.num_tensors)} {filters.plural(one.num_tensors, 'tensor', 'tensors')}"
        elements = f"{filters.exact(one.num_elements)} {filters.plural(one.num_elements, 'element', 'elements')}"
        brief = f"{filters.num_bytes(one.num_bytes)} in {one.dtype}"
        yield ReceiptLine(f"in {one.dtype}", filters.exact(one.num_bytes), f"{tensors}, {elements}", brief)


def _line(label: str, counted: Counted, word: str, *, is_always: bool = False) -> ReceiptLine:
    brief = f"{filters.exact(counted.value)} {word}" if counted.value or is_always else ""
    return ReceiptLine(label, filters.exact(counted.value), counted.how, brief)
