"""What was asked of the list of runs: the form that asks it, and the addresses of the same list otherwise."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

from app.pages.run_line import WORDS
from app.pages.visible import clipped
from app.training.run import RunStatus
from app.training.run_query import RunChoice, RunChoices, RunQuery, RunSort
from app.translation import N_
from app.translation import gettext as _

PATH = "/runs"
NEWEST = "-started"
SORTS = {
    "-started": N_("Newest first"),
    "started": N_("Oldest first"),
    "loss": N_("Lowest latest loss"),
    "-loss": N_("Highest latest loss"),
    "best_loss": N_("Lowest loss"),
    "-best_loss": N_("Highest lowest loss"),
    "-epochs": N_("Most epochs"),
    "epochs": N_("Fewest epochs"),
    "-duration": N_("Longest"),
    "duration": N_("Shortest"),
}
# Which way a column is sorted first: a loss is better the lower it is.
FIRST = {"loss": "loss", "best_loss": "best_loss", "epochs": "-epochs", "duration": "-duration", "started": NEWEST}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question of the form."""

    value: str
    text: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A question of the form that is answered with one of its options."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A question of the form that is answered with a number; `problem` says of one that is none."""

    name: str
    label: str
    value: str
    problem: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the list can be sorted by: where that is done, and how it is sorted now, as `aria-sort` says it."""

    label: str
    url: str
    sorted: str


@dataclass(frozen=True, slots=True)
class RunFilters:
    """The form over the list of runs, as it was sent."""

    q: str
    choices: tuple[Choice, ...]
    numbers: tuple[Number, ...]
    sort: Choice
    columns: dict[str, Column]
    chosen: tuple[str, ...]
    is_narrow: bool
    clear_url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The list's query as a form sends it, with what is left empty; `chosen` are the runs picked to be compared."""

    tree: str = ""
    status: str = ""
    optimizer: str = ""
    loss_function: str = ""
    q: str = ""
    min_loss: str = ""
    max_loss: str = ""
    sort: str = NEWEST
    chosen: tuple[str, ...] = ()

    def query(self) -> RunQuery:
        """Return it as runs are asked for; what no form would send is left out."""
        sort = self.sort if self.sort in SORTS else NEWEST
        return RunQuery(
            tree=self.tree,
            statuses=(RunStatus(self.status),) if self.status in set(RunStatus) else (),
            optimizer=self.optimizer,
            loss_function=self.loss_function,
            q=self.q,
            min_loss=_number(self.min_loss),
            max_loss=_number(self.max_loss),
            sort=RunSort(sort.removeprefix("-")),
            is_descending=sort.startswith("-"),
        )

    def url(self, *, cursor: str = "") -> str:
        """Return the address of the list, or of its page at a cursor."""
        given = [(name, text) for name, text in self._fields() if text]
        given += [("run", run) for run in self.chosen]
        return f"{PATH}?{urlencode([*given, *([('cursor', cursor)] if cursor else [])])}".rstrip("?")

    def words(self) -> dict[str, str]:
        """Return the arguments of the same list over the API."""
        return {name: text for name, text in self._fields() if text}

    def _fields(self) -> Iterator[tuple[str, str]]:
        for name in ("tree", "status", "optimizer", "loss_function", "q", "min_loss", "max_loss"):
            yield name, getattr(self, name)
        yield "sort", "" if self.sort == NEWEST else self.sort


def asked_of_list(
    tree: Annotated[str, Query(max_length=64)] = "",
    status: Annotated[str, Query(max_length=64)] = "",
    optimizer: Annotated[str, Query(max_length=64)] = "",
    loss_function: Annotated[str, Query(max_length=64)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    min_loss: Annotated[str, Query(max_length=40)] = "",
    max_loss: Annotated[str, Query(max_length=40)] = "",
    sort: Annotated[str, Query(max_length=40)] = NEWEST,
    run: Annotated[list[str] | None, Query(max_length=1_000)] = None,
) -> Asked:
    """Return what a request asks of the list."""
    return Asked(
        tree=tree,
        status=status,
        optimizer=optimizer,
        loss_function=loss_function,
        q=q.strip(),
        min_loss=min_loss.strip(),
        max_loss=max_loss.strip(),
        sort=sort or NEWEST,
        chosen=tuple(dict.fromkeys(run or ())),
    )


def run_filters(asked: Asked, choices: RunChoices) -> RunFilters:
    """Return the form with what was asked in it, over what there is to ask for."""
    query = asked.query()
    statuses = [replace(each, name=_(WORDS[RunStatus(each.value)])) for each in choices.statuses]
    return RunFilters(
        q=asked.q,
        choices=(
            _choice("tree", _("Tree"), _("all trees"), asked.tree, choices.trees),
            _choice("status", _("Status"), _("any status"), asked.status, statuses),
            _choice("optimizer", _("Optimizer"), _("any optimizer"), asked.optimizer, choices.optimizers),
            _choice("loss_function", _("Loss function"), _("any loss function"), asked.loss_function, choices.losses),
        ),
        numbers=(
            _asked_number("min_loss", _("Loss from"), asked.min_loss),
            _asked_number("max_loss", _("Loss to"), asked.max_loss),
        ),
        sort=Choice(
            "sort", _("Sort"), tuple(Option(sort, _(text), sort == asked.sort) for sort, text in SORTS.items())
        ),
        columns=dict(_columns(asked)),
        chosen=asked.chosen,
        is_narrow=query.is_narrow,
        clear_url=Asked(sort=asked.sort, chosen=asked.chosen).url(),
    )


def _columns(asked: Asked) -> Iterator[tuple[str, Column]]:
    labels = {
        "loss": _("Latest"),
        "best_loss": _("Lowest"),
        "epochs": _("Epochs"),
        "duration": _("Took"),
        "started": _("Started"),
    }
    for name, label in labels.items():
        is_on, is_down = asked.sort.removeprefix("-") == name, asked.sort.startswith("-")
        other = name if is_down else f"-{name}"
        said = ("descending" if is_down else "ascending") if is_on else ""
        yield name, Column(label, replace(asked, sort=other if is_on else FIRST[name]).url(), said)


def _choice(name: str, label: str, every: str, asked: str, there: "tuple[RunChoice, ...] | list[RunChoice]") -> Choice:
    known = {each.value: f"{clipped(each.name, 40)} ({each.num_runs:,})" for each in there}
    if asked and asked not in known:
        known[asked] = clipped(asked, 40)
    options = (Option(value, text, value == asked) for value, text in known.items())
    return Choice(name, label, (Option("", every, not asked), *options))


def _asked_number(name: str, label: str, text: str) -> Number:
    problem = _("expected a number, got %(given)s", given=repr(text)) if text and _number(text) is None else ""
    return Number(name, label, text, problem)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
