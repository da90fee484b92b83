"""How Alembic reaches the shelves; called by `amparo init` and `amparo upgrade` with an open connection."""

from alembic import context

import referrals.models
import reporting.models
from reporting.database import Base

assert referrals.models
assert reporting.models
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
