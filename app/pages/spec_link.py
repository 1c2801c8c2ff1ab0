"""A tree in a link: its LinearSpec in an address that opens the page for new trees with all of it filled in."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from app.errors import CannotDo, TooLarge
from app.storage.trees import OpenTree
from app.translation import N_
from app.translation import gettext as _
from app.trees.linear import LinearModel
from app.trees.spec_text import Lost, lost, spec_text

MOST_CHARS = 6_000
MOST_MODULES = 20_000
# What RFC 3986 lets stand in a query as it is; the rest of JSON's signs goes as %XX.
SAFE = "!$'()*,/:;?@-._~"
LOST = {
    Lost.FROZEN: N_("which parameters are frozen (%(num)s)"),
    Lost.EVAL: N_("which modules are in eval mode (%(num)s)"),
    Lost.PARAMETER: N_("parameters beside a weight and a bias of shape [1] and float32 (%(num)s)"),
    Lost.MISSING: N_("that a weight or bias is missing: it will be drawn (%(num)s)"),
    Lost.ORDER: N_("that a bias comes before its weight (%(num)s)"),
    Lost.FLEETING: N_("that a buffer is not persistent (%(num)s)"),
    Lost.DTYPE: N_("the dtype or the shape of a buffer (%(num)s)"),
    Lost.NONFINITE: N_("values that are not finite (%(num)s)"),
    Lost.NAME: N_("buffers and children that are named weight or bias (%(num)s)"),
}


@dataclass(frozen=True, slots=True)
class SpecLink:
    """The link of a tree, "" where it would be too long; `lost` says what the tree has that it does not hold."""

    url: str
    num_chars: int
    limit: int
    file_url: str
    lost: tuple[str, ...]


def spec_link(opened: OpenTree, origin: str) -> SpecLink:
    """Return the link that opens a tree of LinearModels anew."""
    index, record = opened.index, opened.record
    file_url = f"/trees/{record.id}/build/spec.json"
    losses = tuple(_said(opened)) if len(index) <= MOST_MODULES else ()
    try:
        text = quote(spec_text(index, most=MOST_CHARS), safe=SAFE)
    except (TooLarge, CannotDo):
        return SpecLink("", 0, MOST_CHARS, file_url, losses)
    if len(text) > MOST_CHARS:
        return SpecLink("", len(text), MOST_CHARS, file_url, losses)
    root = opened.module
    forward = "&forward=chain" if isinstance(root, LinearModel) and root.chain else ""
    name = f"&name={quote(record.name, safe=SAFE)}"
    return SpecLink(f"{origin}/trees/new?spec={text}{forward}{name}", len(text), MOST_CHARS, file_url, losses)


def _said(opened: OpenTree) -> Iterator[str]:
    for kind, num in lost(opened.index).items():
        yield _(LOST[kind], num=f"{num:,}")
