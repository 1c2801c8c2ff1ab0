"""One of torch's flat lists, as it stands in the place of the tree."""

from dataclasses import dataclass

from app.pages.calls import Call
from app.pages.lens_rows import ModuleLensRow, TensorLensRow


@dataclass(frozen=True, slots=True)
class Option:
    """A switch of the list, with the address of the page where it is turned."""

    name: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class ListedRows:
    """A page of one of the lists, in the place of the tree; `modules` or `tensors` are its rows.

    A list `is_live` where scripts can list all of it by themselves; `empty` is what stands where there is nothing.
    """

    method: str
    other: str
    other_url: str
    kind: str
    is_named: bool
    is_live: bool
    empty: str
    target: str
    q: str
    problem: str
    options: tuple[Option, ...]
    modules: tuple[ModuleLensRow, ...]
    tensors: tuple[TensorLensRow, ...]
    first: int
    total: int
    first_url: str
    next_url: str
    calls: tuple[Call, ...]
