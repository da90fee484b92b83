"""How Alembic reaches the tables; called by `amparo init` and `amparo upgrade` with an open connection.

`amparo migration new "words"` writes the next one.
"""

# The history holds no 0004 and no 0007: both numbers were set aside and never used. What follows what is said by each
# file's `down_revision`, not by its number, and a number that was passed over is not given out later.

from alembic import context

import referrals.directory.models
import reporting.storage.models
from reporting.storage.database import Base

assert referrals.directory.models
assert reporting.storage.models
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
