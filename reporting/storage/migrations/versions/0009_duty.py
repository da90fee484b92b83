"""A shelf for the hours in which somebody reads."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("hours", sa.String(length=4000), nullable=False),
        sa.Column("opened", sa.Date(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("duty")
