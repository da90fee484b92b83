"""When a session began and was last used lies sealed. Sessions end: everybody signs in anew."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM staff_session")  # overwritten on SQLite, and not only unlinked
    with op.batch_alter_table("staff_session") as table:
        table.drop_column("started")
        table.drop_column("seen")
        table.add_column(sa.Column("times", sa.LargeBinary(), nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM staff_session")
    with op.batch_alter_table("staff_session") as table:
        table.drop_column("times")
        table.add_column(sa.Column("started", sa.BigInteger(), nullable=False))
        table.add_column(sa.Column("seen", sa.BigInteger(), nullable=False))
