"""The country that this directory belongs to, its time zone and its national lines.

No number of another country is shown; pages never show less than the lines that are shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, select
from sqlalchemy.orm import Session

from referrals.directory.models import CoverageRow
from referrals.directory.reviewed_data import DATA, table
from referrals.matching import hours

SHIPPED_FILE: Final = DATA / "services-pe.csv"
BOX, LAST = "BOX", "LAST"  # rows of fallback-lines.csv: the lines always in sight, those of last resort
LINES: Final = ("HEALTH_EMERGENCY", "CRISIS_LINE")  # types of which a national service is a line, in screen order
MOST_LINES: Final = 5  # in the box
REMEMBERED: Final = 5_000  # cards of a large directory that are kept after they were asked for


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whose signatures of rows count: account -> its public keys; and what tells whether a signature is of a key.

    `begun`: rows were signed once. Before that every row is believed.
    """

    keys: Mapping[int, frozenset[bytes]]
    fits: Callable[[bytes, bytes, bytes], bool]  # public key, signature, message
    begun: bool = True


WhoSigns = Callable[[Session], Vouched | None]  # None: there is nobody yet who could sign


def nobody_signs(_db: Session) -> Vouched | None:
    """The answer where there are no teams: for measures, and before there are keys."""
    return None


@dataclass(frozen=True, slots=True)
class Home:
    """The country that a directory belongs to, its clock, and who signs its rows. Without a country: of every one."""

    country: str = "PE"
    zone: str = hours.ZONE
    who_signs: WhoSigns = nobody_signs

    def holds(self, codes: Iterable[str]) -> bool:
        """Whether one of these places lies there."""
        return any(code.startswith(self.country) for code in codes)


homes: WeakKeyDictionary[Dialect, Home] = WeakKeyDictionary()  # an engine's options make another one, of one dialect


def home(db: Session) -> Home:
    """Where the directory lives: Peru, unless told otherwise."""
    return homes.get(db.get_bind().dialect, Home())


@cache
def lines_of_country(country: str) -> Mapping[str, tuple[str, ...]]:
    """Need, BOX or LAST -> ids of the national lines that are shipped for a country, the best first."""
    return {
        row["need"]: tuple(row["lines"].split(";")) for row in table("fallback-lines.csv") if row["country"] == country
    }


def shipped_services() -> str:
    """The services of Peru as shipped: CSV."""
    return SHIPPED_FILE.read_text(encoding="utf-8")


def is_at_home(db: Session, service: str) -> bool:
    """Whether a service belongs to the country of this directory."""
    covers = select(CoverageRow.place).where(CoverageRow.service == service)
    return home(db).holds(db.scalars(covers))


def at_home(db: Session) -> frozenset[str]:
    """The services that cover a place of this country: those of another one are not looked at."""
    inside = CoverageRow.place.startswith(home(db).country)
    return frozenset(db.scalars(select(CoverageRow.service).where(inside)))
