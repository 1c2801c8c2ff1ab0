"""Every hyperparameter of a run as an option, and the config that the options make.

Only what was named goes into the config: the defaults, and what is allowed, are the server's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.commands.arguments import shortened
from app.errors import Invalid
from app.options import knob, takes

NAME_VALUE = "NAME=VALUE"
WORDS = {"True": True, "False": False, "None": None}

KNOBS = [
    knob("epochs", int, "How many epochs; 10 where left out, as in the tutorial.", "N"),
    knob("lr", float, "Learning rate; 0.01 where left out.", "RATE"),
    knob("optimizer", str, "Class of torch.optim; SGD where left out.", "NAME"),
    knob(
        "optimizer_arg", list[str], "Further argument of the optimizer, such as momentum=0.9. Repeatable.", NAME_VALUE
    ),
    knob("loss", str, "Class of torch.nn; MSELoss where left out.", "NAME"),
    knob("loss_arg", list[str], "Argument of the loss, such as reduction=sum. Repeatable.", NAME_VALUE),
    knob("lr_scheduler", str, "Class of torch.optim.lr_scheduler.", "NAME"),
    knob("lr_scheduler_arg", list[str], "Argument of the schedule, such as step_size=30. Repeatable.", NAME_VALUE),
    knob("seed", int, "For torch.manual_seed, before the first epoch.", "N"),
    knob(
        "data",
        str,
        'What to learn from, as JSON: \'{"kind": "line", "slope": 2, "intercept": 1, "count": 10}\', the default; '
        "a kind alone, such as sine, takes the defaults of that kind.",
        "JSON",
    ),
    knob("csv", Path, "A CSV file to learn from, with --x and --y.", "FILE"),
    knob("x", list[str], "Column of --csv to predict from. Repeatable.", "COLUMN"),
    knob("y", list[str], "Column of --csv to predict. Repeatable.", "COLUMN"),
    knob("batch_size", int, "Points of a step; all at once where left out.", "N"),
    knob("no_shuffle", bool, "Take the batches in the order of the points."),
    knob(
        "validation_split", float, "Share of the points that is kept from training and has a loss of its own.", "SHARE"
    ),
    knob("early_stopping", int, "Stop when the loss has not fallen for so many epochs.", "EPOCHS"),
    knob("min_delta", float, "By how much it has to fall, for --early-stopping.", "LOSS"),
    knob("monitor", str, "Which loss, for --early-stopping.", "loss|validation_loss"),
    knob("frozen", list[str], "Target that is left as it is, with all below it. Repeatable.", "PATH"),
    knob("module_stats_every", int, "Norms of all modules every so many epochs.", "EPOCHS"),
    knob("checkpoint_every", int, "A checkpoint every so many epochs, to go on from.", "EPOCHS"),
    knob("step", str, "How a step is taken: fused is faster, where the tree allows it.", "autograd|fused"),
]
takes_hyperparameters = takes("given", KNOBS)

# Named in the config as they are here.
PLAIN = (
    "epochs", "lr", "optimizer", "loss", "lr_scheduler", "seed", "batch_size", "validation_split", "frozen",
    "module_stats_every", "checkpoint_every", "step",
)  # fmt: skip
WITH_ARGUMENTS = ("optimizer", "loss", "lr_scheduler")


def config_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config that options make, but for a CSV file, which has to be where the server is.

    Raises `Invalid` for options that do not fit together or hold no JSON where it belongs.
    """
    config = {name: given[name] for name in PLAIN if given[name] not in (None, ())}
    config |= {
        f"{name}_args": _arguments(name, given[f"{name}_arg"]) for name in WITH_ARGUMENTS if given[f"{name}_arg"]
    }
    if given["no_shuffle"]:
        config["shuffle"] = False
    if given["data"] is not None:
        config["data"] = _data(given["data"])
    if stopping := _early_stopping(given):
        config["early_stopping"] = stopping
    _check_csv(given)
    return config


def _arguments(name: str, texts: Sequence[str]) -> dict[str, Any]:
    option = f"--{name.replace('_', '-')}-arg"
    arguments = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise Invalid(f"{option} is {shortened(text)}, expected NAME=VALUE.")
        arguments[key] = _value(value)
    return arguments


def _value(text: str) -> Any:
    """Return what a text says in JSON or as a word of Python, or else itself."""
    try:
        return WORDS[text] if text in WORDS else msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _data(text: str) -> dict[str, Any]:
    if text.isidentifier():
        return {"kind": text}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(f"--data is {shortened(text)}, expected a JSON object or the name of a kind: {error}.") from error


def _early_stopping(given: Mapping[str, Any]) -> dict[str, Any]:
    more = {name: given[name] for name in ("min_delta", "monitor") if given[name] is not None}
    if given["early_stopping"] is None:
        if more:
            raise Invalid("--min-delta and --monitor go with --early-stopping EPOCHS.")
        return {}
    return {"patience": given["early_stopping"], **more}


def _check_csv(given: Mapping[str, Any]) -> None:
    if given["csv"] is None:
        if given["x"] or given["y"]:
            raise Invalid("--x and --y name columns of a file: --csv FILE.")
        return
    if given["data"] is not None:
        raise Invalid("--data and --csv are two things to learn from: name one.")
    if not given["x"] or not given["y"]:
        raise Invalid("--csv needs the columns to learn from: --x COLUMN and --y COLUMN, each as often as need be.")
    if not given["csv"].is_file():
        raise Invalid(f"There is no file {str(given['csv'])!r}.")
