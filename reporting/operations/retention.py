"""The sweep: what is over goes, every night. How long each thing is kept, and why: retention.toml.

Opens nothing and seals nothing; it does not know what a case says. On SQLite the database is written anew each
week; on PostgreSQL the tables that tell in which order reports arrived are copied in the order of their random
numbers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, CursorResult, Engine, delete, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete

from reporting.cases import derived
from reporting.clock import DAY, HOUR
from reporting.operations import backups
from reporting.sessions import day_seeds
from reporting.storage.database import Base, checkpoint, vacuum, writing
from reporting.storage.models import CaseRow, ErasedRow, InvitationRow, MarkRow, SeedRow, SessionRow, TakenRow, TryRow
from reporting.teams import audit, team_log
from reporting.teams.team_log import BrokenChain, KeysNotMade, Pin

TABLE = Path(__file__).with_name("retention.toml")
STAMP = "rewritten"  # a file in the instance folder that holds the day of the last rewrite
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RetentionPeriod:
    """How long something is kept, in seconds, and why."""

    seconds: int
    reason: str

    @property
    def days(self) -> int:
        """Whole days."""
        return self.seconds // DAY


@cache
def periods() -> dict[str, RetentionPeriod]:
    """The table that people review."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        name: RetentionPeriod(row.get("days", 0) * DAY + row.get("hours", 0) * HOUR, row["reason"])
        for name, row in table.items()
    }


def sweep(engine: Engine, pin: Pin, instance: Path, now: float, say: Say, *, rewrite: bool = False) -> dict[str, int]:
    """Everything that is over goes. Returns how many of each; `rewrite` does not wait for its week."""
    swept = {}
    for name, broom in _BROOMS.items():
        say(f"sweeping {name.replace('_', ' ')} ...")
        with writing(engine) as db:
            swept[name] = broom(db, now)
    say("sweeping the audit ...")
    with writing(engine) as db:
        swept["audit"] = _sweep_audit(db, pin, now)
    swept["backup_keys"] = backups.forget_keys(instance, now, periods()["backup_keys"].days)
    if rewrite or _is_due(instance, now):
        say("writing the database anew ...")
        swept["rewritten"] = rewrite_tables(engine)
        (instance / STAMP).write_text(_day(now).isoformat(), encoding="utf-8")
    swept["log_emptied"] = int(checkpoint(engine))
    return swept


def _count(db: Session, statement: Delete) -> int:
    done = db.execute(statement)
    assert isinstance(done, CursorResult)  # noqa: S101 -- what a DELETE gives back
    return max(done.rowcount, 0)


def _sweep_cases(db: Session, now: float) -> int:
    return derived.let_go(db, CaseRow.delete_after <= _day(now))


def _sweep_seeds(db: Session, now: float) -> int:
    kept = {purpose: periods()[f"{purpose}_seeds"].seconds for purpose in day_seeds.SEED_LIFE}
    return sum(
        _count(db, delete(SeedRow).where(SeedRow.purpose == purpose, SeedRow.day * DAY + life < int(now)))
        for purpose, life in kept.items()
    )


_BROOMS: dict[str, Callable[[Session, float], int]] = {
    "cases": _sweep_cases,
    "seeds": _sweep_seeds,
    "trip_marks": lambda db, now: _count(db, delete(MarkRow).where(MarkRow.forget_after < int(now) // DAY)),
    "sessions": lambda db, now: _count(
        db, delete(SessionRow).where((SessionRow.day + 1) * DAY + periods()["sessions"].seconds < int(now))
    ),
    "invitations": lambda db, now: _count(db, delete(InvitationRow).where(InvitationRow.expires < int(now))),
    "sign_in_tries": lambda db, now: _count(
        db, delete(TryRow).where(TryRow.not_before < int(now) - periods()["sign_in_tries"].seconds)
    ),
    "erased": lambda db, now: _count(db, delete(ErasedRow).where(ErasedRow.forget_after < _day(now))),
}


def _sweep_audit(db: Session, pin: Pin, now: float) -> int:
    """Only below a checkpoint that a verified team log holds and that is older than the period. Else nothing."""
    try:
        teams = team_log.teams(db, pin)
    except (KeysNotMade, BrokenChain):
        return 0
    old = [vouched for team in teams for vouched in team.checkpoints if vouched.day <= audit_before(now)]
    newest = max(old, key=lambda vouched: vouched.number, default=None)
    if newest is None or audit.chain_at(db, newest.number) != newest.chain:
        return 0
    return audit.forget_below(db, newest.number)


def audit_before(now: float) -> date:
    """What is older than this day may be swept from the audit."""
    return _day(now) - timedelta(days=periods()["audit"].days)


def _is_due(instance: Path, now: float) -> bool:
    try:
        last = date.fromisoformat((instance / STAMP).read_text(encoding="utf-8").strip())
    except (FileNotFoundError, ValueError):
        return True
    return not last <= _day(now) < last + timedelta(days=periods()["rewrite"].days)


def rewrite_tables(engine: Engine) -> int:
    """No erased byte and no order of arrival is left. Returns how many tables were written anew."""
    if engine.dialect.name == "sqlite":
        vacuum(engine)
        return len(Base.metadata.tables)
    with engine.begin() as connection:
        return _copy_in_order(connection)


def _copy_in_order(connection: Connection) -> int:
    """Copied, emptied, filled in one transaction: every row bears its number, and they lie in order of their ids."""
    tables = [
        *backups.tables_of_cases(),
        *derived.tables(),
        *(Base.metadata.tables[row.__tablename__] for row in (MarkRow, TakenRow)),
    ]
    names = ", ".join(f'"{table.name}"' for table in tables)
    connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    for table in tables:
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
        copied = f'CREATE TEMPORARY TABLE "copy_{table.name}" ON COMMIT DROP AS SELECT * FROM "{table.name}"'  # noqa: S608 -- our own names
        connection.execute(text(f"{copied} ORDER BY {keys}"))
    connection.execute(text(f"TRUNCATE {names}"))
    for table in tables:
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
        filled = f'INSERT INTO "{table.name}" SELECT * FROM "copy_{table.name}" ORDER BY {keys}'  # noqa: S608 -- our own names
        connection.execute(text(filled))
    return len(tables)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
