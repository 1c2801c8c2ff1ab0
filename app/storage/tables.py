"""The tables. A change here comes with a migration; a test holds the two together."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, kept as ISO 8601 text of one length, so that it sorts as it reads."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the text of an aware instant."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Return the instant of a text."""
        return None if value is None else datetime.fromisoformat(value)


trees = Table(
    "trees",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

revisions = Table(
    "revisions",
    metadata,
    Column("tree", String(16), ForeignKey("trees.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("parent", Integer),
    # Where `redo` leads from here: the revision that an undo came from.
    Column("redo", Integer),
    Column("note", Text, nullable=False),
    Column("structure", LargeBinary, nullable=False),
    Column("tensors", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    # The run that it is the result of, so that a result is put there once, whatever stops meanwhile.
    Column("run", String(16)),
)

runs = Table(
    "runs",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    # No foreign key: a run outlives its tree and then says so.
    Column("tree", String(16), nullable=False),
    Column("tree_name", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("tree_revision", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("config", Text, nullable=False),
    Column("epochs", Integer, nullable=False),
    Column("epochs_done", Integer, nullable=False),
    Column("loss", Float),
    Column("loss_nonfinite", String(8)),
    Column("best_loss", Float),
    Column("validation_loss", Float),
    Column("best_validation_loss", Float),
    Column("lr", Float),
    Column("stopped_early", Boolean, nullable=False, server_default="0"),
    Column("step", String(16)),
    Column("num_module_stats", Integer, nullable=False, server_default="0"),
    Column("module_stats_share", Float),
    Column("slope", Float),
    Column("intercept", Float),
    Column("error", Text),
    # What else is to be known of how it went: a checkpoint that could not be read or written.
    Column("note", Text),
    # Paused by a person when it was interrupted: nothing but that person lets it go on.
    Column("is_held", Boolean, nullable=False, server_default="0"),
    Column("structure", LargeBinary, nullable=False),
    Column("start_tensors", Text, nullable=False),
    Column("result_tensors", Text),
    Column("result_revision", Integer),
    Column("checkpoint", Text),
    Column("last_event", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Index(None, "tree", "number", unique=True),
    Index(None, "status"),
    sqlite_autoincrement=True,
)

# The event log of a run: a row holds a stretch of consecutive events; epochs and statistics are packed by column.
run_chunks = Table(
    "run_chunks",
    metadata,
    Column("run", String(16), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("first_id", Integer, primary_key=True),
    Column("last_id", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("first_epoch", Integer),
    Column("last_epoch", Integer),
    Column("base_at", Float),
    # The columns of epochs with their types, "loss:<f8,at:<f4"; null in rows from before there was a choice.
    Column("columns", Text),
    Column("payload", LargeBinary, nullable=False),
    # The numbers of its events, where rows between which there are others were put together.
    Column("ids", LargeBinary),
    Index(None, "run", "kind", "first_epoch"),
)
