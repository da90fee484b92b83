"""Flags make work for the team and change no order: listings no longer tell whether somebody flagged the service."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("service_match", "doubted")


def downgrade() -> None:
    op.add_column("service_match", sa.Column("doubted", sa.Boolean(), server_default=sa.false(), nullable=False))
