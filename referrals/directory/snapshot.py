"""The directory as it lies ready for questions: in memory while it is small, else read when asked.

Read anew only when it was changed. Is handed a way to open sessions; writes nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from referrals.directory.believed import Judge
from referrals.directory.card import Reading, card_of, cards_of
from referrals.directory.home import (
    BOX,
    LAST,
    LINES,
    MOST_LINES,
    REMEMBERED,
    Home,
    WhoSigns,
    home,
    homes,
    lines_of_country,
    nobody_signs,
    shipped_services,
)
from referrals.directory.match_table import StoredListings
from referrals.directory.models import DirectoryRow, PlaceRow, ServiceRow
from referrals.directory.reviewed_data import made_with, public_holidays, seats, table, travel
from referrals.matching.hours import YES
from referrals.matching.listings import Index, ServiceCard, is_listed
from referrals.matching.records import Cards
from reporting.vocabulary.needs import NEEDS

IN_MEMORY: Final = 20_000  # services; more stay in the database (about 2 kB each in every process)


def settle(engine: Engine, country: str, zone: str, who_signs: WhoSigns = nobody_signs) -> None:
    """Tell once, when a database is opened, where its directory lives and whose signatures of rows count.

    Rows of other countries are then not seen.
    """
    homes[engine.dialect] = Home(country, zone, who_signs)
    _snapshots.pop(engine, None)


@cache
def shipped_lines(country: str) -> Mapping[str, ServiceCard]:
    """Every national line as shipped, whatever the database holds; those of the box first."""
    lines = lines_of_country(country)
    named = dict.fromkeys((*lines.get(BOX, ()), *(line for some in lines.values() for line in some)))
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(shipped_services())) if row["id"] in named}
    return {line: card_of(SimpleNamespace(**rows[line]), frozenset({country}), Home(country)) for line in named}


@dataclass(frozen=True, slots=True)
class DirectorySnapshot:
    """The directory, good until its version changes."""

    version: int
    cards: Cards
    parents: Mapping[str, str]

    def service(self, service_id: str) -> ServiceCard:
        """The card of a service by its id; `KeyError` when the directory has none."""
        return self.cards.by_id[service_id]


_snapshots: WeakKeyDictionary[Engine, DirectorySnapshot] = WeakKeyDictionary()
_VERSION = select(func.max(DirectoryRow.__table__.c.number))


def snapshot_of(reading: Reading, in_memory: int = IN_MEMORY) -> DirectorySnapshot:
    """The directory as it stands; read anew only when it was changed."""
    with reading() as db:
        where, version = db.get_bind().engine, db.scalar(_VERSION) or 0
        known = _snapshots.get(where)
        if known is None or known.version != version:
            known = _snapshots[where] = _read_anew(db, reading, version, in_memory)
    return known


def _read_anew(db: Session, reading: Reading, version: int, in_memory: int) -> DirectorySnapshot:
    here = home(db)
    places = [row for row in db.scalars(select(PlaceRow).where(PlaceRow.level != "district")) if here.holds([row.code])]
    row = db.get(DirectoryRow, 1)
    many = (db.scalar(select(func.count()).select_from(ServiceRow)) or 0) > in_memory
    stored = many and row is not None and row.made_with == made_with()
    named = list(shipped_lines(here.country))
    held = {card.service_id: card for card in cards_of(db, named if stored else None)}
    missing = {line: card for line, card in shipped_lines(here.country).items() if not _answers(held.get(line))}
    by_id: Mapping[str, ServiceCard] = LazyCards(reading, missing) if stored else held | missing
    lines = lines_of_country(here.country) or _own_lines(by_id.values())
    cards = Cards(
        by_id=by_id,
        fallback={need: named for need, named in lines.items() if need not in {BOX, LAST}},
        place_names={row.code: row.name for row in places},
        holidays=public_holidays(here.country),
        travel=travel(),
        country=here.country,
        stored=StoredListings(reading, Index(missing.values())) if stored else None,
        lines=lines[BOX],
        last_resort=lines[LAST],
        call_first=call_first(),
        seats=seats(here.country),
    )
    return DirectorySnapshot(version, cards, {row.code: row.parent for row in places})


def _answers(line: ServiceCard | None) -> bool:
    """Whether a national line can be called as the database has it: else the shipped one stands in its place."""
    return line is not None and bool(line.tel) and is_listed(line) and line.coverage_national


def _own_lines(cards: Iterable[ServiceCard]) -> Mapping[str, tuple[str, ...]]:
    """Need -> ids of lines, in a country without shipped ones: what its team brought in, but none of the police."""
    lines = sorted(filter(_is_line, cards), key=lambda card: (LINES.index(card.service_type), card.service_id))
    ids = tuple(line.service_id for line in lines)
    by_need = {need: tuple(line.service_id for line in lines if need in line.needs) for need in NEEDS}
    return {**by_need, BOX: ids[:MOST_LINES], LAST: ids}


def _is_line(card: ServiceCard) -> bool:
    seen = card.service_type in LINES and card.coverage_national and is_listed(card)
    return seen and bool(card.tel) and card.police != YES


@cache
def call_first() -> Mapping[str, str]:
    """Warning -> the line whose number belongs into it."""
    return {row["warning"]: row["line"] for row in table("service-warnings.csv") if row["line"]}


class LazyCards(Mapping[str, ServiceCard]):
    """The cards of a large directory: fetched when they are asked for, the latest are remembered.

    `instead`: cards that go before what the database has.
    """

    def __init__(self, reading: Reading, instead: Mapping[str, ServiceCard]) -> None:
        self._reading, self._instead = reading, instead
        with reading() as db:
            self._judge = Judge(db)
        self._card = lru_cache(maxsize=REMEMBERED)(self._fetched)

    def _fetched(self, service: str) -> ServiceCard | None:
        with self._reading() as db:
            return next(cards_of(db, [service], self._judge), None)

    def __getitem__(self, service: str) -> ServiceCard:
        """The card of a service by its id; `KeyError` when the directory has none."""
        card = self._instead.get(service) or self._card(service)
        if card is None:
            raise KeyError(service)
        return card

    def __iter__(self) -> Iterator[str]:
        with self._reading() as db:
            yield from sorted({*db.scalars(select(ServiceRow.id)), *self._instead})

    def __len__(self) -> int:
        with self._reading() as db:
            return len({*db.scalars(select(ServiceRow.id)), *self._instead})

    def values(self) -> Any:
        """All of them, in one go: for lists of the whole directory only."""
        with self._reading() as db:
            held = {card.service_id: card for card in cards_of(db, judge=self._judge)}
        return tuple({**held, **self._instead}.values())
