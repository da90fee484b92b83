"""Reading our own file: all rows or, where one is bad, none.

Stores nothing. A slip in our own file is quickly mended, so it never comes in by halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from referrals.directory.importing.known import KnownServices, PlaceIndex
from referrals.directory.importing.readers import FileRow
from referrals.directory.importing.report import (
    BAD_CELLS,
    CUT,
    HELD_BACK,
    SAME_ID,
    TWICE,
    ImportReport,
    Problem,
    StorableRow,
)
from referrals.directory.rows import COLUMNS, LONGEST, faults, tidy
from reporting.i18n import said


def read_own(
    lines: Iterable[FileRow], places: PlaceIndex, report: ImportReport, known: KnownServices
) -> list[StorableRow]:
    """All rows, or none where one is bad: the good ones are then listed as waiting.

    A column that a file of a former version does not have stays as the directory has it.
    """
    good: list[StorableRow] = []
    seen: dict[str, int] = {}  # id -> its line
    for line in lines:
        before = known.rows.get(tidy(line.cells["id"]), {})
        cells = {column: tidy(line.cells.get(column, before.get(column, ""))) for column in COLUMNS}
        wrong = [said(fault) for fault in faults(cells, places.names, places.country)]
        if cells["id"] in seen:
            same = cells == _read_before(good, cells["id"])
            wrong.append(said(TWICE if same else SAME_ID, line=str(seen[cells["id"]])))
        if line.extra_cells:
            wrong.append(said(BAD_CELLS))
        if any(len(cell) > LONGEST for cell in line.cells.values()):
            report.remarks.append(Problem(line.number, said(CUT, limit=str(LONGEST))))
        report.problems += [Problem(line.number, sentence) for sentence in wrong]
        seen.setdefault(cells["id"], line.number)
        if not wrong:
            good.append(StorableRow(line.number, cells))
    if not report.problems:
        return good
    first = str(report.problems[0].line)
    report.problems += [Problem(row.line, said(HELD_BACK, line=first)) for row in good]
    return []


def _read_before(good: Iterable[StorableRow], service: str) -> Mapping[str, str]:
    return next((row.cells for row in good if row.cells["id"] == service), {})
