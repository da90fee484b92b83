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
from referrals.directory.due import Due, due_of
from referrals.directory.home import home, is_at_home
from referrals.directory.match_table import changed
from referrals.directory.models import FlagRow, ForeignRow, HistoryRow, PlaceRow, ServiceRow
from referrals.directory.questions import unknown_of
from referrals.directory.rows import COLUMNS, SHELTER, cells_of, tidy
from reporting.errors import AmparoError
from reporting.i18n import N_

EDITABLE = tuple(column for column in COLUMNS if column != "id")
CONFIRMED, EDITED, LEARNED, NOBODY, IMPORTED = "confirmed", "edited", "learned", "nobody", "imported"
FLAGS = {
    "dead": N_("Dead number"),
    "unsafe": N_("They were not safe"),
    "refused": N_("They refused somebody we referred"),
}
WHERE = ("address", "site")  # cells that say where a service stands
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
    act: str  # CONFIRMED, EDITED, LEARNED, NOBODY or IMPORTED
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


def confirm(db: Session, service: str, who: str, today: date, stamp: str) -> None:
    """Write down that somebody has looked or called, and that all of it is still true today.

    `ServiceEditConflict` when it was changed since it was read; `InvalidService` when it cannot be stored as it is.
    """
    row = _locked(db, service, stamp)
    _write(db, row, _seen_today(row, today), HistoryLine(today.isoformat(), who, CONFIRMED, "", {}))


def edit(db: Session, service: str, cells: Mapping[str, str], who: str, why: str, today: date, stamp: str) -> None:
    """Write other cells, with a reason; columns that are not there stay as they are.

    `ServiceEditConflict` when it was changed since it was read; `InvalidService` when it cannot be stored.
    """
    row = _locked(db, service, stamp)
    new = {column: tidy(cells[column]) for column in EDITABLE if column in cells}
    _write(db, row, new, HistoryLine(today.isoformat(), who, EDITED, tidy(why), {}))


def learn(db: Session, service: str, cells: Mapping[str, str], who: str, today: date, stamp: str) -> None:
    """Write what a call taught into cells that were unknown, and that the rest was looked at today.

    `ServiceEditConflict` when it was changed since it was read; `InvalidService` when it cannot be stored.
    """
    row = _locked(db, service, stamp)
    unknown = {question.column for question in unknown_of(cells_of(row))}
    new = {column: tidy(cell) for column, cell in cells.items() if column in unknown and tidy(cell)}
    _write(db, row, new | _seen_today(row, today), HistoryLine(today.isoformat(), who, LEARNED, "", {}))


def nobody_answered(db: Session, service: str, who: str, today: date) -> None:
    """Write down that somebody called and nobody answered; nothing is confirmed by it.

    `ServiceEditConflict` when the service is gone meanwhile.
    """
    if db.get(ServiceRow, service) is None:
        raise ServiceEditConflict
    _note(db, service, HistoryLine(today.isoformat(), who, NOBODY, "", {}))


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


def _write(db: Session, row: ServiceRow, new: dict[str, str], line: HistoryLine) -> None:
    before = cells_of(row)
    after = before | new
    places = {place.code: place.name for place in db.scalars(select(PlaceRow))}
    wrong = list(rows.faults(after, places, home(db).country))
    if wrong:
        raise InvalidService(wrong)
    changes = {column: (before[column], after[column]) for column in COLUMNS if before[column] != after[column]}
    rows.store(db, after, places)
    _note(db, row.id, replace(line, changes=changes))
    db.execute(update(FlagRow).where(FlagRow.service == row.id).values(waits=False))
    if after["service_type"] == SHELTER:
        forget_where(db, row.id)
    changed(db, [row.id])


def _note(db: Session, service: str, line: HistoryLine) -> None:
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
