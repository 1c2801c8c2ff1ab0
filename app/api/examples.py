"""The examples in the API's document: the tutorial's tree, as this server answers about it."""

from typing import Any

ROOT: dict[str, Any] = {
    "weight": 0.9385080337524414,
    "bias": 0.5002855658531189,
    "children": {"sub1": {"children": {"sub2_1": {}}}},
}
NEW_TREE = {"name": "linear_model1", "source": {"kind": "linear", "root": ROOT, "seed": 0}}
NEW_GRID = {"name": "a grid", "source": {"kind": "grid", "branching": 2, "depth": 2, "seed": 0}}

TREE = {
    "id": "t_ab2cd3ef4g",
    "name": "linear_model1",
    "source": NEW_TREE["source"],
    "revision": 1,
    "class_name": "LinearModel",
    "num_modules": 3,
    "num_parameters": 6,
    "num_trainable": 6,
    "num_buffers": 0,
    "num_bytes": 24,
    "depth": 2,
    "fingerprint": "5d0c2f2a9b7e4c11",
    "can": {"train": True, "edit": True, "forward": True},
    "can_undo": False,
    "can_redo": False,
    "created_at": "2026-01-01T12:00:00Z",
    "updated_at": "2026-01-01T12:00:00Z",
}

MODULE_FACTS = {
    "path": "sub1",
    "class_name": "LinearModel",
    "module": "app.trees.linear",
    "extra_repr": "",
    "training": True,
    "depth": 1,
    "num_children": 1,
    "num_modules": 2,
    "num_parameters": 4,
    "num_trainable": 4,
    "num_buffers": 0,
    "num_bytes": 16,
    "shared_with": None,
    "shape_id": "6b86b273ff34fce1",
}
MODULE = {"name": "sub1", **MODULE_FACTS}

_TENSOR = {
    "shape": [1],
    "dtype": "float32",
    "device": "cpu",
    "numel": 1,
    "num_bytes": 4,
    "shared_with": None,
    "values": [0.9385080337524414],
    "stats": None,
}
PARAMETER_FACTS = {"path": "weight", **_TENSOR, "requires_grad": True}
PARAMETER = {"name": "weight", **PARAMETER_FACTS}
BUFFER_FACTS = {"path": "buf", **_TENSOR, "dtype": "int64", "num_bytes": 8, "values": [4], "persistent": True}
BUFFER = {"name": "buf", **BUFFER_FACTS}

SKELETON = {
    "revision": 1,
    "count": 3,
    "parent": [-1, 0, 1],
    "name": ["", "sub1", "sub2_1"],
    "class": [0, 0, 0],
    "classes": ["LinearModel"],
    "num_parameters": [6, 4, 2],
    "num_trainable": [6, 4, 2],
    "num_buffers": [0, 0, 0],
    "num_bytes": [24, 16, 8],
    "shape": [0, 1, 2],
    "shared_with": [-1, -1, -1],
}
REPR = "LinearModel(\n  (sub1): LinearModel(\n    (sub2_1): LinearModel()\n  )\n)"
CODE = "model = LinearModel(weight=0.9385080337524414, bias=0.5002855658531189)"
STATE_DICT = {"items": [{"name": "weight", "shape": [1], "dtype": "float32"}], "total": 1}
SUMMARY = {
    "rows": [
        {
            "name": "",
            "path": "",
            "class_name": "LinearModel",
            "depth": 0,
            "num_modules": 3,
            "num_parameters": 6,
            "num_trainable": 6,
            "num_buffers": 0,
            "num_bytes": 24,
            "num_hidden": 0,
            "label": "",
            "count": 1,
            "total_parameters": 6,
            "total_trainable": 6,
            "total_buffers": 0,
            "total_bytes": 24,
        }
    ]
}
SUMMARY_TEXT = """\
module         class        parameters  trainable  buffers  bytes
-----------------------------------------------------------------
(root)         LinearModel           6          6        0     24
  sub1         LinearModel           4          4        0     16
    sub2_1     LinearModel           2          2        0      8
"""
SUMMARY_MARKDOWN = """\
| module | class | parameters | trainable | buffers | bytes |
| --- | --- | ---: | ---: | ---: | ---: |
| (root) | LinearModel | 6 | 6 | 0 | 24 |
"""
SUMMARY_LATEX = """\
\\begin{tabular}{llrrrr}
\\hline
module & class & parameters & trainable & buffers & bytes \\\\
\\hline
(root) & \\texttt{LinearModel} & 6 & 6 & 0 & 24 \\\\
\\hline
\\end{tabular}
"""
APPLY_FUNCTIONS = {
    "items": [
        {
            "name": "make_new_weight",
            "doc": "Gives each module a new parameter.",
            "args": [
                {"name": "name", "kind": "a string", "required": False, "default": "weight2"},
                {"name": "value", "kind": "nested numbers", "required": False, "default": [2.0]},
            ],
        }
    ],
    "total": 1,
    "next": None,
}
LOADED = {"missing_keys": [], "unexpected_keys": [], "mismatched": [], "revision": 2}

REFUSED = {
    "type": "about:blank",
    "title": "Conflict",
    "status": 409,
    "detail": "Error(s) in loading state_dict for LinearModel: missing 'bias'. Nothing was changed.",
    "missing_keys": ["bias"],
    "unexpected_keys": [],
    "mismatched": [],
}


def page(item: dict[str, Any]) -> dict[str, Any]:
    """Return a list that holds one item."""
    return {"items": [item], "total": 1, "next": None}


NEW_FACTORY = {
    "name": "transformer",
    "source": {"kind": "factory", "target": "torch.nn:Transformer", "kwargs": {"d_model": 256, "nhead": 8}},
}
GPT2 = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
NEW_CONFIG = {"name": "gpt2", "source": {"kind": "config", "config": GPT2}}
NEW_CHECKPOINT = {"source": {"kind": "checkpoint", "path": "gpt2/model.safetensors"}}
_STRUCTURE_ONLY = {
    "can": {"train": False, "edit": False, "forward": False},
    "created_at": "2026-01-01T12:00:00Z",
    "updated_at": "2026-01-01T12:00:00Z",
    "can_undo": False,
    "can_redo": False,
}
CONFIG_TREE = {
    "id": "t_h2ij3kl4mn",
    "name": "gpt2",
    "source": NEW_CONFIG["source"],
    "revision": 1,
    "class_name": "GPT2LMHeadModel",
    "num_modules": 164,
    "num_parameters": 124_439_808,
    "num_trainable": 124_439_808,
    "num_buffers": 0,
    "num_bytes": 497_759_232,
    "depth": 5,
    "fingerprint": "0f6f1b0c8a1d2e3f",
    **_STRUCTURE_ONLY,
}
CHECKPOINT_TREE = {**CONFIG_TREE, "name": "model.safetensors", "source": NEW_CHECKPOINT["source"]}
ORIGIN = {
    "format": "safetensors",
    "files": [{"name": "model.safetensors", "num_bytes": 548_105_171}],
    "stored_bytes": 548_090_880,
    "metadata": {"format": "pt"},
    "notes": ["Classes are those of GPT2LMHeadModel, from the config.json beside it."],
    "inputs": ["input_ids=1,16:int64"],
}
