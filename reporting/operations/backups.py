"""Backups: every row that must outlive this machine, sealed to the key of the month. The way back: restoring.

The keys of the months lie in the instance folder, never in a backup, and are destroyed 60 days after their
month began: what is erased today is in no readable copy then. What is short-lived (seeds, sessions, tickets,
invitations) is not in it, nor is the pin.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Column, Connection, Engine, RowMapping, Select, Table, func, select

from reporting.cases import derived
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.errors import AmparoError
from reporting.i18n import T_, said
from reporting.storage.database import Base, checkpoint, version_of
from reporting.storage.files import new_file, overwrite, rewrite_json
from reporting.storage.locks import maintenance_lock
from reporting.storage.models import CaseRow, TakenRow

FOLDER = "backup-keys"  # in the instance folder; keep a copy of it apart from the backups
SIGN = b"amparo backup 1\n"
CHUNK = 1024 * 1024  # bytes of one sealed piece; padding doubles what is one byte longer
LAST = "last-backup.json"  # in the instance folder: how many cases the last one held, its day, and when one was tried
NO_CASES = T_(
    "There is not one case, and the last backup held some: nothing was written. Was every case erased? Then say so "
    "with --no-cases. Else find out what became of the database, and keep the last backup."
)
BENT = T_(
    "This file opens, and what lies in it is not as this program writes it: trust nothing of it. Take another copy, "
    "and find out who made this one."
)
CASES = 200  # that lie together in a backup with all that is theirs
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
        with new_file(path) as file:
            file.write(sealing.new_key())
    return month, path.read_bytes()


def forget_keys(instance: Path, now: float, days: int = KEY_DAYS) -> int:
    """Destroy the keys of months that began so many days ago. What they sealed opens nowhere any more."""
    old = _old_keys(instance, now, days)
    for path in old:
        overwrite(path)
    return len(old)


def destroy_keys(instance: Path) -> None:
    """Destroy every key, whatever the clock says, and their folder. Files of others stay in it."""
    for path in (instance / FOLDER).glob("????-??.key"):
        overwrite(path)
    with suppress(OSError):
        (instance / FOLDER).rmdir()


def old_keys(instance: Path, now: float, days: int = KEY_DAYS) -> int:
    """How many keys should have been destroyed by then."""
    return len(_old_keys(instance, now, days))


def _old_keys(instance: Path, now: float, days: int) -> list[Path]:
    return [path for path in (instance / FOLDER).glob("????-??.key") if _over(path.stem, now, days)]


def _over(month: str, now: float, days: int = KEY_DAYS) -> bool:
    return _day(now) >= date.fromisoformat(f"{month}-01") + timedelta(days=days)


def _old_key(instance: Path, month: str, now: float) -> bytes:
    path = instance / FOLDER / f"{month}.key"
    if not path.exists() or _over(month, now):
        raise BackupRefused(
            said("The key of %(month)s is gone: 60 days after a month began, its backups open nowhere.", month=month)
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
        with new_file(fresh) as file:
            counts = _write(file, engine, month, key, say)
        say(T_("reading it back ..."))
        with fresh.open("rb") as file:
            read_back = sum(1 for _ in rows_of(file, key)) - 1
        rows, cases = sum(counts.values()), counts[CaseRow.__tablename__]
        if read_back != rows:
            words = T_("The backup holds %(read)s rows and should hold %(rows)s: it was thrown away.")
            raise BackupRefused(said(words, read=read_back, rows=rows))
        if not cases and not may_be_empty and cases_of_last(instance):
            raise BackupRefused(NO_CASES)
        fresh.replace(target)
        rewrite_json(instance / LAST, lambda before: before | {"cases": cases, "day": _day(now).isoformat()})
    finally:
        fresh.unlink(missing_ok=True)
    checkpoint(engine)  # whoever erased meanwhile could not empty the log: this looked at an older state
    return {"file": str(target), "month": month, "rows": rows, "bytes": target.stat().st_size}


@dataclass(frozen=True, slots=True)
class LastBackup:
    """What is known here of the last backup. Where it lies is not: whoever takes the disk would know where to go on."""

    cases: int
    day: date
    tried: date | None  # when one was last put back into nothing, and came back whole


def last_backup(instance: Path) -> LastBackup | None:
    """The last backup that was taken; None where none was."""
    try:
        known = json.loads((instance / LAST).read_text(encoding="utf-8"))
        tried = date.fromisoformat(known["tried"]) if "tried" in known else None
        return LastBackup(int(known["cases"]), date.fromisoformat(known["day"]), tried)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def cases_of_last(instance: Path) -> int:
    """How many cases the last backup held; 0 where none was taken. What else is known of it must not hide them."""
    try:
        return int(json.loads((instance / LAST).read_text(encoding="utf-8"))["cases"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0


def note_tried(instance: Path, now: float) -> None:
    """A backup came back whole today."""
    rewrite_json(instance / LAST, lambda before: before | {"tried": _day(now).isoformat()})


def _write(file: BinaryIO, engine: Engine, month: str, key: bytes, say: Say) -> dict[str, int]:
    """One look at all tables at the same moment. Returns how many rows of each table were written.

    `BackupRefused` where the same look counts others.
    """
    counts = dict[str, int]()
    kept = [table for table in Base.metadata.sorted_tables if table.name not in left_out()]
    with one_look(engine) as connection:
        head = {"version": version_of(connection), "tables": [table.name for table in kept]}
        rows = _rows(connection, kept, counts, say)
        write_lines(file, month, key, chain([head], (line_of(table.name, row) for table, row in rows)))
        for table in kept:
            there = connection.execute(select(func.count()).select_from(table)).scalar()
            if there != counts[table.name]:
                words = T_("%(table)s has %(rows)s rows, and %(read)s were read: thrown away.")
                raise BackupRefused(said(words, table=table.name, rows=there, read=counts[table.name]))
    return counts


@contextmanager
def one_look(engine: Engine) -> Iterator[Connection]:
    """A connection that sees all tables as they are at one moment, while others go on writing."""
    look = engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")
    with look.connect() as connection, connection.begin():
        yield connection


def write_lines(file: BinaryIO, month: str, key: bytes, lines: Iterable[Mapping[str, Any]]) -> None:
    """The lines, sealed piece by piece, each piece bound to its number and to this file."""
    name, waiting, number = os.urandom(16), bytearray(), 0
    file.write(SIGN + month.encode() + name)
    for line in map(_line, lines):
        if waiting and len(waiting) + len(line) > CHUNK - sealing.LENGTH:
            _put(file, key, name, number, bytes(waiting), last=False)
            waiting, number = bytearray(), number + 1
        waiting += line
    _put(file, key, name, number, bytes(waiting), last=True)


def line_of(table: str, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as it stands in a backup."""
    return {"t": table, "r": {str(column): _plain(value) for column, value in row.items()}}


def _rows(
    connection: Connection, kept: Sequence[Table], counts: dict[str, int], say: Say
) -> Iterator[tuple[Table, RowMapping]]:
    """First what is not of cases; then some cases and all that is theirs, and so on: they come back together."""
    cases, *theirs = derived.tables_of_cases()
    counts |= dict.fromkeys((table.name for table in kept), 0)

    def counted(table: Table, query: Select[Any]) -> Iterator[tuple[Table, RowMapping]]:
        for row in connection.execution_options(yield_per=500).execute(query).mappings():
            counts[table.name] += 1
            yield table, row

    for table in kept:
        if table not in {cases, *theirs}:
            say(said("table %(table)s ...", table=table.name))
            yield from counted(table, select(table))
    say(T_("cases ..."))
    last: int | None = None
    while True:
        query = select(cases).order_by(cases.c.id).limit(CASES)
        some = [*counted(cases, query if last is None else query.where(cases.c.id > last))]
        if not some:
            return
        yield from some
        last = some[-1][1]["id"]
        numbers = [row["id"] for _, row in some]
        for table in theirs:
            yield from counted(table, select(table).where(case_column(table).in_(numbers)))


def case_column(table: Table) -> Column[Any]:
    """In which column a table says of which case its row is."""
    return next(key.parent for key in table.foreign_keys if key.column.table.name == CaseRow.__tablename__)


def _put(file: BinaryIO, key: bytes, name: bytes, number: int, piece: bytes, *, last: bool) -> None:
    sealed = sealing.seal(_file_key(key, name), _place(number, last=last), piece)
    file.write(len(sealed).to_bytes(4, "big") + sealed)


def _file_key(key: bytes, name: bytes) -> bytes:
    return sealing.derive(key, "backup", name)


def _place(number: int, *, last: bool) -> SealContext:
    return SealContext("backup", 0, number, "last" if last else "piece", 1)


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(bytes(value)).decode()}
    return {"d": value.isoformat()} if isinstance(value, date) else value


def row_in(line: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The table and the row that a line of a backup stands for. `BackupRefused` where it stands for none."""
    try:
        return str(line["t"]), {column: _rich(value) for column, value in line["r"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BackupRefused(BENT) from None


def _rich(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["b"]) if "b" in value else date.fromisoformat(value["d"])
    return value


def rows_of(file: BinaryIO, key: bytes) -> Iterator[dict[str, Any]]:
    """The head and every row of a backup, with the key at hand."""
    return _read(file, lambda _month: key)


def lines_of(file: BinaryIO, instance: Path, now: float) -> Iterator[dict[str, Any]]:
    """The same, with the key of its month; `BackupRefused` where that is gone."""
    return _read(file, lambda month: _old_key(instance, month, now))


def _read(file: BinaryIO, key_of: Callable[[str], bytes]) -> Iterator[dict[str, Any]]:
    """The head and then every row. A cut, changed or foreign file is `BackupRefused`, and one without a line."""
    if file.read(len(SIGN)) != SIGN:
        raise BackupRefused(T_("This is no backup of ours."))
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
                    T_("This backup does not open: it was cut or changed, or its key is another.")
                ) from None
        lines = piece.splitlines()
        if not lines:
            raise BackupRefused(BENT)
        yield from map(_entry, lines)
        number += 1


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise BackupRefused(BENT)
    return entry


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
