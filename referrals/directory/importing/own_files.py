"""Reading our own file: all rows or, where one is bad, none.

Stores nothing. A slip in our own file is quickly mended, so it never comes in by halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from referrals.directory import rows
from referrals.directory.importing.foreign_files import Places
from referrals.directory.importing.readers import FileRow
from referrals.directory.importing.report import (
    BAD_CELLS,
    CUT,
    HELD_BACK,
    SAME_ID,
    TWICE,
    ImportReport,
    Problem,
    Wanted,
)
from referrals.directory.rows import COLUMNS, LONGEST, tidy
from reporting.i18n import said


def read_own(lines: Iterable[FileRow], places: Places, report: ImportReport) -> list[Wanted]:
    """All rows, or none where one is bad: the good ones are then listed as waiting."""
    wanted: list[Wanted] = []
    seen: dict[str, int] = {}
    for line in lines:
        cells = {column: tidy(line.cells.get(column, "")) for column in COLUMNS}
        wrong = [said(fault) for fault in rows.faults(cells, places.names, places.country)]
        if cells["id"] in seen:
            same = cells == _read_before(wanted, cells["id"])
            wrong.append(said(TWICE if same else SAME_ID, line=str(seen[cells["id"]])))
        if line.extra_cells:
            wrong.append(said(BAD_CELLS))
        if any(len(cell) > LONGEST for cell in line.cells.values()):
            report.remarks.append(Problem(line.number, said(CUT, limit=str(LONGEST))))
        report.problems += [Problem(line.number, one) for one in wrong]
        seen.setdefault(cells["id"], line.number)
        if not wrong:
            wanted.append(Wanted(line.number, cells))
    if not report.problems:
        return wanted
    first = str(report.problems[0].line)
    report.problems += [Problem(one.line, said(HELD_BACK, line=first)) for one in wanted]
    return []


def _read_before(wanted: Iterable[Wanted], service: str) -> Mapping[str, str]:
    return next((one.cells for one in wanted if one.cells["id"] == service), {})
