"""What runs gained: validation, schedules, early stopping, statistics of modules, and notes of how they went."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; runs from before have nothing to say in them."""
    for column in (
        sa.Column("validation_loss", sa.Float()),
        sa.Column("best_validation_loss", sa.Float()),
        sa.Column("lr", sa.Float()),
        sa.Column("stopped_early", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("step", sa.String(16)),
        sa.Column("num_module_stats", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("module_stats_share", sa.Float()),
        sa.Column("note", sa.Text()),
        sa.Column("is_held", sa.Boolean(), nullable=False, server_default="0"),
    ):
        op.add_column("runs", column)
    op.add_column("run_chunks", sa.Column("columns", sa.Text()))
    op.drop_index("ix_run_chunks_run_first_epoch", "run_chunks")
    op.create_index("ix_run_chunks_run_kind_first_epoch", "run_chunks", ["run", "kind", "first_epoch"])
