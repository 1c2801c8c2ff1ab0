"""A server of one's own for one command: at a free port of this machine, with a token, and gone at the end."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from app.client import Client
from app.collector import collector_paused
from app.running import fail
from app.settings import Settings, load
from app.terminal.named import told
from app.tokens import make_token


@contextmanager
def private_client(allow_import: str | None) -> Iterator[Client]:
    """A client of a server that nobody else reaches and that keeps nothing; leaves where it cannot be started."""
    with tempfile.TemporaryDirectory(prefix="moduletree-", ignore_cleanup_errors=True) as folder:
        settings = _settings(Path(folder), allow_import)
        with _serving(settings) as port, Client(f"http://{settings.host}:{port}", settings.token) as client:
            yield client


def _settings(folder: Path, allow_import: str | None) -> Settings:
    database = f"sqlite:///{quote(str(folder))}/moduletree.db"
    own = {"host": "127.0.0.1", "port": 0, "data_dir": folder, "database": database, "token": make_token()}
    return load(own | {"allow_import": () if allow_import is None else (allow_import,)})


@contextmanager
def _serving(settings: Settings) -> Iterator[int]:
    # Imported here, because torch takes longer to import than everything else to reach a server that runs.
    with collector_paused():
        from app.main import create_app
        from app.serve import CannotStart, listen, serve

    listening = listen(settings)
    app = create_app(settings)
    has_begun = threading.Event()
    failures: list[CannotStart] = []

    def run() -> None:
        try:
            serve(app, listening, when_ready=has_begun.set)
        except CannotStart as error:
            failures.append(error)
        finally:
            has_begun.set()

    thread = threading.Thread(target=run, name="server")
    thread.start()
    try:
        has_begun.wait()
        if failures:
            fail(told(str(failures[0])), 2 if failures[0].is_misuse else 1)
        yield listening.getsockname()[1]
    finally:
        # An impatient Ctrl+C would leave the folder behind; the end takes seconds at most.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        has_begun.wait()
        app.state.stop()
        thread.join()
        signal.signal(signal.SIGINT, before)
