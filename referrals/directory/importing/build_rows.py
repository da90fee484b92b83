"""Rows of lists of others as rows of ours: each fact with its source and month, each doubt in the notes.

Pure: is handed the rows of a list, gives ours. What is decided of kinds and single rows stands in `build-pe.toml`.
Calls nothing verified; knows neither the directory of an installation nor what stands in the shipped file already.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from referrals.directory.importing.plain_words import address_in_words, ordinary_case, telephones
from referrals.directory.reviewed_data import DATA, table
from referrals.directory.rows import COLUMNS, SHELTER, STATION, header, police_of
from referrals.matching.hours import UNKNOWN
from reporting.i18n import said

CENTRES, HOSPITALS, OTHERS = "centres", "hospitals", "others"
PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {  # of ids, by list: what a list no longer has is known by them
    CENTRES: ("cem-", "sar-", "sau-", "hrt-"),
    HOSPITALS: ("renipress-",),
    OTHERS: (),
}
NEEDED: Final[Mapping[str, frozenset[str]]] = {  # columns that a list must have
    CENTRES: frozenset({"kind", "ubigeo", "name", "address", "phone"}),
    HOSPITALS: frozenset({"renipress", "institution", "ubigeo", "name", "address", "phone", "hours"}),
    OTHERS: frozenset("kind ubigeo name department province address phone hours source source_date doubt".split()),
}
ASKED: Final = "trans_friendly sw_friendly minors accepts_no_id has_pep has_ec has_forensic is_24h".split()
ALWAYS: Final = re.compile(
    r"(?:las |l-d: |lun-dom: |emergencias )?(?:24(?::00)? ?(?:h|hr|hrs|hras|horas)\.?(?: del dia| \(servicios)?"
    r"|0?0:00 ?(?:-|a) ?24:00|(\d{1,2}:00(?: am)?) ?- ?\1)",
)
AN_HOSPITAL: Final = re.compile(r"hospital|centro|complejo|policl|instituto|clinica", re.IGNORECASE)
IN_FULL: Final = ((r"\bhosp\.", "hospital"), (r"\bnac\.", "nacional"), (r"\bgral\.", "general"), (r"\bitss\b", "its"))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of a list that did not become one of ours, and why."""

    name: str
    why: str


@dataclass(slots=True)
class BuiltList:
    """What became of a list: our rows by their id, and those that were left out."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


@cache
def decisions() -> Mapping[str, Any]:
    """What was decided of lists, kinds and single rows, each with its reason."""
    return tomllib.loads((DATA / "build-pe.toml").read_text(encoding="utf-8"))


@cache
def places() -> Mapping[str, str]:
    """The names of all places of Peru by their code without the country."""
    return {row["code"][2:]: row["name"] for row in table("places-pe.csv") if len(row["code"]) > len("PE")}


def build_list(name: str, lines: Iterable[Mapping[str, str]]) -> BuiltList:
    """The rows of CENTRES, HOSPITALS or OTHERS as rows of ours. The lines have the columns of `NEEDED`."""
    built = BuiltList()
    for line in lines:
        site, doubts = _site(line)
        if not site:
            built.left_out.append(
                LeftOut(line["name"], said("neither its code nor its names are in the tree of places"))
            )
            continue
        if name != HOSPITALS and line["kind"] not in decisions()["kinds"]:
            built.left_out.append(LeftOut(line["name"], said("no kind %(kind)s in build-pe.toml", kind=line["kind"])))
            continue
        row = READERS[name](line, site, doubts)
        why = decisions()["left_out"].get(row["id"], "")
        if why:
            built.left_out.append(LeftOut(row["name"], why))
            continue
        if row["id"] in built.rows:
            row["id"] = f"{row['id'][:57]}-{site}"
        if row["id"] in built.rows:
            built.left_out.append(LeftOut(row["name"], said("stands twice in the list")))
            continue
        built.rows[row["id"]] = row
    return built


def _site(line: Mapping[str, str]) -> tuple[str, list[str]]:
    """(code of the place where it stands: two, four or six digits; doubts). Blank where the tree has nothing of it."""
    code = line.get("ubigeo", "").strip()
    if code in places():
        return code, []
    if code[:4] in places() and len(code) > len("2501"):
        return code[:4], [f"El código de distrito {code} no está en el árbol de lugares: se puso la provincia."]
    department = _named(line.get("department", ""), "")
    return _named(line.get("province", ""), department) or department, []


def _named(name: str, inside: str) -> str:
    wanted = header(name)
    codes = (code for code, known in places().items() if code[:-2] == inside and header(known) == wanted)
    return next(codes, "") if wanted else ""


# ── each list ───────────────────────────────────────────────────────────────────────────────────────────────


def _centre(line: Mapping[str, str], site: str, doubts: list[str]) -> dict[str, str]:
    kind = line["kind"]
    shared = decisions()["kinds"][kind]
    name = shared.get("before", "") + ordinary_case(line["name"], _accents(site))
    words = header(name).removeprefix(f"{kind.lower()}_").replace("_", "-")
    row = _row(line, CENTRES, kind, name, f"{kind.lower()}-{words}-{site[:2]}", site, doubts)
    for known in decisions()["hours"]:
        if (known["kind"], known["department"]) == (kind, site[:2]) and known["named"] in name.casefold():
            row["hours"], row["notes"] = known["hours"], f"{row['notes']} {known['from']}".strip()
    return row


def _hospital(line: Mapping[str, str], site: str, doubts: list[str]) -> dict[str, str]:
    own = f"renipress-{line['renipress']}"
    essalud = line["institution"] == "ESSALUD"
    kind = decisions()["kind_of"].get(own, "ESSALUD" if essalud else "HOSPITAL")
    name = line["name"]
    for pattern, word in IN_FULL:
        name = re.sub(pattern, word.upper(), name, flags=re.IGNORECASE)
    name = name if AN_HOSPITAL.search(name) else f"HOSPITAL {name}"
    name = ordinary_case(name, _accents(site))
    name = name if not essalud or "essalud" in name.casefold() else f"{name} (EsSalud)"
    row = _row(line, HOSPITALS, kind, name, decisions()["ids"].get(own, own), site, doubts)
    if line["institution"] == "MUNICIPALIDAD DISTRITAL":
        row["sector"] = "municipal"
    if ALWAYS.fullmatch(header_of_hours(line["hours"])):
        row |= {"hours": "24 horas", "is_24h": "yes"}
    elif line["hours"]:
        row["notes"] += f" El registro da este horario, quizá solo de consulta: «{line['hours']}»."
    return row


def header_of_hours(text: str) -> str:
    """Hours as a register prints them, in small letters without doubled spaces: for comparing."""
    return re.sub(r"\s+", " ", text.casefold()).strip(" .").replace("hrs.", "hrs")


def _accents(site: str) -> Mapping[str, str]:
    """Words of the names of its places -> as they are written, for a register that prints no accents."""
    named = (places().get(site[:digits], "") for digits in (2, 4, 6))
    return {header(word): word for name in named for word in name.split() if len(word) > len("del")}


def _other(line: Mapping[str, str], site: str, doubts: list[str]) -> dict[str, str]:
    kind, name = line["kind"], line["name"]
    for pattern, word in IN_FULL:
        name = re.sub(pattern, word.upper(), name, flags=re.IGNORECASE)
    name = ordinary_case(name)
    name = name if kind != "CSMC" or "salud mental" in name.casefold() or "CSMC" in name else f"CSMC {name}"
    words = header(name).replace("centro_de_salud_mental_comunitario", "csmc")
    own = words if kind == "UPE" else f"{words.replace('_', '-')[:60]}-{site[:2]}"
    row = _row(line, OTHERS, kind, name, own, site if line["ubigeo"] or line["province"] else "", doubts)
    row |= {"source": _short(line["source"]), "source_date": _month(line["source_date"])}
    row["hours"] = row["hours"] or line["hours"]
    row["is_24h"] = "yes" if re.match(r"24 h", line["hours"]) else UNKNOWN
    row["notes"] = " ".join(filter(None, [row["notes"], _translated(line["doubt"])]))
    row["regions_inei"] = row["regions_inei"] or site[:2]
    return row


READERS: Final = {CENTRES: _centre, HOSPITALS: _hospital, OTHERS: _other}


# ── what all rows share ─────────────────────────────────────────────────────────────────────────────────────


def _row(
    line: Mapping[str, str], name: str, kind: str, called: str, own: str, site: str, doubts: list[str]
) -> dict[str, str]:
    listed, shared, fixed = decisions()["lists"][name], decisions()["kinds"][kind], decisions()["fixes"].get(own, {})
    shelter = shared["service_type"] == SHELTER  # its way in is a line, whatever number a list prints
    printed = "" if shelter else line.get("phone", "")
    numbers, bad = telephones(printed, (site or _site(line)[0])[:2])
    doubts = [*doubts, *(f"Número que no se puede marcar, como está impreso: {part}." for part in bad)]
    town = [line.get(level, "") for level in ("district", "province", "department")]
    row = dict.fromkeys(COLUMNS, "") | dict.fromkeys(ASKED, UNKNOWN)
    row |= {
        "id": own[:64],
        "name": called,
        "service_type": shared["service_type"],
        "sector": shared.get("sector", "public"),
        "coverage": "region",
        "regions_inei": site[:2],
        "province": places().get(site[:4], "") if len(site) > len("25") and not shelter else "",
        "phone": _with_others(numbers),
        "cost": shared["cost"],
        "languages": "es",  # who works for the State or an organisation in Peru speaks Spanish; others are to be asked
        "what_for": shared["what_for"],
        "address": "" if shelter else address_in_words(line["address"], town if all(town) else ()),
        "address_public": "no (reservada)" if shelter else "yes",
        "status": "seen",
        "source_date": listed["date"],
        "source": listed["source"],
        "organisation": shared["organisation"],
        "site": "" if shelter or len(site) < len("2501") else site,
    }
    row |= {column: shared[column] for column in ASKED if column in shared}
    row["address"] = "" if row["address"].casefold() == "actualizar" else row["address"]
    row |= {column: cell for column, cell in fixed.items() if column in COLUMNS}
    doubts += [fixed["doubt"]] if "doubt" in fixed else []
    _tell_police(row, shared)
    row["notes"] = " ".join(filter(None, [*doubts, listed["notes"]]))
    return row


def _tell_police(row: dict[str, str], shared: Mapping[str, Any]) -> None:
    """Whether the police are inside; never blank. A centre in a police station is of a type of its own."""
    if row["service_type"] == "VIOLENCE_CENTRE" and STATION.search(header(row["name"])):
        row["service_type"] = "VIOLENCE_CENTRE_POLICE"
    row["police_inside_or_run"] = police_of(row)
    said = shared.get("police", "")
    if row["police_inside_or_run"] == UNKNOWN and said and not STATION.search(header(row["address"])):
        named = shared.get("police_named", "")
        row["police_inside_or_run"] = said if named in row["name"].casefold() else UNKNOWN


def _with_others(numbers: list[str]) -> str:
    """The first number, the others behind it in brackets: a page makes one number a link."""
    if len(numbers) < 2:  # noqa: PLR2004 -- one number, or none
        return numbers[0] if numbers else ""
    first, *others = numbers
    return f"{first.split(' (')[0]} (también {', '.join(others)})"


def _short(source: str) -> str:
    return next((short for long, short in decisions()["sources"].items() if source.startswith(long)), source)


def _month(text: str) -> str:
    """The month of a source, else its year or years."""
    day = re.search(r"\d{4}-\d{2}(?=-\d{2})|\d{4}-\d{4}|\d{4}", text)
    return day.group() if day else ""


def _translated(doubt: str) -> str:
    """What a list says of its own row, in the language of the team; what is not known stays as it is."""
    for long, ours in sorted(decisions()["doubts"].items(), key=lambda pair: -len(pair[0])):
        doubt = doubt.replace(long, ours)
    return re.sub(r"\s+", " ", doubt).strip()


def lines_of(rows: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """Rows with every cell trimmed."""
    for row in rows:
        yield {name: (cell or "").strip() for name, cell in row.items() if name}
