"""The sweep: what is over goes, every night. How long each thing is kept, and why: retention.toml.

Opens nothing and seals nothing; it does not know what a case says. Each week on SQLite all tables, on PostgreSQL those
that tell in which order reports arrived, are written anew in the order of their random numbers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Engine,
    Table,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete

from reporting.cases import derived
from reporting.clock import DAY, HOUR
from reporting.i18n import T_, said
from reporting.operations import backups
from reporting.operations.whole import upgrading
from reporting.sessions import day_seeds
from reporting.storage.database import Base, checkpoint, writing
from reporting.storage.locks import maintenance_lock
from reporting.storage.models import CaseRow, ErasedRow, InvitationRow, MarkRow, SeedRow, SessionRow, TakenRow, TryRow
from reporting.storage.rewriting import write_anew
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
    """Everything that is over goes. Returns how many of each; `rewrite` does not wait for its week.

    `Busy` while something else goes over all cases.
    """
    with maintenance_lock(engine, instance, "sweep"):
        return _sweep(engine, pin, instance, now, say, rewrite=rewrite)


def _sweep(engine: Engine, pin: Pin, instance: Path, now: float, say: Say, *, rewrite: bool) -> dict[str, int]:
    swept = {}
    for name in _OVER:
        say(said("sweeping %(said_what)s ...", said_what=WORDS[name]))
        with writing(engine) as db:
            swept[name] = _let_go(db, name, now)
    say(T_("sweeping the audit ..."))
    with writing(engine) as db:
        swept["audit"] = _sweep_audit(db, pin, now)
    swept["backup_keys"] = backups.forget_keys(instance, now, periods()["backup_keys"].days)
    swept["upgrade_copies"] = 0 if upgrading.is_unfinished(instance) else upgrading.forget(instance)
    if rewrite or _is_due(instance, now):
        say(T_("writing the database anew ..."))
        swept["rewritten"] = rewrite_tables(engine)
        (instance / STAMP).write_text(_day(now).isoformat(), encoding="utf-8")
    swept["log_emptied"] = int(checkpoint(engine))
    return swept


def _count(db: Session, statement: Delete) -> int:
    done = db.execute(statement)
    assert isinstance(done, CursorResult)  # noqa: S101 -- what a DELETE gives back
    return max(done.rowcount, 0)


def _over_seeds(now: float) -> ColumnElement[bool]:
    kept = {purpose: periods()[f"{purpose}_seeds"].seconds for purpose in day_seeds.SEED_LIFE}
    return or_(
        *(and_(SeedRow.purpose == purpose, SeedRow.day * DAY + life < int(now)) for purpose, life in kept.items())
    )


# what is swept -> its table, and which rows are over at a moment
_OVER: dict[str, tuple[type[Base], Callable[[float], ColumnElement[bool]]]] = {
    "cases": (CaseRow, lambda now: CaseRow.delete_after <= _day(now)),
    "seeds": (SeedRow, _over_seeds),
    "trip_marks": (MarkRow, lambda now: MarkRow.forget_after < int(now) // DAY),
    "sessions": (SessionRow, lambda now: (SessionRow.day + 1) * DAY + periods()["sessions"].seconds < int(now)),
    "invitations": (InvitationRow, lambda now: InvitationRow.expires < int(now)),
    "sign_in_tries": (TryRow, lambda now: TryRow.not_before < int(now) - periods()["sign_in_tries"].seconds),
    "erased": (ErasedRow, lambda now: ErasedRow.forget_after < _day(now)),
}
# everything that a sweep tells of, in words
WORDS: Mapping[str, str] = {
    "cases": T_("cases"),
    "seeds": T_("seeds"),
    "trip_marks": T_("trip marks"),
    "sessions": T_("sessions"),
    "invitations": T_("invitations"),
    "sign_in_tries": T_("sign in tries"),
    "erased": T_("erased"),
    "audit": T_("audit"),
    "backup_keys": T_("backup keys"),
    "upgrade_copies": T_("upgrade copies"),
    "rewritten": T_("rewritten"),
    "log_emptied": T_("log emptied"),
    "reserve": T_("reserve"),
}
LATE = 2 * DAY  # seconds: a night that was missed, and some hours


def _let_go(db: Session, name: str, now: float) -> int:
    row, over = _OVER[name]
    return derived.let_go(db, over(now)) if row is CaseRow else _count(db, delete(row).where(over(now)))


def late(db: Session, instance: Path, now: float) -> dict[str, int]:
    """What should have gone two nights ago and is still there, and how many of it. Nothing where the sweep runs."""
    before = now - LATE
    there = {
        name: db.scalar(select(func.count()).select_from(row).where(over(before))) or 0
        for name, (row, over) in _OVER.items()
    }
    there["backup_keys"] = backups.old_keys(instance, before, periods()["backup_keys"].days)
    return {name: count for name, count in there.items() if count}


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
        return write_anew(engine)
    tables = [
        *derived.tables_of_cases(),
        *derived.tables(),
        *(Base.metadata.tables[row.__tablename__] for row in (MarkRow, TakenRow)),
    ]
    for table in tables:
        _renumber(engine, table)
        _write_in_order(engine, table)
    return len(tables)


def _renumber(engine: Engine, table: Table) -> None:
    """Every row bears the number of a transaction of ours instead of its own, which told in which order they came.

    By order of keys, which are random, and a few at a time: whoever writes waits for a moment, whoever reads never.
    """
    keys = list(table.primary_key.columns)
    plain = next((column for column in table.columns if column not in keys), keys[-1])
    after: tuple[Any, ...] | None = None
    while True:
        look = select(*keys).order_by(*keys).limit(RENUMBERED)
        look = look if after is None else look.where(tuple_(*keys) > tuple_(*map(literal, after)))
        with engine.begin() as connection:
            batch = [tuple(row) for row in connection.execute(look)]
            if not batch:
                return
            first, last = (tuple_(*map(literal, key)) for key in (batch[0], batch[-1]))
            among = (tuple_(*keys) >= first) & (tuple_(*keys) <= last)
            connection.execute(update(table).where(among).values({plain.name: plain}))
        after = batch[-1]


def _write_in_order(engine: Engine, table: Table) -> None:
    """A new file for a table, by order of its keys and without erased bytes; unlike TRUNCATE, readers keep their look.

    Whoever comes while it waits for somebody's look has to wait behind it: so it waits for a second, and tries again.
    """
    for left in reversed(range(TRIES)):
        try:
            with engine.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '1s'"))
                name = connection.execute(text(_NAME_OF_KEY), {"name": table.name}).scalar_one()
                connection.execute(text(f'CLUSTER "{table.name}" USING "{name}"'))
        except OperationalError:  # of a lock that could not be had
            if not left:
                raise
        else:
            return


_NAME_OF_KEY = (
    "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE indrelid = to_regclass(quote_ident(:name)) AND indisprimary"
)
RENUMBERED = 500  # rows that are locked together
TRIES = 60


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
