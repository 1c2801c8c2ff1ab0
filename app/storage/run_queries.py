"""Queries over all runs: which of them, in which order, from which place on."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from app.storage.tables import runs
from app.training.run_query import RunChoice, RunChoices, RunPlace, RunQuery, RunSort

MOST_CHOICES = 200
MOST_WORDS = 8
MOST_DIGITS = 9

_SORTED_BY: dict[RunSort, ColumnElement[Any]] = {
    RunSort.STARTED: runs.c.seq,
    RunSort.LOSS: runs.c.loss,
    RunSort.BEST_LOSS: runs.c.best_loss,
    RunSort.EPOCHS: runs.c.epochs_done,
    RunSort.DURATION: func.julianday(runs.c.ended_at) - func.julianday(runs.c.started_at),
}
_loss: ColumnElement[Any] = runs.c.loss
_optimizer: ColumnElement[Any] = func.json_extract(runs.c.config, "$.optimizer")
_loss_function: ColumnElement[Any] = func.json_extract(runs.c.config, "$.loss")


def found(query: Select[Any], asked: RunQuery) -> Select[Any]:
    """Return the query over `runs` with no other rows than those asked for."""
    return query.where(*_conditions(asked))


def page_of(query: Select[Any], asked: RunQuery, limit: int, after: RunPlace | None) -> Select[Any]:
    """Return the query for a page of the runs asked for, in their order, and one run more; `place` of them is there."""
    value, seq = _SORTED_BY[asked.sort], runs.c.seq
    order = [each.desc() if asked.is_descending else each.asc() for each in (value, seq)]
    narrowed = found(query, asked).add_columns(value.label("sorted_by")).order_by(value.is_(None), *order)
    if after is not None:
        narrowed = narrowed.where(_beyond(value, asked.is_descending, after))
    return narrowed.limit(limit + 1)


def place_of(row: Any) -> RunPlace:
    """Return where a row of such a page stands."""
    return RunPlace(None if row.sorted_by is None else float(row.sorted_by), row.seq)


def choices(connection: Connection) -> RunChoices:
    """Return what there is to ask for."""
    return RunChoices(
        trees=_choices(connection, runs.c.tree, runs.c.tree_name),
        statuses=_choices(connection, runs.c.status),
        optimizers=_choices(connection, _optimizer),
        losses=_choices(connection, _loss_function),
    )


def _choices(
    connection: Connection, column: ColumnElement[Any], name: ColumnElement[Any] | None = None
) -> tuple[RunChoice, ...]:
    # SQLite takes the name from the row with the maximum: the one of the latest run.
    latest = func.max(runs.c.seq)
    query = select(column, column if name is None else name, func.count(), latest).group_by(column)
    rows = connection.execute(query.order_by(latest.desc()).limit(MOST_CHOICES))
    return tuple(RunChoice(value, named, num) for value, named, num, _latest in rows)


def _beyond(value: ColumnElement[Any], is_descending: bool, after: RunPlace) -> ColumnElement[bool]:
    further = runs.c.seq < after.seq if is_descending else runs.c.seq > after.seq
    if after.value is None:
        return and_(value.is_(None), further)
    past = value < after.value if is_descending else value > after.value
    return or_(value.is_(None), past, and_(value == after.value, further))


def _conditions(asked: RunQuery) -> Iterator[ColumnElement[bool]]:
    if asked.tree:
        yield runs.c.tree == asked.tree
    if asked.statuses:
        yield runs.c.status.in_(asked.statuses)
    if asked.optimizer:
        yield _optimizer == asked.optimizer
    if asked.loss_function:
        yield _loss_function == asked.loss_function
    if asked.min_loss is not None:
        yield _loss >= asked.min_loss
    if asked.max_loss is not None:
        yield _loss <= asked.max_loss
    yield from map(_has_word, asked.q.split()[:MOST_WORDS])


def _has_word(word: str) -> ColumnElement[bool]:
    digits = word.removeprefix("#")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
    if is_number and digits != word:
        return runs.c.number == int(digits)
    named = or_(runs.c.tree_name.icontains(word, autoescape=True), runs.c.id == word)
    return or_(named, runs.c.number == int(digits)) if is_number else named
