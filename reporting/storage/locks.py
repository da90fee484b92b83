"""One at a time: whatever goes over all cases (sweep, rewrite, backup, restore, freeze, reminder) holds one lock.

It dies with the process or the connection that holds it, so nothing has to be cleared away after a crash. On SQLite it
is a lock on a file of the instance folder, on PostgreSQL an advisory lock. Knows nothing of what is done under it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from reporting.errors import Busy
from reporting.storage.files import lock_file

FILE = "maintenance.lock"  # in the instance folder; it says which task holds it
ADVISORY = int.from_bytes(b"ampa", "big")  # with a number worked out of the schema, in which an installation lies
_TRY = "SELECT pg_try_advisory_lock(:ours, hashtext(current_schema()))"
_LET_GO = "SELECT pg_advisory_unlock(:ours, hashtext(current_schema()))"
PROGRAM = "amparo "  # leads the task in the name by which PostgreSQL lists the connection
_HOLDER = (
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND classid = :ours AND objsubid = 2 "
    "AND objid::bigint = hashtext(current_schema())::bigint & 4294967295 "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@contextmanager
def maintenance_lock(engine: Engine, instance: Path, task: str) -> Iterator[None]:
    """Hold the lock of the installation. `Busy` at once, by name, when something else holds it."""
    held = _advisory(engine, task) if engine.dialect.name == "postgresql" else _on_file(instance / FILE, task)
    with held:
        yield


def lock_holder(engine: Engine, instance: Path) -> str:
    """Which task holds the lock; empty when none does."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            return _holder(connection)
    if not (instance / FILE).exists():
        return ""
    try:
        with _on_file(instance / FILE, ""):
            return ""
    except Busy as busy:
        return busy.task


@contextmanager
def _on_file(path: Path, task: str) -> Iterator[None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not lock_file(file, wait=False):
            raise Busy(os.pread(file, 40, 0).decode("utf-8", "replace") or "unknown")
        os.ftruncate(file, 0)
        os.pwrite(file, task.encode(), 0)
        yield
    finally:
        os.close(file)  # which lets go of the lock


@contextmanager
def _advisory(engine: Engine, task: str) -> Iterator[None]:
    """Named before it is held and let go before the name is: whoever is refused is told by whom at any moment."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": PROGRAM + task})
        try:
            if not connection.execute(text(_TRY), {"ours": ADVISORY}).scalar():
                raise Busy(_holder(connection) or "unknown")
            try:
                yield
            finally:
                connection.execute(text(_LET_GO), {"ours": ADVISORY})
        finally:
            connection.execute(text("RESET application_name"))


def _holder(connection: Connection) -> str:
    return str(connection.execute(text(_HOLDER), {"ours": ADVISORY}).scalar() or "").removeprefix(PROGRAM)
