"""Reading our own file: all rows or, where one is bad, none.

Stores nothing. A slip in our own file is quickly mended, so it never comes in by halves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from referrals.directory.importing.known import KnownServices, PlaceIndex
from referrals.directory.importing.readers import FileRow
from referrals.directory.importing.report import (
    BAD_CELLS,
    CUT,
    HELD_BACK,
    HOURS_NOT_UNDERSTOOD,
    NO_ANSWER,
    NO_NUMBER,
    SAME_ID,
    TWICE,
    ImportReport,
    Problem,
    StorableRow,
)
from referrals.directory.reviewed_data import area_of
from referrals.directory.rows import ANSWERS, COLUMNS, LONGEST, answer_of, faults, header, tidy, with_answers
from referrals.matching import hours_text, phones
from referrals.matching.hours import UNKNOWN
from reporting.i18n import Sentence, said


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
        typed = {column: tidy(line.cells.get(column, before.get(column, ""))) for column in COLUMNS}
        cells = with_answers(typed)
        cells["regions_inei"] = _with_zeros(cells["regions_inei"])
        wrong = [said(fault) for fault in faults(cells, places.names, places.country)]
        if cells["id"] in seen:
            same = cells == _read_before(good, cells["id"])
            wrong.append(said(TWICE if same else SAME_ID, line=str(seen[cells["id"]])))
        if line.extra_cells:
            wrong.append(said(BAD_CELLS))
        if any(len(cell) > LONGEST for cell in line.cells.values()):
            report.remarks.append(Problem(line.number, said(CUT, limit=str(LONGEST))))
        doubts = (*line.remarks, *_answer_remarks(typed, cells), *cell_remarks(cells, places.country))
        report.remarks += [Problem(line.number, remark) for remark in doubts]
        report.problems += [Problem(line.number, sentence) for sentence in wrong]
        seen.setdefault(cells["id"], line.number)
        if not wrong:
            good.append(StorableRow(line.number, cells))
    if not report.problems:
        return good
    first = str(report.problems[0].line)
    report.problems += [Problem(row.line, said(HELD_BACK, line=first)) for row in good]
    return []


def cell_remarks(cells: Mapping[str, str], country: str) -> Iterable[Sentence]:
    """What of a row's hours and telephone was not understood."""
    if cells["hours"] and hours_text.read(cells["hours"], answer_of(cells["is_24h"])).own is None:
        yield said(HOURS_NOT_UNDERSTOOD)
    if cells["phone"] and not phones.read(cells["phone"], country, area_of(cells["regions_inei"], country)):
        yield said(NO_NUMBER)


def _answer_remarks(typed: Mapping[str, str], cells: Mapping[str, str]) -> Iterable[Sentence]:
    """What stands in a column of answers and is none: it is kept, and counts as not known."""
    for column in ANSWERS:
        if answer_of(cells[column]) == UNKNOWN and header(typed[column]).partition("_")[0] not in {"", UNKNOWN}:
            yield said(NO_ANSWER, column=column, cell=typed[column][:80])


def _with_zeros(codes: str) -> str:
    """Numbers of departments with the zero that a spreadsheet dropped: `4;12` is `04;12`."""
    return ";".join(
        code.strip().zfill(2) if re.fullmatch(r"\s*\d\s*", code, re.ASCII) else code for code in codes.split(";")
    )


def _read_before(good: Iterable[StorableRow], service: str) -> Mapping[str, str]:
    return next((row.cells for row in good if row.cells["id"] == service), {})
