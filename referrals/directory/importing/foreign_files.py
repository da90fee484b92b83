"""Reading a file of somebody else, row by row: what can be understood becomes a row of ours, unseen.

Unseen, so that it is offered to nobody until somebody confirms it; everything else is listed with its line and
a reason. Of a shelter no address is kept. Stores nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from referrals.directory import reviewed_data
from referrals.directory.importing.foreign_columns import (
    CLOSED,
    MORE_EXACT,
    NAMES,
    NO_DOOR,
    OPEN,
    OURS,
    POLICE_RUN,
    TELLING,
)
from referrals.directory.importing.known import KnownServices, PlaceIndex, Where
from referrals.directory.importing.own_files import cell_remarks
from referrals.directory.importing.readers import FileRow
from referrals.directory.importing.report import (
    BAD_CELLS,
    BLANK_NAME,
    CUT,
    GUESSED,
    HAS_ENDED,
    NEW_ID,
    NO_ORGANISATION,
    NO_PHONE_COLUMN,
    NO_PLACE,
    NO_TYPE,
    OUTSIDE,
    PLACES_DIFFER,
    SAME_ID,
    SHELTER_ADDRESS,
    SWAPPED,
    TWICE,
    UNKNOWN_PROVINCE,
    UNKNOWN_STATUS,
    UNREADABLE,
    ImportHints,
    ImportReport,
    Problem,
    StorableRow,
)
from referrals.directory.importing.report import (
    NO_DOOR as IS_NO_DOOR,
)
from referrals.directory.rows import COLUMNS, LONGEST, NOWHERE_YET, SHELTER, header, says_nothing, tidy
from reporting.i18n import Sentence, said

BOXES: Final = {"PE": ((-18.5, 0.2), (-81.5, -68.6))}  # country -> its southernmost .. northernmost, west .. east
EARTH: Final = ((-90.0, 90.0), (-180.0, 180.0))
ALSO_KEPT: Final = frozenset(f"{NAMES['id']} {NAMES['service_type']} {NAMES['status']}".split())  # ours may say else
ROW_NUMBERS: Final = frozenset({"number"})  # a telephone only where no other column is one
IPRESS: Final = 8  # digits of the code of a health establishment in Peru's register; spreadsheets drop leading zeros


def read_foreign(
    lines: Iterable[FileRow], places: PlaceIndex, hints: ImportHints, report: ImportReport, known: KnownServices
) -> list[StorableRow]:
    """The rows that can be stored; every other is a problem of the report, and doubts are its remarks."""
    lines, storable = list(lines), list[StorableRow]()
    if not any(OURS.get(header(name)) == "phone" for line in lines[:50] for name in line.cells):
        report.remarks.append(Problem(0, said(NO_PHONE_COLUMN)))
    seen: dict[str, tuple[int, str]] = {}  # id -> its line and print
    for line in lines:
        reason, remarks, row = _understood(line, places, hints)
        row = known.as_before(row)
        if row is not None and row.cells["id"] in seen:
            number, print_ = seen[row.cells["id"]]
            reason = said(TWICE if print_ == row.print else SAME_ID, line=str(number))
        elif row is not None:
            seen[row.cells["id"]] = (line.number, row.print)
            reason = reason or known.objects_to(row)
        if reason is not None or row is None:
            report.problems.append(Problem(line.number, reason or said(UNREADABLE)))
            continue
        report.remarks += [Problem(line.number, remark) for remark in remarks]
        storable.append(row)
    return storable


def _named(cells: Mapping[str, str]) -> dict[str, str]:
    """Cells under our names; the first column that means something wins, but telephones stand side by side.

    `_statuses` and `_classes` hold what every column of that kind says.
    """
    several: dict[str, list[str]] = {}
    for name, cell in cells.items():
        ours, plain = OURS.get(header(name)), tidy(cell)
        if ours and not _holds_nothing(plain, ours):
            several.setdefault(ours, []).append(plain)
    phones = {tidy(cell): name for name, cell in cells.items() if OURS.get(header(name)) == "phone"}
    sure = [cell for cell in several.get("phone", ()) if header(phones.get(cell, "")) not in ROW_NUMBERS]
    named = {ours: values[0] for ours, values in several.items()}
    if len(sure) > 1 or (sure and sure != several["phone"]):
        named["phone"] = " / ".join(dict.fromkeys(sure))
    named["_statuses"] = "; ".join(several.get("status", ()))
    named["_classes"] = " ".join(several.get("service_type", ()))
    return named


def _holds_nothing(cell: str, ours: str) -> bool:
    """Whether a cell only says that nothing is known: `ACTUALIZAR`, `NO TIENE`, `---`."""
    if says_nothing(cell):
        return True
    return ours in {"phone", "whatsapp"} and not cell.strip("0 .-")


def _understood(
    line: FileRow, places: PlaceIndex, hints: ImportHints
) -> tuple[Sentence | None, list[Sentence], StorableRow | None]:
    """(nothing, what to look at, the row as ours), or (the reason why there is none, nothing, nothing)."""
    named = _named(line.cells)
    where, kind = places.find(named, hints.region), _type_of(named, hints)
    status = _words(named["_statuses"])
    checks = (
        (not named.get("name"), BLANK_NAME),
        (line.extra_cells, BAD_CELLS),
        (bool(re.search(CLOSED, status)), HAS_ENDED),
        (_is_no_door(named), IS_NO_DOOR),
        (not kind, NO_TYPE),
        (where is None, NO_PLACE),
    )
    reason = next((sentence for holds, sentence in checks if holds), None)
    if reason or where is None:
        return said(reason or NO_PLACE), [], None
    cells = _our_cells(named, kind, where, hints)
    remarks = [*line.remarks, *_remarks(line, named, kind, hints), *_place_remarks(where)]
    remarks += cell_remarks(cells, places.country)
    if status and not re.search(OPEN, status):
        remarks.append(said(UNKNOWN_STATUS, status=named["_statuses"][:80]))
    if named.get("id") and cells["id"] != named["id"] and not _ipress(named):
        remarks.append(said(NEW_ID))
    foreign, point = _kept(line, named, kind, places.country)
    return None, remarks + point, StorableRow(line.number, cells, foreign, _print(line.cells))


def _place_remarks(where: Where) -> Iterator[Sentence]:
    if where.not_understood:
        yield said(UNKNOWN_PROVINCE, province=where.not_understood[:80])
    if where.differs:
        yield said(PLACES_DIFFER)


def _our_cells(named: Mapping[str, str], kind: str, where: Where, hints: ImportHints) -> dict[str, str]:
    """The row as ours, by our columns: unverified and without a source, so shown to nobody until confirmed."""
    plain = {
        column: named.get(column, "")
        for column in ("name", "phone", "hours", "what_for", "languages", "cost", "whatsapp", "notes")
    }
    run_by = _words(f"{named['_classes']} {named.get('name', '')} {named.get('_organization', '')}")
    cells = (
        dict.fromkeys(COLUMNS, "")
        | plain
        | {
            "service_type": kind,
            "coverage": NOWHERE_YET if where.not_understood else "province" if where.province else "region",
            "regions_inei": where.department,
            "province": where.province or where.not_understood,
            "status": "unverified",
            "sector": "",
            "police_inside_or_run": "yes" if re.search(POLICE_RUN, run_by) else "",
            "address": "" if kind == SHELTER else named.get("address", ""),
        }
    )
    return cells | {"id": _id_of(named, cells, hints)}


def _id_of(named: Mapping[str, str], cells: Mapping[str, str], hints: ImportHints) -> str:
    """The code of the health register, else the file's own id where it is usable, else one made of what stays.

    A telephone changes and is no part of it.
    """
    old = named.get("id", "")
    if _ipress(named):
        return f"renipress-{_ipress(named)}"
    try:
        if old:
            return str(uuid.UUID(old))
    except ValueError:
        return _new_id(f"id/{old}")
    stays = (cells["name"], cells["regions_inei"], cells["province"], cells["address"], named.get("_district", ""))
    return _new_id("/".join([hints.service_type, *stays]))


def _ipress(named: Mapping[str, str]) -> str:
    """The code of the health register with the zeros that a spreadsheet dropped; blank where there is none."""
    digits = re.sub(r"\.0$", "", named.get("_ipress", ""))
    return digits.zfill(IPRESS) if digits.isdecimal() and digits.isascii() and len(digits) <= IPRESS else ""


def _new_id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"service/{text}"))


def _type_of(named: Mapping[str, str], hints: ImportHints) -> str:
    code = named.get("service_type", "").upper()
    if code in reviewed_data.service_types():
        return code
    return hints.service_type if hints.service_type in reviewed_data.service_types() else _guess(named)


def _guess(named: Mapping[str, str]) -> str:
    """What its class says, else its name; a name that says it more exactly than a class of health goes before."""
    by_class, by_name = _told_by(_words(named["_classes"])), _told_by(_words(named.get("name", "")))
    kind = by_name if by_class.startswith("HEALTH_") and by_name in MORE_EXACT else by_class or by_name
    in_a_station = re.search(POLICE_RUN, _words(f"{named['_classes']} {named.get('name', '')}"))
    return "VIOLENCE_CENTRE_POLICE" if kind == "VIOLENCE_CENTRE" and in_a_station else kind


def _told_by(words: str) -> str:
    return next((kind for pattern, kind in TELLING if re.search(pattern, words)), "")


def _is_no_door(named: Mapping[str, str]) -> bool:
    return bool(re.search(NO_DOOR, _words(f"{named['_classes']} {named.get('name', '')}")))


def _words(text: str) -> str:
    """Words in small letters without accents and signs."""
    return header(text).replace("_", " ")


def _remarks(line: FileRow, named: Mapping[str, str], kind: str, hints: ImportHints) -> Iterator[Sentence]:
    code = named.get("service_type", "").upper()
    if kind not in {code, hints.service_type}:
        yield said(GUESSED, type=kind)
    if any(OURS.get(header(name)) == "_organization" for name in line.cells) and not named.get("_organization"):
        yield said(NO_ORGANISATION)
    if kind == SHELTER and (named.get("address") or named.get("_latitude")):
        yield said(SHELTER_ADDRESS)
    if any(len(cell) > LONGEST for cell in line.cells.values()):
        yield said(CUT, limit=str(LONGEST))


def _kept(line: FileRow, named: Mapping[str, str], kind: str, country: str) -> tuple[dict[str, str], list[Sentence]]:
    """What our columns do not hold, under its own name. Of a shelter nothing of it is kept: it may say where it is."""
    if kind == SHELTER:
        return {}, []
    foreign = {
        name: cell[:LONGEST]
        for name, cell in line.cells.items()
        if cell and (OURS.get(header(name), "_").startswith("_") or header(name) in ALSO_KEPT)
    }
    point, remarks = _point(named, country)
    return {**foreign, **point}, remarks


def _point(named: Mapping[str, str], country: str) -> tuple[dict[str, str], list[Sentence]]:
    if not named.get("_latitude") or not named.get("_longitude"):
        return {}, []
    lat, lon = _number(named["_latitude"]), _number(named["_longitude"])
    south_north, west_east = BOXES.get(country, EARTH)
    if _within(lat, south_north) and _within(lon, west_east):
        return {"_lat": str(lat), "_lon": str(lon)}, []
    if _within(lon, south_north) and _within(lat, west_east):
        return {"_lat": str(lon), "_lon": str(lat)}, [said(SWAPPED)]
    return {}, [said(OUTSIDE)]


def _number(cell: str) -> float | None:
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None


def _within(number: float | None, span: tuple[float, float]) -> bool:
    return number is not None and span[0] <= number <= span[1]


def _print(cells: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(cells.items())).encode("utf-8", "replace")).hexdigest()
