"""What members do is signed with a key of their own, and what they do to a colleague waits."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pending_act",
        sa.Column("member", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False),
    )
    with op.batch_alter_table("member") as table:
        table.add_column(sa.Column("signing_key", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("member") as table:
        table.drop_column("signing_key")
    op.drop_table("pending_act")
