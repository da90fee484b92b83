"""What is counted of how cases went lies in parts, so that a part can go with a case."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "course_sheet",
        sa.Column("team", sa.Integer(), sa.ForeignKey("team.id"), primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.execute("DELETE FROM course_sheet")  # overwritten on SQLite, and not only unlinked
    op.drop_table("course_sheet")
