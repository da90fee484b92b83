"""What matching knows of a service, and how it is found quickly by need and place.

Pure. A `ServiceCard` is everything a page says of a service; a listing is the little of it that the order
looks at, one for each need and each place that it covers. Listings lie in memory here or in a table of the
directory; both give the same for the same question. Knows neither who asks nor which comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from referrals.matching.hours import YES, ZONE, Hours
from referrals.matching.hours_text import read
from referrals.needs.exclusions import bars_of

OWN, THROUGH, NONE = 0, 1, 2  # how a service is reached: its own number or address, through a line, not known
COUNTRY_CODE, DEPARTMENT_CODE = len("PE"), len("PE25")  # lengths of the codes of places
TRANS, SEX_WORK, PAPERS, FOR_INSURED = 1, 2, 4, 8  # bits of what is known of a service
KNOWN_BITS = (TRANS, SEX_WORK, PAPERS, FOR_INSURED)


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """All that matching and a page need to know of a service. Three-valued answers are yes, no or unknown."""

    service_id: str
    name: str
    service_type: str
    phone: str
    phone_note: str
    tel: str
    hours: str
    is_24h: str
    cost: str
    languages: frozenset[str]
    what_for: str
    police: str
    trans_friendly: str
    sw_friendly: str
    minors: str
    accepts_no_id: str
    needs: Mapping[str, str]  # need -> yes or unknown; a need that is not there is not served
    coverage: frozenset[str]
    coverage_national: bool
    status: str
    source: str
    source_date: str
    verified_on: str
    duty: str
    through: str
    warnings: tuple[str, ...]
    organisation: str = ""
    zone: str = ZONE
    address: str = ""  # as it may be shown; never of a shelter
    site: str = ""  # code of the district or province where it stands; blank where only its coverage is known
    insured: bool = False  # for people insured there; for anybody only in an emergency
    waits: bool = False  # a change of it waits for a second person of the team

    @property
    def week(self) -> Hours:
        """Its hours, as far as they can be read."""
        return read(self.hours, self.is_24h, self.zone)

    @property
    def reached(self) -> int:
        """How it is reached: OWN, THROUGH a line, or NONE: then it is work for the team, and no offer."""
        if self.tel or self.address:
            return OWN
        return THROUGH if self.through not in {"", self.service_id} else NONE


class Listing(NamedTuple):
    """A service for one need, through one place that it covers."""

    service: str
    cover: str
    sure: bool  # it is known to serve the need
    bars: int  # from whom it may be hidden: bits of needs.BARS
    reached: int  # OWN, THROUGH, NONE
    through: str  # the line that leads there
    has: int  # TRANS, SEX_WORK, PAPERS, FOR_INSURED
    police: bool  # the police are known to be there
    verified: int  # number of the day (date.toordinal); 0 never
    organisation: str
    site: str  # code of the place where it stands; blank where it is not known
    languages: frozenset[str]
    hours: Hours


class ListingIndex(Protocol):
    """Where the listings of services are looked up."""

    def near(self, needs: Sequence[str], places: Sequence[str]) -> Mapping[str, Sequence[Listing]]:
        """For each need the listings that cover one of these places, in any order; a service may stand there twice."""


def is_listed(card: ServiceCard) -> bool:
    """A row that no source has seen is work for the team, not a service for her."""
    return bool(card.source)


def listings_of(card: ServiceCard) -> Iterator[tuple[str, Listing]]:
    """(need, listing) for every need and place of a service; none where no source has seen it."""
    if not is_listed(card):
        return
    answers = (card.trans_friendly, card.sw_friendly, card.accepts_no_id, YES if card.insured else "")
    covers = sorted({code[:COUNTRY_CODE] for code in card.coverage} if card.coverage_national else card.coverage)
    first = Listing(
        service=card.service_id,
        cover="",
        sure=False,
        bars=bars_of(card),
        reached=card.reached,
        through=card.through,
        has=sum(bit for bit, answer in zip(KNOWN_BITS, answers, strict=True) if answer == YES),
        police=card.police == YES,
        verified=date.fromisoformat(card.verified_on).toordinal() if card.verified_on else 0,
        organisation=card.organisation,
        site=card.site,
        languages=card.languages,
        hours=card.week,
    )
    for need, answer in sorted(card.needs.items()):
        for cover in covers:
            yield need, first._replace(cover=cover, sure=answer == YES)


class Index:
    """All listings in memory, by need and by place."""

    def __init__(self, cards: Iterable[ServiceCard]) -> None:
        listings: dict[tuple[str, str], list[Listing]] = {}
        for card in cards:
            for need, listing in listings_of(card):
                listings.setdefault((need, listing.cover), []).append(listing)
        self._listings = listings

    def near(self, needs: Sequence[str], places: Sequence[str]) -> Mapping[str, Sequence[Listing]]:
        """For each need the listings that cover one of these places, as `ListingIndex` says."""
        return {
            need: [listing for place in places for listing in self._listings.get((need, place), ())] for need in needs
        }
