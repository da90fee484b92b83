"""The living directory: what was done to a service, what reporters flag, what foreign files said."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _service() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["service"], ["service.id"], ondelete="CASCADE")


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "service_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        _service(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_service_history_service"), "service_history", ["service"])
    op.create_table(
        "service_flag",
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Boolean(), nullable=False),
        _service(),
        sa.PrimaryKeyConstraint("service", "week", "kind"),
    )
    op.create_table(
        "service_foreign",
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("print", sa.String(length=64), nullable=False),
        _service(),
        sa.PrimaryKeyConstraint("service"),
    )


def downgrade() -> None:
    """There is no way back that keeps what people told: restore a backup instead."""
    raise NotImplementedError
