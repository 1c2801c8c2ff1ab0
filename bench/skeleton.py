"""What a look at a whole tree costs: from live modules to the bytes of skeleton or shapes, over torch's three walks.

    python -m bench.skeleton [--branching 10] [--depth 5] [--rounds 7]

The garbage collector is on, and the modules are left to it as a script's are: it looks through them while the walks'
names are kept. The walks are measured without keeping anything, too, which no answer could be made of. All sides take
turns.
"""

import argparse
import gc

import msgspec
from torch import nn

from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.shape_graph import shape_graph
from app.trees.skeleton import skeleton
from app.trees.sources import open_source
from bench.measure import Measure, seconds, table

REVISION = 1


def keep(module: nn.Module) -> object:
    """Return torch's three named views: the least that an answer is made of."""
    return list(module.named_modules()), list(module.named_parameters()), list(module.named_buffers())


def pass_by(module: nn.Module) -> None:
    """Go through torch's three named views and keep nothing."""
    for view in (module.named_modules, module.named_parameters, module.named_buffers):
        for _ in view():
            pass


def shapes_of(module: nn.Module) -> bytes:
    """Return the answer that a page makes the tree of."""
    return msgspec.json.encode(shape_graph(TreeIndex.of(module)))


def measure(branching: int = 10, depth: int = 5, rounds: int = 7) -> list[Measure]:
    """Return the cost of the first skeleton of a tree, of one whose index is kept, and of the first shapes."""
    module = open_source({"kind": "grid", "branching": branching, "depth": depth, "seed": 0}, Limits())
    index = TreeIndex.of(module)
    gc.unfreeze()
    walks, bare, first, kept, shapes = [], [], [], [], []
    for _ in range(rounds):
        walks.append(seconds(lambda: keep(module)))
        bare.append(seconds(lambda: pass_by(module)))
        first.append(seconds(lambda: skeleton(TreeIndex.of(module), REVISION)))
        kept.append(seconds(lambda: skeleton(index, REVISION)))
        shapes.append(seconds(lambda: shapes_of(module)))
    theirs = "torch's three named walks"
    return [
        Measure(f"skeleton of {len(index):,} modules", theirs, first, walks, aim=0.3),
        Measure("the same", "the walks, nothing kept", first, bare),
        Measure("the same, its index kept", theirs, kept, walks),
        Measure("its shapes, which the page loads", theirs, shapes, walks, our_bytes=len(shapes_of(module))),
    ]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--branching", type=int, default=10)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    print(table(measure(asked.branching, asked.depth, asked.rounds)))


if __name__ == "__main__":
    main()
