"""Trees with their revisions, runs with their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "trees",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_trees"),
        sa.UniqueConstraint("id", name="uq_trees_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "revisions",
        sa.Column("tree", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer()),
        sa.Column("redo", sa.Integer()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("structure", sa.LargeBinary(), nullable=False),
        sa.Column("tensors", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["tree"], ["trees.id"], name="fk_revisions_tree", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tree", "revision", name="pk_revisions"),
    )
    op.create_table(
        "runs",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("tree", sa.String(16), nullable=False),
        sa.Column("tree_name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tree_revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("epochs_done", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Float()),
        sa.Column("loss_nonfinite", sa.String(8)),
        sa.Column("best_loss", sa.Float()),
        sa.Column("slope", sa.Float()),
        sa.Column("intercept", sa.Float()),
        sa.Column("error", sa.Text()),
        sa.Column("structure", sa.LargeBinary(), nullable=False),
        sa.Column("start_tensors", sa.Text(), nullable=False),
        sa.Column("result_tensors", sa.Text()),
        sa.Column("result_revision", sa.Integer()),
        sa.Column("checkpoint", sa.Text()),
        sa.Column("last_event", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("started_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.PrimaryKeyConstraint("seq", name="pk_runs"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_tree_number", "runs", ["tree", "number"], unique=True)
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_table(
        "run_chunks",
        sa.Column("run", sa.String(16), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("first_epoch", sa.Integer()),
        sa.Column("last_epoch", sa.Integer()),
        sa.Column("base_at", sa.Float()),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_run_chunks_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "first_id", name="pk_run_chunks"),
    )
    op.create_index("ix_run_chunks_run_first_epoch", "run_chunks", ["run", "first_epoch"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("run_chunks", "runs", "revisions", "trees"):
        op.drop_table(name)
