"""Bringing a file of services in: read, told apart, stored, and a report of every row.

Our own file comes in whole or not at all, because a slip in it is quickly mended; a file of somebody else row
by row. Every row that is not stored is named. Is handed a session and bytes; knows no page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from referrals.directory import reviewed_data, rows
from referrals.directory.curation import IMPORTED, forget_where
from referrals.directory.home import home
from referrals.directory.importing.duplicates import possible_duplicates
from referrals.directory.importing.foreign_files import Held, Places, foreign
from referrals.directory.importing.own_files import read_own
from referrals.directory.importing.readers import read
from referrals.directory.importing.report import HELD_BACK, NO_TYPE, ImportHints, ImportReport, Problem, Wanted
from referrals.directory.match_table import AT_ONCE, Tell, changed, untold
from referrals.directory.models import ForeignRow, HistoryRow, PlaceRow
from referrals.directory.rows import COLUMNS, SHELTER, tidy
from reporting.i18n import said as said


def import_file(
    db: Session,
    raw: bytes,
    who: str,
    today: date,
    *,
    hints: ImportHints | None = None,
    dry_run: bool = False,
    tell: Tell = untold,
) -> ImportReport:
    """Bring in a file. On a dry run everything is worked out and nothing is written."""
    report, told = ImportReport(), hints or ImportHints()
    lines, problem = read(raw)
    if problem:
        report.problems.append(Problem(0, problem))
        return report
    report.rows = len(lines)
    known = {row.code: row.name for row in db.scalars(select(PlaceRow).where(PlaceRow.level != "district"))}
    places = Places(known, home(db).country)
    held = Held.of(db)
    ours = bool(lines) and set(COLUMNS) <= lines[0].cells.keys()
    wanted = read_own(lines, places, report) if ours else foreign(lines, places, told, report, held)
    fresh = [one for one in wanted if held.differs(one, places)]
    report.unchanged = len(wanted) - len(fresh)
    report.stored, report.services = len(fresh), [one.cells["id"] for one in fresh]
    report.likely_twice = possible_duplicates(held.rows, [one.cells for one in fresh])
    if not dry_run and fresh:
        _store(db, fresh, places, held, (who, told.name, today), tell)
    report.problems.sort(key=lambda one: one.line)
    report.remarks.sort(key=lambda one: one.line)
    return report


def as_json(report: ImportReport) -> dict[str, Any]:
    """A report as data."""

    def told(problems: Iterable[Problem]) -> list[list[Any]]:
        return [[one.line, one.said.message % dict(one.said.parts)] for one in problems]

    return {
        "rows": report.rows,
        "stored": report.stored,
        "unchanged": report.unchanged,
        "listed": report.listed,
        "problems": told(report.problems),
        "remarks": told(report.remarks),
        "likely_twice": [list(pair) for pair in report.likely_twice],
    }


def in_words(report: ImportReport, dry_run: bool) -> str:  # noqa: FBT001 -- the command hands it in
    """A report for the terminal."""
    told = as_json(report)
    waiting = sum(one.said.message == HELD_BACK for one in report.problems)
    lines = [
        f"line {one.line}: {one.said.message % dict(one.said.parts)}"
        for one in report.problems
        if one.said.message != HELD_BACK
    ]
    lines += [f"{waiting} good rows wait until that is mended: our own file comes in whole."] if waiting else []
    if any(one.said.message in {rows.FAULTS["type"], NO_TYPE} for one in report.problems):
        lines.append(f"Types of service: {', '.join(reviewed_data.service_types())}.")
    lines += [f"line {line}: (look at this) {words}" for line, words in told["remarks"]]
    lines += [f"perhaps the same twice: {one} and {other}" for one, other in told["likely_twice"]]
    done = "would be stored" if dry_run else "stored"
    lines.append(f"{report.rows} rows: {report.stored} {done}, {report.unchanged} as before, {report.listed} listed.")
    return "\n".join([*lines, *(["Nothing was changed."] if dry_run or not report.stored else [])])


def _store(
    db: Session, stored: Sequence[Wanted], places: Places, held: Held, by: tuple[str, str, date], tell: Tell
) -> None:
    for start in range(0, len(stored), AT_ONCE):
        some = stored[start : start + AT_ONCE]
        new = [one for one in some if one.cells["id"] not in held.rows]
        rows.store_new(db, [one.cells for one in new], places.names)
        for one in some:
            if one.cells["id"] in held.rows:
                rows.store(db, one.cells, places.names)
            if one.cells["service_type"] == SHELTER and one.cells["id"] in held.rows:
                forget_where(db, one.cells["id"])
            if one.print and one.cells["id"] in held.prints:
                db.execute(delete(ForeignRow).where(ForeignRow.service == one.cells["id"]))
        db.execute(insert(HistoryRow), [_history(one, held, *by) for one in some])
        tell("stored", start + len(some), len(stored))
        kept = [
            {"service": one.cells["id"], "told": json.dumps(one.foreign), "print": one.print}
            for one in some
            if one.print
        ]
        if kept:
            db.execute(insert(ForeignRow), kept)
    db.flush()
    changed(db, [one.cells["id"] for one in stored], tell)


def _history(one: Wanted, held: Held, who: str, name: str, today: date) -> dict[str, str]:
    before = held.rows.get(one.cells["id"], {})
    changes = {
        column: (before[column], one.cells[column])
        for column in COLUMNS
        if before and before[column] != one.cells[column]
    }
    if one.cells["service_type"] == SHELTER:
        changes.pop("address", None)
    return {
        "service": one.cells["id"],
        "day": today.isoformat(),
        "who": who[:80],
        "act": IMPORTED,
        "why": tidy(name)[:200],
        "changes": json.dumps(changes, ensure_ascii=False),
    }
