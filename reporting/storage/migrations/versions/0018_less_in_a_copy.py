"""What a copy does not tell: the half minute of the last sign-in, and who is awaited.

Invitations that are open cannot be sealed, for nobody has their secret here: they end and are made anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("member") as table:
        table.drop_column("last_counter")
        table.add_column(sa.Column("used_digits", sa.LargeBinary(), nullable=True))
    members = sa.table("member", sa.column("used_digits", sa.LargeBinary()))
    op.execute(members.update().values(used_digits=b""))
    with op.batch_alter_table("member") as table:
        table.alter_column("used_digits", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_table("invitation")
    op.create_table(
        "invitation",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("name_mark", sa.LargeBinary(32), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    with op.batch_alter_table("member") as table:
        table.drop_column("used_digits")
        table.add_column(sa.Column("last_counter", sa.Integer(), nullable=False, server_default="0"))
    op.drop_table("invitation")
    op.create_table(
        "invitation",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("roles", sa.String(80), nullable=False),
        sa.Column("teams", sa.String(80), nullable=False, server_default=""),
        sa.Column("new_team", sa.String(80), nullable=False, server_default=""),
        sa.Column("expires", sa.BigInteger(), nullable=False),
    )
