"""The running server: a socket, the application behind it, and an end that leaves no stream open."""

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from app.allocation import settle_malloc
from app.connection import BoundedConnection
from app.settings import Settings

GRACE_S = 5
BACKLOG = 2048
SWITCH_S = 0.001

# Only what an operator has to know, and never a request line: it may hold the token.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "app": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


class CannotStart(Exception):
    """The server cannot begin its work; the message is one line for who started it.

    `is_misuse` says that something was named which cannot be had, and not that the stores cannot be opened.
    """

    def __init__(self, line: str, *, is_misuse: bool) -> None:
        super().__init__(line)
        self.is_misuse = is_misuse


class Server(uvicorn.Server):
    """A uvicorn server that says when it is ready, and ends the event streams when it is told to stop."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.app = app
        self.when_ready = when_ready
        app.state.stop = self.stop

    def stop(self) -> None:
        """End when what is under way is done; any thread may say so."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn would raise the signal again at the end; to be stopped is no failure, so the exit code is 0.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # The libraries are never garbage: left out of every collection, and of the long one at the end.
            gc.freeze()
            self.when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # An open stream would hold up the end for the whole period of grace, and so would a client that does not read.
        self.app.state.begin_to_close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedConnection) and connection.flow.write_paused:
                connection.transport.abort()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """A socket that already listens, so that a taken port is known before anything is opened. Raises OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host.strip("[]"), settings.port), family=family, backlog=BACKLOG)


def url_of(settings: Settings, listening: socket.socket, path: str = "") -> str:
    """The address of a page, to open in a browser on this machine, with the token where one is asked for."""
    name = settings.host.strip("[]")
    if name in {"0.0.0.0", "::", ""}:
        name = "127.0.0.1"
    base = f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}"
    if settings.token is None:
        return base + path
    return f"{base}/login?token={quote(settings.token, safe='')}{f'&next={quote(path)}' if path else ''}"


def serve(app: FastAPI, listening: socket.socket, when_ready: Callable[[], None]) -> None:
    """Answer requests until a signal says to stop. Raises CannotStart where what is to be served cannot be opened."""
    config = uvicorn.Config(
        app,
        loop="auto",
        http=BoundedConnection,
        ws="none",
        lifespan="on",
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=GRACE_S,
    )
    settle_malloc()
    # What is read and written in threads waits for its turn while thousands of streams are sent: not 5 ms each time.
    sys.setswitchinterval(SWITCH_S)
    log = logging.getLogger("uvicorn.error")
    with_cause = _unless_known(app)
    log.addFilter(with_cause)
    try:
        Server(config, app, when_ready).run([listening])
    except SystemExit:
        if app.state.failure is not None:
            raise CannotStart(app.state.failure, is_misuse=app.state.is_misuse) from None
        raise
    finally:
        log.removeFilter(with_cause)
        # Large trees are millions of objects: the interpreter would search them for cycles, for a minute, as it ends.
        gc.freeze()


def _unless_known(app: FastAPI) -> Callable[[logging.LogRecord], bool]:
    """A filter that keeps uvicorn from logging the traceback of a failure that is told in a line."""
    return lambda record: app.state.failure is None
