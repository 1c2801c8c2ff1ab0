"""Findings in plain words: what is so, the figures that say it with what may be done, and the rule that was used."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.training.insights import losses, modules
from app.training.insights.insight import Finding, Kind
from app.translation import N_, Said, said


@dataclass(frozen=True, slots=True)
class Words:
    """A finding as sentences."""

    title: Said
    detail: Said
    rule: Said


_TITLES: Mapping[Kind, str] = {
    Kind.NONFINITE: N_("The loss is not finite."),
    Kind.DIVERGING: N_("The loss is diverging."),
    Kind.OVERFITTING: N_("The validation loss rises while the loss does not."),
    Kind.PLATEAU: N_("The loss stands still."),
    Kind.NO_GRADIENT: N_("No gradient reaches %(module)s."),
    Kind.FROZEN: N_("All of %(module)s is frozen."),
    Kind.DEAD: N_("The gradient of %(module)s is exactly 0."),
    Kind.NOT_MOVING: N_("No step moves %(module)s, though it gets a gradient."),
    Kind.VANISHING: N_("The gradient of %(module)s vanishes."),
    Kind.EXPLODING: N_("The gradient of %(module)s explodes."),
    Kind.LR_HIGH: N_("The steps are large for the parameters: lr may be far too high."),
    Kind.LR_LOW: N_("The steps are tiny for the parameters: lr may be far too low."),
}
_OF_SEVERAL: Mapping[Kind, str] = {
    Kind.NO_GRADIENT: N_("No gradient reaches %(num)s modules, %(module)s the first."),
    Kind.FROZEN: N_("%(num)s modules are frozen, %(module)s the first."),
    Kind.DEAD: N_("The gradients of %(num)s modules are exactly 0, %(module)s the first."),
    Kind.NOT_MOVING: N_("%(num)s modules get a gradient and do not move, %(module)s the first."),
    Kind.VANISHING: N_("The gradients of %(num)s modules vanish, %(module)s the first."),
    Kind.EXPLODING: N_("The gradients of %(num)s modules explode, %(module)s the first."),
}
_DETAILS: Mapping[Kind, str] = {
    Kind.NONFINITE: N_("Its lowest value was %(lowest)s. module_stats_every would tell the module where it began."),
    Kind.DIVERGING: N_("It is %(loss)s, and was %(lowest)s at its lowest. A smaller lr is the first thing to try."),
    Kind.OVERFITTING: N_(
        "The validation loss is %(validation_loss)s, and was %(lowest)s at its lowest; the loss is %(loss)s. More "
        "points, weight_decay or early stopping may help."
    ),
    Kind.PLATEAU: N_(
        "Its lowest is %(lowest)s, and was %(before)s %(epochs)s epochs before. It may have learnt what it can, or lr "
        "may be too small."
    ),
    Kind.NO_GRADIENT: N_(
        "grad stays None: forward never calls it, or its output is detached from the loss. Its parameters keep their "
        "first values."
    ),
    Kind.FROZEN: N_("No parameter of it requires a gradient in this run: it keeps its values, as was asked."),
    Kind.DEAD: N_(
        "Its parameters have the norm %(parameter_norm)s, and others get a gradient. What stands behind it may be all "
        "zero, as after apply(zero_), or its units may be dead."
    ),
    Kind.NOT_MOVING: N_(
        "The norm of its gradient is %(gradient_norm)s, that of its parameters %(parameter_norm)s, and the step "
        "changed nothing: they are not in the optimizer, or the step is smaller than their last digit."
    ),
    Kind.VANISHING: N_("Its norm is %(gradient_norm)s, the largest of the tree %(largest)s."),
    Kind.EXPLODING: N_("Its norm is %(gradient_norm)s, and is usually about %(usual)s. A smaller lr may help."),
    Kind.LR_HIGH: N_("A step changes the parameters by %(update_ratio)s of their norm; about 0.001 is usual."),
    Kind.LR_LOW: N_("A step changes the parameters by %(update_ratio)s of their norm; about 0.001 is usual."),
}
_FOUND_IN = N_(
    "Its lowest value was %(lowest)s. The first module with a figure that is not finite is %(module)s, at epoch "
    "%(module_epoch)s."
)
_NEVER = N_("No loss was finite yet: look at the values that the run started from, and at its data.")
_NEVER_FOUND_IN = N_(
    "No loss was finite yet. The first module with a figure that is not finite is %(module)s, at epoch "
    "%(module_epoch)s."
)
_ZERO = N_(
    "All its parameters are 0, and so is its gradient, while others get one: after apply(zero_) it cannot learn. "
    "Initialise it again."
)


def words_of(finding: Finding, paths: Mapping[int, str]) -> Words:
    """Return a finding as sentences; `paths` are those of the modules by row."""
    filled = {name: f"{figure:.4g}" for name, figure in finding.figures.items()}
    if finding.rows:
        filled["module"] = paths.get(finding.rows[0], "") or said("the root")
    filled["num"] = f"{finding.num_modules:,}"
    titles = _OF_SEVERAL if finding.num_modules > 1 else _TITLES
    return Words(
        title=said(titles.get(finding.kind, _TITLES[finding.kind]), **filled),
        detail=said(_detail(finding), **filled),
        rule=_rule(finding.kind),
    )


def _detail(finding: Finding) -> str:
    if finding.kind is Kind.NONFINITE and finding.rows:
        return _FOUND_IN if "lowest" in finding.figures else _NEVER_FOUND_IN
    if finding.kind is Kind.NONFINITE and "lowest" not in finding.figures:
        return _NEVER
    if finding.kind is Kind.DEAD and finding.figures.get("parameter_norm") == 0:
        return _ZERO
    return _DETAILS[finding.kind]


def _rule(kind: Kind) -> Said:
    on, off = modules.PATIENCE.get(kind, (losses.PATIENCE, losses.PATIENCE))
    if kind in (Kind.LR_HIGH, Kind.LR_LOW):
        on = off = modules.LR_PATIENCE
    return said(_RULES[kind], **_THRESHOLDS, on=on, off=off)


_THRESHOLDS: Mapping[str, str] = {
    "recent": str(losses.RECENT),
    "diverges": f"{losses.DIVERGES_AT:g}",
    "calms": f"{losses.CALMS_AT:g}",
    "overfits": f"{losses.OVERFITS_AT:g}",
    "recovers": f"{losses.RECOVERS_AT:g}",
    "still": f"{losses.STILL_AT:.1%}",
    "moves": f"{losses.MOVES_AT:.1%}",
    "finite": str(losses.FINITE_AFTER),
    "vanished": f"{modules.VANISHED_AT:g}",
    "back": f"{modules.BACK_AT:g}",
    "exploded": f"{modules.EXPLODED_AT:g}",
    "calm": f"{modules.CALM_AT:g}",
    "high": f"{modules.HIGH_RATIO:g}",
    "fine_high": f"{modules.FINE_HIGH:g}",
    "low": f"{modules.LOW_RATIO:g}",
    "fine_low": f"{modules.FINE_LOW:g}",
}
_RULES: Mapping[Kind, str] = {
    Kind.NONFINITE: N_("A loss is NaN or infinite; over when %(finite)s looks in a row saw only finite ones."),
    Kind.DIVERGING: N_(
        "The median of the last %(recent)s losses is over %(diverges)s times the lowest at %(on)s looks in a row; over "
        "when it is under %(calms)s times at %(off)s."
    ),
    Kind.OVERFITTING: N_(
        "The median of the last %(recent)s validation losses is over %(overfits)s times the lowest at %(on)s looks in "
        "a row, that of the losses is not; over when it is under %(recovers)s times at %(off)s."
    ),
    Kind.PLATEAU: N_(
        "The lowest loss fell by no more than %(still)s in the last quarter of the epochs, at %(on)s looks in a row; "
        "over when it falls by %(moves)s at %(off)s."
    ),
    Kind.NO_GRADIENT: N_("grad is None for all its parameters; over when it has one at %(off)s looks in a row."),
    Kind.FROZEN: N_("grad is None for all its parameters, and none of them requires one."),
    Kind.DEAD: N_("The gradient norm is exactly 0 at %(on)s looks in a row, and not that of all modules."),
    Kind.NOT_MOVING: N_("The gradient norm is over 0 and the update ratio is exactly 0, at %(on)s looks in a row."),
    Kind.VANISHING: N_(
        "The gradient norm is under %(vanished)s of the largest at %(on)s looks in a row; over when it is over "
        "%(back)s of it at %(off)s."
    ),
    Kind.EXPLODING: N_(
        "The gradient norm is over %(exploded)s times what is usual for the module at %(on)s looks in a row; over when "
        "it is under %(calm)s times at %(off)s."
    ),
    Kind.LR_HIGH: N_(
        "The median update ratio is over %(high)s at %(on)s looks in a row; over when it is under %(fine_high)s at "
        "%(off)s."
    ),
    Kind.LR_LOW: N_(
        "The median update ratio is under %(low)s at %(on)s looks in a row; over when it is over %(fine_low)s at "
        "%(off)s."
    ),
}
