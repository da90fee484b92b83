"""Bringing a file of services in: read, told apart, stored, and a report of every row.

Our own file comes in whole or not at all, because a slip in it is quickly mended; a file of somebody else row
by row. Every row that is not stored is named. Is handed a session and bytes; knows no page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from referrals.directory import curation, reviewed_data, rows
from referrals.directory.believed import Signs, is_watched, sign
from referrals.directory.curation import IMPORTED, HistoryLine, forget_where
from referrals.directory.importing.duplicates import possible_duplicates
from referrals.directory.importing.foreign_files import read_foreign
from referrals.directory.importing.known import KnownServices, PlaceIndex
from referrals.directory.importing.own_files import read_own
from referrals.directory.importing.readers import is_own, mended, read
from referrals.directory.importing.report import (
    HELD_BACK,
    NO_TYPE,
    WAITS,
    ImportHints,
    ImportReport,
    Problem,
    StorableRow,
)
from referrals.directory.keeping.guarded import WHERE, waits_of
from referrals.directory.match_table import AT_ONCE, Tell, changed, untold
from referrals.directory.models import ForeignRow, HistoryRow
from referrals.directory.rows import COLUMNS, SHELTER, tidy
from reporting.i18n import T_, said

NO_HINTS: Final = ImportHints()


@dataclass(frozen=True, slots=True)
class Importer:
    """Who brings in which file on which day: it is written into the history of each service that changes.

    `signs`: who stands for the rows; where nobody does, they wait until somebody of the team has.
    """

    name: str
    file: str
    day: date
    signs: Signs | None = None


def import_file(
    db: Session,
    raw: bytes,
    who: str,
    today: date,
    *,
    hints: ImportHints | None = None,
    dry_run: bool = False,
    tell: Tell = untold,
    signs: Signs | None = None,
) -> ImportReport:
    """Bring in a file for a member of the team; what came of every row. A dry run works it out and writes nothing."""
    hints = hints or NO_HINTS
    return bring_in(db, raw, Importer(who, hints.name, today, signs), hints=hints, dry_run=dry_run, tell=tell)


def bring_in(
    db: Session,
    raw: bytes,
    by: Importer | None,
    *,
    hints: ImportHints = NO_HINTS,
    dry_run: bool = False,
    tell: Tell = untold,
) -> ImportReport:
    """Bring in a file; what came of every row. Rows that come with the program have no importer and no history."""
    report = ImportReport()
    lines, problem = read(raw)
    if problem:
        report.problems.append(Problem(0, problem))
        return report
    report.rows = len(lines)
    places, known = PlaceIndex.of(db), KnownServices.of(db)
    is_ours = is_own(lines[0].cells)
    lines = [mended(line, known.rows.get(line.cells.get("id", ""), {}) if is_ours else {}) for line in lines]
    storable = read_own(lines, places, report, known) if is_ours else read_foreign(lines, places, hints, report, known)
    storable = [_with_police(row) for row in storable]
    if by and is_watched(db):
        storable = [_held_back(row, known, report) for row in storable]
    fresh = [row for row in storable if known.differs(row, places)]
    report.unchanged = len(storable) - len(fresh)
    report.stored, report.services = len(fresh), [row.cells["id"] for row in fresh]
    report.likely_twice, report.more_likely_twice = possible_duplicates(known.rows, [row.cells for row in fresh])
    if not dry_run and fresh:
        _store(db, fresh, places, known, by, tell)
    if not dry_run and by:
        _hold(db, report.waits, by)
    report.problems.sort(key=lambda problem: problem.line)
    report.remarks.sort(key=lambda remark: remark.line)
    return report


def _held_back(row: StorableRow, known: KnownServices, report: ImportReport) -> StorableRow:
    """The row without what a second person has to agree to: that waits, and the service stays as it is meanwhile.

    A new service of that kind comes in as one that no source has seen.
    """
    before = known.rows.get(row.cells["id"]) or {**row.cells, "source": ""}
    later = waits_of(before, row.cells)
    if not later:
        return row
    report.remarks.append(Problem(row.line, said(WAITS)))
    report.waits[row.cells["id"]] = {column: (before[column], row.cells[column]) for column in sorted(later)}
    return replace(row, cells={**row.cells, **{column: before[column] for column in later}})


def _with_police(row: StorableRow) -> StorableRow:
    """The row with a word on whether the police are inside: what a file leaves blank its type says, or nobody."""
    if row.cells["police_inside_or_run"]:
        return row
    return replace(row, cells={**row.cells, "police_inside_or_run": rows.police_of(row.cells)})


def as_json(report: ImportReport) -> dict[str, Any]:
    """A report as data: counts, then [line, sentence] of each problem and remark."""

    def by_line(problems: Iterable[Problem]) -> list[list[Any]]:
        return [[problem.line, _in_english(problem)] for problem in problems]

    return {
        "rows": report.rows,
        "stored": report.stored,
        "unchanged": report.unchanged,
        "listed": report.listed,
        "problems": by_line(report.problems),
        "remarks": by_line(report.remarks),
        "likely_twice": [list(pair) for pair in report.likely_twice],
        "more_likely_twice": report.more_likely_twice,
    }


def _in_english(problem: Problem) -> str:
    return problem.said.message % dict(problem.said.parts)


def in_words(report: ImportReport, dry_run: bool) -> list[str]:  # noqa: FBT001 -- the command hands it in
    """A report for the terminal: a line for each problem, remark and pair, then the counts."""
    wrong = [problem for problem in report.problems if problem.said.message != HELD_BACK]
    waiting = len(report.problems) - len(wrong)
    lines: list[str] = [said(OF_A_LINE, line=problem.line, what=problem.said) for problem in wrong]
    lines += [said(WAITING, count=waiting)] if waiting else []
    if any(problem.said.message in {rows.FAULTS["type"], NO_TYPE} for problem in wrong):
        lines.append(said("Types of service: %(types)s.", types=", ".join(reviewed_data.service_types())))
    lines += [
        said(LOOK_AT_LINE if remark.line else LOOK_AT_FILE, line=remark.line, what=remark.said)
        for remark in report.remarks
    ]
    lines += [said(TWICE, first=first, second=second) for first, second in report.likely_twice]
    if report.more_likely_twice:
        lines.append(said("and %(count)s more pairs, which are not listed.", count=report.more_likely_twice))
    counts = {"rows": report.rows, "stored": report.stored, "before": report.unchanged, "listed": report.listed}
    lines.append(said(WOULD_BE if dry_run else STORED, **counts))
    return [*lines, *([T_("Nothing was changed.")] if dry_run or not report.stored else [])]


OF_A_LINE = T_("line %(line)s: %(what)s")
WAITING = T_("%(count)s good rows wait until that is mended: our own file comes in whole.")
LOOK_AT_LINE = T_("line %(line)s: (look at this) %(what)s")
LOOK_AT_FILE = T_("the file: (look at this) %(what)s")
TWICE = T_("perhaps the same twice: %(first)s and %(second)s")
STORED = T_("%(rows)s rows: %(stored)s stored, %(before)s as before, %(listed)s listed.")
WOULD_BE = T_("%(rows)s rows: %(stored)s would be stored, %(before)s as before, %(listed)s listed.")


def _store(
    db: Session,
    fresh: Sequence[StorableRow],
    places: PlaceIndex,
    known: KnownServices,
    by: Importer | None,
    tell: Tell,
) -> None:
    for start in range(0, len(fresh), AT_ONCE):
        batch = fresh[start : start + AT_ONCE]
        _store_batch(db, batch, places, known)
        if by:
            db.execute(insert(HistoryRow), [_history(row, known, by) for row in batch])
        if by and by.signs:
            sign(db, [row.cells["id"] for row in batch], by.signs)
        tell(T_("stored"), start + len(batch), len(fresh))
    db.flush()
    changed(db, [row.cells["id"] for row in fresh], tell)


def _hold(db: Session, waits: Mapping[str, Mapping[str, tuple[str, str]]], by: Importer) -> None:
    line = HistoryLine(by.day.isoformat(), by.name, IMPORTED, tidy(by.file)[:200], {})
    for service, changes in waits.items():
        curation.hold_of_file(db, service, changes, line, by.signs)


def _store_batch(db: Session, batch: Sequence[StorableRow], places: PlaceIndex, known: KnownServices) -> None:
    rows.store_new(db, [row.cells for row in batch if row.cells["id"] not in known.rows], places.names)
    for row in batch:
        service = row.cells["id"]
        if service in known.rows:
            rows.store(db, row.cells, places.names)
            if row.cells["service_type"] == SHELTER:
                forget_where(db, service)
        if row.print and service in known.prints:
            db.execute(delete(ForeignRow).where(ForeignRow.service == service))
    foreign = [
        {"service": row.cells["id"], "told": json.dumps(row.foreign), "print": row.print} for row in batch if row.print
    ]
    if foreign:
        db.execute(insert(ForeignRow), foreign)


def _history(row: StorableRow, known: KnownServices, by: Importer) -> dict[str, str]:
    before = known.rows.get(row.cells["id"], {})
    changes = {
        column: (before[column], row.cells[column])
        for column in COLUMNS
        if before and before[column] != row.cells[column]
    }
    if row.cells["service_type"] == SHELTER:
        changes = {column: cells for column, cells in changes.items() if column not in WHERE}
    return {
        "service": row.cells["id"],
        "day": by.day.isoformat(),
        "who": by.name[:80],
        "act": IMPORTED,
        "why": tidy(by.file)[:200],
        "changes": json.dumps(changes, ensure_ascii=False),
    }
