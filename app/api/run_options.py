"""What a run may be asked: optimizers, losses, schedules with their arguments, and kinds of data."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from app.api.answers import JSON
from app.api.documents import view
from app.api.run_data import KINDS
from app.training import losses, optimizers, schedules
from app.training.arguments import Argument
from app.training.config import MAX_EPOCHS, MONITORS, STEPS

router = APIRouter(prefix="/api", tags=["Runs"])


class Option(BaseModel):
    """An argument, in torch's words; without a `default` it is required."""

    name: str
    type: str
    required: bool
    default: Any = Field(description="null where it is required, too.")
    choices: list[str] = Field(description="The words that it may be, if there are no others.")


class OptionClass(BaseModel):
    """A class of torch, and the arguments that it takes besides those a run gives it anyway."""

    name: str
    arguments: list[Option]


class RunOptions(BaseModel):
    """What a run may be asked."""

    optimizers: list[OptionClass] = Field(description="Of `torch.optim`; `lr` is an argument of the run.")
    losses: list[OptionClass] = Field(description="Of `torch.nn`.")
    lr_schedulers: list[OptionClass] = Field(description="Of `torch.optim.lr_scheduler`.")
    data: list[OptionClass] = Field(description="The kinds of data.")
    steps: list[str]
    monitors: list[str]
    max_epochs: int


EXAMPLE = {
    "optimizers": [
        {
            "name": "SGD",
            "arguments": [{"name": "momentum", "type": "float", "required": False, "default": 0, "choices": []}],
        }
    ],
    "losses": [
        {
            "name": "L1Loss",
            "arguments": [
                {"name": "reduction", "type": "str", "required": False, "default": "mean", "choices": ["mean", "sum"]}
            ],
        }
    ],
    "lr_schedulers": [
        {
            "name": "ExponentialLR",
            "arguments": [{"name": "gamma", "type": "float", "required": True, "default": None, "choices": []}],
        }
    ],
    "data": [
        {
            "name": "line",
            "arguments": [{"name": "slope", "type": "float", "required": False, "default": 2.0, "choices": []}],
        }
    ],
    "steps": ["autograd", "fused"],
    "monitors": ["loss", "validation_loss"],
    "max_epochs": MAX_EPOCHS,
}


@view(
    router,
    "/run_options",
    response_model=RunOptions,
    responses={200: {"content": {JSON: {"example": EXAMPLE}}}},
)
def run_options() -> Response:
    """Every optimizer, loss function, schedule and kind of data, with the arguments that each takes."""
    found = {
        "optimizers": _classes(optimizers.ARGUMENTS),
        "losses": _classes(losses.ARGUMENTS),
        "lr_schedulers": _classes(schedules.ARGUMENTS),
        "data": _data_kinds(),
        "steps": STEPS,
        "monitors": MONITORS,
        "max_epochs": MAX_EPOCHS,
    }
    return Response(msgspec.json.encode(found), headers={"cache-control": "no-cache"}, media_type=JSON)


def _classes(known: Mapping[str, tuple[Argument, ...]]) -> list[dict[str, object]]:
    return [
        {"name": name, "arguments": [_argument(argument) for argument in arguments]}
        for name, arguments in known.items()
    ]


def _argument(argument: Argument) -> dict[str, object]:
    return {
        "name": argument.name,
        "type": argument.type,
        "required": argument.is_required,
        "default": None if argument.is_required else argument.default,
        "choices": argument.choices,
    }


def _data_kinds() -> list[dict[str, object]]:
    return [
        {
            "name": kind,
            "arguments": [_field(name, field) for name, field in model.model_fields.items() if name != "kind"],
        }
        for kind, model in KINDS.items()
    ]


def _field(name: str, field: FieldInfo) -> dict[str, object]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    plain = field.annotation in (bool, int, float, str)
    return {
        "name": name,
        "type": getattr(field.annotation, "__name__", "") if plain else str(field.annotation),
        "required": field.is_required(),
        "default": None if field.is_required() else field.get_default(call_default_factory=True),
        "choices": extra.get("enum", ()),
    }
