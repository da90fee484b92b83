"""What goes into a match and what comes out: who is looking, the directory, the offers; and the limits.

Pure. Knows neither order nor wording. Which types serve which needs, and what is said about a service, stands
in referrals/data with its basis.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

from referrals.matching.distance import Seat
from referrals.matching.hours import QUARTER, QUARTERS_PER_DAY
from referrals.matching.listings import COUNTRY_CODE, DEPARTMENT_CODE, Index, ListingIndex, ServiceCard
from reporting.i18n import Sentence
from reporting.vocabulary.incident import Incident

URGENT = frozenset({"NOW", "H24", "H72", "H120"})
QUARTERS_PER_HOUR = 60 // QUARTER  # quarters
# how long an urgent need can wait where no medical window says it; "now" is tonight or tomorrow morning
WINDOWS: Final = {
    "NOW": 12 * QUARTERS_PER_HOUR,
    "H24": 24 * QUARTERS_PER_HOUR,
    "H72": 72 * QUARTERS_PER_HOUR,
    "H120": 120 * QUARTERS_PER_HOUR,
}
SOON = QUARTERS_PER_DAY  # quarters: what opens within a day opens soon
SAME_PROVINCE, SAME_REGION, NATIONAL = 1, 2, 3
FRESH: Final = (90, 180, 365)  # days since somebody looked: up to these, fresh, less so, old; then it sinks
STALE: Final = len(FRESH)
IN_TIME, IN_TIME_LATER, PERHAPS, TOO_LATE = 0, 1, 2, 3
HERS, NOT_HERS, NO_TONGUE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Offer:
    """A service that is offered for a need: whom to call, why this one, and what to know before."""

    need: str
    service_id: str
    name: str
    address: str
    phone: str
    tel: str
    what_for: str
    reasons: tuple[Sentence, ...]
    warnings: tuple[Sentence, ...]
    verified: Sentence
    source_name: str
    source_date: str
    fallback: bool
    where: Sentence | None = (
        None  # where it stands or serves, and how far that is; none of what is for the whole country
    )
    led_by: Sentence | None = None  # the line that leads there, where it has no number of its own
    is_open: Sentence | None = None  # in a few words, where it is known
    kind: str = ""  # type of the service
    national: bool = False
    may_change: bool = False  # a change of it waits for a second person of the team
    again: bool = False  # told in full for a need before; a page need not repeat it


@dataclass(frozen=True, slots=True)
class Seeker:
    """Who is looking, as far as she said: her places from near to far, her languages, her must-nots."""

    incident: Incident
    must_not: frozenset[str]
    places: tuple[str, ...]  # province, then department; without those she did not say
    languages: tuple[str, ...]
    police_shown: bool = False

    @property
    def wants_police(self) -> bool:
        """She asked for the police in words."""
        return self.police_shown or "W_REPORT_POLICE" in self.incident.wants


@dataclass(frozen=True)
class Cards:
    """The whole directory: services, the lines of last resort, names of places, what every question shares.

    travel: quarters of an hour to allow for the way, by band. holidays: public ones, on which hours are no promise.
    stored: where listings are looked up when they are too many to lie in memory. lines: national lines that are always
    in sight; last_resort: those that close a list (whoever refused her is passed over); none where there are none.
    call_first: warning -> the line whose number belongs into it. seats: the towns that distances are taken between.
    """

    by_id: Mapping[str, ServiceCard]
    fallback: Mapping[str, tuple[str, ...]]  # need -> national lines, the best first
    place_names: Mapping[str, str]
    holidays: Container[date] = frozenset()
    travel: Mapping[int, int] = field(default_factory=dict)
    country: str = "PE"
    stored: ListingIndex | None = None
    lines: tuple[str, ...] = ()
    last_resort: tuple[str, ...] = ()
    call_first: Mapping[str, str] = field(default_factory=dict)
    seats: Mapping[str, Seat] = field(default_factory=dict)

    @cached_property
    def listings(self) -> ListingIndex:
        """Where the listings of services are looked up."""
        return self.stored or Index(self.by_id.values())

    def places_to_ask(self, places: tuple[str, ...]) -> tuple[str, ...]:
        """The places whose services are hers, nearest first. Who names only a department may live in any part of it."""
        inside = self._inside.get(places[0], ()) if places and len(places[0]) == DEPARTMENT_CODE else ()
        country = places[-1][:COUNTRY_CODE] if places else self.country
        return (*places, *inside, country)

    @cached_property
    def _inside(self) -> Mapping[str, tuple[str, ...]]:
        by_department: dict[str, list[str]] = {}
        for code in self.place_names:
            if len(code) > DEPARTMENT_CODE:
                by_department.setdefault(code[:DEPARTMENT_CODE], []).append(code)
        return {department: tuple(codes) for department, codes in by_department.items()}
