"""A receipt as lines: each number with how it was counted."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.pages import filters
from app.translation import gettext as _
from app.translation import ngettext
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
    def line(label: str, counted: Counted, brief: str, *, is_always: bool = False) -> ReceiptLine:
        said = brief % {"num": filters.exact(counted.value)} if counted.value or is_always else ""
        return ReceiptLine(label, filters.exact(counted.value), _(counted.how), said)

    tied = receipt.num_tied.value
    yield line(_("Parameters"), receipt.parameters, _("%(num)s distinct"), is_always=True)
    yield line(_("As listed"), receipt.listed, _("%(num)s listed"), is_always=True)
    if receipt.stored is not None:
        yield line(_("Stored"), receipt.stored, _("%(num)s stored"), is_always=True)
    names = ngettext("%(num)s tied name", "%(num)s tied names", tied, num="%(num)s")
    yield line(_("Tied names"), receipt.num_tied, names)
    yield line(_("Trainable"), receipt.trainable, _("%(num)s trainable"))
    yield line(_("Frozen"), receipt.frozen, _("%(num)s frozen"))
    yield line(_("Persistent buffers"), receipt.persistent, _("%(num)s in persistent buffers"))
    yield line(_("Other buffers"), receipt.other_buffers, _("%(num)s in other buffers"))
    if receipt.no_shape.value:
        yield line(_("Without a shape"), receipt.no_shape, _("%(num)s without a shape"))


def _bytes(receipt: Receipt) -> Iterator[ReceiptLine]:
    yield ReceiptLine(_("Bytes"), filters.exact(receipt.num_bytes.value), _(receipt.num_bytes.how), "")
    for one in receipt.by_dtype:
        tensors = ngettext("%(num)s tensor", "%(num)s tensors", one.num_tensors, num=filters.exact(one.num_tensors))
        count = filters.exact(one.num_elements)
        elements = ngettext("%(num)s element", "%(num)s elements", one.num_elements, num=count)
        brief = _("%(bytes)s in %(dtype)s", bytes=filters.num_bytes(one.num_bytes), dtype=one.dtype)
        label = _("in %(dtype)s", dtype=one.dtype)
        yield ReceiptLine(label, filters.exact(one.num_bytes), f"{tensors}, {elements}", brief)
