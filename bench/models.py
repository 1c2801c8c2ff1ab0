"""Whole models: from a live module to all of its tree, over what its peers make of the same module in the same run.

    python -m bench.models [--rounds 3]

Ours is the graph of shapes, which the page expands, as bytes. Peers give a text (torchinfo, all levels) or a page
(treescope, collapsed as it comes). A peer that fails on a model is left out of its lines, and said so.
"""

import argparse
import io
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import partial
from typing import Any

import msgspec
import torch
import torchinfo
import treescope
import zstandard
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from app.trees.describe import describe
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.shape_graph import shape_graph
from app.trees.sources import open_source
from bench.measure import Measure, seconds, table

LIMITS = Limits()
# torchinfo takes about a third of a millisecond a module, treescope two: what they are asked for ends within a minute.
MOST_MODULES = {"torchinfo": 20_000, "treescope": 2_000}
LLAMA: dict[str, Any] = {
    "hidden_size": 16_384,
    "intermediate_size": 53_248,
    "num_hidden_layers": 126,
    "num_attention_heads": 128,
    "num_key_value_heads": 8,
    "vocab_size": 128_256,
    "tie_word_embeddings": False,
}


def by_torchinfo(module: nn.Module) -> bytes:
    """All levels, as text."""
    return str(torchinfo.summary(module, verbose=0, depth=LIMITS.max_depth)).encode()


def by_treescope(module: nn.Module) -> bytes:
    """A page."""
    html: str = treescope.render_to_html(module)
    return html.encode()


PEERS: dict[str, Callable[[nn.Module], bytes]] = {"torchinfo": by_torchinfo, "treescope": by_treescope}


def live(module: nn.Module) -> bytes:
    """Ours, of a module that can be trusted to say what it holds."""
    return msgspec.json.encode(shape_graph(TreeIndex.of(module)))


def foreign(module: nn.Module) -> bytes:
    """Ours, of a module that is described in a process of its own, whatever odd things it holds."""
    description = describe(module, max_modules=LIMITS.max_modules, max_depth=LIMITS.max_depth)
    return msgspec.json.encode(shape_graph(TreeIndex.from_description(description)))


def grid(depth: int) -> nn.Module:
    """Return a full tree of LinearModels, ten in each."""
    return open_source({"kind": "grid", "branching": 10, "depth": depth, "seed": 0}, LIMITS)


def on_meta(make: Callable[[Any], nn.Module], config: object) -> nn.Module:
    """Return a model of transformers without its memory."""
    with torch.device("meta"):
        return make(config)


def models() -> dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module], bytes]]]:
    """Return the models by name: how each is made, and which way of ours it goes."""
    return {
        "grid of 1,111": (partial(grid, 3), live),
        "grid of 11,111": (partial(grid, 4), live),
        "grid of 111,111": (partial(grid, 5), live),
        "GPT-2": (lambda: on_meta(GPT2LMHeadModel, GPT2Config()), foreign),
        "Llama-3.1-405B": (lambda: on_meta(LlamaForCausalLM, LlamaConfig(**LLAMA)), foreign),
    }


def measure(rounds: int = 3) -> list[Measure]:
    """Return a line for every model and peer that can take it."""
    found = []
    for name, (make, ours) in models().items():
        module = make()
        num_modules = sum(1 for _ in module.modules())
        for peer, theirs in PEERS.items():
            if num_modules <= MOST_MODULES[peer]:
                found.extend(
                    _compared(f"shapes of {name}", partial(ours, module), peer, partial(theirs, module), rounds)
                )
    return found


def _compared(
    what: str, ours: Callable[[], bytes], peer: str, theirs: Callable[[], bytes], rounds: int
) -> list[Measure]:
    try:
        with redirect_stderr(io.StringIO()):
            their_bytes = len(theirs())
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        print(f"{peer} fails on {what.removeprefix('shapes of ')}: {type(error).__name__}: {error}")
        return []
    our_bytes = len(zstandard.compress(ours()))
    our_s, their_s = [], []
    for _ in range(rounds):
        our_s.append(seconds(ours))
        their_s.append(seconds(theirs))
    return [Measure(what, peer, our_s, their_s, our_bytes=our_bytes, their_bytes=their_bytes)]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    print(table(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
