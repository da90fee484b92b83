"""The table of listings for a large directory: worked out anew in the transaction that changes a service.

Is handed a session. Gives the same answers as the listings in memory. Knows no order and no page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from referrals.directory.card import Reading, cards_of
from referrals.directory.home import home
from referrals.directory.models import DirectoryRow, MatchRow, ServiceRow
from referrals.directory.reviewed_data import made_with
from referrals.matching import hours
from referrals.matching.listings import Index, Listing, ListingIndex, listings_of
from reporting.i18n import T_

AT_ONCE: Final = 500  # services worked out together
LISTING_COLUMNS: Final = (
    "service",
    "cover",
    "sure",
    "bars",
    "reached",
    "through",
    "has",
    "police",
    "verified",
    "organisation",
    "site",
    "languages",
    "hours",
)


class StoredListings:
    """All listings where they lie in the database, one query for all needs and places, and `more` beside them."""

    def __init__(self, reading: Reading, more: ListingIndex | None = None) -> None:
        self._reading, self._more = reading, more or Index(())

    def near(self, needs: Sequence[str], places: Sequence[str]) -> Mapping[str, Sequence[Listing]]:
        """For each need the listings that cover one of these places, as `ListingIndex` says."""
        more = self._more.near(needs, places)
        with self._reading() as db:
            stored = stored_listings(db, needs, places)
        return {need: (*listings, *more[need]) if more[need] else listings for need, listings in stored.items()}


def stored_listings(db: Session, needs: Sequence[str], places: Sequence[str]) -> Mapping[str, Sequence[Listing]]:
    """For each need the listings that cover one of these places, read in the transaction of this session."""
    listings: dict[str, list[Listing]] = {need: [] for need in needs}
    zone = home(db).zone
    parameters = {f"n{number}": need for number, need in enumerate(listings)}
    parameters |= {f"c{number}": place for number, place in enumerate(places)}
    for row in db.connection().execute(_query(len(listings), len(places)), parameters):
        listings[row[0]].append(Listing._make((*row[1:12], _languages(row[12]), hours.unpacked(row[13], zone))))
    return listings


@cache
def _query(needs: int, places: int) -> Any:
    """The one query, for so many needs and places; made once, so that it is compiled once."""
    names, marks = ", ".join(LISTING_COLUMNS), [f":n{number}" for number in range(needs)]
    covers = ", ".join(f":c{number}" for number in range(places))
    query = f"SELECT need, {names} FROM service_match WHERE need IN ({', '.join(marks)}) AND cover IN ({covers})"  # noqa: S608 -- marks only
    return text(query)


@lru_cache(maxsize=4096)
def _languages(joined: str) -> frozenset[str]:
    return frozenset(joined.split(";")) if joined else frozenset()


Tell = Callable[[str, int, int], None]  # what is being done, how many, of how many


def untold(_what: str, _done: int, _of: int) -> None:
    """Say nothing: nobody is waiting at a terminal."""


def changed(db: Session, services: Iterable[str], tell: Tell = untold) -> None:
    """Count a change of these services and work their listings out anew; every change passes here in its transaction.

    All services are worked out where the rules or the reviewed data are not those of the last time.
    """
    row = db.get(DirectoryRow, 1)
    if row is None:
        row = DirectoryRow(id=1, number=0, made_with="")
        db.add(row)
    row.number += 1
    if row.made_with == made_with():
        _work_out(db, list(services), tell)
    else:
        _work_out(db, list(db.scalars(select(ServiceRow.id))), tell)
        row.made_with = made_with()
    db.flush()


def _work_out(db: Session, services: Sequence[str], tell: Tell) -> None:
    for start in range(0, len(services), AT_ONCE):
        some = services[start : start + AT_ONCE]
        db.execute(delete(MatchRow).where(MatchRow.service.in_(some)))
        rows = [
            listing._asdict()
            | {"need": need, "languages": ";".join(sorted(listing.languages)), "hours": hours.packed(listing.hours)}
            for card in cards_of(db, some)
            for need, listing in listings_of(card)
        ]
        if rows:
            db.execute(insert(MatchRow), rows)
        tell(T_("worked out"), start + len(some), len(services))
