"""What went into and came out of a module, as words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.pages.marks import shape_text
from app.trees.trace import Trace
from app.trees.traced_values import Traced

MOST_TENSORS = 6


@dataclass(frozen=True, slots=True)
class TensorText:
    """A tensor that went in or out; `dtype` is "" where it goes without saying."""

    name: str
    shape: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Values:
    """The first of the tensors, how many more there are, and what is no tensor in one line."""

    tensors: tuple[TensorText, ...] = ()
    num_more: int = 0
    others: str = ""


def common_dtype(trace: Trace) -> str:
    """Return the dtype that most tensors have which came out of a module, "" where there are none."""
    dtypes = Counter(value.dtype for values in trace.outputs for value in values if value.dtype)
    return dtypes.most_common(1)[0][0] if dtypes else ""


def values_text(values: Sequence[Traced], dtype: str) -> Values:
    """Return values as they are shown, what is None left out; `dtype` goes without saying."""
    told = [value for value in values if value.class_name != "NoneType"]
    has_one = len(told) == 1 and told[0].name == "0"
    named = [(value, "" if has_one else value.name) for value in told]
    tensors = [
        TensorText(name, shape_text(value.shape), value.dtype if value.dtype != dtype else "")
        for value, name in named
        if value.dtype
    ]
    others = [
        " ".join(filter(None, (name, value.text or value.class_name))) for value, name in named if not value.dtype
    ]
    return Values(tuple(tensors[:MOST_TENSORS]), max(0, len(tensors) - MOST_TENSORS), ", ".join(others))
