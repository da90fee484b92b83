"""A service that a keeper adds by six questions: what it is, where, telephone, hours, for whom, the police.

Is handed a session and the day. What sends many people somewhere waits for a second person, as a change would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory import rows
from referrals.directory.believed import Signs, counts, is_watched, sign
from referrals.directory.curation import (
    ADDED,
    OUR_CALL,
    OURS,
    HistoryLine,
    InvalidService,
    hold,
    note,
)
from referrals.directory.home import home
from referrals.directory.keeping.guarded import waits_of
from referrals.directory.match_table import changed
from referrals.directory.models import PlaceRow, ServiceRow
from referrals.directory.rows import COLUMNS, FAULTS, SHELTER, header, says_nothing, tidy, with_answers
from referrals.matching.listings import COUNTRY_CODE, DEPARTMENT_CODE
from reporting.errors import AmparoError
from reporting.i18n import N_

ASKED: Final = (  # the columns that the six questions fill; where it is they ask in one
    "service_type name address phone hours minors accepts_no_id trans_friendly sw_friendly police_inside_or_run".split()
)
NOT_CALLED: Final = "Dato de nuestro equipo, sin llamar"  # the source of a service that nobody of the team has called
NO_KIND: Final = N_("Choose what kind of place or service it is.")
NO_WHERE: Final = N_("Choose where it is: a province, a department, or the whole country.")
NOT_REACHED: Final = N_("Write a telephone or an address: without both nobody can be sent there.")
LONGEST_SLUG: Final = 50  # characters of an id that come from the name; 64 is the most


class AlreadyThere(AmparoError):
    """A service of this name is in this department already. `service` is its id."""

    def __init__(self, service: str) -> None:
        self.service = service
        super().__init__(service)


def where_cells(code: str, names: Mapping[str, str]) -> dict[str, str]:
    """The cells that say where a service is, of the code of a province, a department or the country.

    It serves its whole department: no keeper can say where its district ends (decision 179). Blank for no place.
    """
    if code not in names:
        return {}
    if len(code) == COUNTRY_CODE:
        return {"coverage": "national", "regions_inei": "", "province": "", "site": ""}
    place = code[COUNTRY_CODE:]
    in_province = len(code) > DEPARTMENT_CODE
    return {
        "coverage": "region",
        "regions_inei": place[:2],
        "province": names[code] if in_province else "",
        "site": place if in_province else "",
    }


def would_wait(db: Session, answers: Mapping[str, str], where: str, today: date, signs: Signs) -> bool:
    """Whether a second person has to agree before the service is offered. Raises what `add` does."""
    cells = _cells_of(db, answers, where, today, called=False)
    return is_watched(db) and bool(waits_of({**cells, "source": ""}, cells, counts=counts(db, signs)))


def add(
    db: Session,
    answers: Mapping[str, str],
    where: str,
    who: str,
    today: date,
    signs: Signs | None = None,
    *,
    called: bool = True,
) -> tuple[str, frozenset[str]]:
    """Store a new service and return its id, with the columns that wait for a second person.

    answers: cells of `ASKED`; where: the code of a place; called: somebody of the team called or went there today.
    `InvalidService` when it cannot be stored, `AlreadyThere` when one of that name is in that department.
    """
    cells = _cells_of(db, answers, where, today, called=called)
    before = {**cells, "source": ""}
    later = waits_of(before, cells, counts=counts(db, signs)) if is_watched(db) else frozenset()
    line = HistoryLine(today.isoformat(), who, ADDED, "", {})
    rows.store(db, before if later else cells, _place_names(db))
    note(db, cells["id"], line)
    if signs:
        sign(db, [cells["id"]], signs)
    changed(db, [cells["id"]])
    if later:
        hold(db, cells["id"], {column: (before[column], cells[column]) for column in sorted(later)}, line, signs)
    return cells["id"], later


def _cells_of(db: Session, answers: Mapping[str, str], where: str, today: date, *, called: bool) -> dict[str, str]:
    """The whole row. `InvalidService` with every reason, `AlreadyThere`."""
    typed = with_answers({column: _typed(answers.get(column, "")) for column in ASKED})
    places = _place_names(db)
    cells = dict.fromkeys(COLUMNS, "") | typed | where_cells(where, places)
    cells |= {
        "address_public": "yes" if cells["address"] else "",
        "source": OUR_CALL if called else NOT_CALLED,
        "source_date": today.isoformat()[: len("2026-11")],
        "verified_on": today.isoformat() if called else "",
        "status": OURS,
    }
    cells["police_inside_or_run"] = cells["police_inside_or_run"] or "unknown"
    if cells["service_type"] == SHELTER:
        cells |= {"site": ""}
    if wrong := list(_faults(cells, places, home(db).country)):
        raise InvalidService(wrong)
    return cells | {"id": _free_id(db, cells)}


def _typed(cell: str) -> str:
    """A cell as it is stored; blank where it only says that there is nothing, such as "no tiene"."""
    return "" if says_nothing(cell) else tidy(cell)


def _faults(cells: Mapping[str, str], places: Mapping[str, str], country: str) -> Iterator[str]:
    """What is wrong, in the words of the questions."""
    if not cells["coverage"]:
        yield NO_WHERE
    if not cells["service_type"]:
        yield NO_KIND
    said = {FAULTS["coverage"], *([] if cells["service_type"] else [FAULTS["type"]])}
    yield from (fault for fault in rows.faults({**cells, "id": "any"}, places, country) if fault not in said)
    if not (cells["phone"] or cells["address"] or cells["service_type"] == SHELTER):
        yield NOT_REACHED


def _place_names(db: Session) -> Mapping[str, str]:
    """The names of all places of this country by their code."""
    here = home(db)
    return {place.code: place.name for place in db.scalars(select(PlaceRow)) if here.holds([place.code])}


def _free_id(db: Session, cells: Mapping[str, str]) -> str:
    """An id that no list has, made of name and department. `AlreadyThere` where one of that name stands there."""
    for row in db.scalars(select(ServiceRow).where(ServiceRow.regions_inei == cells["regions_inei"])):
        if header(row.name) == header(cells["name"]):
            raise AlreadyThere(row.id)
    slug = header(cells["name"]).replace("_", "-")[:LONGEST_SLUG].strip("-") or "servicio"
    wanted = f"own-{slug}-{cells['regions_inei'] or home(db).country.lower()}"
    taken = set(db.scalars(select(ServiceRow.id).where(ServiceRow.id.startswith(wanted))))
    return next(name for name in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)
