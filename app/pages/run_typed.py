"""What was typed into the form of a run: read as a config, or shown again with each problem at its field."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from app.errors import Invalid, Misfit, ModuletreeError
from app.pages.forms import invalid
from app.training.config import MAX_EPOCHS, EarlyStopping, RunConfig
from app.training.data import CsvData, Data, LineData, PolynomialData, SineData, TableData
from app.translation import said

FUNCTIONS: Mapping[str, type[LineData | PolynomialData | SineData]] = {
    "line": LineData,
    "polynomial": PolynomialData,
    "sine": SineData,
}
WORDS = {"True": True, "False": False, "None": None, "true": True, "false": False, "null": None}
# What is kept of modules where nobody says it: that takes a moment, however long the run.
MOST_WATCHED = 1_000
WATCHED_EPOCHS = 500
_KEY = re.compile(r"\s*([A-Za-z_]\w*)\s*[=:]\s*")
_INNER = {"optimizer_args", "loss_args", "lr_scheduler_args", "frozen"}


def config_of(typed: Mapping[str, str], num_modules: int) -> RunConfig:
    """Return the hyperparameters in the form, for a tree of so many modules; raises `Invalid` with every misfit.

    What is empty has its default, but for the statistics of modules: those are kept as suits.
    """
    form = _Typed(typed)
    given: dict[str, Any] = {
        **form.read(_whole, "epochs", "seed", "batch_size", "module_stats_every", "checkpoint_every"),
        **form.read(_real, "lr", "validation_split"),
        **form.read(_arguments, "optimizer_args", "loss_args", "lr_scheduler_args"),
        **form.read(str.strip, "optimizer", "loss", "lr_scheduler", "step"),
        **form.read(_targets, "frozen"),
        "data": _data(form),
        "early_stopping": _stopping(form),
        # A form without the field says nothing of it; one with it leaves out what is not ticked.
        "shuffle": "shuffle" in typed or "batch_size" not in typed,
    }
    if form.problems:
        raise invalid(form.problems)
    config = RunConfig(**given)
    return config if "module_stats_every" in given else watched(config, num_modules)


def watched(config: RunConfig, num_modules: int) -> RunConfig:
    """Return the config with as many statistics of modules as suits a tree of so many: their colours show the run."""
    return replace(config, module_stats_every=suiting_every(num_modules, config.epochs))


def suiting_every(num_modules: int, epochs: int) -> int:
    """Return after how many epochs statistics of so many modules cost little; 0, never, for a large tree."""
    # So many epochs that they are refused are no reason to refuse the statistics too.
    counted = min(max(epochs, 0), MAX_EPOCHS)
    return -(-counted // WATCHED_EPOCHS) if num_modules <= MOST_WATCHED else 0


class _Typed:
    """The texts of a form, and what is wrong with those that were read so far."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.problems: list[tuple[str, str]] = []

    def text(self, name: str) -> str:
        return self.typed.get(name, "").strip()

    def read(self, how: Callable[[str], Any], *names: str) -> dict[str, Any]:
        """What is typed into the fields of these names; what is empty is left out."""
        found = {}
        for name in names:
            if text := self.text(name):
                try:
                    found[name] = how(text)
                except ValueError as error:
                    self.problems.append((name, str(error)))
        return found


def _whole(text: str) -> int:
    try:
        return int(_plain(text))
    except ValueError:
        raise ValueError(said("expected a whole number, got %(text)s", text=repr(text[:40]))) from None


def _real(text: str) -> float:
    try:
        return float(_plain(text))
    except ValueError:
        raise ValueError(said("expected a number, got %(text)s", text=repr(text[:40]))) from None


def _plain(text: str) -> str:
    return text.replace("−", "-").replace(",", "")


def _reals(text: str) -> tuple[float, ...]:
    return tuple(_real(part) for part in re.split(r"[,;\s]+", text.strip().strip("[]()")) if part)


def _rows(text: str) -> tuple[tuple[float, ...], ...]:
    return tuple(_reals(line) for line in text.splitlines() if line.strip())


def _targets(text: str) -> tuple[str, ...]:
    # The root's target is empty: it can be said as ''.
    return tuple(part.strip().strip("'\"") for part in re.split(r"[,\n]", text) if part.strip())


def _columns(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _arguments(text: str) -> dict[str, object]:
    """Read `momentum=0.9, betas=[0.9, 0.99]`."""
    found: dict[str, object] = {}
    for part in _parts(text):
        key = _KEY.match(part)
        if key is None:
            raise ValueError(said("expected name=value, got %(text)s", text=repr(part.strip()[:40])))
        found[key[1]] = _value(part[key.end() :].strip())
    return found


def _parts(text: str) -> list[str]:
    """The text parted at commas that stand in no brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[(") - (char in "])")
        if char in ",\n" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part.strip()]


def _value(text: str) -> object:
    if text in WORDS:
        return WORDS[text]
    if text[:1] in ("[", "("):
        return [_value(part.strip()) for part in _parts(text.strip("[]()"))]
    try:
        value: object = json.loads(text.replace("−", "-"))
    except ValueError:
        # Python's way of writing some numbers, and words without quotes.
        return _real_or_word(text.strip("'\""))
    return value


def _real_or_word(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _data(form: _Typed) -> Data:
    kind = form.text("kind") or "line"
    if kind == "table":
        found = form.read(_rows, "table_x", "table_y")
        return TableData(found.get("table_x", ()), found.get("table_y", ()))
    if kind == "csv":
        found = form.read(_columns, "csv_x", "csv_y")
        missing = form.text("missing") or "refuse"
        x, y = found.get("csv_x", ()), found.get("csv_y", ())
        return CsvData(form.text("upload"), x, y, missing, "standardize" in form.typed)
    made = FUNCTIONS.get(kind)
    if made is None:
        form.problems.append(("kind", said("expected one of %(known)s", known=", ".join((*FUNCTIONS, "table", "csv")))))
        return LineData()
    values = {
        **form.read(_whole, "count", "noise_seed"),
        **form.read(_reals, "coefficients"),
        **form.read(_real, "slope", "intercept", "amplitude", "frequency", "phase", "offset", "start", "stop", "noise"),
    }
    return made(**{name: value for name, value in values.items() if name in made.__struct_fields__})


def _stopping(form: _Typed) -> EarlyStopping | None:
    found = {**form.read(_whole, "patience"), **form.read(_real, "min_delta")}
    return EarlyStopping(monitor=form.text("monitor") or "loss", **found) if "patience" in found else None


def placed(error: ModuletreeError, typed: Mapping[str, str]) -> ModuletreeError:
    """Return the error with the misfits of a config at the fields of the form."""
    if not isinstance(error, Invalid):
        return error
    kind = typed.get("kind") or "line"
    return Invalid(error.detail, tuple(_placed(misfit, kind) for misfit in error.errors))


def _placed(misfit: Misfit, kind: str) -> Misfit:
    match misfit.loc:
        case ("data", ("x" | "y") as axis, *_rest) if kind in ("table", "csv"):
            return Misfit((f"{kind}_{axis}",), _at(misfit, misfit.loc[2:] if kind == "table" else ()))
        case ("data",):
            return Misfit(("kind",), misfit.msg)
        case ("data", name, *_rest):
            return Misfit((name,), misfit.msg)
        case ("early_stopping", name):
            return Misfit((name,), misfit.msg)
        case (name, *rest) if name in _INNER:
            return Misfit((name,), _at(misfit, rest if name != "frozen" else ()))
    return misfit


def _at(misfit: Misfit, place: Sequence[str | int]) -> str:
    """What is wrong, behind the argument or the line that it is wrong with."""
    if not place:
        return misfit.msg
    if isinstance(place[0], int):
        return said("line %(line)s: %(msg)s", line=place[0] + 1, msg=misfit.msg)
    return said("%(name)s: %(msg)s", name=place[0], msg=misfit.msg)


def joined(arguments: Mapping[str, object]) -> str:
    """Return arguments as they are typed: `momentum=0.9, nesterov=true`."""
    return ", ".join(f"{name}={_text(value)}" for name, value in arguments.items())


def _text(value: object) -> str:
    if isinstance(value, str) and value not in WORDS and re.fullmatch(r"[A-Za-z_]\w*", value):
        return value
    return json.dumps(value)


def spelled(targets: Sequence[str]) -> str:
    """Return targets as they are typed: `sub1, sub2`."""
    return ", ".join(target or "''" for target in targets)


def number_text(value: float) -> str:
    """Return a number as short as it can be read back."""
    return short if float(short := f"{value:g}") == value else repr(value)
