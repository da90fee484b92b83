"""How far a freeze has come, so that one that was stopped goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("figures_release") as table:
        table.add_column(sa.Column("reached", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("figures_release") as table:
        table.alter_column("reached", existing_type=sa.BigInteger(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("figures_release") as table:
        table.drop_column("reached")
