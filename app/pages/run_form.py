"""The form that starts a run, and the hyperparameters that are read from it."""

from collections.abc import Mapping

import msgspec

from app.pages import filters
from app.pages.forms import Field, Form, invalid
from app.training.config import RunConfig
from app.training.data import LineData
from app.training.losses import LOSSES
from app.training.optimizers import OPTIMIZERS
from app.training.run import Run
from app.translation import gettext as _
from app.translation import ngettext


def start_form(tree_id: str, config: RunConfig, run: Run | None) -> Form:
    """Return the form that starts a run with the hyperparameters of the last one, or the tutorial's."""
    data = config.data if isinstance(config.data, LineData) else LineData()
    train = ngettext("Train %(num)s epoch", "Train %(num)s epochs", config.epochs, num=filters.exact(config.epochs))
    return Form(
        key="run",
        title=_("Hyperparameters"),
        url=f"/trees/{tree_id}/runs",
        submit=_("Run again with changes") if run else train,
        about=_fixed(run),
        fields=(
            Field("epochs", "epochs", str(config.epochs), "number"),
            Field("lr", "lr", f"{config.lr:g}", "number"),
            Field("optimizer", "optimizer", config.optimizer, "choice", tuple(OPTIMIZERS)),
            Field("loss", "loss", config.loss, "choice", tuple(LOSSES)),
            Field("seed", "seed", "" if config.seed is None else str(config.seed), "number", placeholder=_("none")),
            Field("slope", _("data slope"), f"{data.slope:g}", "number"),
            Field("intercept", _("intercept"), f"{data.intercept:g}", "number"),
            Field("count", _("points"), str(data.count), "number"),
        ),
    )


def _fixed(run: Run | None) -> str:
    """What the fields do not change: the run that is under way."""
    if run is None or not run.status.is_active:
        return ""
    return _(
        "Run #%(number)s is fixed while it runs. When it succeeds, its parameters become the next revision.",
        number=run.number,
    )


_WHOLE = ("epochs", "count", "seed")
_REAL = ("lr", "slope", "intercept")


def config_of(typed: Mapping[str, str]) -> RunConfig:
    """Return the hyperparameters in the form, defaults for what is empty; raises `Invalid` with every misfit."""
    given: dict[str, float | int | None] = {}
    problems = []
    for names, read, expected in ((_WHOLE, int, "a whole number"), (_REAL, float, "a number")):
        for name in names:
            text = typed.get(name, "").strip().replace("−", "-")
            if not text:
                continue
            try:
                given[name] = read(text.replace(",", ""))
            except ValueError:
                problems.append((name, f"expected {expected}, got {text[:40]!r}"))
    if problems:
        raise invalid(problems)
    line = {name: given.pop(name) for name in ("slope", "intercept", "count") if name in given}
    words = {name: typed[name] for name in ("optimizer", "loss") if typed.get(name)}
    return msgspec.structs.replace(RunConfig(), data=msgspec.structs.replace(LineData(), **line), **given, **words)
