"""Sources: each opens one kind of model; the table says which kinds there are."""

from collections.abc import Callable, Mapping

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources.linear import open_grid, open_linear

SOURCES: dict[str, Callable[[Mapping[str, object], Limits], LinearModel]] = {"linear": open_linear, "grid": open_grid}


def open_source(source: Mapping[str, object], limits: Limits) -> LinearModel:
    """Return the root of the modules that a source describes; raises `Invalid` for a kind that is not there."""
    kind = source.get("kind")
    opener = SOURCES.get(kind) if isinstance(kind, str) else None
    if opener is None:
        msg = said("expected one of %(names)s, got %(value)r", names=", ".join(SOURCES), value=kind)
        raise Invalid(said("source.kind: %(msg)s.", msg=msg), (Misfit(("source", "kind"), msg),))
    return opener(source, limits)
