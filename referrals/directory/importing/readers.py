"""Files of services as rows of cells: CSV in four separators, HSDS 3 as JSON; and the directory as CSV.

Never fails on any bytes: gives rows, or the reason why there are none. Decides nothing about a row. Letters are
read line by line, so that one bad byte spoils no other row.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import at_home
from referrals.directory.importing.foreign_columns import OURS
from referrals.directory.importing.hsds import services_in
from referrals.directory.importing.report import MENDED, NO_LIST, NO_NAMES, READ_OTHERWISE, TOO_LARGE, UNREADABLE
from referrals.directory.models import ServiceRow
from referrals.directory.rows import COLUMNS, LATER, cells_of, header, tidy
from referrals.matching import hours_text
from reporting.i18n import Sentence, said

LONGEST_FILE: Final = 64 * 1024 * 1024  # bytes; 100,000 services are below half of it
ONE_BYTE: Final = 0xFF
SEPARATORS: Final = (",", ";", "\t", "|")
GUARDED: Final = re.compile(r"'*[=+\-@]")  # a spreadsheet would read such a cell as a formula


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as the file has it: its line (or its number, in JSON) and its cells by the name of the column."""

    number: int
    cells: Mapping[str, str]
    extra_cells: bool = False
    remarks: tuple[Sentence, ...] = ()  # what was noticed while it was read


def read(raw: bytes) -> tuple[list[FileRow], Sentence | None]:
    """Rows of any file, or the reason why it has none. Never fails otherwise, whatever the bytes."""
    if len(raw) > LONGEST_FILE:
        return [], said(TOO_LARGE)
    text, noticed = _text(raw)
    if text.lstrip()[:1] in {"{", "["}:
        return _json_rows(text)
    lines = _table(text, noticed)
    if not lines:
        return [], said(UNREADABLE)
    known = (
        set(lines[0].cells)
        if is_own(lines[0].cells)
        else {OURS.get(header(name), "") for line in lines[:50] for name in line.cells}
    )
    return (lines, None) if "name" in known else ([], said(NO_NAMES))


def is_own(cells: Mapping[str, str]) -> bool:
    """Whether a row is of our own file, of this version or of one before."""
    return set(COLUMNS) - LATER <= cells.keys()


def _text(raw: bytes) -> tuple[str, dict[int, Sentence]]:
    """UTF-8 with or without mark, UTF-16 with its mark, or the code page of Windows, each line for itself.

    And by the number of a line what was done to it.
    """
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        lines = _lines(raw.decode("utf-16", "replace"))
        bad: set[int] = set()
    else:
        in_bytes = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        bad = {number for number, line in enumerate(in_bytes, 1) if not _is_utf8(line)}
        lines = [
            line.decode("cp1252" if number in bad else "utf-8", "replace") for number, line in enumerate(in_bytes, 1)
        ]
        if all(number in bad or line.isascii() for number, line in enumerate(lines, 1)):
            bad = set()  # the whole file is written so
    noticed = {number: said(READ_OTHERWISE) for number in bad}
    return "\n".join(lines).replace("\0", ""), noticed


def mended(row: FileRow, as_known: Mapping[str, str]) -> FileRow:
    """A row whose letters were stored twice as it was meant, with a remark; a cell that we hold just so stays."""
    cells = {
        name: cell if cell.isascii() or tidy(cell) == as_known.get(name) else _once(cell)
        for name, cell in row.cells.items()
    }
    return row if cells == row.cells else replace(row, cells=cells, remarks=(*row.remarks, said(MENDED)))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# a byte of 128 to 191 as Windows reads it: what stands after the first byte of a letter that was stored twice
_AFTER: Final = "".join(re.escape(bytes([byte]).decode("cp1252", "ignore") or chr(byte)) for byte in range(128, 192))
_TWICE: Final = re.compile(f"[ÂÃÅ][{_AFTER}]|â€[{_AFTER}]|\u00e2\u201a\u00ac")  # the last: a euro


def _once(text: str) -> str:
    """A text whose letters were stored twice (`Ã±` for ñ), or thrice, as it was meant. Spanish writes none of these."""
    for _ in range(2):
        text = _TWICE.sub(_letter, text)
    return text


def _letter(spoilt: re.Match[str]) -> str:
    as_bytes = b"".join(bytes([ord(sign)]) if ord(sign) <= ONE_BYTE else sign.encode("cp1252") for sign in spoilt[0])
    return as_bytes.decode("utf-8", "replace")


def _table(text: str, noticed: Mapping[int, Sentence]) -> list[FileRow] | None:
    first = text.lstrip("\n").split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    csv.field_size_limit(LONGEST_FILE)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator)
    lines: list[FileRow] = []
    names: list[str] = []
    try:
        start = 1
        for cells in reader:
            number, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = [_once(cell.strip().lstrip("\ufeff")) for cell in cells]
                continue
            filled = [sys.intern(unguarded(cell.strip())) for cell in cells]  # most cells of a large file say the same
            filled = _with_whole_hours(names, filled, separator)
            named = dict(zip(names, filled + [""] * len(names), strict=False))
            remarks = (noticed[line] for line in range(number, start) if line in noticed)
            lines.append(FileRow(number, named, any(filled[len(names) :]), tuple(remarks)))
    except csv.Error:
        return None
    return lines


def _with_whole_hours(names: list[str], filled: list[str], separator: str) -> list[str]:
    """Cells; where hours stand last and hold the separator unquoted, together again: if they are hours then."""
    last = len(names) - 1
    if len(filled) <= len(names) or OURS.get(header(names[last])) != "hours":
        return filled
    whole = f"{separator} ".join(cell for cell in filled[last:] if cell)
    return filled if hours_text.read(whole).own is None else [*filled[:last], whole]


def unguarded(cell: str) -> str:
    """A cell without the mark that kept a spreadsheet from reading it as a formula."""
    return cell[1:] if cell.startswith("'") and GUARDED.match(cell) else cell


def guarded(cell: str) -> str:
    """A cell that no spreadsheet reads as a formula."""
    return f"'{cell}" if GUARDED.match(cell) else cell


def as_csv(db: Session) -> str:
    """The whole directory of this country as our own file. Brought in again it changes nothing."""
    out, here = io.StringIO(), at_home(db)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in db.scalars(select(ServiceRow).order_by(ServiceRow.id)):
        if row.id not in here:
            continue
        cells = cells_of(row)
        writer.writerow([guarded(cells[column]) for column in COLUMNS])
    return out.getvalue()


def _json_rows(text: str) -> tuple[list[FileRow], Sentence | None]:
    try:
        services = services_in(json.loads(text))
    except (ValueError, RecursionError):
        return [], said(UNREADABLE)
    if services is None:
        return [], said(NO_LIST)
    return [FileRow(number, cells, remarks=remarks) for number, (cells, remarks) in enumerate(services, 1)], None
