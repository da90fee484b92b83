"""Two indexes by which the queue knows what has changed, without reading a case."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    waits = sa.text("vault_key IS NULL")
    op.create_index("case_file_versions", "case_file", ["team", "epoch", "version", "id"])
    op.create_index("case_file_waiting", "case_file", ["id", "team"], sqlite_where=waits, postgresql_where=waits)


def downgrade() -> None:
    op.drop_index("case_file_waiting", "case_file")
    op.drop_index("case_file_versions", "case_file")
