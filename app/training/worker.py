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
from app.training import messages
from app.training.control import Control, Stopped
from app.training.epoch_batch import send
from app.training.loop import train
from app.training.losses import LOSSES
from app.training.messages import Start
from app.training.optimizers import build_optimizer
from app.training.session import Session
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
    model = LinearModel()
    optimizer = build_optimizer("SGD", model.parameters(), 0.01, {})
    x = torch.ones(2, 1)
    list(train(model, LOSSES["MSELoss"](), optimizer, x, x, range(3)))
    # What is imported stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()


def run(start: Start, control: Control, fd: int) -> None:
    """Train one run and say how it ended."""
    try:
        slope, intercept = Session(start, control, fd).run()
    except Stopped:
        send(fd, messages.Cancelled(start.run))
    except Exception as error:  # noqa: BLE001  the run's error is its outcome, whatever it is
        send(fd, messages.Failed(start.run, str(error) or type(error).__name__))
    else:
        send(fd, messages.Done(start.run, slope, intercept))
    gc.collect()
