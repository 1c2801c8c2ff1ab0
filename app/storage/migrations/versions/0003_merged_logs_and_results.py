"""Chunks of a log that were put together around others, and which run a revision is the result of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is there from before has nothing to say in them."""
    op.add_column("run_chunks", sa.Column("ids", sa.LargeBinary()))
    op.add_column("revisions", sa.Column("run", sa.String(16)))
