"""Rows of services are signed, and what sends people elsewhere waits for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service_signature",
        sa.Column("service", sa.String(64), sa.ForeignKey("service.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "service_waiting",
        sa.Column("service", sa.String(64), sa.ForeignKey("service.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("service_waiting")
    op.drop_table("service_signature")
