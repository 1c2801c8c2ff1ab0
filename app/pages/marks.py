"""Small signs of rows and tables: badges, swatches, shares, shapes."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.pages import filters
from app.pages.hues import CONTAINERS
from app.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Badge:
    """A mark on a row: icon and word, the rest on hover."""

    icon: str
    word: str
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A count with its part of the whole tree."""

    digits: str
    unit: str
    exact: str
    width: str
    percent: str


def swatch_of(class_name: str, slots: dict[str, int], num_parameters: int) -> str:
    """Return the CSS class of a class's swatch: a hue, a hollow box for containers, a dashed one where the class is not
    known, a dot where nothing is learnt.
    """
    if class_name in CONTAINERS:
        return "swatch-box"
    if not class_name:
        return "swatch-unknown"
    return f"h{slots[class_name]}" if num_parameters else "swatch-none"


def buffer_badge(persistent: bool) -> Badge:
    """Return the badge of a buffer; its edge is dashed where the state dict leaves it out."""
    if persistent:
        return Badge("database", _("buffer"))
    return Badge("database", _("buffer"), _("not persistent: left out of the state dict"), "dashed")


def share_of(count: int, whole: int) -> Share:
    """Return a count of elements beside its part of the whole tree."""
    digits, unit = filters.count_parts(count)
    return Share(digits, unit, filters.exact(count), filters.share_width(count, whole), filters.percent(count, whole))


def shape_text(shape: Sequence[int] | None) -> str:
    """Return a shape as torch prints it; a tensor of a lazy module has none yet."""
    return _("unknown shape") if shape is None else str(list(shape))


def values_text(values: object, device: str, *, is_live: bool) -> str:
    """Return the values of a tensor as torch prints them, or why they do not stand here."""
    if values is not None:
        return filters.values(values)
    if device == "meta":
        return _("on meta")
    return _("too many to list") if is_live else _("not loaded")


def class_badges(status: object) -> tuple[Badge, ...]:
    """Return the badge of a class that was concluded, not read; none for any other."""
    if status != "inferred":
        return ()
    return (Badge("circle-dashed", _("inferred"), _("the class is concluded from names and shapes")),)


def lone_value(values: object) -> str:
    """Return the value of a tensor with one element, nothing for any other."""
    while isinstance(values, list) and len(values) == 1:
        values = values[0]
    return "" if isinstance(values, list) or values is None else filters.value(values)  # type: ignore[arg-type]


def span_text(first: str, last: str) -> str:
    """Return what stands for siblings whose names count up: `(0–11)`."""
    return f"({first}{filters.DASH}{last})"
