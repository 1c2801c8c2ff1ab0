"""What size costs: Llama-3.1-405B opened from its config over HTTP, and its page, over what they could be at best.

    python -m bench.opening [--rounds 3]

Opening is compared with transformers building the same model on the meta device, in this process; the page with that of
a tree of three modules. The bytes are of an answer as it is sent.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
from transformers import LlamaConfig, LlamaForCausalLM

from bench.measure import Measure, seconds, table
from bench.models import LLAMA, on_meta
from tests.live import LiveServer

CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **LLAMA}
SMALL = {"kind": "linear", "root": {"children": {"sub1": {"children": {"sub2_1": {}}}}}}


def opened(client: httpx.Client, source: object) -> str:
    """Open a tree and return its id."""
    tree_id: str = client.post("/api/trees", json={"source": source}, timeout=120).raise_for_status().json()["id"]
    return tree_id


def measure(rounds: int = 3) -> list[Measure]:
    """Return the cost of opening, of the page, and of the shapes that a viewer loads."""
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder)) as server:
        client = server.client
        config = {"kind": "config", "config": CONFIG}
        large, small = opened(client, config), opened(client, SMALL)
        opens, builds = _in_turns(
            lambda: opened(client, config), lambda: on_meta(LlamaForCausalLM, LlamaConfig(**LLAMA)), rounds
        )
        return [
            Measure("open Llama-3.1-405B over HTTP", "transformers builds it on meta", opens, builds),
            *(_compared(client, what, f"{at}/{large}", f"{at}/{small}", 5 * rounds) for what, at in PAGES.items()),
            _compared(client, "its shapes", f"/api/trees/{large}/shapes", f"/api/trees/{small}/shapes", 5 * rounds),
        ]


PAGES = {"its page": "/trees", "its facts": "/api/trees"}


def _compared(client: httpx.Client, what: str, ours: str, theirs: str, rounds: int) -> Measure:
    def get(url: str) -> int:
        with client.stream("GET", url) as answer:
            answer.raise_for_status()
            return sum(map(len, answer.iter_raw()))

    our_bytes, their_bytes = get(ours), get(theirs)
    our_s, their_s = _in_turns(lambda: get(ours), lambda: get(theirs), rounds)
    return Measure(
        f"{what} over HTTP", "of a tree of 3 modules", our_s, their_s, our_bytes=our_bytes, their_bytes=their_bytes
    )


def _in_turns(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    taken = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return [ours for ours, _ in taken], [theirs for _, theirs in taken]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    print(table(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
