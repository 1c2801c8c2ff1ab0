"""What calls answer that is not the tree, as Pydantic models: apply's functions, load_state_dict, forward."""

from typing import Any

from app.api.schemas import Answer, NestedValues, NestedWords, Page


class ApplyArgument(Answer):
    """An argument of a function that `apply` takes; `default` is null where it is `required`."""

    name: str
    kind: str
    required: bool
    default: Any


class ApplyFunction(Answer):
    """A function that `apply` takes."""

    name: str
    doc: str
    args: list[ApplyArgument]


class ApplyFunctions(Page):
    """All functions that `apply` takes."""

    items: list[ApplyFunction]


class Mismatched(Answer):
    """A name on both sides with different shapes."""

    name: str
    expected: list[int]
    got: list[int]


class LoadedStateDict(Answer):
    """What `load_state_dict` found: keys that the file lacks, keys that the tree lacks, and tensors that do not fit."""

    missing_keys: list[str]
    unexpected_keys: list[str]
    mismatched: list[Mismatched]
    revision: int


class ForwardOutput(Answer):
    """What the root answered."""

    y: NestedValues
    nonfinite: NestedWords | None = None
