"""Files of services as rows of cells: CSV in four separators, HSDS 3 as JSON; and the directory as CSV.

Never fails on any bytes: gives rows, or the reason why there are none. Decides nothing about a row.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import at_home
from referrals.directory.importing.foreign_columns import OURS
from referrals.directory.importing.report import NO_NAMES, TOO_LARGE, UNREADABLE
from referrals.directory.models import ServiceRow
from referrals.directory.rows import COLUMNS, LATER, cells_of, header
from reporting.i18n import Sentence, said

LONGEST_FILE: Final = 64 * 1024 * 1024  # bytes; 100,000 services are below half of it
SEPARATORS: Final = (",", ";", "\t", "|")
GUARDED: Final = re.compile(r"'*[=+\-@]")  # a spreadsheet would read such a cell as a formula


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as the file has it: its line (or its number, in JSON) and its cells by the name of the column."""

    number: int
    cells: Mapping[str, str]
    extra_cells: bool = False


def read(raw: bytes) -> tuple[list[FileRow], Sentence | None]:
    """Rows of any file, or the reason why it has none. Never fails otherwise, whatever the bytes."""
    if len(raw) > LONGEST_FILE:
        return [], said(TOO_LARGE)
    text = _text(raw)
    if text.lstrip()[:1] in {"{", "["}:
        lines = _json_lines(text)
        return (lines, None) if lines else ([], said(UNREADABLE))
    lines = _table(text)
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


def _text(raw: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with its mark, or the Windows code page of Latin America."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return raw.decode("utf-16", "replace").replace("\0", "")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _table(text: str) -> list[FileRow] | None:
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
                names = [cell.strip().lstrip("\ufeff") for cell in cells]
                continue
            filled = [sys.intern(unguarded(cell.strip())) for cell in cells]  # most cells of a large file say the same
            lines.append(
                FileRow(number, dict(zip(names, filled + [""] * len(names), strict=False)), any(filled[len(names) :]))
            )
    except csv.Error:
        return None
    return lines


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


def _json_lines(text: str) -> list[FileRow] | None:
    try:
        return _services_in(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _services_in(document: Any) -> list[FileRow]:
    services = document
    if isinstance(document, dict):
        lists = (document[key] for key in ("contents", "services", "data") if isinstance(document.get(key), list))
        services = next(lists, [document])
    return [FileRow(number, _flat(service)) for number, service in enumerate(services, 1)]


def _flat(service: Any) -> dict[str, str]:
    """An HSDS service (or service at a location) as cells; lists become text, what we do not map keeps its name."""
    if not isinstance(service, dict):
        return {"name": ""}
    inner = _table_in(service, "service")
    fields = {**inner, **{key: value for key, value in service.items() if value not in (None, "", [], {})}}
    at = _first(fields, "service_at_locations")
    place = _table_in(fields, "location") or _table_in(at, "location") or _first(fields, "locations")
    organisation = fields.get("organization")
    languages = (language for language in _list(fields, "languages") if isinstance(language, dict))
    cells = {
        "phone": _first(fields, "phones").get("number") or _first(at, "phones").get("number") or "",
        "hours": "; ".join(filter(None, map(_hours, _list(fields, "schedules") or _list(at, "schedules")))),
        "languages": ";".join(str(language.get("code", "")) for language in languages),
        "latitude": place.get("latitude", ""),
        "longitude": place.get("longitude", ""),
        "ubigeo": place.get("external_identifier", ""),
        "state_province": _first(place, "addresses").get("state_province", ""),
        "organization": organisation.get("name", "") if isinstance(organisation, dict) else organisation or "",
    }
    plain = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in fields.items()
        if key not in {"schedules", "languages", "phones"}
    }
    return plain | {key: str(value) for key, value in cells.items() if value not in (None, "")}


def _table_in(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = fields.get(key)
    return table if isinstance(table, dict) else {}


def _list(fields: Mapping[str, Any], key: str) -> list[Any]:
    several = fields.get(key)
    return several if isinstance(several, list) else []


def _first(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    several = _list(fields, key)
    return several[0] if several and isinstance(several[0], dict) else {}


def _hours(schedule: Any) -> str:
    if not isinstance(schedule, dict):
        return ""
    return " ".join(str(schedule[key]) for key in ("byday", "opens_at", "closes_at") if schedule.get(key))
