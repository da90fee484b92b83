"""Reading files of services, ours and wild ones: nothing is stored in halves, every row that is not stored is named.

Work floor: bytes in, a report out. Our own file comes in whole or not at all, because a slip in it is quickly mended.
A file of somebody else comes in row by row: what can be read is stored unseen, so that it is no door until somebody
confirms it, and everything else is listed with its line and a reason. Likely duplicates are shown, never merged.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from referrals import directory
from referrals.directory import COLUMNS
from referrals.matching import Sentence, said
from referrals.models import CoverageRow, ForeignRow, HistoryRow, PlaceRow, ServiceRow
from referrals.shelf import AT_ONCE, Tell, changed, home, untold
from referrals.upkeep import IMPORTED, LONGEST, SHELTER, at_home, cells_of, forget_where, tidy
from reporting.incidents import N_

LONGEST_FILE: Final = 64 * 1024 * 1024  # bytes; 100,000 services are below half of it
SEPARATORS: Final = (",", ";", "\t", "|")
GUARDED: Final = re.compile(r"'*[=+\-@]")  # a spreadsheet would read such a cell as a formula
# what a column may be called -> ours, or one of the names below that only this room knows
NAMES: Final = {
    "id": "id codigo codigo_unico cod_unico cod identifier uuid identificador codigo_ipress",
    "name": "name nombre denominacion establecimiento nombre_del_establecimiento nombre_establecimiento servicio "
    "service_name title titulo nombre_comercial",
    "service_type": "service_type tipo type categoria clasificacion category taxonomy tipo_de_servicio",
    "phone": "phone telefono fono tel celular phone_number telefono_del_establecimiento telefonos phones number",
    "hours": "hours horario horarios opening_hours horario_de_atencion schedule schedules",
    "address": "address direccion domicilio address_1 street",
    "what_for": "what_for description descripcion",
    "languages": "languages idiomas lenguas language",
    "cost": "cost costo fees fees_description",
    "whatsapp": "whatsapp wsp",
    "notes": "notes notas observaciones alert",
    "province": "province provincia",
    "verified_on": "verified_on assured_date",
    "status": "status estado condicion situacion",
    "_department": "department departamento region state_province state",
    "_district": "district distrito city ciudad",
    "_ubigeo": "ubigeo inei cod_ubigeo ubigeo_inei regions_inei",
    "_latitude": "latitude latitud lat",
    "_longitude": "longitude longitud lon lng long",
    "_organization": "organization organizacion organization_id organization_name organisation institucion entidad",
}
OURS: Final = {alias: name for name, aliases in NAMES.items() for alias in aliases.split()}
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

UNREADABLE = N_("This file cannot be read as a table or as JSON.")
TOO_LARGE = N_("This file is too large.")
NO_NAMES = N_("No column is called name or nombre.")
BLANK_NAME = N_("The name is blank.")
TWICE = N_("The same row stands in line %(line)s already.")
SAME_ID = N_("Line %(line)s has the same id and says something else.")
NO_TYPE = N_("No type of service can be read from it: say which type the file holds.")
NO_PLACE = N_("Its department or province is not known: say which region the file is about.")
HELD_BACK = N_("This row is good; it waits until line %(line)s is mended.")
CHANGED_SINCE = N_("It says something else than what the team has confirmed: compare by hand.")
HAS_ENDED = N_("The file says that it is closed.")
SHELTER_ADDRESS = N_("It is a shelter: its address was left out and is not stored.")
NO_NUMBER = N_("The telephone has no number in it.")
NO_WEEKDAY = N_("The hours name no day of the week.")
SWAPPED = N_("Latitude and longitude are swapped: they were read the other way round.")
OUTSIDE = N_("The point lies outside the country: it was left out.")
NO_ORGANISATION = N_("The organisation is missing.")
GUESSED = N_("The type was guessed from its name: %(type)s.")
NEW_ID = N_("The id was not usable: it has a new one, and keeps the old one beside it.")
CUT = N_("A cell was longer than %(limit)s characters and was cut.")
BAD_CELLS = N_("The row has more cells than the table has columns.")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a line of the file."""

    line: int
    said: Sentence


@dataclass(slots=True)
class Report:
    """What became of every row: stored, as before, or listed with a reason; and what to look at."""

    rows: int = 0
    stored: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)  # rows that are not stored; a row may have several
    remarks: list[Problem] = field(default_factory=list)  # rows that are stored or as before, but look at this
    likely_twice: list[tuple[str, str]] = field(default_factory=list)  # ids: for a person to decide
    services: list[str] = field(default_factory=list)  # ids that changed

    @property
    def listed(self) -> int:
        """How many rows are not stored."""
        return len({problem.line for problem in self.problems if problem.line > 0})


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person knows of a foreign file and the file does not say."""

    name: str = ""
    service_type: str = ""
    region: str = ""  # two digits of INEI


def bring_in(db: Session, raw: bytes, who: str, today: date, *, hints: Hints | None = None,
             dry_run: bool = False, tell: Tell = untold) -> Report:  # fmt: skip
    """Bring in a file. On a dry run everything is worked out and nothing is written."""
    report, told = Report(), hints or Hints()
    lines, problem = read(raw)
    if problem:
        report.problems.append(Problem(0, problem))
        return report
    report.rows = len(lines)
    known = {row.code: row.name for row in db.scalars(select(PlaceRow).where(PlaceRow.level != "district"))}
    places = _Places(known, home(db).country)
    held = _Held.of(db)
    ours = bool(lines) and set(COLUMNS) <= lines[0].cells.keys()
    wanted = _ours(lines, places, report) if ours else _foreign(lines, places, told, report, held)
    fresh = [one for one in wanted if held.differs(one, places)]
    report.unchanged = len(wanted) - len(fresh)
    report.stored, report.services = len(fresh), [one.cells["id"] for one in fresh]
    report.likely_twice = likely_twice(held.rows, [one.cells for one in fresh])
    if not dry_run and fresh:
        _store(db, fresh, places, held, (who, told.name, today), tell)
    report.problems.sort(key=lambda one: one.line)
    report.remarks.sort(key=lambda one: one.line)
    return report


def as_json(report: Report) -> dict[str, Any]:
    """A report as data."""

    def told(problems: Iterable[Problem]) -> list[list[Any]]:
        return [[one.line, one.said.message % dict(one.said.parts)] for one in problems]

    return {"rows": report.rows, "stored": report.stored, "unchanged": report.unchanged, "listed": report.listed,
            "problems": told(report.problems), "remarks": told(report.remarks),
            "likely_twice": [list(pair) for pair in report.likely_twice]}  # fmt: skip


def in_words(report: Report, dry_run: bool) -> str:  # noqa: FBT001 -- the command hands it in
    """A report for the terminal."""
    told = as_json(report)
    waiting = sum(one.said.message == HELD_BACK for one in report.problems)
    lines = [f"line {one.line}: {one.said.message % dict(one.said.parts)}" for one in report.problems
             if one.said.message != HELD_BACK]  # fmt: skip
    lines += [f"{waiting} good rows wait until that is mended: our own file comes in whole."] if waiting else []
    if any(one.said.message in {directory.FAULTS["type"], NO_TYPE} for one in report.problems):
        lines.append(f"Types of service: {', '.join(directory.service_types())}.")
    lines += [f"line {line}: (look at this) {words}" for line, words in told["remarks"]]
    lines += [f"perhaps the same twice: {one} and {other}" for one, other in told["likely_twice"]]
    done = "would be stored" if dry_run else "stored"
    lines.append(f"{report.rows} rows: {report.stored} {done}, {report.unchanged} as before, {report.listed} listed.")
    return "\n".join([*lines, *(["Nothing was changed."] if dry_run or not report.stored else [])])


# ── bytes to rows ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the file tells it: its line (or its number, in JSON) and its cells by the name of the column."""

    number: int
    cells: Mapping[str, str]
    extra_cells: bool = False


def read(raw: bytes) -> tuple[list[Line], Sentence | None]:
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
    known = set(lines[0].cells) if set(COLUMNS) <= lines[0].cells.keys() else {
        OURS.get(header(name), "") for line in lines[:50] for name in line.cells}  # fmt: skip
    return (lines, None) if "name" in known else ([], said(NO_NAMES))


def _text(raw: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with its mark, or the Windows code page of Latin America."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return raw.decode("utf-16", "replace").replace("\0", "")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _table(text: str) -> list[Line] | None:
    first = text.lstrip("\n").split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    csv.field_size_limit(LONGEST_FILE)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator)
    lines: list[Line] = []
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
            lines.append(Line(number, dict(zip(names, filled + [""] * len(names), strict=False)),
                              any(filled[len(names):])))  # fmt: skip
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


def header(name: str) -> str:
    """The name of a column without accents, capitals and signs."""
    plain = unicodedata.normalize("NFD", name.casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


# ── JSON: HSDS 3 ────────────────────────────────────────────────────────────────────────────────────────────


def _json_lines(text: str) -> list[Line] | None:
    try:
        return _services_in(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _services_in(told: Any) -> list[Line]:
    listed = told
    if isinstance(told, dict):
        lists = (told[key] for key in ("contents", "services", "data") if isinstance(told.get(key), list))
        listed = next(lists, [told])
    return [Line(number, _flat(one)) for number, one in enumerate(listed, 1)]


def _flat(one: Any) -> dict[str, str]:
    """An HSDS service (or service at a location) as cells; lists become text, what we do not map keeps its name."""
    if not isinstance(one, dict):
        return {"name": ""}
    inner = _table_in(one, "service")
    told = {**inner, **{key: value for key, value in one.items() if value not in (None, "", [], {})}}
    at = _first(told, "service_at_locations")
    place = _table_in(told, "location") or _table_in(at, "location") or _first(told, "locations")
    organisation = told.get("organization")
    cells = {
        "phone": _first(told, "phones").get("number") or _first(at, "phones").get("number") or "",
        "hours": "; ".join(filter(None, map(_hours, _list(told, "schedules") or _list(at, "schedules")))),
        "languages": ";".join(str(one.get("code", "")) for one in _list(told, "languages") if isinstance(one, dict)),
        "latitude": place.get("latitude", ""),
        "longitude": place.get("longitude", ""),
        "ubigeo": place.get("external_identifier", ""),
        "state_province": _first(place, "addresses").get("state_province", ""),
        "organization": organisation.get("name", "") if isinstance(organisation, dict) else organisation or "",
    }
    plain = {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
             for key, value in told.items() if key not in {"schedules", "languages", "phones"}}  # fmt: skip
    return plain | {key: str(value) for key, value in cells.items() if value not in (None, "")}


def _table_in(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = told.get(key)
    return found if isinstance(found, dict) else {}


def _list(told: Mapping[str, Any], key: str) -> list[Any]:
    found = told.get(key)
    return found if isinstance(found, list) else []


def _first(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = _list(told, key)
    return found[0] if found and isinstance(found[0], dict) else {}


def _hours(schedule: Any) -> str:
    if not isinstance(schedule, dict):
        return ""
    return " ".join(str(schedule[key]) for key in ("byday", "opens_at", "closes_at") if schedule.get(key))


# ── our own file ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that could be stored."""

    line: int
    cells: Mapping[str, str]
    foreign: Mapping[str, str] = field(default_factory=dict)
    print: str = ""


def _ours(lines: Iterable[Line], places: _Places, report: Report) -> list[Wanted]:
    """All rows, or none where one is bad: the good ones are then listed as waiting."""
    wanted: list[Wanted] = []
    seen: dict[str, int] = {}
    for line in lines:
        cells = {column: tidy(line.cells.get(column, "")) for column in COLUMNS}
        wrong = [said(fault) for fault in directory.faults(cells, places.names, places.country)]
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


# ── a file of somebody else ─────────────────────────────────────────────────────────────────────────────────


class _Places:
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


def _foreign(lines: Iterable[Line], places: _Places, hints: Hints, report: Report, held: _Held) -> list[Wanted]:
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


def _understood(line: Line, told: Mapping[str, str], places: _Places,
                hints: Hints) -> tuple[Sentence | None, list[Sentence], Wanted | None]:  # fmt: skip
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


def _our_cells(told: Mapping[str, str], kind: str, where: tuple[str, str], hints: Hints) -> dict[str, str]:
    """Unseen, unverified and without a source: no door until somebody has called."""
    region, province = where
    plain = {column: told.get(column, "") for column in
             ("name", "phone", "hours", "what_for", "languages", "cost", "whatsapp", "notes")}  # fmt: skip
    cells = dict.fromkeys(COLUMNS, "") | plain | {
        "service_type": kind, "coverage": "province" if province else "region", "regions_inei": region,
        "province": province, "status": "unverified", "sector": "",
        "address": "" if kind == SHELTER else told.get("address", ""),
    }  # fmt: skip
    return cells | {"id": _id_of(told, cells, hints)}


def _id_of(told: Mapping[str, str], cells: Mapping[str, str], hints: Hints) -> str:
    """The file's own id where it is usable, else one made of it, else one made of what identifies the service."""
    old = told.get("id", "")
    try:
        return str(uuid.UUID(old)) if old else _made("/".join(
            [hints.service_type, cells["name"], cells["regions_inei"], cells["province"], cells["address"],
             told.get("_district", ""), cells["phone"]]))  # fmt: skip
    except ValueError:
        return _made(f"id/{old}")


def _made(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"service/{text}"))


def _type_of(told: Mapping[str, str], hints: Hints) -> str:
    code = told.get("service_type", "").upper()
    if code in directory.service_types():
        return code
    return hints.service_type if hints.service_type in directory.service_types() else _guess(told)


def _guess(told: Mapping[str, str]) -> str:
    words = header(f"{told.get('service_type', '')} {told.get('name', '')}").replace("_", " ")
    return next((kind for pattern, kind in TELLING if re.search(pattern, words)), "")


def _remarks(line: Line, told: Mapping[str, str], kind: str, hints: Hints) -> Iterator[Sentence]:
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


def _kept(line: Line, told: Mapping[str, str], kind: str, country: str) -> tuple[dict[str, str], list[Sentence]]:
    """What our columns do not hold, under its own name. Of a shelter nothing of it is kept: it may say where it is."""
    if kind == SHELTER:
        return {}, []
    foreign = {name: cell[:LONGEST] for name, cell in line.cells.items()
               if cell and (OURS.get(header(name), "_").startswith("_") or header(name) in ALSO_KEPT)}  # fmt: skip
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


# ── storing ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Held:
    """What the directory holds before the file comes in."""

    rows: dict[str, dict[str, str]]
    prints: dict[str, str]
    covered: dict[str, frozenset[str]]

    @classmethod
    def of(cls, db: Session) -> _Held:
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

    def differs(self, one: Wanted, places: _Places) -> bool:
        known = self.rows.get(one.cells["id"])
        if known is None:
            return True
        if one.print:  # a foreign row is known by its print: what the team has learned since stays
            return self.prints.get(one.cells["id"]) != one.print
        return known != one.cells or self.covered.get(one.cells["id"]) != directory.coverage_of(
            one.cells, places.names, places.country
        )


def _store(db: Session, stored: Sequence[Wanted], places: _Places, held: _Held, by: tuple[str, str, date],
           tell: Tell) -> None:  # fmt: skip
    for start in range(0, len(stored), AT_ONCE):
        some = stored[start : start + AT_ONCE]
        new = [one for one in some if one.cells["id"] not in held.rows]
        directory.store_new(db, [one.cells for one in new], places.names)
        for one in some:
            if one.cells["id"] in held.rows:
                directory.store(db, one.cells, places.names)
            if one.cells["service_type"] == SHELTER and one.cells["id"] in held.rows:
                forget_where(db, one.cells["id"])
            if one.print and one.cells["id"] in held.prints:
                db.execute(delete(ForeignRow).where(ForeignRow.service == one.cells["id"]))
        db.execute(insert(HistoryRow), [_history(one, held, *by) for one in some])
        tell("stored", start + len(some), len(stored))
        kept = [{"service": one.cells["id"], "told": json.dumps(one.foreign), "print": one.print}
                for one in some if one.print]  # fmt: skip
        if kept:
            db.execute(insert(ForeignRow), kept)
    db.flush()
    changed(db, [one.cells["id"] for one in stored], tell)


def _history(one: Wanted, held: _Held, who: str, name: str, today: date) -> dict[str, str]:
    before = held.rows.get(one.cells["id"], {})
    changes = {column: (before[column], one.cells[column]) for column in COLUMNS
               if before and before[column] != one.cells[column]}  # fmt: skip
    if one.cells["service_type"] == SHELTER:
        changes.pop("address", None)
    return {"service": one.cells["id"], "day": today.isoformat(), "who": who[:80], "act": IMPORTED,
            "why": tidy(name)[:200], "changes": json.dumps(changes, ensure_ascii=False)}  # fmt: skip


# ── likely duplicates ───────────────────────────────────────────────────────────────────────────────────────

ALIKE = 0.87  # of the names with their words in order; below it pairs are mostly neighbours
CROWD = 60  # a number or word that more services share tells nothing
MOST = 200  # pairs that a person can look through


def likely_twice(held: Mapping[str, Mapping[str, str]], fresh: Iterable[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Pairs that may be one service: the same number or place, and names alike. For a person to decide."""
    new = {cells["id"]: cells for cells in fresh}
    every = {**held, **new}
    blocks: dict[tuple[str, ...], list[str]] = {}
    for service in sorted(every):
        for key in _blocks(every[service]):
            blocks.setdefault(key, []).append(service)
    pairs: set[tuple[str, str]] = set()
    for services in blocks.values():
        if 1 < len(services) <= CROWD:
            pairs |= {(one, other) for place, one in enumerate(services) for other in services[place + 1 :]
                      if new.keys() & {one, other} and _alike(every[one], every[other])}  # fmt: skip
    return sorted(pairs)[:MOST]


def _blocks(cells: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    digits = re.sub(r"\D", "", cells["phone"])
    if digits:
        yield "phone", digits
    words = sorted(_words(cells["name"]), key=len, reverse=True)[:2]
    yield from (("place", cells["regions_inei"], word) for word in words)


def _words(name: str) -> list[str]:
    return sorted(header(name).split("_"))


def _alike(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    first, second = " ".join(_words(one["name"])), " ".join(_words(other["name"]))
    return SequenceMatcher(None, first, second).ratio() >= ALIKE
