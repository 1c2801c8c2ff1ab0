"""The database: SQLite in WAL, one connection that writes, others that only read.

One writer, since SQLite before 3.51.3 can lose committed rows when a checkpoint of one connection races a commit of
another (https://sqlite.org/wal.html#walresetbug).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from app.errors import CannotStore, ModuletreeError
from app.translation import said

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 5_000
# With NORMAL a commit survives the end of this process at once, and that of the machine once the log is synced next.
SYNCED, NOT_SYNCED = "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"
NO_FILE = "The database must be a file, named by a sqlite:/// URL."


class CannotOpen(ModuletreeError):
    """The database is not to be used: not SQLite, not writable, or of a newer version."""


class Database:
    """Opens a database and brings its tables up to date; `write` and `read` give transactions."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self._writing = threading.Lock()
        self._is_synced = True

    @classmethod
    def open(cls, url: str) -> "Database":
        """Return the open database of a `sqlite:///` URL, made if it is missing.

        Raises `CannotOpen` when it cannot be read and written, or comes from a newer version.
        """
        path = _path_of(url)
        writer = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        reader = create_engine(url, pool_size=8, max_overflow=40, connect_args={"check_same_thread": False})
        _prepare(writer, "IMMEDIATE", "PRAGMA journal_mode = WAL", SYNCED)
        _prepare(reader, "DEFERRED", "PRAGMA query_only = ON")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _migrate(writer)
        except (SQLAlchemyError, CommandError, OSError) as error:
            writer.dispose()
            if isinstance(error, CommandError):
                raise CannotOpen(f"The database {path} is of a newer version of Moduletree: {error}.") from error
            reason = str(getattr(error, "orig", None) or error)
            raise CannotOpen(f"The database {path} cannot be opened: {reason}.") from error
        return cls(writer, reader)

    @contextmanager
    def write(self, *, is_synced: bool = True) -> Iterator[Connection]:
        """Give the writing connection for one transaction, committed at the end unless the block raises.

        It is on the disk then, with all that was written before; unless `is_synced` is False: a power loss may take
        back what was committed since the last transaction that was. Raises `CannotStore` where the disk is full, or
        another process holds the database for too long.
        """
        try:
            with self._writing, self._writer.connect() as connection:
                self._sync(connection, is_synced)
                with connection.begin():
                    yield connection
        except DatabaseError as error:
            if isinstance(error, OperationalError) or type(error) is DatabaseError:
                raise CannotStore(
                    said("The database cannot be written: %(reason)s.", reason=str(error.orig))
                ) from error
            raise

    def _sync(self, connection: Connection, is_synced: bool) -> None:
        if is_synced is not self._is_synced:
            driver: Any = connection.connection.driver_connection
            driver.execute(SYNCED if is_synced else NOT_SYNCED)
            self._is_synced = is_synced

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that only reads, for one transaction: what it sees is of one moment."""
        with self._reader.begin() as connection:
            yield connection

    def check(self) -> None:
        """Read from the database; raises SQLAlchemy's error when it does not answer."""
        with self.read() as connection:
            connection.execute(text("SELECT 1 FROM trees LIMIT 1"))

    def close(self) -> None:
        """Close all connections; the writing one last, so that it is the one to checkpoint."""
        self._reader.dispose()
        with self._writing:
            self._writer.dispose()


def _path_of(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise CannotOpen(NO_FILE) from error
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise CannotOpen(NO_FILE)
    return Path(str(parsed.database))


def _prepare(engine: Engine, begin: str, *pragmas: str) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where the driver guesses
        for pragma in (f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}", "PRAGMA foreign_keys = ON", *pragmas):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
