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
from referrals.directory.importing.foreign_columns import NAMES, OURS
from referrals.directory.importing.known import KnownServices, PlaceIndex
from referrals.directory.importing.readers import FileRow
from referrals.directory.importing.report import (
    BAD_CELLS,
    BLANK_NAME,
    CUT,
    GUESSED,
    HAS_ENDED,
    NEW_ID,
    NO_NUMBER,
    NO_ORGANISATION,
    NO_PLACE,
    NO_TYPE,
    NO_WEEKDAY,
    OUTSIDE,
    SAME_ID,
    SHELTER_ADDRESS,
    SWAPPED,
    TWICE,
    UNREADABLE,
    ImportHints,
    ImportReport,
    Problem,
    StorableRow,
)
from referrals.directory.rows import COLUMNS, LONGEST, SHELTER, header, tidy
from reporting.i18n import Sentence, said

BOXES: Final = {"PE": ((-18.5, 0.2), (-81.5, -68.6))}  # country -> its southernmost .. northernmost, west .. east
EARTH: Final = ((-90.0, 90.0), (-180.0, 180.0))
ALSO_KEPT: Final = frozenset(f"{NAMES['id']} {NAMES['service_type']}".split())  # ours may say something else
ENDED: Final = frozenset("inactive defunct cerrado baja inactivo closed".split())
# what a name or type says -> type, where a file has no code of ours. The first that fits wins.
TELLING: Final = (
    (r"refugio|shelter|casa de acogida|hogar temporal", SHELTER),
    (r"comisaria|policia|police|\bpnp\b", "POLICE"),
    (r"emergencia mujer|\bcem\b", "VIOLENCE_CENTRE"),
    (r"cerits|\bits\b|\bvih\b|\bhiv\b|\bsti\b", "HEALTH_STI_HIV"),
    (r"salud mental|mental health|\bcsmc\b", "MENTAL_HEALTH"),
    (r"hospital|emergency room|emergencias?\b", "HEALTH_EMERGENCY"),
    (r"centro de salud|puesto de salud|posta|policlinico|clinica|clinic\b|health", "HEALTH_PRIMARY"),
    (r"defensoria del pueblo|ombudsman", "OMBUDSMAN"),
    (r"fiscalia|prosecutor", "PROSECUTOR"),
    (r"demuna|\bupe\b|ninez|child protection", "CHILD_PROTECTION"),
    (r"defensa publica|alegra|public defen", "LEGAL_PUBLIC_DEFENCE"),
)


def read_foreign(
    lines: Iterable[FileRow], places: PlaceIndex, hints: ImportHints, report: ImportReport, known: KnownServices
) -> list[StorableRow]:
    """The rows that can be stored; every other is a problem of the report, and doubts are its remarks."""
    storable: list[StorableRow] = []
    seen: dict[str, tuple[int, str]] = {}  # id -> its line and print
    for line in lines:
        reason, remarks, row = _understood(line, places, hints)
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
    """Cells under our names; the first column that means something wins."""
    named: dict[str, str] = {}
    for name, cell in cells.items():
        ours = OURS.get(header(name))
        if ours and not named.get(ours):
            named[ours] = tidy(cell)
    return named


def _understood(
    line: FileRow, places: PlaceIndex, hints: ImportHints
) -> tuple[Sentence | None, list[Sentence], StorableRow | None]:
    """(nothing, what to look at, the row as ours), or (the reason why there is none, nothing, nothing)."""
    named = _named(line.cells)
    where, kind = places.find(named, hints.region), _type_of(named, hints)
    checks = (
        (not named.get("name"), BLANK_NAME),
        (line.extra_cells, BAD_CELLS),
        (header(named.get("status", "")) in ENDED, HAS_ENDED),
        (not kind, NO_TYPE),
        (where is None, NO_PLACE),
    )
    reason = next((sentence for holds, sentence in checks if holds), None)
    if reason or where is None:
        return said(reason or NO_PLACE), [], None
    remarks = list(_remarks(line, named, kind, hints))
    cells = _our_cells(named, kind, where, hints)
    if cells["id"] != named.get("id"):
        remarks += [said(NEW_ID)] if named.get("id") else []
    foreign, point = _kept(line, named, kind, places.country)
    return None, remarks + point, StorableRow(line.number, cells, foreign, _print(line.cells))


def _our_cells(named: Mapping[str, str], kind: str, where: tuple[str, str], hints: ImportHints) -> dict[str, str]:
    """The row as ours, by our columns: unverified and without a source, so shown to nobody until confirmed."""
    region, province = where
    plain = {
        column: named.get(column, "")
        for column in ("name", "phone", "hours", "what_for", "languages", "cost", "whatsapp", "notes")
    }
    cells = (
        dict.fromkeys(COLUMNS, "")
        | plain
        | {
            "service_type": kind,
            "coverage": "province" if province else "region",
            "regions_inei": region,
            "province": province,
            "status": "unverified",
            "sector": "",
            "address": "" if kind == SHELTER else named.get("address", ""),
        }
    )
    return cells | {"id": _id_of(named, cells, hints)}


def _id_of(named: Mapping[str, str], cells: Mapping[str, str], hints: ImportHints) -> str:
    """The file's own id where it is usable, else one made of it, else one made of what identifies the service."""
    old = named.get("id", "")
    try:
        return (
            str(uuid.UUID(old))
            if old
            else _new_id(
                "/".join(
                    [
                        hints.service_type,
                        cells["name"],
                        cells["regions_inei"],
                        cells["province"],
                        cells["address"],
                        named.get("_district", ""),
                        cells["phone"],
                    ]
                )
            )
        )
    except ValueError:
        return _new_id(f"id/{old}")


def _new_id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"service/{text}"))


def _type_of(named: Mapping[str, str], hints: ImportHints) -> str:
    code = named.get("service_type", "").upper()
    if code in reviewed_data.service_types():
        return code
    return hints.service_type if hints.service_type in reviewed_data.service_types() else _guess(named)


def _guess(named: Mapping[str, str]) -> str:
    words = header(f"{named.get('service_type', '')} {named.get('name', '')}").replace("_", " ")
    return next((kind for pattern, kind in TELLING if re.search(pattern, words)), "")


def _remarks(line: FileRow, named: Mapping[str, str], kind: str, hints: ImportHints) -> Iterator[Sentence]:
    code = named.get("service_type", "").upper()
    if kind not in {code, hints.service_type}:
        yield said(GUESSED, type=kind)
    if named.get("phone") and not re.search(r"\d{3}", re.sub(r"[\s()./-]", "", named["phone"])):
        yield said(NO_NUMBER)
    if named.get("hours") and not _names_a_day(named["hours"]):
        yield said(NO_WEEKDAY)
    if "_organization" in named and not named["_organization"]:
        yield said(NO_ORGANISATION)
    if kind == SHELTER and (named.get("address") or named.get("_latitude")):
        yield said(SHELTER_ADDRESS)
    if any(len(cell) > LONGEST for cell in line.cells.values()):
        yield said(CUT, limit=str(LONGEST))


def _names_a_day(hours: str) -> bool:
    days = r"\b(lun|mar|mie|jue|vie|sab|dom|mon|tue|wed|thu|fri|sat|sun|diari|daily|todos|l\s*[-a]\s*[vsd]\b|24|"
    return bool(re.search(days + r"(mo|tu|we|th|fr|sa|su)\b)", header(hours).replace("_", " ")))


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
