"""The PyTorch that counts what a trace counts."""

from collections.abc import Sequence

from app.pages.calls import MODEL
from app.trees.index import TreeIndex
from app.trees.trace_inputs import Input

# Modules with a fused path: it calls no submodule, and FlopCounterMode does not count it.
FUSED = frozenset({"TransformerEncoder", "TransformerEncoderLayer", "MultiheadAttention"})
MOST_SHOWN = 32


def trace_code(index: TreeIndex, given: Sequence[Input]) -> str:
    """Return the lines that print the FLOPs of the tree's forward on the given inputs."""
    arguments = ", ".join(_argument(one) for one in given[:MOST_SHOWN]) or "x"
    lines = ["from torch.utils.flop_counter import FlopCounterMode", ""]
    if any(cls.name in FUSED for cls in index.classes):
        lines.append("torch.backends.mha.set_fastpath_enabled(False)")
    model = MODEL if _is_on_meta(index) else f'{MODEL}.to("meta")'
    return "\n".join(
        [
            *lines,
            'with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:',
            f"    {model}.eval()({arguments})",
            "print(counter.get_total_flops())",
        ]
    )


def _argument(one: Input) -> str:
    sizes = ", ".join(map(str, one.shape)) or "()"
    dtype = "" if one.dtype == "float32" else f", dtype=torch.{one.dtype}"
    return f"{one.name}=torch.empty({sizes}{dtype})" if one.name else f"torch.empty({sizes}{dtype})"


def _is_on_meta(index: TreeIndex) -> bool:
    return bool(index.kinds.all) and all(kind.device == "meta" for kind in index.kinds.all)
