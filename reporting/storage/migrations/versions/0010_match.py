"""The table of doors, worked out of services; who runs a service."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service", sa.Column("organisation", sa.Text(), nullable=False, server_default=""))
    op.add_column("directory_version", sa.Column("made_with", sa.String(length=64), nullable=False, server_default=""))
    op.create_table(
        "service_match",
        sa.Column("need", sa.String(length=20), primary_key=True),
        sa.Column("cover", sa.String(length=12), primary_key=True),
        sa.Column("service", sa.String(length=64), sa.ForeignKey("service.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sure", sa.Boolean(), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("through", sa.String(length=64), nullable=False),
        sa.Column("has", sa.Integer(), nullable=False),
        sa.Column("police", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Integer(), nullable=False),
        sa.Column("doubted", sa.Boolean(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("hours", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_service_match_service", "service_match", ["service"])


def downgrade() -> None:
    op.drop_table("service_match")
    op.drop_column("directory_version", "made_with")
    op.drop_column("service", "organisation")
