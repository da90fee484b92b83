"""Where a service stands, so that the nearer one can go before the farther one. Listings are worked out anew with it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service", sa.Column("site", sa.String(10), server_default="", nullable=False))
    op.add_column("service_match", sa.Column("site", sa.String(12), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("service_match", "site")
    op.drop_column("service", "site")
