"""Options of training, and the config that they make."""

from typing import Any

import pytest

from app.commands.hyperparameters import KNOBS, config_of
from app.errors import Invalid
from app.training.config import RunConfig

NONE: dict[str, Any] = {knob.name: None for knob in KNOBS}
ALL: dict[str, Any] = {
    "epochs": 7, "lr": 0.5, "optimizer": "Adam", "optimizer_arg": ("betas=[0.9, 0.99]", "amsgrad=True"),
    "loss": "HuberLoss", "loss_arg": ("delta=2", "reduction=sum"), "lr_scheduler": "StepLR",
    "lr_scheduler_arg": ("step_size=3",), "seed": 0,
    "data": '{"kind": "sine", "count": 5}', "batch_size": 2, "no_shuffle": True, "validation_split": 0.0,
    "early_stopping": 5, "min_delta": 0.1, "monitor": "validation_loss", "frozen": ("sub1",), "module_stats_every": 1,
    "checkpoint_every": 2, "step": "fused",
}  # fmt: skip


def test_what_was_not_named_is_left_to_the_server() -> None:
    assert config_of(NONE) == {}


def test_every_field_of_a_config_has_its_option() -> None:
    config = config_of(NONE | ALL)
    assert set(config) == set(RunConfig.__struct_fields__) - {"executor"}
    assert config["optimizer_args"] == {"betas": [0.9, 0.99], "amsgrad": True}
    assert config["loss_args"] == {"delta": 2, "reduction": "sum"}
    assert config["data"] == {"kind": "sine", "count": 5}
    assert config["early_stopping"] == {"patience": 5, "min_delta": 0.1, "monitor": "validation_loss"}
    assert (config["shuffle"], config["seed"], config["frozen"]) == (False, 0, ("sub1",))


def test_a_kind_of_data_alone_takes_its_defaults() -> None:
    assert config_of(NONE | {"data": "sine"}) == {"data": {"kind": "sine"}}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"optimizer_arg": ("momentum",)}, "--optimizer-arg is 'momentum', expected NAME=VALUE"),
        ({"lr_scheduler_arg": ("=1",)}, "--lr-scheduler-arg is '=1', expected NAME=VALUE"),
        ({"data": "[1]"}, "expected a JSON object or the name of a kind"),
        ({"data": "{" * 100_000}, "expected a JSON object"),
        ({"min_delta": 1.0}, "go with --early-stopping"),
        ({"x": ("a",)}, "--x and --y name columns of a file"),
        ({"csv": None, "y": ("a",)}, "--csv FILE"),
    ],
)
def test_options_that_do_not_fit_are_refused(named: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as caught:
        config_of(NONE | named)
    assert said in caught.value.detail
    assert len(caught.value.detail) < 300
