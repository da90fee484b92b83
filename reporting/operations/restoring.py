"""The way back of a backup, beside people: some cases at a time, each whole or not at all.

A restore never brings back who was taken out or what was erased. One that was killed is done again: where people and
keys are here, what came stays and what is missing comes; where nothing was here nothing is open before the last step,
in which people and keys come, and what had come before goes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Integer, Table, func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from reporting.cases import derived, store
from reporting.errors import AmparoError
from reporting.figures import release_ledger
from reporting.i18n import T_, said
from reporting.operations import backups
from reporting.operations.backups import BackupRefused
from reporting.sessions import day_seeds
from reporting.storage.database import Base, Line, reading, version_of, writing
from reporting.storage.ledger import NoLedger
from reporting.storage.locks import maintenance_lock
from reporting.storage.models import CaseRow, ErasedRow, TeamRow
from reporting.storage.release_models import ReleaseRow
from reporting.teams import team_log
from reporting.teams.team_log import BrokenChain, KeysNotMade, Pin

SLICE = 200  # cases that come back in one transaction
ROWS = 500  # of other tables that are put back with one order
Say = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, what stayed as it is here, what was erased or is over and stays gone."""

    everything: bool
    rows: int
    here_already: int
    stays_gone: int


@dataclass(slots=True)
class _Waiting:
    """Cases of which all that is theirs is being read. In backups of before, that comes after all cases."""

    cases: list[Row] = field(default_factory=list)
    theirs: dict[int, list[tuple[str, Row]]] = field(default_factory=dict)

    @property
    def are_whole(self) -> bool:
        return len(self.cases) >= SLICE and bool(self.theirs)


def restore(engine: Engine, pin: Pin, instance: Path, source: Path, pepper: bytes, now: float, say: Say) -> Restored:
    """Put a backup back. The tables must be there.

    Where people and keys are here and hold, only cases that are missing come back: who reads is a matter of the team
    log that is here, never of an older one. Into empty tables everything comes back, and is refused when its log is
    older than the pin. `BackupRefused` before anything is changed; `Busy` while something else goes over all cases.
    """
    with maintenance_lock(engine, instance, "restore"), source.open("rb") as file:
        lines = backups.lines_of(file, instance, now)
        theirs = next(lines).get("version")
        with reading(engine) as db:
            version = version_of(db)
            if theirs != version:
                raise BackupRefused(
                    said(
                        "The backup has the tables of version %(theirs)s, here is %(ours)s: restore it with the "
                        "program that made it, then upgrade.",
                        theirs=theirs,
                        ours=version,
                    )
                )
            everything = db.scalars(select(TeamRow)).first() is None
            if not everything:
                _must_hold(db, pin)
        _must_be_ours(lines)
        file.seek(0)
        lines = islice(backups.lines_of(file, instance, now), 1, None)
        return _Restore(engine, pin, pepper, now, say, everything=everything).put_back(lines)


@dataclass(slots=True)
class _Restore:
    """One restore while it goes on."""

    engine: Engine
    pin: Pin
    pepper: bytes = field(repr=False)
    now: float
    say: Say
    everything: bool
    others: list[tuple[str, Row]] = field(default_factory=list, repr=False)  # rows that are not of cases
    counts: Counter[str] = field(default_factory=Counter)
    has_begun: bool = False

    def put_back(self, lines: Iterable[dict[str, Any]]) -> Restored:
        of_cases, waiting = {table.name for table in derived.tables_of_cases()}, _Waiting()
        for name, row in map(backups.row_in, lines):
            if name == CaseRow.__tablename__:
                if waiting.are_whole:
                    self._bring(waiting)
                    waiting = _Waiting()
                waiting.cases.append(row)
            elif name in of_cases:
                case = row[backups.case_column(Base.metadata.tables[name]).name]
                waiting.theirs.setdefault(case, []).append((name, row))
            elif self.everything:
                self.others.append((name, row))
        self._bring(waiting)
        if self.everything:  # beside people, whoever is telling goes on: her ticket and its marks are of today
            with writing(self.engine) as db:
                self._bring_others(db)
                day_seeds.forget_all(db)
                day_seeds.open_day(db, self.now)
        return Restored(self.everything, self.counts["rows"], self.counts["here"], self.counts["gone"])

    def _bring(self, waiting: _Waiting) -> None:
        """Cases with all that is theirs, some at a time; before the first ones, whether the rest would hold."""
        if self.everything and not self.has_begun:
            with suppress(_Enough), writing(self.engine) as db:
                self._bring_others(db)
                raise _Enough
            self.counts.clear()
            _let_all_go(self.engine)  # of a restore that was killed
        self.has_begun = True
        for start in range(0, len(waiting.cases), SLICE):
            with writing(self.engine) as db:
                self._bring_some(db, waiting.cases[start : start + SLICE], waiting.theirs)
            self.say(said("%(rows)s rows ...", rows=self.counts["rows"]))

    def _bring_some(self, db: Session, cases: list[Row], theirs: dict[int, list[tuple[str, Row]]]) -> None:
        """First which are here, then which were erased: who erases one meanwhile is seen by the one or the other."""
        marks = {case["id"]: store.erased_mark(self.pepper, case["id"]) for case in cases}
        is_known = CaseRow.id.in_([*marks]) | CaseRow.tag.in_([case["tag"] for case in cases])
        here = {mark for row in db.execute(select(CaseRow.id, CaseRow.tag).where(is_known)) for mark in row}
        erased = set(db.scalars(select(ErasedRow.mark).where(ErasedRow.mark.in_(marks.values()))))
        come = []
        for case in cases:
            if marks[case["id"]] in erased or case["delete_after"] <= datetime.fromtimestamp(self.now, UTC).date():
                self.counts["gone"] += 1
            elif not here.isdisjoint((case["id"], case["tag"])):
                self.counts["here"] += 1
            else:
                come.append(case)
        rows = [(CaseRow.__tablename__, case) for case in come]
        rows += [row for case in come for row in theirs.get(case["id"], ())]
        self.counts["rows"] += _insert(db, sorted(rows, key=lambda row: row[0] != CaseRow.__tablename__))

    def _bring_others(self, db: Session) -> None:
        """All that is not of cases, in the place of what is here. `BackupRefused` where it does not hold."""
        of_cases = derived.tables_of_cases()
        for table in reversed(Base.metadata.sorted_tables):
            if table not in of_cases:
                db.execute(table.delete())
        self.counts["rows"] += _insert(db, self.others)
        move_counters_on(db, Base.metadata.sorted_tables)
        _must_reach_the_pin(db, self.pin)
        _keep_what_is_published(db, self.pin)


class _Enough(AmparoError):
    """It was only to be seen whether it would hold: the transaction is taken back."""


def _let_all_go(engine: Engine) -> None:
    while True:
        with writing(engine) as db:
            some = tuple(db.scalars(select(CaseRow.id).order_by(CaseRow.id).limit(SLICE)))
            if not some:
                return
            derived.let_go(db, CaseRow.id.in_(some))


def _must_be_ours(lines: Iterable[dict[str, Any]]) -> None:
    """Go over all of it before the first row comes: `BackupRefused` where it is cut, or a row is not of our tables."""
    tables = {table.name: table for table in Base.metadata.sorted_tables if table.name not in backups.left_out()}
    for name, row in map(backups.row_in, lines):
        if name not in tables or not _fits(tables[name], row):
            raise BackupRefused(backups.BENT)


def _fits(table: Table, row: Row) -> bool:
    """Whether a row has the columns of a table, and in each what can stand there."""
    return {*row} == {*table.columns.keys()} and all(
        column.nullable if row[column.name] is None else isinstance(row[column.name], column.type.python_type)
        for column in table.columns
    )


def put_in(db: Line, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of a file, with one order. `BackupRefused` where the table takes them not, and not for want of room."""
    try:
        db.execute(table.insert(), rows)
    except OperationalError:
        raise
    except (SQLAlchemyError, OverflowError, UnicodeError):
        raise BackupRefused(backups.BENT) from None


def _insert(db: Session, rows: Iterable[tuple[str, Row]]) -> int:
    """How many rows were put in, in the order in which they are given."""
    count = 0
    for name, group in groupby(rows, key=lambda row: row[0]):
        some = [row for _, row in group]
        for start in range(0, len(some), ROWS):
            put_in(db, Base.metadata.tables[name], some[start : start + ROWS])
        count += len(some)
    return count


def _must_hold(db: Session, pin: Pin) -> None:
    try:
        team_log.teams(db, pin)
    except BrokenChain:
        raise BackupRefused(
            T_(
                "The team log that is here does not hold: nothing is put back beside it. Move this database away, run "
                "`amparo upgrade`, and restore into empty tables."
            )
        ) from None


def _must_reach_the_pin(db: Session, pin: Pin) -> None:
    """The whole transaction is taken back when this raises."""
    if not pin.read():
        raise BackupRefused(
            said(
                "%(file)s is missing: put it back from where the secrets are kept. Without it nobody can say whether "
                "somebody was taken out after this backup.",
                file=pin.path,
            )
        )
    try:
        team_log.teams(db, pin)
    except (BrokenChain, KeysNotMade):
        raise BackupRefused(
            T_(
                "This backup is older than the newest keys: somebody may have been taken out since. Nothing was "
                "changed. Take a newer backup; or bring back the database that holds the newest team log, and restore "
                "beside it: then only the missing cases come back."
            )
        ) from None


def _keep_what_is_published(db: Session, pin: Pin) -> None:
    """A release that is out stands again as it was; its archive does not come back, so none is counted anew."""
    try:
        release_ledger.follow(db, pin.ledger)
    except NoLedger:
        if db.scalars(select(ReleaseRow.id)).first() is not None:
            raise BackupRefused(release_ledger.NO_LEDGER) from None


def move_counters_on(db: Line, tables: Iterable[Table]) -> None:
    """PostgreSQL counts rows apart from the table; SQLite does not."""
    bound = db.connection() if isinstance(db, Session) else db
    if bound.dialect.name != "postgresql":
        return
    for table in tables:
        column = table.autoincrement_column
        if column is not None and isinstance(column.type, Integer):
            highest = db.execute(select(func.max(column))).scalar()
            name = db.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar()
            if name and highest:
                db.execute(select(func.setval(name, highest)))
