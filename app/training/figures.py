"""Statistics of modules as JSON: in an event of the stream, and in an answer of their own."""

import msgspec
import numpy as np

from app.training.module_columns import ModuleColumns

COLUMNS = ("parameter_norm", "gradient_norm", "update_ratio")


def figures_json(columns: ModuleColumns, place: int) -> str:
    """Return the members of an object that holds the figures of all modules at one epoch, by column.

    A number that is not finite is null. `has_gradient` says where a gradient arrived, and `nonfinite` at which places
    of which column a value was NaN or infinite; it is there only where one was.
    """
    found = {name: getattr(columns, name)[place] for name in COLUMNS}
    members = [f'"{name}":{_json(column.tolist())}' for name, column in found.items()]
    members.append(f'"has_gradient":{_json((~np.isnan(found["gradient_norm"])).tolist())}')
    bad = {name: np.flatnonzero(np.isinf(column)).tolist() for name, column in found.items()}
    if any(bad.values()):
        told = {name: places for name, places in bad.items() if places}
        members.append(f'"nonfinite":{_json(told)}')
    return ",".join(members)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
