"""Backups: every row that must outlive this machine, sealed to the key of the month; and the way back.

The keys of the months lie in the instance folder, never in a backup, and are destroyed 60 days after their
month began: what is erased today is in no readable copy then. What is short-lived (seeds, sessions, tickets,
invitations) is not in it, nor is the pin. A restore never brings back who was taken out or what was erased.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Engine, Integer, Table, func, select
from sqlalchemy.orm import Session

from reporting.cases import derived, store
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.errors import AmparoError
from reporting.figures import release_ledger
from reporting.sessions import day_seeds
from reporting.storage.database import Base, checkpoint, version_of, writing
from reporting.storage.files import rewrite_json
from reporting.storage.ledger import NoLedger
from reporting.storage.locks import maintenance_lock
from reporting.storage.models import CaseRow, ErasedRow, TakenRow, TeamRow
from reporting.storage.release_models import ReleaseRow
from reporting.teams import team_log
from reporting.teams.team_log import BrokenChain, KeysNotMade, Pin

FOLDER = "backup-keys"  # in the instance folder; keep a copy of it apart from the backups
SIGN = b"amparo backup 1\n"
CHUNK = 1024 * 1024  # bytes of one sealed piece; padding doubles what is one byte longer
LAST = "last-backup.json"  # in the instance folder: how many cases the last one held, and its day
NO_CASES = (
    "There is not one case, and the last backup held some: nothing was written. Was every case erased? Then say so "
    "with --no-cases. Else find out what became of the database, and keep the last backup."
)
BATCH = 500  # rows put back with one order
KEY_DAYS = 60  # as retention.toml has it; a test compares
# what must not come back: seeds and sittings, tickets' marks, doors that open once, counters
SHORT_LIVED = {"day_seed", "staff_session", "trip_mark", "sign_in_try", "invitation"}
Say = Callable[[str], None]


def left_out() -> set[str]:
    """The tables that are in no backup: what is short-lived, copies of cases, and what a team has taken.

    A list put back with the cases would call what is older new; and of an erased case it would stay for longer.
    """
    return SHORT_LIVED | {TakenRow.__tablename__} | {table.name for table in derived.tables()}


class BackupRefused(AmparoError):
    """A backup is not taken or not put back; the message says why and what to do."""


# ── the keys of the months ──────────────────────────────────────────────────────────────────────────────────


def month_key(instance: Path, now: float) -> tuple[str, bytes]:
    """The month's name and its key; made when it is first needed."""
    month, folder = f"{_day(now):%Y-%m}", instance / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{month}.key"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealing.new_key())
            file.flush()
            os.fsync(file.fileno())
    return month, path.read_bytes()


def forget_keys(instance: Path, now: float, days: int = KEY_DAYS) -> int:
    """Destroy the keys of months that began so many days ago. What they sealed opens nowhere any more."""
    old = [path for path in (instance / FOLDER).glob("????-??.key") if _over(path.stem, now, days)]
    for path in old:
        with path.open("r+b") as file:
            file.write(bytes(sealing.KEY))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    return len(old)


def _over(month: str, now: float, days: int = KEY_DAYS) -> bool:
    return _day(now) >= date.fromisoformat(f"{month}-01") + timedelta(days=days)


def _old_key(instance: Path, month: str, now: float) -> bytes:
    path = instance / FOLDER / f"{month}.key"
    if not path.exists() or _over(month, now):
        raise BackupRefused(
            f"The key of {month} is gone: 60 days after a month began, its backups open nowhere any more."
        )
    return path.read_bytes()


# ── taking one ──────────────────────────────────────────────────────────────────────────────────────────────


def back_up(
    engine: Engine, instance: Path, target: Path, now: float, say: Say, *, may_be_empty: bool = False
) -> dict[str, Any]:
    """Write a backup while people go on working, read it back whole, then give it its name.

    `BackupRefused` when it holds no case and the last one held some, unless it `may_be_empty`; `Busy` while something
    else goes over all cases.
    """
    with maintenance_lock(engine, instance, "backup"):
        return _back_up(engine, instance, target, now, say, may_be_empty=may_be_empty)


def _back_up(
    engine: Engine, instance: Path, target: Path, now: float, say: Say, *, may_be_empty: bool
) -> dict[str, Any]:
    month, key = month_key(instance, now)
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)  # of one that was killed: nobody else writes one while the lock is held
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            counts = _write(file, engine, month, key, say)
            file.flush()
            os.fsync(file.fileno())
        say("reading it back ...")
        with fresh.open("rb") as file:
            read_back = sum(1 for _ in rows_of(file, key)) - 1
        rows, cases = sum(counts.values()), counts[CaseRow.__tablename__]
        if read_back != rows:
            raise BackupRefused(f"The backup holds {read_back} rows and should hold {rows}: it was thrown away.")
        if not cases and not may_be_empty and cases_of_last(instance):
            raise BackupRefused(NO_CASES)
        fresh.replace(target)
        rewrite_json(instance / LAST, lambda _before: {"cases": cases, "day": _day(now).isoformat()})
    finally:
        fresh.unlink(missing_ok=True)
    checkpoint(engine)  # whoever erased meanwhile could not empty the log: this looked at an older state
    return {"file": str(target), "month": month, "rows": rows, "bytes": target.stat().st_size}


def cases_of_last(instance: Path) -> int:
    """How many cases the last backup held; 0 where none was taken."""
    try:
        return int(json.loads((instance / LAST).read_text(encoding="utf-8"))["cases"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0


def _write(file: BinaryIO, engine: Engine, month: str, key: bytes, say: Say) -> dict[str, int]:
    """One look at all tables at the same moment; sealed piece by piece, each bound to its number and to this file.

    Returns how many rows of each table were written; `BackupRefused` where the same look counts others.
    """
    name, counts, waiting, number = os.urandom(16), dict[str, int](), bytearray(), 0
    file.write(SIGN + month.encode() + name)
    kept = [table for table in Base.metadata.sorted_tables if table.name not in left_out()]
    look = engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")
    with look.connect() as connection, connection.begin():
        version = version_of(connection)
        waiting += _line({"version": version, "tables": [table.name for table in kept]})
        for table in kept:
            say(f"table {table.name} ...")
            counts[table.name] = 0
            for row in connection.execution_options(yield_per=500).execute(select(table)).mappings():
                line = _line({"t": table.name, "r": {column: _plain(value) for column, value in row.items()}})
                if waiting and len(waiting) + len(line) > CHUNK - sealing.LENGTH:
                    _put(file, key, name, number, bytes(waiting), last=False)
                    waiting, number = bytearray(), number + 1
                waiting += line
                counts[table.name] += 1
            there = connection.execute(select(func.count()).select_from(table)).scalar()
            if there != counts[table.name]:
                raise BackupRefused(f"{table.name} has {there} rows, and {counts[table.name]} were read: thrown away.")
    _put(file, key, name, number, bytes(waiting), last=True)
    return counts


def _put(file: BinaryIO, key: bytes, name: bytes, number: int, piece: bytes, *, last: bool) -> None:
    sealed = sealing.seal(_file_key(key, name), _place(number, last=last), piece)
    file.write(len(sealed).to_bytes(4, "big") + sealed)


def _file_key(key: bytes, name: bytes) -> bytes:
    return sealing.derive(key, "backup", name)


def _place(number: int, *, last: bool) -> SealContext:
    return SealContext("backup", 0, number, "last" if last else "piece", 1)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(bytes(value)).decode()}
    return {"d": value.isoformat()} if isinstance(value, date) else value


def _rich(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["b"]) if "b" in value else date.fromisoformat(value["d"])
    return value


def rows_of(file: BinaryIO, key: bytes) -> Iterator[dict[str, Any]]:
    """The head and every row of a backup, with the key at hand."""
    return _read(file, lambda _month: key)


def _read(file: BinaryIO, key_of: Callable[[str], bytes]) -> Iterator[dict[str, Any]]:
    """The head and then every row. A cut, changed or foreign file is `BackupRefused`."""
    if file.read(len(SIGN)) != SIGN:
        raise BackupRefused("This is no backup of ours.")
    month, name = file.read(7).decode("ascii", "replace"), file.read(16)
    key, number, last = _file_key(key_of(month), name), 0, False
    while not last:
        sealed = file.read(int.from_bytes(file.read(4), "big"))
        try:
            piece = sealing.open_sealed(key, _place(number, last=False), sealed)
        except CannotOpen:
            try:
                piece, last = sealing.open_sealed(key, _place(number, last=True), sealed), True
            except CannotOpen:
                raise BackupRefused(
                    "This backup does not open: it was cut or changed, or its key is another."
                ) from None
        yield from (json.loads(line) for line in piece.splitlines())
        number += 1


# ── putting one back ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, what stayed as it is here, what was erased or is over and stays gone."""

    everything: bool
    rows: int
    here_already: int
    stays_gone: int


def restore(engine: Engine, pin: Pin, instance: Path, source: Path, pepper: bytes, now: float, say: Say) -> Restored:
    """Put a backup back. The tables must be there.

    Where people and keys are here and hold, only cases that are missing come back: who reads is a matter of the team
    log that is here, never of an older one. Into empty tables everything comes back, and is refused when its log is
    older than the pin.
    """
    with maintenance_lock(engine, instance, "restore"), source.open("rb") as file, writing(engine) as db:
        lines = _read(file, lambda month: _old_key(instance, month, now))
        head = next(lines)
        version = version_of(db)
        if head["version"] != version:
            raise BackupRefused(
                f"The backup has the tables of version {head['version']}, here is {version}: "
                "restore it with the program that made it, then upgrade."
            )
        everything = db.scalars(select(TeamRow)).first() is None
        if not everything:
            _must_hold(db, pin)
        done = _put_back(db, lines, pepper, now, say, everything=everything)
        if everything:
            _must_reach_the_pin(db, pin)
            _keep_what_is_published(db, pin)
        day_seeds.forget_all(db)
        day_seeds.open_day(db, now)
    return done


def _must_hold(db: Session, pin: Pin) -> None:
    try:
        team_log.teams(db, pin)
    except BrokenChain:
        raise BackupRefused(
            "The team log that is here does not hold: nothing is put back beside it. Move this database "
            "away, run `amparo upgrade`, and restore into empty tables."
        ) from None


def _must_reach_the_pin(db: Session, pin: Pin) -> None:
    """The whole transaction is taken back when this raises."""
    if not pin.read():
        raise BackupRefused(
            f"{pin.path} is missing: put it back from where the secrets are kept. Without it nobody can say "
            "whether somebody was taken out after this backup."
        )
    try:
        team_log.teams(db, pin)
    except (BrokenChain, KeysNotMade):
        raise BackupRefused(
            "This backup is older than the newest keys: somebody may have been taken out since. Nothing was "
            "changed. Take a newer backup; or bring back the database that holds the newest team log, and "
            "restore beside it: then only the missing cases come back."
        ) from None


def _keep_what_is_published(db: Session, pin: Pin) -> None:
    """A release that is out stands again as it was; its archive does not come back, so none is counted anew."""
    try:
        release_ledger.follow(db, pin.ledger)
    except NoLedger:
        if db.scalars(select(ReleaseRow.id)).first() is not None:
            raise BackupRefused(release_ledger.NO_LEDGER) from None


def _put_back(
    db: Session, lines: Iterator[dict[str, Any]], pepper: bytes, now: float, say: Say, *, everything: bool
) -> Restored:
    tables = Base.metadata.tables
    of_cases = {table.name for table in derived.tables_of_cases()}
    counts, batch_of = {"rows": 0, "here": 0, "gone": 0}, ""
    erased, here = set(db.scalars(select(ErasedRow.mark))), _cases_here(db)
    waiting: list[dict[str, Any]] = []
    came: dict[str, set[Any]] = {name: set() for name in of_cases}
    if everything:
        for table in reversed(Base.metadata.sorted_tables):
            db.execute(table.delete())
    for line in lines:
        name, row = line["t"], {column: _rich(value) for column, value in line["r"].items()}
        of_a_case, is_mark = name in of_cases, name == ErasedRow.__tablename__
        if name == CaseRow.__tablename__ and (why := _stays_away(row, erased, here, pepper, now)):
            counts[why] += 1
            continue
        if not (_comes_along(tables[name], row, came) if of_a_case else everything):
            continue
        erased |= {row["mark"]} if is_mark else set()
        if waiting and (name != batch_of or len(waiting) == BATCH):
            db.execute(tables[batch_of].insert(), waiting)
            waiting = []
        batch_of = name
        waiting.append(row)
        counts["rows"] += 1
        if of_a_case:
            came[name].add(_own_key(tables[name], row))
        if counts["rows"] % 10_000 == 0:
            say(f"{counts['rows']} rows ...")
    if waiting:
        db.execute(tables[batch_of].insert(), waiting)
    _move_counters_on(db)
    return Restored(everything, counts["rows"], counts["here"], counts["gone"])


def _cases_here(db: Session) -> set[int | bytes]:
    """The numbers and tags of the cases that are here."""
    return {mark for row in db.execute(select(CaseRow.id, CaseRow.tag)) for mark in row}


def _stays_away(row: dict[str, Any], erased: set[bytes], here: set[int | bytes], pepper: bytes, now: float) -> str:
    """Why a case of the backup does not come back: it was erased or is over, or it is here. Else nothing."""
    if store.erased_mark(pepper, row["id"]) in erased or row["delete_after"] <= _day(now):
        return "gone"
    return "" if here.isdisjoint((row["id"], row["tag"])) else "here"


def _comes_along(table: Table, row: dict[str, Any], came: dict[str, set[Any]]) -> bool:
    """Whether a row is a case itself, or belongs to a case that came just now."""
    return all(
        row[key.parent.name] in came[key.column.table.name] or row[key.parent.name] is None
        for key in table.foreign_keys
        if key.column.table.name in came
    )


def _own_key(table: Table, row: dict[str, Any]) -> Any:
    key = tuple(row[column.name] for column in table.primary_key.columns)
    return key[0] if len(key) == 1 else key


def _move_counters_on(db: Session) -> None:
    """PostgreSQL counts rows apart from the table; SQLite does not."""
    if db.get_bind().dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and isinstance(column.type, Integer):
            highest = db.execute(select(func.max(column))).scalar()
            name = db.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar()
            if name and highest:
                db.execute(select(func.setval(name, highest)))


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
