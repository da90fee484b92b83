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
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory import reviewed_data, rows
from referrals.directory.importing.foreign_columns import NAMES, OURS
from referrals.directory.importing.readers import FileRow
from referrals.directory.importing.report import (
    BAD_CELLS,
    BLANK_NAME,
    CHANGED_SINCE,
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
    Wanted,
)
from referrals.directory.models import CoverageRow, ForeignRow, ServiceRow
from referrals.directory.rows import COLUMNS, LONGEST, SHELTER, cells_of, header, tidy
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


class Places:
    """Departments and provinces by code and by name."""

    def __init__(self, names: Mapping[str, str], country: str) -> None:
        self.country = country
        self.names = names = {code: name for code, name in names.items() if code.startswith(country)}
        self.departments = {header(name): code[2:] for code, name in names.items() if len(code) == len("PE25")}
        self.provinces = {(code[2:4], header(name)): name for code, name in names.items() if len(code) > len("PE25")}
        self.one_of: dict[str, tuple[str, str] | None] = {}
        for (department, plain), name in self.provinces.items():
            self.one_of[plain] = None if plain in self.one_of else (department, name)

    def of(self, told: Mapping[str, str], hint: str) -> tuple[str, str] | None:
        """(department, name of the province or nothing) that a row means."""
        digits = re.sub(r"\D", "", told.get("_ubigeo", ""))
        digits = digits.zfill(6) if len(digits) == 5 else digits  # noqa: PLR2004 -- a spreadsheet ate the zero
        if self.country + digits[:2] in self.names and len(digits) in {2, 4, 6}:
            return digits[:2], self.names.get(self.country + digits[:4], "") if len(digits) > len("25") else ""
        department = self.departments.get(header(told.get("_department", "")), "")
        plain = header(told.get("province", ""))
        if department:
            return department, self.provinces.get((department, plain), "")
        alone = self.one_of.get(plain) if plain else None
        if alone:
            return alone
        return (hint, self.provinces.get((hint, plain), "")) if self.country + hint in self.names and hint else None


def foreign(
    lines: Iterable[FileRow], places: Places, hints: ImportHints, report: ImportReport, held: Held
) -> list[Wanted]:
    """The rows that can be stored; every other is a problem of the report, and doubts are its remarks."""
    wanted: list[Wanted] = []
    seen: dict[str, tuple[int, str]] = {}
    for line in lines:
        told = _named(line.cells)
        reason, remarks, one = _understood(line, told, places, hints)
        if one is not None and one.cells["id"] in seen:
            number, print_ = seen[one.cells["id"]]
            reason = said(TWICE if print_ == one.print else SAME_ID, line=str(number))
        elif one is not None:
            seen[one.cells["id"]] = (line.number, one.print)
            reason = reason or held.objects_to(one)
        if reason is not None or one is None:
            report.problems.append(Problem(line.number, reason or said(UNREADABLE)))
            continue
        report.remarks += [Problem(line.number, remark) for remark in remarks]
        wanted.append(one)
    return wanted


def _named(cells: Mapping[str, str]) -> dict[str, str]:
    """Cells under our names; the first column that means something wins."""
    told: dict[str, str] = {}
    for name, cell in cells.items():
        ours = OURS.get(header(name))
        if ours and not told.get(ours):
            told[ours] = tidy(cell)
    return told


def _understood(
    line: FileRow, told: Mapping[str, str], places: Places, hints: ImportHints
) -> tuple[Sentence | None, list[Sentence], Wanted | None]:
    """A row as ours with what to look at, or the reason why not."""
    where, kind = places.of(told, hints.region), _type_of(told, hints)
    checks = (
        (not told.get("name"), BLANK_NAME),
        (line.extra_cells, BAD_CELLS),
        (header(told.get("status", "")) in ENDED, HAS_ENDED),
        (not kind, NO_TYPE),
        (where is None, NO_PLACE),
    )
    reason = next((sentence for holds, sentence in checks if holds), None)
    if reason or where is None:
        return said(reason or NO_PLACE), [], None
    remarks = list(_remarks(line, told, kind, hints))
    cells = _our_cells(told, kind, where, hints)
    if cells["id"] != told.get("id"):
        remarks += [said(NEW_ID)] if told.get("id") else []
    foreign, point = _kept(line, told, kind, places.country)
    return None, remarks + point, Wanted(line.number, cells, foreign, _print(line.cells))


def _our_cells(told: Mapping[str, str], kind: str, where: tuple[str, str], hints: ImportHints) -> dict[str, str]:
    """Unseen, unverified and without a source: no door until somebody has called."""
    region, province = where
    plain = {
        column: told.get(column, "")
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
            "address": "" if kind == SHELTER else told.get("address", ""),
        }
    )
    return cells | {"id": _id_of(told, cells, hints)}


def _id_of(told: Mapping[str, str], cells: Mapping[str, str], hints: ImportHints) -> str:
    """The file's own id where it is usable, else one made of it, else one made of what identifies the service."""
    old = told.get("id", "")
    try:
        return (
            str(uuid.UUID(old))
            if old
            else _made(
                "/".join(
                    [
                        hints.service_type,
                        cells["name"],
                        cells["regions_inei"],
                        cells["province"],
                        cells["address"],
                        told.get("_district", ""),
                        cells["phone"],
                    ]
                )
            )
        )
    except ValueError:
        return _made(f"id/{old}")


def _made(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"service/{text}"))


def _type_of(told: Mapping[str, str], hints: ImportHints) -> str:
    code = told.get("service_type", "").upper()
    if code in reviewed_data.service_types():
        return code
    return hints.service_type if hints.service_type in reviewed_data.service_types() else _guess(told)


def _guess(told: Mapping[str, str]) -> str:
    words = header(f"{told.get('service_type', '')} {told.get('name', '')}").replace("_", " ")
    return next((kind for pattern, kind in TELLING if re.search(pattern, words)), "")


def _remarks(line: FileRow, told: Mapping[str, str], kind: str, hints: ImportHints) -> Iterator[Sentence]:
    code = told.get("service_type", "").upper()
    if kind not in {code, hints.service_type}:
        yield said(GUESSED, type=kind)
    if told.get("phone") and not re.search(r"\d{3}", re.sub(r"[\s()./-]", "", told["phone"])):
        yield said(NO_NUMBER)
    if told.get("hours") and not _names_a_day(told["hours"]):
        yield said(NO_WEEKDAY)
    if "_organization" in told and not told["_organization"]:
        yield said(NO_ORGANISATION)
    if kind == SHELTER and (told.get("address") or told.get("_latitude")):
        yield said(SHELTER_ADDRESS)
    if any(len(cell) > LONGEST for cell in line.cells.values()):
        yield said(CUT, limit=str(LONGEST))


def _names_a_day(hours: str) -> bool:
    days = r"\b(lun|mar|mie|jue|vie|sab|dom|mon|tue|wed|thu|fri|sat|sun|diari|daily|todos|l\s*[-a]\s*[vsd]\b|24|"
    return bool(re.search(days + r"(mo|tu|we|th|fr|sa|su)\b)", header(hours).replace("_", " ")))


def _kept(line: FileRow, told: Mapping[str, str], kind: str, country: str) -> tuple[dict[str, str], list[Sentence]]:
    """What our columns do not hold, under its own name. Of a shelter nothing of it is kept: it may say where it is."""
    if kind == SHELTER:
        return {}, []
    foreign = {
        name: cell[:LONGEST]
        for name, cell in line.cells.items()
        if cell and (OURS.get(header(name), "_").startswith("_") or header(name) in ALSO_KEPT)
    }
    point, remarks = _point(told, country)
    return {**foreign, **point}, remarks


def _point(told: Mapping[str, str], country: str) -> tuple[dict[str, str], list[Sentence]]:
    if not told.get("_latitude") or not told.get("_longitude"):
        return {}, []
    lat, lon = _number(told["_latitude"]), _number(told["_longitude"])
    south_north, west_east = BOXES.get(country, EARTH)
    if _within(lat, south_north) and _within(lon, west_east):
        return {"_lat": str(lat), "_lon": str(lon)}, []
    if _within(lon, south_north) and _within(lat, west_east):
        return {"_lat": str(lon), "_lon": str(lat)}, [said(SWAPPED)]
    return {}, [said(OUTSIDE)]


def _number(told: str) -> float | None:
    try:
        return float(told.strip().replace(",", "."))
    except ValueError:
        return None


def _within(number: float | None, span: tuple[float, float]) -> bool:
    return number is not None and span[0] <= number <= span[1]


def _print(cells: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(cells.items())).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Held:
    """What the directory holds before the file comes in."""

    rows: dict[str, dict[str, str]]
    prints: dict[str, str]
    covered: dict[str, frozenset[str]]

    @classmethod
    def of(cls, db: Session) -> Held:
        covered: dict[str, set[str]] = {}
        for row in db.scalars(select(CoverageRow)):
            covered.setdefault(row.service, set()).add(row.place)
        return cls(
            {row.id: cells_of(row) for row in db.scalars(select(ServiceRow))},
            {row.service: row.print for row in db.scalars(select(ForeignRow))},
            {service: frozenset(places) for service, places in covered.items()},
        )

    def objects_to(self, one: Wanted) -> Sentence | None:
        """A foreign file never overwrites what the team has confirmed, nor a row that came another way."""
        known = self.rows.get(one.cells["id"])
        if known is None or self.prints.get(one.cells["id"]) == one.print:
            return None
        return said(CHANGED_SINCE) if known["source"] or known["verified_on"] else None

    def differs(self, one: Wanted, places: Places) -> bool:
        known = self.rows.get(one.cells["id"])
        if known is None:
            return True
        if one.print:  # a foreign row is known by its print: what the team has learned since stays
            return self.prints.get(one.cells["id"]) != one.print
        return known != one.cells or self.covered.get(one.cells["id"]) != rows.coverage_of(
            one.cells, places.names, places.country
        )
