"""The hyperparameters of runs side by side."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from app.training.config import RunConfig

MOST_SHOWN = 16


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One of them: its name, dotted where it lies in another, and its value in each run, None where it has none."""

    name: str
    values: tuple[object, ...]
    differs: bool


def side_by_side(configs: Sequence[RunConfig]) -> tuple[Hyperparameter, ...]:
    """Return all that runs were asked for: what differs first, else in the order of `RunConfig`."""
    flat = [dict(_flat(msgspec.to_builtins(config))) for config in configs]
    names = dict.fromkeys(name for each in flat for name in each)
    rows = [_row(name, [each.get(name) for each in flat]) for name in names]
    return tuple(sorted(rows, key=lambda row: not row.differs))


def _row(name: str, values: list[object]) -> Hyperparameter:
    return Hyperparameter(name, tuple(values), any(value != values[0] for value in values))


def _flat(fields: dict[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", _short(value)


def _short(value: object) -> object:
    # A table is told from another one without showing its numbers.
    if isinstance(value, list | tuple) and len(value) > MOST_SHOWN:
        digest = hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:8]
        return f"{len(value):,} values, sha256 {digest}"
    return value
