"""Upkeep of services: confirming, editing and flagging them, with their history, and which are due.

Is handed a session and the day. Of a flag only the week is kept. Has never heard of a case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from referrals.directory import rows
from referrals.directory.believed import Signs, counts, is_watched, sign
from referrals.directory.due import Due, due_of
from referrals.directory.home import home, is_at_home
from referrals.directory.keeping.guarded import WHERE, waits_of
from referrals.directory.keeping.questions import unknown_of
from referrals.directory.match_table import changed
from referrals.directory.models import FlagRow, ForeignRow, HistoryRow, PlaceRow, ServiceRow, WaitingRow
from referrals.directory.rows import COLUMNS, SHELTER, cells_of, tidy, with_answers
from reporting.errors import AmparoError
from reporting.i18n import N_

EDITABLE = tuple(column for column in COLUMNS if column != "id")
CONFIRMED, EDITED, LEARNED, NOBODY = "confirmed", "edited", "learned", "nobody"
IMPORTED, ADDED = "imported", "added"
FLAGS = {
    "dead": N_("Dead number"),
    "unsafe": N_("They were not safe"),
    "refused": N_("They refused somebody we referred"),
}
OUR_CALL = "Llamada de nuestro equipo"  # the source of a row that no paper has named: somebody of the team asked
OURS = "seen"  # the status of a row that somebody has seen


class ServiceEditConflict(AmparoError):
    """Somebody else changed this service since it was read."""


class InvalidService(AmparoError, ValueError):
    """What was typed cannot be stored; each reason is a message id."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of a service's history: who did what to it, on which day and why."""

    day: str  # 2026-11-24
    who: str
    act: str  # one of those above
    why: str
    changes: Mapping[str, tuple[str, str]]  # column -> before, after


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service as the team sees it: its cells, its history, what was flagged, when it is due."""

    row: Mapping[str, str]
    stamp: str  # of the cells as they are: a change elsewhere gives another one
    acts: tuple[HistoryLine, ...]  # the newest first
    flags: tuple[tuple[str, str, int], ...]  # week, kind, count; the newest first
    foreign: Mapping[str, str]
    due: Due


def entry(db: Session, service: str, today: date) -> ServiceEntry | None:
    """Everything about one service; None where this directory has none of that id."""
    row = db.get(ServiceRow, service)
    if row is None or not is_at_home(db, service):
        return None
    history = db.scalars(select(HistoryRow).where(HistoryRow.service == service).order_by(HistoryRow.id.desc()))
    weeks = select(FlagRow).where(FlagRow.service == service).order_by(FlagRow.week.desc(), FlagRow.kind)
    flags = list(db.scalars(weeks))
    foreign = db.get(ForeignRow, service)
    cells = cells_of(row)
    return ServiceEntry(
        row=cells,
        stamp=stamp_of(cells),
        acts=tuple(HistoryLine(act.day, act.who, act.act, act.why, json.loads(act.changes)) for act in history),
        flags=tuple((flag.week, flag.kind, flag.count) for flag in flags),
        foreign=json.loads(foreign.told) if foreign else {},
        due=due_of(cells, today, sum(flag.count for flag in flags if flag.waits)),
    )


def stamp_of(cells: Mapping[str, str]) -> str:
    """A short hash of exactly these cells: who writes hands it back, so that nobody's change is lost."""
    return hashlib.sha256(json.dumps([cells[column] for column in COLUMNS]).encode()).hexdigest()[:16]


def confirm(db: Session, service: str, who: str, today: date, stamp: str, signs: Signs | None = None) -> frozenset[str]:
    """Write down that somebody has looked or called, and that all of it is still true today.

    `signs`: who stands for the row as it is then, here and in what follows. Returns the columns that wait for a second
    person; `ChangeWaits` when something waits already.

    `ServiceEditConflict` when it was changed since it was read; `InvalidService` when it cannot be stored as it is.
    """
    row = _locked(db, service, stamp)
    return _write(db, row, _seen_today(row, today), HistoryLine(today.isoformat(), who, CONFIRMED, "", {}), signs)


def edit(
    db: Session,
    service: str,
    cells: Mapping[str, str],
    who: str,
    why: str,
    today: date,
    stamp: str,
    signs: Signs | None = None,
) -> frozenset[str]:
    """Write other cells, with a reason; columns that are not there stay as they are.

    `ServiceEditConflict` when it was changed since it was read; `InvalidService` when it cannot be stored.
    """
    row = _locked(db, service, stamp)
    new = with_answers({column: tidy(cells[column]) for column in EDITABLE if column in cells}, cells_of(row))
    return _write(db, row, new, HistoryLine(today.isoformat(), who, EDITED, tidy(why), {}), signs)


def learn(
    db: Session,
    service: str,
    cells: Mapping[str, str],
    who: str,
    today: date,
    stamp: str,
    signs: Signs | None = None,
) -> frozenset[str]:
    """Write what a call taught into cells that were unknown, and that the rest was looked at today.

    `ServiceEditConflict` when it was changed since it was read; `InvalidService` when it cannot be stored.
    """
    row = _locked(db, service, stamp)
    unknown = {question.column for question in unknown_of(cells_of(row))}
    new = with_answers({column: tidy(cell) for column, cell in cells.items() if column in unknown and tidy(cell)})
    return _write(db, row, new | _seen_today(row, today), HistoryLine(today.isoformat(), who, LEARNED, "", {}), signs)


def nobody_answered(db: Session, service: str, who: str, today: date) -> None:
    """Write down that somebody called and nobody answered; nothing is confirmed by it.

    `ServiceEditConflict` when the service is gone meanwhile.
    """
    if db.get(ServiceRow, service) is None:
        raise ServiceEditConflict
    note(db, service, HistoryLine(today.isoformat(), who, NOBODY, "", {}))


def _seen_today(row: ServiceRow, today: date) -> dict[str, str]:
    """Cells that confirming writes. It is a source where there was none: only then may the row be offered."""
    seen = {"verified_on": today.isoformat()}
    if not row.source:
        seen |= {"source": OUR_CALL, "source_date": today.isoformat()}
    return seen | ({"status": OURS} if row.status == "unverified" else {})


def _locked(db: Session, service: str, stamp: str) -> ServiceRow:
    row = db.get(ServiceRow, service, with_for_update=True)
    if row is None or stamp_of(cells_of(row)) != stamp:
        raise ServiceEditConflict
    return row


def _write(
    db: Session, row: ServiceRow, new: Mapping[str, str], line: HistoryLine, signs: Signs | None
) -> frozenset[str]:
    """Write what may hold at once; what a second person has to agree to waits. Returns the columns that wait."""
    before = cells_of(row)
    _check(db, before | dict(new))
    later = waits_of(before, new, counts=counts(db, signs)) if is_watched(db) else frozenset()
    if later:
        hold(db, row.id, {column: (before[column], new[column]) for column in sorted(later)}, line, signs)
    after = before | {column: cell for column, cell in new.items() if column not in later}
    if after != before or not later:
        _store(db, before, after, line, signs)
    return later


def _check(db: Session, cells: Mapping[str, str]) -> dict[str, str]:
    """The names of places by their code. `InvalidService` where these cells cannot be stored."""
    places = {place.code: place.name for place in db.scalars(select(PlaceRow))}
    wrong = list(rows.faults(cells, places, home(db).country))
    if wrong:
        raise InvalidService(wrong)
    return places


def _store(
    db: Session, before: Mapping[str, str], after: Mapping[str, str], line: HistoryLine, signs: Signs | None
) -> None:
    service = after["id"]
    changes = {column: (before[column], after[column]) for column in COLUMNS if before[column] != after[column]}
    rows.store(db, after, _check(db, after))
    note(db, service, replace(line, changes=changes))
    db.execute(update(FlagRow).where(FlagRow.service == service).values(waits=False))
    if after["service_type"] == SHELTER:
        forget_where(db, service)
    if signs:
        sign(db, [service], signs)
    changed(db, [service])


# ── what waits for a second person ──────────────────────────────────────────────────────────────────────────


class ChangeWaits(AmparoError):
    """A change of this service waits already: somebody agrees to it or stops it first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits: of which service, asked for by whom (0: a file at the terminal), why, on which day."""

    service: str
    member: int
    who: str
    day: str
    why: str
    changes: Mapping[str, tuple[str, str]]  # column -> as it is, as it would be
    signature: bytes

    @property
    def message(self) -> bytes:
        """What the one who asked has signed."""
        content = [self.service, self.member, self.day, self.why, sorted(self.changes.items())]
        return b"change of a service" + json.dumps(content).encode()


def would_wait(db: Session, service: str, cells: Mapping[str, str], stamp: str, signs: Signs) -> bool:
    """Whether a second person would have to agree to some of these cells. Raises what `edit` does.

    `ServiceEditConflict`: the service is gone, or no longer as the page showed it.
    """
    row = db.get(ServiceRow, service)
    if row is None or stamp_of(cells_of(row)) != stamp:
        raise ServiceEditConflict
    before = cells_of(row)
    new = with_answers({column: tidy(cell) for column, cell in cells.items()}, before)
    _check(db, before | new)
    return is_watched(db) and bool(waits_of(before, new, counts=counts(db, signs)))


def hold(
    db: Session, service: str, changes: Mapping[str, tuple[str, str]], line: HistoryLine, signs: Signs | None
) -> None:
    """Write down what waits for a second person. `ChangeWaits` when something waits already."""
    if db.get(WaitingRow, service) is not None:
        raise ChangeWaits
    change = Waiting(service, signs.member if signs else 0, line.who[:80], line.day, line.why, changes, b"")
    db.add(
        WaitingRow(
            service=service,
            member=change.member,
            who=change.who,
            day=change.day,
            why=change.why,
            changes=json.dumps(changes, ensure_ascii=False),
            signature=signs.sign(change.message) if signs else b"",
        )
    )
    db.flush()
    changed(db, [service])


def waiting(db: Session) -> dict[str, Waiting]:
    """Service -> the change that waits for it. Whether somebody known asked for it is for others to judge."""
    held = {}
    for row in db.scalars(select(WaitingRow).order_by(WaitingRow.service)):
        changes = {column: (two[0], two[1]) for column, two in json.loads(row.changes).items() if column in EDITABLE}
        held[row.service] = Waiting(row.service, row.member, row.who, row.day, row.why, changes, row.signature)
    return held


def agree(db: Session, change: Waiting, who: str, today: date, signs: Signs | None) -> None:
    """A second person agrees: what waited is written, in both names.

    `ServiceEditConflict` when the service is another since it was asked; `InvalidService` when it cannot be stored.
    """
    row = db.get(ServiceRow, change.service, with_for_update=True)
    before = cells_of(row) if row else {}
    if any(before.get(column) != two[0] for column, two in change.changes.items()):
        raise ServiceEditConflict
    stop(db, change.service)
    new = {column: two[1] for column, two in change.changes.items()}
    line = HistoryLine(today.isoformat(), f"{change.who}, {who}"[:80], EDITED, change.why, {})
    _store(db, before, before | new, line, signs)


def ask_again(db: Session, change: Waiting, who: str, signs: Signs) -> None:
    """Somebody of the team asks for what a file at the terminal brought: now it waits for another one."""
    stop(db, change.service)
    line = HistoryLine(change.day, who, EDITED, change.why, {})
    hold(db, change.service, change.changes, line, signs)


def stop(db: Session, service: str) -> None:
    """What waits for a service is forgotten; the service stays as it is."""
    db.execute(delete(WaitingRow).where(WaitingRow.service == service))
    db.flush()
    changed(db, [service])


def hold_of_file(
    db: Session, service: str, changes: Mapping[str, tuple[str, str]], line: HistoryLine, signs: Signs | None
) -> None:
    """What a file would change and a second person has to agree to; what waits already for it is replaced."""
    db.execute(delete(WaitingRow).where(WaitingRow.service == service))
    hold(db, service, changes, line, signs)


def ask_for_row(db: Session, service: str, who: str, today: date, signs: Signs) -> None:
    """Somebody stands for a whole row as it is, of a kind for which it takes a second person."""
    cells = cells_of(db.get_one(ServiceRow, service))
    as_it_is = {column: (cells[column], cells[column]) for column in EDITABLE}
    hold(db, service, as_it_is, HistoryLine(today.isoformat(), who, CONFIRMED, "", {}), signs)


def note(db: Session, service: str, line: HistoryLine) -> None:
    """Write a line into the history of a service."""
    changes = json.dumps(line.changes, ensure_ascii=False)
    db.add(HistoryRow(service=service, day=line.day, who=line.who, act=line.act, why=line.why, changes=changes))
    db.flush()


def forget_where(db: Session, service: str) -> None:
    """What became a shelter keeps its address nowhere: not in its history, not in what a foreign file said."""
    db.execute(delete(ForeignRow).where(ForeignRow.service == service))
    for row in db.scalars(select(HistoryRow).where(HistoryRow.service == service)):
        changes = json.loads(row.changes)
        if changes.keys() & set(WHERE):
            changes = {column: cells for column, cells in changes.items() if column not in WHERE}
            row.changes = json.dumps(changes, ensure_ascii=False)
    db.flush()


def is_flag(kind: str) -> bool:
    """Whether somebody can say this of a service."""
    return kind in FLAGS


def flag(db: Session, service: str, kind: str, today: date) -> bool:
    """Count in this week that somebody says one of `FLAGS` of a service. False if there is no such service or flag.

    It makes work for the team and changes nothing that reporters are shown: anybody can press a button often.
    """
    if kind not in FLAGS or db.get(ServiceRow, service, with_for_update=True) is None:
        return False
    week = f"{today.isocalendar().year}-W{today.isocalendar().week:02d}"
    row = db.get(FlagRow, (service, week, kind))
    if row is None:
        db.add(FlagRow(service=service, week=week, kind=kind, count=1, waits=True))
    else:
        row.count, row.waits = row.count + 1, True
    db.flush()
    return True
