"""The tutorial's loop with each of its losses kept: by Moduletree, by TensorBoard's SummaryWriter and by trackio.

    python -m bench.trackers [--epochs 5000] [--rounds 3]

Each is the whole loop over the loop alone, in turns: ours from the POST of a run to the end of its stream, theirs with
one call an epoch, until all is on the disk. Needs `tensorboard` and `trackio`.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.trees.tutorial import NAME, SOURCE
from bench.measure import Measure, table
from bench.streaming import LOOP, BareLoop, streamed_seconds
from tests.live import LiveServer

TENSORBOARD = """
from torch.utils.tensorboard import SummaryWriter

def logger():
    writer = SummaryWriter()
    return lambda loss, epoch: writer.add_scalar("loss", loss, epoch), writer.close
"""
TRACKIO = """
import contextlib, io
import trackio

def logger():
    with contextlib.redirect_stdout(io.StringIO()):
        trackio.init(project="bench")
    def finish():
        with contextlib.redirect_stdout(io.StringIO()):
            trackio.finish()
    return lambda loss, epoch: trackio.log({"loss": loss}, step=epoch), finish
"""
TRACKERS = {"SummaryWriter": TENSORBOARD, "trackio": TRACKIO}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRACKIO_LOGO_LIGHT_URL": "", "GRADIO_ANALYTICS_ENABLED": "False"}


def logged_by(tracker: str) -> str:
    """Return the program of `bench.streaming.LOOP` with each loss logged."""
    beginning, loop = LOOP.split("def train(EPOCH):")
    loop = loop.replace("losses = []", "log, finish = logger()", 1)
    loop = loop.replace("losses.append(loss.item())", "log(loss.item(), epoch)\n    finish()", 1)
    return f"{beginning}{TRACKERS[tracker]}\ndef train(EPOCH):{loop}"


@contextmanager
def loops() -> Iterator[dict[str, Callable[[int], float]]]:
    """The loop alone, the loop with each tracker, and a streamed run: each gives the seconds of so many epochs."""
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder) / "data") as server:
        tree = server.client.post("/api/trees", json={"name": NAME, "source": SOURCE}).raise_for_status().json()["id"]
        programs = {"alone": LOOP, **{name: logged_by(name) for name in TRACKERS}}
        environment = {**os.environ, **OFFLINE, "TRACKIO_DIR": f"{folder}/trackio"}
        started = {name: BareLoop(program, folder, environment) for name, program in programs.items()}
        try:
            yield {
                **{name: loop.seconds for name, loop in started.items()},
                "ours": lambda epochs: streamed_seconds(server.client, tree, epochs),
            }
        finally:
            for loop in started.values():
                loop.close()


def measure(epochs: int = 5_000, rounds: int = 3) -> list[Measure]:
    """Return what it costs to keep every loss, over the loop alone."""
    with loops() as by_name:
        for seconds in by_name.values():
            seconds(500)
        taken: dict[str, list[float]] = {name: [] for name in by_name}
        for _ in range(rounds):
            for name, seconds in by_name.items():
                taken[name].append(seconds(epochs))
    what = {"ours": "streamed run", **{name: f"logged by {name}" for name in TRACKERS}}
    return [
        Measure(f"{what[name]}, {epochs:,} epochs", "the tutorial's loop alone", taken[name], taken["alone"])
        for name in what
    ]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(table(measure(asked.epochs, asked.rounds)))


if __name__ == "__main__":
    main()
