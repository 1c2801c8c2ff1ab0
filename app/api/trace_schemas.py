"""What a trace answers, as Pydantic models, with an example; the bytes come from the rows of `app.trees`."""

from typing import Any

from pydantic import Field

from app.api.documents import PROBLEM
from app.api.schemas import Answer


def _tensor(name: str, *shape: int, dtype: str = "float32") -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "dtype": dtype}


_IDS = {"dtype": "int64"}

# The first modules of GPT-2.
EXAMPLE: dict[str, Any] = {
    "given": [{"shape": [1, 16], "dtype": "int64", "name": "input_ids"}],
    "row": [0, 1, 2, 3, 4],
    "path": ["", "transformer", "transformer.wte", "transformer.wpe", "transformer.drop"],
    "class_name": ["GPT2LMHeadModel", "GPT2Model", "Embedding", "Embedding", "Dropout"],
    "order": [0, 1, 2, 3, 4],
    "calls": [1, 1, 1, 1, 1],
    "varies": [False, False, False, False, False],
    "is_done": [True, True, True, True, True],
    "inputs": [
        [_tensor("input_ids", 1, 16, **_IDS)],
        [_tensor("0", 1, 16, **_IDS), {"name": "attention_mask", "class_name": "NoneType", "text": "None"}],
        [_tensor("0", 1, 16, **_IDS)],
        [_tensor("0", 1, 16, **_IDS)],
        [_tensor("0", 1, 16, 768)],
    ],
    "outputs": [
        [_tensor("logits", 1, 16, 50257), {"name": "past_key_values", "class_name": "DynamicCache"}],
        [_tensor("last_hidden_state", 1, 16, 768), {"name": "past_key_values", "class_name": "DynamicCache"}],
        [_tensor("", 1, 16, 768)],
        [_tensor("", 1, 16, 768)],
        [_tensor("", 1, 16, 768)],
    ],
    "flops": [3962462208, 2727346176, 0, 0, 0],
    "macs": [1981231104, 1363673088, 0, 0, 0],
    "own_flops": [0, 0, 0, 0, 0],
    "total_flops": 3962462208,
    "total_macs": 1981231104,
    "flops_per_mac": 2,
    "num_uncalled": 13,
    "uncalled": [5, 11, 24, 37, 50, 63, 76, 89, 102, 115, 128, 141, 154],
    "notes": [],
    "stopped": None,
}

TOO_MANY: dict[str, Any] = {
    "description": "Too many traces wait already",
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "example": 5}},
    "content": {
        PROBLEM: {
            "example": {
                "type": "about:blank",
                "title": "Too Many Requests",
                "status": 429,
                "detail": "32 traces wait for their turn already; ask again in some seconds.",
            }
        }
    },
}


class TraceInput(Answer):
    """One tensor that a forward was given."""

    shape: list[int]
    dtype: str
    name: str = Field(description='Its keyword, "" for one that was given by position.')


class Traced(Answer):
    """A value that went in or out: a tensor by shape and dtype, anything else by its class and a short text."""

    name: str = Field(description='Its place: "0", "hidden_states", "past.1.key"; "" for a lone output.')
    shape: list[int] | None = None
    dtype: str = ""
    class_name: str = ""
    text: str = ""


class TraceStop(Answer):
    """Where a forward stopped: the innermost module that was being called, and what had come in."""

    row: int
    path: str
    class_name: str
    inputs: list[Traced]
    error: str
    where: str = Field(description="The line of the model's own code, where it is known.")


class Trace(Answer):
    """The modules that a forward called, by column, in pre-order; a shared one at its first place."""

    given: list[TraceInput]
    row: list[int] = Field(description="In pre-order of all places, as in the skeleton.")
    path: list[str]
    class_name: list[str]
    order: list[int] = Field(description="The number of the first call, from 0.")
    calls: list[int]
    varies: list[bool] = Field(description="Whether a later call had other shapes than the first, which is told.")
    is_done: list[bool] = Field(description="False where the forward stopped inside the module.")
    inputs: list[list[Traced]]
    outputs: list[list[Traced]]
    flops: list[int] = Field(description="Of all calls, with all that they called in turn.")
    macs: list[int] = Field(description="`flops` over `flops_per_mac`.")
    own_flops: list[int] = Field(description="Of all calls, without what they called.")
    total_flops: int
    total_macs: int
    flops_per_mac: int
    num_uncalled: int = Field(description="Distinct modules that were not called by themselves: containers, mostly.")
    uncalled: list[int] = Field(description="The first rows of those, at most 100.")
    notes: list[str] = Field(description="What was warned of.")
    stopped: TraceStop | None
