"""What was worked out about a queue lies in parts, so that a part can go with a case. What lay there goes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM queue_sheet")  # overwritten on SQLite, and not only unlinked
    op.drop_table("queue_sheet")
    op.create_table(
        "queue_sheet",
        sa.Column("team", sa.Integer(), sa.ForeignKey("team.id"), primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("queue_sheet")
    op.create_table(
        "queue_sheet",
        sa.Column("team", sa.Integer(), sa.ForeignKey("team.id"), primary_key=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
