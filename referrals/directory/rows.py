"""A service as its row of a file has it: columns, what can be wrong with a row, how it is stored.

Is handed a session. What is shipped is Peruvian, was seen in public sources, and says so on every row. Knows
no page and has never heard of a case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from referrals.directory.home import home
from referrals.directory.models import CoverageRow, ServiceRow
from referrals.directory.reviewed_data import service_types
from referrals.matching.hours import NO, UNKNOWN, YES
from reporting.i18n import N_, without_accents

COLUMNS = tuple(
    "id name service_type sector coverage regions_inei province phone whatsapp hours is_24h cost languages what_for "
    "police_inside_or_run trans_friendly sw_friendly minors accepts_no_id has_pep has_ec has_forensic address "
    "address_public status source_date source verified_on notes organisation site".split()
)
LATER = frozenset({"site"})  # columns that files of a former version do not have yet

ONLY = "only"  # of people under 18: nobody else is attended
# columns that hold an answer -> those that there are; each may also be UNKNOWN, or blank, which says the same
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "is_24h": (YES, NO),
    "police_inside_or_run": (YES, NO),
    "trans_friendly": (YES, NO),
    "sw_friendly": (YES, NO),
    "minors": (YES, NO, ONLY),
    "accepts_no_id": (YES, NO),
    "has_pep": (YES, NO),
    "has_ec": (YES, NO),
    "has_forensic": (YES, NO),
    "address_public": (YES, NO),
}
_ANSWER = re.compile(r"(yes|no|only|unknown)(?:\s*\(.*\))?", re.DOTALL)  # `yes (led by)` is yes with its note
FORMERLY = {"NO - reservada": "no (reservada)"}  # what a former version shipped
_SAID = {"yes": YES, "si": YES, "no": NO, "only": ONLY, "solo": ONLY, "unknown": UNKNOWN}  # as people type them
# of a cell under `header`: what says that nobody knows; it goes before the "no" that it may begin with
_NOBODY_KNOWS = re.compile(
    r"(?<![a-z])(?:no_se(?:_(?:sabe|conoce|si|dice|indica|precisa|especifica|pudo).*)?$|no_(?:sabe|sabemos|saben|dice|"
    r"consta|conoce|info|hay_(?:dato|info)|tenemos|lo_se|esta_claro|especifica|indica|precisa)(?![a-z])|not_(?:known|sure)|"
    r"desconoc|sin_(?:dato|info|confirmar|verificar)|(?:por|falta)_(?:confirmar|verificar|identificar|preguntar)|"
    r"ni_idea|quiza|tal_vez|se_ignora|depende|a_veces)"
)

NOWHERE_YET = "unknown"  # a coverage: its department is known, and nobody is sent there until more is


def store_new(db: Session, rows: Sequence[Mapping[str, str]], places: Mapping[str, str]) -> None:
    """Write rows that are not there yet, all at once."""
    if rows:
        db.execute(insert(ServiceRow), [dict(row) for row in rows])
        country = home(db).country
        covers = [
            {"service": row["id"], "place": code} for row in rows for code in sorted(coverage_of(row, places, country))
        ]
        db.execute(insert(CoverageRow), covers)
        db.flush()


FAULTS = {
    "id": N_("The id needs 1 to 64 letters, digits, points or lines."),
    "name": N_("The name is empty."),
    "type": N_("This type of service is not known."),
    "coverage": N_("The coverage must be national, region, province or unknown."),
    "regions": N_("No department is named: two digits of INEI, such as 25, separated by semicolons."),
    "shelter": N_("A shelter's address is never stored: leave it out."),
    "site": N_("The place where it stands is told by four or six digits of INEI, such as 250101."),
    "day": N_("The day of verification must be written like 2026-11-24."),
}


def faults(row: Mapping[str, str], places: Mapping[str, str], country: str) -> Iterable[str]:
    """What is wrong with a row: a sentence of `FAULTS` each, none where it can be stored."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", row["id"]):
        yield FAULTS["id"]
    if not row["name"]:
        yield FAULTS["name"]
    if row["service_type"] not in service_types():
        yield FAULTS["type"]
    if row["coverage"] not in {"national", "region", "province", NOWHERE_YET}:
        yield FAULTS["coverage"]
    elif row["coverage"] != "national" and not _departments(row, places, country):
        yield FAULTS["regions"]
    if row["service_type"] == SHELTER and (row["address"] or row["site"]):
        yield FAULTS["shelter"]
    elif row["site"] and not _is_site(row["site"], places, country):
        yield FAULTS["site"]
    if row["verified_on"] and not _is_day(row["verified_on"]):
        yield FAULTS["day"]


def _is_site(cell: str, places: Mapping[str, str], country: str) -> bool:
    """Whether a province of the tree is named, or a district by its number in one."""
    return bool(re.fullmatch(r"\d{4}(\d{2})?", cell)) and country + cell[:4] in places


def _is_day(cell: str) -> bool:
    try:
        return date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def store(db: Session, row: Mapping[str, str], places: Mapping[str, str]) -> bool:
    """Write a row if it differs from what is there. True if something changed."""
    known, covers = db.get(ServiceRow, row["id"]), coverage_of(row, places, home(db).country)
    covered = frozenset(db.scalars(select(CoverageRow.place).where(CoverageRow.service == row["id"])))
    if known is not None and covered == covers and all(getattr(known, column) == row[column] for column in COLUMNS):
        return False
    if known is None:
        db.add(ServiceRow(**row))
    else:
        for column in COLUMNS:
            setattr(known, column, row[column])
    db.flush()
    db.execute(delete(CoverageRow).where(CoverageRow.service == row["id"]))
    db.add_all(CoverageRow(service=row["id"], place=place) for place in sorted(covers))
    db.flush()
    return True


def coverage_of(row: Mapping[str, str], places: Mapping[str, str], country: str) -> frozenset[str]:
    """The places a row serves. `national` wins over a list of regions; a province not named exactly is its region."""
    if row["coverage"] == "national":
        return frozenset({country})
    departments = _departments(row, places, country)
    if row["coverage"] in {"region", NOWHERE_YET}:
        return departments
    named = {name.strip() for name in row["province"].split(";")}
    numbered = (f"{department}{number:02d}" for department in departments for number in range(1, 100))
    return frozenset(code for code in numbered if places.get(code) in named) or departments


def _departments(row: Mapping[str, str], places: Mapping[str, str], country: str) -> frozenset[str]:
    codes = {country + code.strip() for code in row["regions_inei"].split(";") if code.strip()}
    return frozenset(codes & places.keys())


STATION = re.compile(r"comisaria|comisario|(?<![a-z])pnp(?![a-z])|(?<![a-z])policia")  # of a name under `header`


def police_of(row: Mapping[str, str]) -> str:
    """What is taken for "police inside, or run by the police" where a list does not say it: yes, no or unknown.

    A police station in the name goes before what the type says, and one in the address makes that unknown.
    """
    if STATION.search(header(row["name"])):
        return "yes"
    if STATION.search(header(row["address"])):
        return "unknown"
    return str(service_types()[row["service_type"]].get("police", "unknown"))


def header(name: str) -> str:
    """A name without accents, capitals and signs, its words joined by `_`: for comparing."""
    return re.sub(r"[^a-z0-9]+", "_", without_accents(name.casefold())).strip("_")


# of a cell under `header`: that nothing is known
NOTHING = frozenset(
    "actualizar por_actualizar no_tiene no_cuenta no_cuenta_con_telefono no_tiene_telefono sin_telefono sin_dato "
    "sin_datos s_d n_a na nan null none no_aplica no_registra no_registrado no_disponible no_especifica "
    "no_especificado ninguno ninguna pendiente por_definir por_confirmar por_identificar desconocido desconocida "
    "sin_informacion sin_horario sin_direccion s_n xx xxx xxxx".split()
)


def says_nothing(cell: str) -> bool:
    """Whether a cell only says that nothing is known: `ACTUALIZAR`, `NO TIENE`, `---`. A blank one says nothing too."""
    return header(cell) in NOTHING or not any(sign.isalnum() for sign in cell)


@lru_cache(maxsize=1024)  # a few words, read in ten columns of every row
def answer_of(cell: str) -> str:
    """A cell as yes, no, only or unknown. What is blank, or says anything else than exactly that, is unknown."""
    word = _ANSWER.fullmatch(cell.strip().lower())
    return UNKNOWN if word is None or _NOBODY_KNOWS.search(header(cell)) else word[1]


def with_answers(cells: Mapping[str, str], before: Mapping[str, str] | None = None) -> dict[str, str]:
    """The cells with every answer as one of ours; what was typed and is none is unknown, with what was typed behind it.

    A "no" is one only where nothing stands behind it, or a note in brackets: "no se sabe" never becomes a no.
    `before`: the cells as they stand; an answer that is pressed again leaves the note that stands behind it.
    """
    after = {column: _as_answer(cell) if column in ANSWERS else cell for column, cell in cells.items()}
    for column, stood in (before or {}).items():
        if column in ANSWERS and after.get(column) == answer_of(stood):
            after[column] = stood
    return after


def _as_answer(cell: str) -> str:
    cell = FORMERLY.get(cell, cell)
    head, bracket, note = cell.partition("(")
    said = _SAID.get(header(head), "")
    if said and (said == UNKNOWN or not _NOBODY_KNOWS.search(header(cell))):
        return f"{said} ({note}" if bracket else said
    return f"{UNKNOWN} ({re.sub('[()]', '', cell)})" if cell else ""


OLD = 365  # days after which a confirmation is marked as old
LONGEST = 2000  # characters of a cell
SHELTER = "SHELTER"


def cells_of(row: ServiceRow) -> dict[str, str]:
    """A row as the file has it."""
    return {column: getattr(row, column) for column in COLUMNS}


def tidy(cell: str) -> str:
    """A cell as it is stored: one kind of line end, no character that nobody can see or store."""
    lines = cell.replace("\r\n", "\n").replace("\r", "\n")
    seen = (" " if sign.isspace() and sign not in "\n\t" else sign for sign in lines)
    return "".join(sign for sign in seen if sign in "\n\t" or sign.isprintable())[:LONGEST].strip()
