"""The directory as it lies ready for questions: cards made of rows, and doors made of cards.

Work floor: is handed a session. A small directory lies in memory, with an index of its doors; a large one stays in the
database, in the table of doors, which is worked out anew in the very transaction that changes a service. The answers
are the same. What a type of service can serve, and what is said about a service, stands in data with its basis.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, delete, func, insert, select, text
from sqlalchemy.orm import Session

from referrals import hours, needs
from referrals.hours import NO, UNKNOWN, YES
from referrals.index import COUNTRY_CODE, Door, ServiceCard, doors_of, is_listed
from referrals.matching import NATIONAL, SAME_PROVINCE, SAME_REGION, Cards
from referrals.models import CoverageRow, DirectoryRow, FlagRow, MatchRow, PlaceRow, ServiceRow

DATA = Path(__file__).parent / "data"
PUBLIC = frozenset({"public", "municipal"})  # a state line leads to services of the state, not to others
ANSWERED_BY = {
    "has_pep": "N_PEP",
    "has_ec": "N_EC",
    "has_forensic": "N_FORENSIC",
}  # column -> need it answers
IN_MEMORY: Final = 20_000  # services; more stay in the database (about 2 kB each in every process)
AT_ONCE: Final = 500  # services worked out together
BOX, LAST = "BOX", "LAST"  # rows of fallback-lines.csv: the lines always in sight, those of last resort
LINES: Final = ("HEALTH_EMERGENCY", "CRISIS_LINE")  # types of which a national service is a line, in screen order
MOST_LINES: Final = 5  # in the box
REMEMBERED: Final = 5_000  # cards of a large directory that are kept after they were asked for


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Home:
    """The country that a directory belongs to, and its clock. Without a country it is of every one."""

    country: str = "PE"
    zone: str = hours.ZONE

    def holds(self, codes: Iterable[str]) -> bool:
        """Whether one of these places lies there."""
        return any(code.startswith(self.country) for code in codes)


_homes: WeakKeyDictionary[Dialect, Home] = WeakKeyDictionary()  # an engine's options make another one, of one dialect


def settle(engine: Engine, country: str, zone: str) -> None:
    """Tell once, when a database is opened, where its directory lives. Rows of other countries are then not seen."""
    _homes[engine.dialect] = Home(country, zone)
    _shelves.pop(engine, None)


def home(db: Session) -> Home:
    """Where the directory lives: Peru, unless told otherwise."""
    return _homes.get(db.get_bind().dialect, Home())


# ── reviewable data ─────────────────────────────────────────────────────────────────────────────────────────


@cache
def service_types() -> Mapping[str, Mapping[str, Any]]:
    """What each type serves, its duty to report, the line that leads there."""
    return tomllib.loads((DATA / "service-types.toml").read_text(encoding="utf-8"))


@cache
def _table(name: str) -> tuple[Mapping[str, str], ...]:
    return tuple(csv.DictReader(io.StringIO((DATA / name).read_text(encoding="utf-8"))))


@cache
def _rows_of(name: str) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """The rows of a table by their service."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for row in _table(name):
        found.setdefault(row["service"], []).append(row)
    return found


@cache
def public_holidays(country: str) -> frozenset[date]:
    """The days on which ordinary hours are no promise."""
    return frozenset(date.fromisoformat(row["day"]) for row in _table("holidays.csv") if row["country"] == country)


@cache
def lines_of_country(country: str) -> Mapping[str, tuple[str, ...]]:
    """Need, BOX or LAST -> ids of the national lines that are shipped for a country, the best first."""
    return {row["need"]: tuple(row["lines"].split(";")) for row in _table("fallback-lines.csv")
            if row["country"] == country}  # fmt: skip


def shipped_services() -> str:
    """The services of Peru as shipped: CSV."""
    return (DATA / "services-pe.csv").read_text(encoding="utf-8")


@cache
def shipped_lines(country: str) -> Mapping[str, ServiceCard]:
    """The lines of the box as shipped, whatever the database holds."""
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(shipped_services()))}
    named = lines_of_country(country).get(BOX, ())
    blank = dict.fromkeys(("organisation",), "")
    return {line: card_of(SimpleNamespace(**blank | rows[line]), frozenset({country}), Home(country)) for line in named}


@cache
def travel() -> Mapping[int, int]:
    """Quarters of an hour to allow for the way, by how near a service is."""
    told = tomllib.loads((DATA / "travel.toml").read_text(encoding="utf-8"))
    bands = {SAME_PROVINCE: "province", SAME_REGION: "region", NATIONAL: "country"}
    return {band: int(told[name] * 60 // hours.QUARTER) for band, name in bands.items()}


@cache
def _made_with() -> str:
    """A name for everything that doors are worked out with, besides the services themselves."""
    told = [repr(service_types()), repr(_table("service-needs.csv")), repr(tuple(needs.BARS)), repr(Door._fields)]
    return hashlib.sha256("".join(told).encode()).hexdigest()


# ── the copy ────────────────────────────────────────────────────────────────────────────────────────────────

Reading = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The directory, good until its version changes."""

    version: int
    cards: Cards
    parents: Mapping[str, str]

    def service(self, service_id: str) -> ServiceCard:
        """One service."""
        return self.cards.by_id[service_id]


_shelves: WeakKeyDictionary[Engine, Shelf] = WeakKeyDictionary()
_VERSION = select(func.max(DirectoryRow.__table__.c.number))


def shelf(reading: Reading, in_memory: int = IN_MEMORY) -> Shelf:
    """The directory as it stands; read anew only when it was changed."""
    with reading() as db:
        where, version = db.get_bind().engine, db.scalar(_VERSION) or 0
        known = _shelves.get(where)
        if known is None or known.version != version:
            known = _shelves[where] = _made(db, reading, version, in_memory)
    return known


def _made(db: Session, reading: Reading, version: int, in_memory: int) -> Shelf:
    here = home(db)
    places = [row for row in db.scalars(select(PlaceRow).where(PlaceRow.level != "district")) if here.holds([row.code])]
    row = db.get(DirectoryRow, 1)
    many = (db.scalar(select(func.count()).select_from(ServiceRow)) or 0) > in_memory
    stored = many and row is not None and row.made_with == _made_with()
    by_id = Stacks(reading) if stored else {card.service_id: card for card in cards_of(db)}
    lines = lines_of_country(here.country) or _own_lines(by_id.values())
    cards = Cards(
        by_id=by_id,
        fallback={need: named for need, named in lines.items() if need not in {BOX, LAST}},
        place_names={row.code: row.name for row in places},
        holidays=public_holidays(here.country),
        travel=travel(),
        country=here.country,
        stored=Stored(reading) if stored else None,
        lines=lines[BOX],
        last_resort=lines[LAST],
        call_first=call_first(),
    )
    return Shelf(version, cards, {row.code: row.parent for row in places})


def _own_lines(cards: Iterable[ServiceCard]) -> Mapping[str, tuple[str, ...]]:
    """The same for a country without shipped lines: what its team brought in. No line of the police is among them."""
    found = [card for card in cards if _is_line(card)]
    found.sort(key=lambda card: (LINES.index(card.service_type), card.service_id))
    ids = tuple(card.service_id for card in found)
    by_need = {need: tuple(card.service_id for card in found if need in card.needs) for need in needs.NEEDS}
    return {**by_need, BOX: ids[:MOST_LINES], LAST: ids}


def _is_line(card: ServiceCard) -> bool:
    seen = card.service_type in LINES and card.coverage_national and is_listed(card)
    return seen and bool(card.tel) and card.police != YES


@cache
def call_first() -> Mapping[str, str]:
    """Warning -> the line whose number belongs into it."""
    return {row["warning"]: row["line"] for row in _table("service-warnings.csv") if row["line"]}


def cards_of(db: Session, services: Sequence[str] | None = None) -> Iterator[ServiceCard]:
    """Cards of these services, or of all, in the order of their ids. Those of another country are not among them."""
    here = home(db)
    covers, flagged, rows = select(CoverageRow), select(FlagRow.service).where(FlagRow.waits), select(ServiceRow)
    if services is not None:
        covers = covers.where(CoverageRow.service.in_(services))
        flagged = flagged.where(FlagRow.service.in_(services))
        rows = rows.where(ServiceRow.id.in_(services))
    covered: dict[str, set[str]] = {}
    for one in db.execute(covers.with_only_columns(CoverageRow.service, CoverageRow.place)):
        covered.setdefault(one.service, set()).add(one.place)
    doubted = set(db.scalars(flagged))
    columns = list(ServiceRow.__table__.columns)
    for row in db.execute(rows.with_only_columns(*columns).order_by(ServiceRow.id)):
        covers_of = frozenset(covered.get(row.id, ()))
        if here.holds(covers_of):
            yield card_of(row, covers_of, here, doubted=row.id in doubted)


class Stacks(Mapping[str, ServiceCard]):
    """The cards of a large directory: fetched when they are asked for, the latest are remembered."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._card = lru_cache(maxsize=REMEMBERED)(self._fetched)

    def _fetched(self, service: str) -> ServiceCard | None:
        with self._reading() as db:
            return next(cards_of(db, [service]), None)

    def __getitem__(self, service: str) -> ServiceCard:
        card = self._card(service)
        if card is None:
            raise KeyError(service)
        return card

    def __iter__(self) -> Iterator[str]:
        with self._reading() as db:
            yield from db.scalars(select(ServiceRow.id).order_by(ServiceRow.id)).all()

    def __len__(self) -> int:
        with self._reading() as db:
            return db.scalar(select(func.count()).select_from(ServiceRow)) or 0

    def values(self) -> Any:
        """All of them, in one go: for lists of the whole directory only."""
        with self._reading() as db:
            return tuple(cards_of(db))


# ── the table of doors ──────────────────────────────────────────────────────────────────────────────────────

DOOR_COLUMNS: Final = ("service", "cover", "sure", "bars", "reached", "through", "has", "police", "verified", "doubted",
                       "organisation", "languages", "hours")  # fmt: skip


class Stored:
    """All doors where they lie in the database: one question for all needs and places."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def near(self, needs: Sequence[str], places: Sequence[str]) -> Mapping[str, Sequence[Door]]:
        """See `index.Doors`."""
        with self._reading() as db:
            return stored_doors(db, needs, places)


def stored_doors(db: Session, needs: Sequence[str], places: Sequence[str]) -> Mapping[str, Sequence[Door]]:
    """The same inside a transaction that is there."""
    found: dict[str, list[Door]] = {need: [] for need in needs}
    zone = home(db).zone
    asked = {f"n{number}": need for number, need in enumerate(found)}
    asked |= {f"c{number}": place for number, place in enumerate(places)}
    for row in db.connection().execute(_question(len(found), len(places)), asked):
        found[row[0]].append(Door._make((*row[1:12], _tongues(row[12]), hours.unpacked(row[13], zone))))
    return found


@cache
def _question(needs: int, places: int) -> Any:
    """The one query, for so many needs and places; made once, so that it is compiled once."""
    names, marks = ", ".join(DOOR_COLUMNS), [f":n{number}" for number in range(needs)]
    covers = ", ".join(f":c{number}" for number in range(places))
    told = f"SELECT need, {names} FROM service_match WHERE need IN ({', '.join(marks)}) AND cover IN ({covers})"  # noqa: S608 -- marks only
    return text(told)


@lru_cache(maxsize=4096)
def _tongues(told: str) -> frozenset[str]:
    return frozenset(told.split(";")) if told else frozenset()


Tell = Callable[[str, int, int], None]  # what is being done, how many, of how many


def untold(_what: str, _done: int, _of: int) -> None:
    """Nobody is waiting at a terminal."""


def changed(db: Session, services: Iterable[str], tell: Tell = untold) -> None:
    """Every change of services passes here, in its own transaction: whatever is worked out of them follows."""
    row = db.get(DirectoryRow, 1)
    if row is None:
        row = DirectoryRow(id=1, number=0, made_with="")
        db.add(row)
    row.number += 1
    if row.made_with == _made_with():
        _work_out(db, list(services), tell)
    else:
        _work_out(db, list(db.scalars(select(ServiceRow.id))), tell)
        row.made_with = _made_with()
    db.flush()


def _work_out(db: Session, services: Sequence[str], tell: Tell) -> None:
    """The doors of these services anew."""
    for start in range(0, len(services), AT_ONCE):
        some = services[start : start + AT_ONCE]
        db.execute(delete(MatchRow).where(MatchRow.service.in_(some)))
        rows = [
            door._asdict() | {"need": need, "languages": ";".join(sorted(door.languages)),
                              "hours": hours.packed(door.hours)}
            for card in cards_of(db, some)
            for need, door in doors_of(card)
        ]  # fmt: skip
        if rows:
            db.execute(insert(MatchRow), rows)
        tell("worked out", start + len(some), len(services))


# ── one card ────────────────────────────────────────────────────────────────────────────────────────────────


def card_of(row: Any, coverage: frozenset[str], here: Home, *, doubted: bool = False) -> ServiceCard:
    """A row of the table of services as matching and pages need it."""
    kind = service_types()[row.service_type]
    phone, note, tel = _phone(row.phone, row.status)
    return ServiceCard(
        service_id=row.id,
        name=row.name,
        service_type=row.service_type,
        phone=phone,
        phone_note=note,
        tel=tel,
        hours=row.hours,
        is_24h=_answer(row.is_24h),
        cost=row.cost,
        languages=frozenset(part for part in row.languages.split(";") if part),
        what_for=row.what_for,
        police=_answer(row.police_inside_or_run),
        trans_friendly=_answer(row.trans_friendly),
        sw_friendly=_answer(row.sw_friendly),
        minors=_answer(row.minors),
        accepts_no_id=_answer(row.accepts_no_id),
        needs=_needs_of(row, kind["needs"]),
        coverage=coverage,
        coverage_national=any(len(code) == COUNTRY_CODE and here.holds([code]) for code in coverage),
        status=row.status,
        source=row.source,
        source_date=row.source_date,
        verified_on=row.verified_on,
        duty=kind.get("duty", ""),
        through=kind.get("through", "") if row.sector in PUBLIC else "",
        warnings=tuple(one["warning"] for one in _rows_of("service-warnings.csv").get(row.id, ())),
        organisation=row.organisation,
        doubted=doubted,
        zone=here.zone,
    )


def _answer(told: str) -> str:
    """`yes (…)` is yes with its note; what is empty or neither is unknown."""
    word = re.match(r"[a-z]*", told.lower())
    first = word.group() if word else ""
    return first if first in {YES, NO, "only"} else UNKNOWN


def _phone(told: str, status: str) -> tuple[str, str, str]:
    """(number as written, note, tel: link). What cannot be dialled, or nobody has seen, gets no link."""
    written = re.fullmatch(r"(\+?[\d][\d\s-]*\d)\s*(?:\((.*)\))?", told)
    if written is None:
        return told, "", ""
    number, note = written.group(1).strip(), written.group(2) or ""
    return number, note, "" if status == "unverified" else "tel:" + re.sub(r"[\s-]", "", number)


def _needs_of(row: Any, by_type: Iterable[str]) -> dict[str, str]:
    """Need -> yes or unknown. The row's own answers go before what its type can serve."""
    served = dict.fromkeys(by_type, UNKNOWN)
    for column, need in ANSWERED_BY.items():
        if need in served:
            served[need] = _answer(getattr(row, column))
    for one in _rows_of("service-needs.csv").get(row.id, ()):
        served[one["need"]] = one["answer"]
    return {need: answer for need, answer in served.items() if answer != NO}
