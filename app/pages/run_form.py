"""The form that starts a run: the tutorial's few fields, those of the chosen data, and more."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.errors import ModuletreeError
from app.pages import filters
from app.pages.data_fields import DataField, data_fields
from app.pages.forms import Field, problems_of, typed_into
from app.pages.run_typed import (
    MOST_WATCHED,
    WATCHED_EPOCHS,
    joined,
    number_text,
    placed,
    spelled,
    suiting_every,
)
from app.storage.data_files import DataFiles
from app.training import losses, optimizers, schedules
from app.training.config import MONITORS, STEPS, RunConfig
from app.training.run import Run
from app.translation import gettext as _
from app.translation import ngettext


@dataclass(frozen=True, slots=True)
class Around:
    """Where a form stands: its tree, the run that is open, the uploads there are, whether a step can be fused."""

    tree_id: str
    num_modules: int
    run: Run | None = None
    data: DataFiles | None = None
    can_fuse: bool = False


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields under a title of their own."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class RunForm:
    """The form: `kind` is the data's, `data` the fields of every kind; `more` is open where something in it is set."""

    title: str
    url: str
    upload_url: str
    submit: str
    about: str
    fields: tuple[Field, ...]
    kind: Field
    data: tuple[DataField, ...]
    more: tuple[FieldGroup, ...]
    is_open: bool
    problem: str = ""

    def filled(self, typed: Mapping[str, str], error: ModuletreeError | None = None) -> "RunForm":
        """Return the form with all that was typed, and each problem at its field."""
        problems = problems_of(placed(error, typed), self._names()) if error else {}

        def fill(field: Field) -> Field:
            return typed_into(field, typed, problems.get(field.name, ""))

        more = tuple(FieldGroup(group.title, tuple(map(fill, group.fields))) for group in self.more)
        return replace(
            self,
            fields=tuple(map(fill, self.fields)),
            kind=fill(self.kind),
            data=tuple(DataField(fill(each.field), each.kinds, each.labels) for each in self.data),
            more=more,
            is_open=self.is_open or any(field.problem for group in more for field in group.fields),
            problem=problems.get("", ""),
        )

    def _names(self) -> set[str]:
        more = [field for group in self.more for field in group.fields]
        return {field.name for field in (*self.fields, self.kind, *(each.field for each in self.data), *more)}


def start_form(around: Around, config: RunConfig, upload: str = "") -> RunForm:
    """Return the form with the hyperparameters of the last run, or the tutorial's; `upload` is the file just sent."""
    run = around.run
    train = ngettext("Train %(num)s epoch", "Train %(num)s epochs", config.epochs, num=filters.exact(config.epochs))
    kind, data = data_fields(config.data, around.data, upload)
    more = tuple(_more(config, around))
    return RunForm(
        title=_("Hyperparameters"),
        url=f"/trees/{around.tree_id}/runs",
        upload_url=f"/trees/{around.tree_id}/run_data",
        submit=_("Run again with changes") if run else train,
        about=_fixed(run),
        fields=(
            Field("epochs", "epochs", str(config.epochs), "number"),
            Field("lr", "lr", number_text(config.lr), "number"),
            Field("optimizer", "optimizer", config.optimizer, "choice", tuple(optimizers.OPTIMIZERS)),
            Field("loss", "loss", config.loss, "choice", tuple(losses.LOSSES)),
            Field("seed", "seed", "" if config.seed is None else str(config.seed), "number", placeholder=_("none")),
        ),
        kind=kind,
        data=data,
        more=more,
        is_open=_is_more(config, around),
    )


def _is_more(config: RunConfig, around: Around) -> bool:
    plain = RunConfig()
    few = {"epochs", "lr", "optimizer", "loss", "seed", "data", "module_stats_every"}
    # Statistics as suit, and none, are what nobody asked for.
    return _stats_every(config, around) not in ("", "0") or any(
        getattr(config, name) != getattr(plain, name) for name in config.__struct_fields__ if name not in few
    )


def _more(config: RunConfig, around: Around) -> list[FieldGroup]:
    return [
        FieldGroup(
            _("Arguments"),
            (
                Field("optimizer_args", "optimizer_args", joined(config.optimizer_args), placeholder="momentum=0.9"),
                Field("loss_args", "loss_args", joined(config.loss_args), placeholder="reduction=sum"),
            ),
        ),
        FieldGroup(_("Learning rate"), _schedule_fields(config)),
        FieldGroup(_("Batches and validation"), _batch_fields(config)),
        FieldGroup(_("Early stopping"), _stopping_fields(config)),
        FieldGroup(_("The run"), _run_fields(config, around)),
    ]


def _schedule_fields(config: RunConfig) -> tuple[Field, ...]:
    known = ("", *schedules.LR_SCHEDULERS)
    args = joined(config.lr_scheduler_args)
    return (
        Field("lr_scheduler", "lr_scheduler", config.lr_scheduler or "", "choice", known, placeholder=_("none")),
        Field("lr_scheduler_args", "lr_scheduler_args", args, placeholder="step_size=10"),
    )


def _batch_fields(config: RunConfig) -> tuple[Field, ...]:
    size = "" if config.batch_size is None else str(config.batch_size)
    split = number_text(config.validation_split) if config.validation_split else ""
    return (
        Field("batch_size", "batch_size", size, "number", placeholder=_("all points")),
        Field("shuffle", "shuffle", "on" if config.shuffle else "", "check"),
        Field("validation_split", "validation_split", split, "number", placeholder="0"),
    )


def _stopping_fields(config: RunConfig) -> tuple[Field, ...]:
    stopping = config.early_stopping
    patience = str(stopping.patience) if stopping else ""
    delta = number_text(stopping.min_delta) if stopping and stopping.min_delta else ""
    return (
        Field("patience", "patience", patience, "number", placeholder=_("never")),
        Field("min_delta", "min_delta", delta, "number", placeholder="0"),
        Field("monitor", "monitor", stopping.monitor if stopping else MONITORS[0], "choice", MONITORS),
    )


def _run_fields(config: RunConfig, around: Around) -> tuple[Field, ...]:
    checkpoint = str(config.checkpoint_every or "")
    hint = _(
        "empty: up to %(epochs)s times in a run, in trees of up to %(modules)s modules; 0: never",
        epochs=filters.exact(WATCHED_EPOCHS),
        modules=filters.exact(MOST_WATCHED),
    )
    steps = STEPS if around.can_fuse or config.step == "fused" else STEPS[:1]
    return (
        Field("frozen", "frozen", spelled(config.frozen), placeholder=_("no module"), hint=_("targets")),
        Field(
            "module_stats_every",
            _("statistics every"),
            _stats_every(config, around),
            "number",
            hint=hint,
            placeholder=_("as suits"),
        ),
        Field("checkpoint_every", _("checkpoint every"), checkpoint, "number", placeholder=_("never")),
        Field("step", "step", config.step, "choice", steps),
    )


def _stats_every(config: RunConfig, around: Around) -> str:
    every = config.module_stats_every
    return "" if every == suiting_every(around.num_modules, config.epochs) else str(every)


def _fixed(run: Run | None) -> str:
    """What the fields do not change: the run that is under way."""
    if run is None or not run.status.is_active:
        return ""
    return _(
        "Run #%(number)s is fixed while it runs. When it succeeds, its parameters become the next revision.",
        number=run.number,
    )
