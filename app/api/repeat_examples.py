"""Examples of what repeats and what it costs: the tutorial's tree, as this server answers about it."""

from typing import Any

FOLDED = {
    "num_places": 3,
    "rows": [
        {
            "depth": 0,
            "row": 0,
            "label": "",
            "class_name": "LinearModel",
            "extra_repr": "",
            "count": 1,
            "num_distinct": 1,
            "num_children": 1,
            "num_parameters": 6,
            "num_trainable": 6,
            "num_buffers": 0,
            "num_bytes": 24,
            "total_parameters": 6,
            "total_trainable": 6,
            "total_buffers": 0,
            "total_bytes": 24,
            "shape_id": "6b86b273ff34fce1",
        }
    ],
}
FOLDED_TEXT = """\
GPT2Model(
  (wte): Embedding(50257, 768)
  (wpe): Embedding(1024, 768)
  (drop): Dropout(p=0.1, inplace=False)
  (h): ModuleList(
    (0-11): 12 x GPT2Block(...)
  )
  (ln_f): LayerNorm((768,), eps=1e-05, elementwise_affine=True)
)"""

_PARAMETERS = [["weight", [1], "float32"], ["bias", [1], "float32"]]
SHAPES = {
    "shapes": [
        {
            "class": "LinearModel",
            "extra_repr": "",
            "parameters": _PARAMETERS,
            "buffers": [["buf", [1], "int64"]],
            "children": [["sub1", 1]],
            "module": "app.trees.linear",
        },
        {
            "class": "LinearModel",
            "extra_repr": "",
            "parameters": _PARAMETERS,
            "buffers": [],
            "children": [["sub1..sub10", 2]],
        },
        {"class": "LinearModel", "extra_repr": "", "parameters": _PARAMETERS, "buffers": [], "children": []},
    ],
    "root": 0,
    "bits": {"float32": 32, "int64": 64},
    "shared": [],
    "no_grad": [[1, 11]],
}


def _counted(value: int, how: str) -> dict[str, Any]:
    return {"value": value, "how": how}


RECEIPT = {
    "parameters": _counted(6, "every distinct parameter once: sum(p.numel() for p in module.parameters())"),
    "listed": _counted(
        6,
        "every name: a parameter that is tied or in a shared module counts again under each "
        "(named_parameters(remove_duplicate=False))",
    ),
    "stored": None,
    "trainable": _counted(6, "distinct parameters with requires_grad"),
    "frozen": _counted(0, "distinct parameters without requires_grad"),
    "persistent": _counted(1, "distinct buffers that the state dict holds"),
    "other_buffers": _counted(0, "distinct buffers that the state dict leaves out"),
    "num_bytes": _counted(32, "elements times the size of the dtype, every distinct tensor once"),
    "num_tied": _counted(0, "names beyond the first that parameters have"),
    "no_shape": _counted(0, "distinct tensors that get their shape with the first input; they count as no elements"),
    "by_dtype": [
        {"dtype": "float32", "num_tensors": 6, "num_elements": 6, "num_bytes": 24},
        {"dtype": "int64", "num_tensors": 1, "num_elements": 1, "num_bytes": 8},
    ],
}
