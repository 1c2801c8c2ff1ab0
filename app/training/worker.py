"""The worker process: `python -m app.training SOCKET_FD`, started ahead by the executor and kept warm.

    socket -> listen (a thread) -> inbox, control -> Session -> EpochBatch -> socket

It inherits nothing of the server but its end of a socket, and ends when the server's end is closed.
"""

import contextlib
import gc
import os
import queue
import signal
import threading

import torch

from app.collector import collector_paused
from app.errors import ModuletreeError
from app.training import messages
from app.training.batches import Points
from app.training.config import RunConfig
from app.training.control import Control, Stopped
from app.training.data import tensors_of
from app.training.epoch_batch import send
from app.training.loop import Loop
from app.training.messages import Outcome, Start
from app.training.session import Halted, Session
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel


def main(fd: int) -> None:
    """Train one run after the other until the server's end of the socket is closed."""
    # Ctrl+C reaches the whole group of processes: the server decides when its workers end, by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
    control = Control()
    inbox: queue.SimpleQueue[Start] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(fd, inbox, control), daemon=True).start()
    with collector_paused():
        warm_up()
    send(fd, messages.Ready())
    while True:
        run(inbox.get(), control, fd)


def listen(fd: int, inbox: "queue.SimpleQueue[Start]", control: Control) -> None:
    """Hand on what the server says; end the process when the server is gone, whatever the run is doing."""
    frames = messages.Frames()
    # A server that was killed before it heard everything leaves a reset behind, and no end.
    with contextlib.suppress(ConnectionResetError):
        while data := os.read(fd, messages.READ_BYTES):
            for body in frames.feed(data):
                message = messages.to_worker.decode(body)
                if isinstance(message, Start):
                    # Here, not where the run begins: what is asked of it may come before that.
                    control.begin(message.run)
                    inbox.put(message)
                else:
                    control.ask(message)
    os._exit(0)


def warm_up() -> None:
    """Take a few steps: at the first, torch imports its compiler, for more than a second."""
    index = TreeIndex.of(LinearModel())
    for config in (RunConfig(module_stats_every=1), RunConfig(step="fused")):
        loop = Loop(config, index, Points(*tensors_of(config.data)), seed=0)
        for _ in range(3):
            loop.finish(loop.begin(), is_watched=True)
    # What is imported stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()


def run(start: Start, control: Control, fd: int) -> None:
    """Train one run and say how it ended."""
    session = None
    try:
        session = Session(start, control, fd)
        outcome: Outcome = session.run()
    except Stopped:
        outcome = messages.Cancelled(start.run)
    except Halted as error:
        outcome = messages.Interrupted(start.run, str(error))
    except Exception as error:  # noqa: BLE001  the run's error is its outcome, whatever it is
        outcome = messages.Failed(start.run, _said(error, session))
    send(fd, outcome)
    del session
    gc.collect()


def _said(error: Exception, session: Session | None) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, ModuletreeError):
        return text
    what = text if text == type(error).__name__ else f"{type(error).__name__}: {text}"
    return f"epoch {session.epoch}: {what}" if session is not None else what
