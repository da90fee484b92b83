"""What was erased, under keyed hashes, so that no backup brings it back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "erased",
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("forget_after", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no way back that keeps what people told: restore a backup instead."""
    raise NotImplementedError
