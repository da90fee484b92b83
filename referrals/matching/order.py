"""The order of services for one need: one tuple compared from left to right, without weights.

Pure. For what cannot wait, being reached in time goes first; for the rest, being right for her. Unknown is not
no: it ranks below yes. Knows no sentence that is said about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from referrals.matching import distance, hours
from referrals.matching.hours import ALL_WEEK, SLOTS, Ahead, Hours
from referrals.matching.listings import (
    COUNTRY_CODE,
    DEPARTMENT_CODE,
    FOR_INSURED,
    NONE,
    PAPERS,
    SEX_WORK,
    THROUGH,
    TRANS,
    Listing,
    ServiceCard,
)
from referrals.matching.records import (
    FRESH,
    HERS,
    IN_TIME,
    IN_TIME_LATER,
    NATIONAL,
    NO_TONGUE,
    NOT_HERS,
    PERHAPS,
    QUARTERS_PER_HOUR,
    SAME_PROVINCE,
    SAME_REGION,
    SOON,
    STALE,
    TOO_LATE,
    URGENT,
    WINDOWS,
    Cards,
    Seeker,
)
from referrals.needs.codes import Need
from referrals.needs.exclusions import REFUSED, bars_for, forbidden, reason_in
from reporting.vocabulary.codes import IDENTITY_GROUP
from reporting.vocabulary.incident import Incident


def near_band(card: ServiceCard, places: tuple[str, ...]) -> int | None:
    """How near its coverage is to her; None if it does not serve her place."""
    if card.coverage_national:
        return NATIONAL
    bands = [
        band_of(place, places, card.site) for place in card.coverage if place in places or _is_inside(place, places)
    ]
    return min(bands, default=None)


def _is_inside(place: str, places: tuple[str, ...]) -> bool:
    return bool(places) and len(places[0]) == DEPARTMENT_CODE and place.startswith(places[0])


def band_of(cover: str, places: tuple[str, ...], site: str = "") -> int:
    """How near a service is to her by a place that it covers, and by where it stands if that is known."""
    if len(cover) == COUNTRY_CODE:
        return NATIONAL
    province = places[0] if places and len(places[0]) > DEPARTMENT_CODE else ""
    inside = cover == province or site.startswith(province)
    return SAME_PROVINCE if province and inside else SAME_REGION


class Nearness(NamedTuple):
    """How near a service is, by what it covers and by where it stands. Smaller is nearer."""

    band: int  # SAME_PROVINCE, SAME_REGION, NATIONAL
    step: int  # of distance.STEPS, from the seat of her place
    metres: int  # between two seats, in a straight line; 0 where that is not known


class Elements(NamedTuple):
    """What is looked at, each a small number, smaller first. `ORDERS` says in which order."""

    in_time: int  # IN_TIME, IN_TIME_LATER, PERHAPS, TOO_LATE: the way allowed for, before the window closes
    sure: bool  # False: it is known to serve the need
    missing: int  # wishes of hers that it is not known to meet
    reached: int  # OWN, THROUGH, NONE
    tongue: int  # HERS, NOT_HERS, NO_TONGUE
    band: int  # SAME_PROVINCE, SAME_REGION, NATIONAL
    step: int  # of distance.STEPS
    insured: int  # it is for people insured there; another one as near goes before it
    fresh: int  # 0 to STALE
    metres: int
    service: str  # a last, stable difference


_RIGHT_FOR_HER: Final = ("sure", "reached", "missing", "tongue", "band", "step", "insured", "fresh")
# For what cannot wait, being reached in time goes before what she would wish; else the other way round.
ORDERS: Final[Mapping[bool, tuple[str, ...]]] = {
    True: ("in_time", *_RIGHT_FOR_HER, "metres", "service"),
    False: (*_RIGHT_FOR_HER, "in_time", "metres", "service"),
}
# a listing that is not hidden, in its order (smaller is better), its band, and how it is reached
Ranked = tuple[tuple[int | str, ...], Listing, int, int]
_ORDERED: Final[Mapping[bool, Callable[[tuple[int | str, ...]], tuple[int | str, ...]]]] = {
    urgent: itemgetter(*(Elements._fields.index(name) for name in names)) for urgent, names in ORDERS.items()
}


class Search:
    """One search at one moment: what is the same for every listing is worked out here, once."""

    def __init__(self, seeker: Seeker, cards: Cards, now: datetime) -> None:
        self.seeker, self.cards, self.now = seeker, cards, now
        incident = seeker.incident
        self._bars = bars_for(seeker.must_not, incident, police_shown=seeker.police_shown)
        self._wishes = sum(bit for bit, has in WISHES if has(incident))
        self._tongue_of: dict[frozenset[str], int] = {}
        self._places = cards.places_to_ask(seeker.places)
        self._near: dict[tuple[str, str], Nearness] = {}
        self._clocks: dict[str, datetime] = {}
        self._weeks: dict[int, Ahead] = {}
        self._lines: dict[str, bool] = {}
        self._ranked: dict[Need, tuple[Sequence[Listing], list[Ranked], dict[str, set[str]]]] = {}
        self._today = now.date().toordinal()

    def near(self, needs: Sequence[Need]) -> Mapping[str, Sequence[Listing]]:
        """The listings of her places for each need."""
        return self.cards.listings.near([need.code for need in needs], self._places)

    def bar(self, listing: Listing) -> str | None:
        """Why this listing is hidden from her, or None."""
        if listing.service in self.seeker.incident.refused_by:
            return REFUSED
        return reason_in(listing.bars & self._bars) if listing.bars & self._bars else None

    def ahead(self, week: Hours) -> Ahead:
        """The coming week of these hours, worked out once for all who share them."""
        known = self._weeks.get(id(week))
        if known is None:
            local = self._clocks.get(week.zone)
            if local is None:
                local = self._clocks[week.zone] = hours.local_time(self.now, week.zone)
            known = self._weeks[id(week)] = hours.ahead(week, local, self.cards.holidays)
        return known

    def reached(self, listing: Listing) -> int:
        """How it is reached; a line that may not be offered to her leads nowhere."""
        if listing.reached != THROUGH:
            return listing.reached
        usable = self._lines.get(listing.through)
        if usable is None:
            usable = self._lines[listing.through] = line_to(self.cards.by_id.get(listing.through), self.seeker)
        return THROUGH if usable else NONE

    def ranked(self, need: Need, listings: Sequence[Listing]) -> tuple[list[Ranked], dict[str, set[str]]]:
        """Every listing that is not hidden, in no order; and the services hidden for each reason.

        Worked out once for who asks again with the same listings. Nobody changes what comes back.
        """
        known = self._ranked.get(need)
        if known is None or known[0] is not listings:
            known = self._ranked[need] = listings, *self._rank(need, listings)
        return known[1:]

    def _rank(self, need: Need, listings: Sequence[Listing]) -> tuple[list[Ranked], dict[str, set[str]]]:
        """The one place that is gone through for every listing, thousands of times an answer.

        So it works on plain tuples; what many listings share (hours, languages, what a service has) is worked out once.
        """
        hidden: dict[str, set[str]] = {}
        ranked: list[Ranked] = []
        urgent = need.urgency in URGENT
        in_order, left = _ORDERED[urgent], window(need) if urgent else SOON
        bars, refused, today = self._bars, self.seeker.incident.refused_by, self._today
        nearness, tongues, wishes = self._near, self._tongue_of, self._wishes
        times: dict[tuple[int, int], int] = {}
        for listing in listings:
            service, cover, sure, barred, reached, _, has, _, verified, _, site, languages, week = listing
            if barred & bars or service in refused:
                hidden.setdefault(self.bar(listing) or "", set()).add(service)
                continue
            near = nearness.get((cover, site))
            if near is None:
                near = nearness[cover, site] = self._nearness(cover, site)
            band, step, metres = near
            time = times.get((id(week), band))
            if time is None:
                travel = self.cards.travel.get(band, 0) if urgent else 0
                time = times[id(week), band] = in_time(self.ahead(week), travel, left)
            since = today - verified
            fresh = 0 if since <= FRESH[0] else 1 if since <= FRESH[1] else 2 if since <= FRESH[2] else STALE
            if reached == THROUGH:
                reached = self.reached(listing)
            tongue = tongues.get(languages)
            if tongue is None:
                tongue = tongues[languages] = self._tongue(languages)
            elements = (
                time,
                not sure,
                (wishes & ~has).bit_count(),
                reached,
                tongue,
                band,
                step,
                has & FOR_INSURED,
                fresh,
                metres,
                service,
            )
            ranked.append((in_order(elements), listing, band, reached))
        return ranked, hidden

    def _nearness(self, cover: str, site: str) -> Nearness:
        band = band_of(cover, self.seeker.places, site)
        if band == NATIONAL:
            return Nearness(band, 0, 0)
        km = self.kilometres_to(site)
        return Nearness(band, distance.step(km), round(1000 * (km or 0)))

    def kilometres_to(self, site: str) -> float | None:
        """From the seat of the nearest place that she named, in a straight line; None where that is not known."""
        return distance.between(self.cards.seats, self.seeker.places[0] if self.seeker.places else "", site)

    def _tongue(self, languages: frozenset[str]) -> int:
        if not languages:
            return NO_TONGUE
        return NOT_HERS if languages.isdisjoint(self.seeker.languages) else HERS


def window(need: Need) -> int:
    """In how many quarters an urgent need has to be met: its medical window, else its class."""
    left = WINDOWS[need.urgency] if need.hours_left is None else int(need.hours_left * QUARTERS_PER_HOUR)
    return min(max(left, 0), SLOTS - 1)


def in_time(week: Ahead, travel: int, left: int) -> int:
    """Whether it can be reached before the window closes. All in quarters of an hour."""
    if week.open >> travel & week.open & 1:
        return IN_TIME
    opens = week.open
    if opens & 1:  # it closes before she is there: only what comes after counts
        run = hours.open_for(opens)
        opens = opens >> run << run
    latest = left - travel
    if latest >= 0:
        until_then = (2 << latest) - 1
        if opens & until_then:
            return IN_TIME_LATER
        if week.unknown & until_then:
            return PERHAPS
    return PERHAPS if week.unknown == ALL_WEEK else TOO_LATE


def line_to(line: ServiceCard | None, seeker: Seeker) -> bool:
    """Whether a line may lead her to a service without a number."""
    return line is not None and bool(line.tel) and forbids(line, seeker) is None


def is_trans(incident: Incident) -> bool:
    """Whether the identity that was told is one of the trans group."""
    return IDENTITY_GROUP.get(incident.identity or "") == "TRANS"


def _without_papers(incident: Incident) -> bool:
    return incident.docs in {"NONE", "MISMATCH"}


# what a service may be known to have -> who wishes for it
WISHES: Final[tuple[tuple[int, Callable[[Incident], bool]], ...]] = (
    (TRANS, is_trans),
    (SEX_WORK, lambda _incident: True),
    (PAPERS, _without_papers),
)


def forbids(card: ServiceCard, seeker: Seeker) -> str | None:
    """Why this service may not be offered to who is looking, as a code; None where it may."""
    return forbidden(card, seeker.must_not, seeker.incident, police_shown=seeker.police_shown)
