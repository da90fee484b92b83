"""Matching: from needs, a place and a moment to the right doors, in an order that can be said aloud.

Pure. The gate hides only what is known bad or does not serve her place or need; everything else is ordered by one
tuple compared from left to right, without weights, and each part of it gives one sentence. For what cannot wait, being
reached in time goes first; for the rest, being right for her. Unknown is not no: it ranks below yes and says so. There
is never a need without an offer: a national line closes every list.
Which types serve which needs, and what is said about a service, stands in referrals/data with its basis.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import itemgetter
from typing import Final, NamedTuple

from referrals import hours
from referrals.hours import ALL_WEEK, DAY, NO, OPEN, QUARTER, SLOTS, UNKNOWN, YES, Ahead, Hours
from referrals.index import (
    COUNTRY_CODE,
    DEPARTMENT_CODE,
    NONE,
    PAPERS,
    SEX_WORK,
    THROUGH,
    TRANS,
    Door,
    Doors,
    Index,
    ServiceCard,
)
from referrals.needs import REFUSED, Need, bars_for, forbidden, reason_in
from reporting.incidents import IDENTITY_GROUP, MINOR_AGES, N_, Incident

SHOWN = 3  # offers for one need
POLICE_SHOWN = 2  # more, run by the police, for somebody who asked for them in words
ENOUGH = 16  # of the best, so that some may be of one organisation or stand there twice
OF_ONE, AMONG = 2, 5  # so many of one organisation among the first so many
URGENT = frozenset({"NOW", "H24", "H72", "H120"})
HOUR = 60 // QUARTER  # quarters
# how long an urgent need can wait where no medical window says it; "now" is tonight or tomorrow morning
WINDOWS: Final = {"NOW": 12 * HOUR, "H24": 24 * HOUR, "H72": 72 * HOUR, "H120": 120 * HOUR}
SOON = DAY  # quarters: what opens within a day opens soon
SAME_PROVINCE, SAME_REGION, NATIONAL = 1, 2, 3
FRESH: Final = (90, 180, 365)  # days since somebody looked: up to these, fresh, less so, old; then it sinks
STALE: Final = len(FRESH)
IN_TIME, IN_TIME_LATER, PERHAPS, TOO_LATE = 0, 1, 2, 3
HERS, NOT_HERS, NO_TONGUE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message id and what goes into it."""

    message: str
    parts: tuple[tuple[str, str], ...] = ()

    def parts_in(self, say: Callable[..., str]) -> dict[str, str]:
        """The parts, ready to be filled in. `say` is there for parts that are messages themselves."""
        return {name: say(value) if name.startswith("said_") else value for name, value in self.parts}


def said(message: str, **parts: str) -> Sentence:
    """A sentence."""
    return Sentence(message, tuple(parts.items()))


@dataclass(frozen=True, slots=True)
class Offer:
    """A door for a need: whom to call, why this one, and what to know before."""

    need: str
    service_id: str
    name: str
    phone: str
    tel: str
    what_for: str
    reasons: tuple[Sentence, ...]
    warnings: tuple[Sentence, ...]
    verified: Sentence
    source_name: str
    source_date: str
    fallback: bool
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
    stored: where doors are found when they are too many to lie in memory. lines: national lines that are always in
    sight; last_resort: those that close a list (whoever refused her is passed over); none where the country has none.
    call_first: warning -> the line whose number belongs into it.
    """

    by_id: Mapping[str, ServiceCard]
    fallback: Mapping[str, tuple[str, ...]]  # need -> national lines, the best first
    place_names: Mapping[str, str]
    holidays: Container[date] = frozenset()
    travel: Mapping[int, int] = field(default_factory=dict)
    country: str = "PE"
    stored: Doors | None = None
    lines: tuple[str, ...] = ()
    last_resort: tuple[str, ...] = ()
    call_first: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def doors(self) -> Doors:
        """Where doors are found."""
        return self.stored or Index(self.by_id.values())

    def places_to_ask(self, places: tuple[str, ...]) -> tuple[str, ...]:
        """The places whose doors are hers, nearest first. Who names only a department may live in any part of it."""
        inside = self._inside.get(places[0], ()) if places and len(places[0]) == DEPARTMENT_CODE else ()
        country = places[-1][:COUNTRY_CODE] if places else self.country
        return (*places, *inside, country)

    @cached_property
    def _inside(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for code in self.place_names:
            if len(code) > DEPARTMENT_CODE:
                found.setdefault(code[:DEPARTMENT_CODE], []).append(code)
        return {department: tuple(codes) for department, codes in found.items()}


# ── the gate ────────────────────────────────────────────────────────────────────────────────────────────────


def near_band(card: ServiceCard, places: tuple[str, ...]) -> int | None:
    """How near its coverage is to her; None if it does not serve her place."""
    if card.coverage_national:
        return NATIONAL
    bands = [band_of(place, places) for place in card.coverage if place in places or _is_inside(place, places)]
    return min(bands, default=None)


def _is_inside(place: str, places: tuple[str, ...]) -> bool:
    return bool(places) and len(places[0]) == DEPARTMENT_CODE and place.startswith(places[0])


def band_of(cover: str, places: tuple[str, ...]) -> int:
    """How near a place that covers her is."""
    if len(cover) == COUNTRY_CODE:
        return NATIONAL
    return SAME_PROVINCE if len(cover) > DEPARTMENT_CODE and cover in places[:1] else SAME_REGION


# ── the order ───────────────────────────────────────────────────────────────────────────────────────────────


class Elements(NamedTuple):
    """What is looked at, each a small number, smaller first. `ORDERS` says in which order."""

    sunk: bool  # somebody said that it is wrong, and nobody has looked at it for a year
    in_time: int  # IN_TIME, IN_TIME_LATER, PERHAPS, TOO_LATE: the way allowed for, before the window closes
    sure: bool  # False: it is known to serve the need
    missing: int  # wishes of hers that it is not known to meet
    reached: int  # OWN, THROUGH, NONE
    tongue: int  # HERS, NOT_HERS, NO_TONGUE
    band: int  # SAME_PROVINCE, SAME_REGION, NATIONAL
    fresh: int  # 0 to STALE
    service: str  # a last, stable difference


# For what cannot wait, being reached in time goes before what she would wish; else the other way round.
ORDERS: Final[Mapping[bool, tuple[str, ...]]] = {
    True: ("sunk", "in_time", "sure", "reached", "missing", "tongue", "band", "fresh", "service"),
    False: ("sunk", "sure", "reached", "missing", "tongue", "band", "fresh", "in_time", "service"),
}


# an open door in its order (smaller is better), its band, and how it is reached
Ranked = tuple[tuple[int | str, ...], Door, int, int]
_ORDERED: Final[Mapping[bool, Callable[[tuple[int | str, ...]], tuple[int | str, ...]]]] = {
    urgent: itemgetter(*(Elements._fields.index(name) for name in names)) for urgent, names in ORDERS.items()
}


class Asked:
    """One question at one moment: what is the same for every door is worked out here, once."""

    def __init__(self, seeker: Seeker, cards: Cards, now: datetime) -> None:
        self.seeker, self.cards, self.now = seeker, cards, now
        incident = seeker.incident
        self._bars = bars_for(seeker.must_not, incident, police_shown=seeker.police_shown)
        self._wishes = sum(bit for bit, has in WISHES if has(incident))
        self._tongue_of: dict[frozenset[str], int] = {}
        self._places = cards.places_to_ask(seeker.places)
        self._bands = {place: band_of(place, seeker.places) for place in self._places}
        self._clocks: dict[str, datetime] = {}
        self._weeks: dict[int, Ahead] = {}
        self._lines: dict[str, bool] = {}
        self._today = now.date().toordinal()

    def near(self, needs: Sequence[Need]) -> Mapping[str, Sequence[Door]]:
        """The doors of her places for each need."""
        return self.cards.doors.near([need.code for need in needs], self._places)

    def bar(self, door: Door) -> str | None:
        """Why this door is hidden from her, or None."""
        if door.service in self.seeker.incident.refused_by:
            return REFUSED
        return reason_in(door.bars & self._bars) if door.bars & self._bars else None

    def ahead(self, week: Hours) -> Ahead:
        """The coming week of these hours, worked out once for all who share them."""
        known = self._weeks.get(id(week))
        if known is None:
            local = self._clocks.get(week.zone)
            if local is None:
                local = self._clocks[week.zone] = hours.local_time(self.now, week.zone)
            known = self._weeks[id(week)] = hours.ahead(week, local, self.cards.holidays)
        return known

    def reached(self, door: Door) -> int:
        """How it is reached; a line that may not be offered to her leads nowhere."""
        if door.reached != THROUGH:
            return door.reached
        usable = self._lines.get(door.through)
        if usable is None:
            usable = self._lines[door.through] = line_to(self.cards.by_id.get(door.through), self.seeker)
        return THROUGH if usable else NONE

    def ranked(self, need: Need, doors: Iterable[Door]) -> tuple[list[Ranked], dict[str, set[str]]]:
        """Every open door, in no order; and the services hidden for each reason.

        The one place that is gone through for every door, thousands of times an answer: it works on plain tuples, and
        what many doors share (hours, languages, what a service has) is worked out once.
        """
        hidden: dict[str, set[str]] = {}
        found: list[Ranked] = []
        urgent = need.urgency in URGENT
        in_order, left = _ORDERED[urgent], window(need) if urgent else SOON
        bars, refused, today = self._bars, self.seeker.incident.refused_by, self._today
        bands, tongues, wishes = self._bands, self._tongue_of, self._wishes
        times: dict[tuple[int, int], int] = {}
        for door in doors:
            service, cover, sure, barred, reached, _, has, _, verified, doubted, _, languages, week = door
            if barred & bars or service in refused:
                hidden.setdefault(self.bar(door) or "", set()).add(service)
                continue
            band = bands[cover]
            time = times.get((id(week), band))
            if time is None:
                travel = self.cards.travel.get(band, 0) if urgent else 0
                time = times[id(week), band] = in_time(self.ahead(week), travel, left)
            since = today - verified
            fresh = 0 if since <= FRESH[0] else 1 if since <= FRESH[1] else 2 if since <= FRESH[2] else STALE
            if reached == THROUGH:
                reached = self.reached(door)
            tongue = tongues.get(languages)
            if tongue is None:
                tongue = tongues[languages] = self._tongue(languages)
            elements = (doubted and fresh == STALE, time, not sure, (wishes & ~has).bit_count(), reached, tongue, band,
                        fresh, service)  # fmt: skip
            found.append((in_order(elements), door, band, reached))
        return found, hidden

    def _tongue(self, languages: frozenset[str]) -> int:
        if not languages:
            return NO_TONGUE
        return NOT_HERS if languages.isdisjoint(self.seeker.languages) else HERS


def window(need: Need) -> int:
    """In how many quarters an urgent need has to be met: its medical window, else its class."""
    left = WINDOWS[need.urgency] if need.hours_left is None else int(need.hours_left * HOUR)
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
    return line is not None and bool(line.tel) and _forbidden(line, seeker) is None


def _is_trans(incident: Incident) -> bool:
    return IDENTITY_GROUP.get(incident.identity or "") == "TRANS"


def _without_papers(incident: Incident) -> bool:
    return incident.docs in {"NONE", "MISMATCH"}


# what a service may be known to have -> who wishes for it
WISHES: Final[tuple[tuple[int, Callable[[Incident], bool]], ...]] = (
    (TRANS, _is_trans),
    (SEX_WORK, lambda _incident: True),
    (PAPERS, _without_papers),
)


# ── offers ──────────────────────────────────────────────────────────────────────────────────────────────────


def offers(need: Need, seeker: Seeker, cards: Cards, now: datetime) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The doors for one need, best first, and the services hidden for each reason."""
    asked = Asked(seeker, cards, now)
    return offers_of(need, asked, asked.near([need])[need.code])


def offers_of(need: Need, asked: Asked, doors: Iterable[Door]) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The same where the doors of several needs were fetched in one go."""
    best, hidden = best_doors(need, asked, doors)
    found = [shown(need, asked.cards.by_id[door.service], band, asked) for door, band in best]
    if not any(offer.tel for offer in found):
        line = _fallback(need, asked, {offer.service_id for offer in found})
        found = [*line, *found] if need.urgency in URGENT else [*found, *line]  # in a hurry a number goes before a name
    return tuple(found), hidden


def best_doors(need: Need, asked: Asked, doors: Iterable[Door]) -> tuple[list[tuple[Door, int]], dict[str, set[str]]]:
    """The doors that are shown with their bands, best first, and the services hidden for each reason."""
    ranked, hidden = asked.ranked(need, doors)
    listed = [one for one in ranked if one[3] != NONE] or ranked  # a name without a number only at last
    best = _spread(heapq.nsmallest(ENOUGH, listed))[:SHOWN]
    if len(best) < SHOWN and len(listed) > ENOUGH:
        best = _spread(sorted(listed))[:SHOWN]
    if asked.seeker.wants_police:
        there = {door.service for _, door, _, _ in best}
        police = (one for one in listed if one[1].police and one[1].service not in there)
        best += _spread(sorted(police))[:POLICE_SHOWN]
    return [(door, band) for _, door, band, _ in best], hidden


def _spread(in_order: Iterable[Ranked]) -> list[Ranked]:
    """Each service once, at most two of one organisation among the first five; a third one waits behind them."""
    first: list[Ranked] = []
    waiting: list[Ranked] = []
    count: dict[str, int] = {}
    there: set[str] = set()
    for one in in_order:
        service, organisation = one[1].service, one[1].organisation
        if service in there:
            continue
        there.add(service)
        count[organisation] = count.get(organisation, 0) + 1
        waits = organisation and count[organisation] > OF_ONE and len(first) < AMONG
        (waiting if waits else first).append(one)
    return first if len(first) < AMONG and not waiting else [*first[:AMONG], *waiting, *first[AMONG:]]


def _forbidden(card: ServiceCard, seeker: Seeker) -> str | None:
    return forbidden(card, seeker.must_not, seeker.incident, police_shown=seeker.police_shown)


def _fallback(need: Need, asked: Asked, listed: Iterable[str]) -> list[Offer]:
    """The first national line that may be offered."""
    cards = asked.cards
    for line in (*cards.fallback.get(need.code, ()), *cards.last_resort):
        card = cards.by_id.get(line)
        if card is not None and card.tel and line not in listed and _forbidden(card, asked.seeker) is None:
            return [shown(need, card, NATIONAL, asked, fallback=True)]
    return []


# ── the sentences ───────────────────────────────────────────────────────────────────────────────────────────

WARNINGS = {
    "POLICE_CONTACT": N_("This line may speak with the police. Ask about that before you tell."),
    "SEEN_FOR_LIMA": N_(
        "Our source speaks of Lima. In other regions try it; if nobody answers, call %(number)s or go to the nearest"
        " hospital."
    ),
    "FAR_FROM_CAPITAL": N_("It may not arrive far from the capital of the region."),
    "OLD_DATA": N_("What we know of it is some years old."),
    "KITS_MISSING": N_("Some places did not have the medicines. Call %(number)s first."),
    "MAY_REPORT_THEMSELVES": N_("They can make a complaint on their own. Ask before you tell."),
    "SENDS_TO_STATION": N_("It often only gives advice and sends people to a police station."),
    "STATE_LAW": N_("A law may limit their help against the State. Ask them."),
    "ADULT_WITH_ID": N_("Their page asks for an identity card and 18 years. Ask if they help you without."),
    "KIT_DISPUTED": N_("It was not clear whether they hand out the medicines. Get care first."),
    "INTERIOR": N_("The ministry of the police runs it."),
}
WITHOUT_NUMBER = {
    "SEEN_FOR_LIMA": N_(
        "Our source speaks of Lima. In other regions try it; if nobody answers, go to the nearest hospital."
    ),
    "KITS_MISSING": N_("Some places did not have the medicines: call first."),
}
DUTY = N_("They may have to report violence to an authority. You can ask before you tell.")
POLICE_INSIDE = N_("The police run this or are inside.")
NEVER_CHECKED = N_("Not verified by us: call first.")
NEVER_CHECKED_NO_NUMBER = N_("Not verified by us.")
CHECKED = N_("Verified on %(day)s.")
CHECKED_LONG_AGO = N_("Verified on %(day)s, more than a year ago: call first.")
DOUBTED = N_("Somebody told us that something is wrong here. We have not been able to confirm it yet: call first.")
HOLIDAY = N_("We do not know if it opens today, a public holiday: call first.")
OPENS = (
    N_("Closed now. It opens today at %(time)s."),
    N_("Closed now. It opens tomorrow at %(time)s."),
    N_("Closed now. It opens on %(said_day)s at %(time)s."),
)
WEEKDAYS = (N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"))


def shown(need: Need, card: ServiceCard, band: int, asked: Asked, *, fallback: bool = False) -> Offer:
    """A card as an offer, with its reasons and warnings."""
    line = None if card.tel else _line_of(card, asked)
    return Offer(
        need=need.code,
        service_id=card.service_id,
        name=card.name,
        phone=line.phone if line else card.phone,
        tel=line.tel if line else card.tel,
        what_for=card.what_for,
        reasons=tuple(_reasons(need, card, band, asked, line)),
        warnings=tuple(_warnings(card, asked)),
        verified=_verified(card, asked, can_be_called=bool(card.tel or line)),
        source_name=_source_name(card.source),
        source_date=card.source_date,
        fallback=fallback,
    )


def _line_of(card: ServiceCard, asked: Asked) -> ServiceCard | None:
    line = asked.cards.by_id.get(card.through)
    return line if line is not None and line is not card and line_to(line, asked.seeker) else None


def _verified(card: ServiceCard, asked: Asked, *, can_be_called: bool) -> Sentence:
    if not card.verified_on:
        return said(NEVER_CHECKED if can_be_called else NEVER_CHECKED_NO_NUMBER)
    old = date.fromisoformat(card.verified_on) < asked.now.date() - timedelta(days=FRESH[-1])
    return said(CHECKED_LONG_AGO if old else CHECKED, day=card.verified_on)


def _reasons(need: Need, card: ServiceCard, band: int, asked: Asked, line: ServiceCard | None) -> Iterable[Sentence]:
    """Why this one, and when."""
    seeker = asked.seeker
    if line is not None:
        yield said(N_("You reach it by calling %(number)s: %(name)s."), number=line.phone, name=line.name)
    elif not card.tel:
        yield said(N_("We do not have its number or address yet."))
        yield from _good(card, seeker)
        yield _where(card, band, asked)
        return
    yield from _when(card, asked)
    if card.needs.get(need.code) != YES:
        yield said(N_("We do not know for sure if they help with this: call first."))
    yield from _good(card, seeker)
    yield _where(card, band, asked)
    if card.cost.startswith("free"):
        yield said(N_("It is free.") if card.cost == "free" else N_("It is free with SIS insurance."))
    if card.phone_note:
        yield said(N_("About the number: %(note)s."), note=card.phone_note)


def _when(card: ServiceCard, asked: Asked) -> Iterable[Sentence]:
    """Whether it is open, until when or from when, and its hours as they were written."""
    week = card.week
    if week.is_always:
        yield said(N_("Open 24 hours."))
        return
    if not card.hours:
        yield said(N_("We do not know its hours: call first."))
        return
    yield _open_now(week, asked)
    yield said(N_("Hours: %(hours)s."), hours=card.hours)


def _open_now(week: Hours, asked: Asked) -> Sentence:
    holidays = asked.cards.holidays
    state = hours.state(week, asked.now, holidays)
    if state == UNKNOWN:
        known = week.own is not None
        return said(HOLIDAY if known else N_("We do not know if it is open now: call first."))
    if state == OPEN:
        until = hours.open_until(week, asked.now, holidays)
        return said(N_("Open now, until %(time)s."), time=f"{until:%H:%M}") if until else said(N_("Open now."))
    opens = hours.next_opening(week, asked.now, holidays)
    if opens is None:
        return said(N_("Closed now."))
    days = (opens.date() - hours.local_time(asked.now, week.zone).date()).days
    on_day = OPENS[min(days, len(OPENS) - 1)]
    return said(on_day, said_day=WEEKDAYS[opens.weekday()], time=f"{opens:%H:%M}")


def _good(card: ServiceCard, seeker: Seeker) -> Iterable[Sentence]:
    if _is_trans(seeker.incident) and card.trans_friendly == YES:
        yield said(N_("Run by or known to respect trans people, says the source."))
    if card.sw_friendly == YES:
        yield said(N_("Run by or for sex workers, says the source."))
    if seeker.incident.docs in {"NONE", "MISMATCH"} and card.accepts_no_id == YES:
        yield said(N_("No identity card is needed, says the source."))
    if set(seeker.languages) & card.languages - {"es"}:
        yield said(N_("They speak your language."))


def _where(card: ServiceCard, band: int, asked: Asked) -> Sentence:
    if band == NATIONAL:
        return said(N_("It serves the whole country."))
    if band == SAME_PROVINCE:
        return said(N_("It serves your province."))
    if not set(asked.seeker.places) & card.coverage:
        inside = sorted(asked.cards.place_names.get(place, place) for place in card.coverage)
        return said(N_("It serves part of your region: %(places)s."), places=", ".join(inside))
    return said(N_("It serves your region."))


def _warnings(card: ServiceCard, asked: Asked) -> Iterable[Sentence]:
    incident = asked.seeker.incident
    checks = (
        (card.doubted, DOUBTED),
        (card.police != NO, POLICE_INSIDE),
        (card.duty == "may", DUTY),
        (card.accepts_no_id == NO and "ADULT_WITH_ID" not in card.warnings, N_("It asks for an identity card.")),
        (_is_trans(incident) and card.trans_friendly == UNKNOWN,
         N_("We do not know how they treat trans people: call first, or go with somebody.")),
        (incident.docs in {"NONE", "MISMATCH"} and card.accepts_no_id == UNKNOWN,
         N_("We do not know if they ask for papers: call first. You have the right to help without them.")),
        (incident.age in MINOR_AGES and card.minors == UNKNOWN,
         N_("We do not know if they attend people under 18: call first.")),
    )  # fmt: skip
    yield from (said(sentence) for holds, sentence in checks if holds)
    yield from (_warning(warning, asked.cards) for warning in card.warnings)


def _warning(warning: str, cards: Cards) -> Sentence:
    """A warning; where it names a line, with the number as the directory has it."""
    if warning not in cards.call_first:
        return said(WARNINGS[warning])
    line = cards.by_id.get(cards.call_first[warning])
    return said(WARNINGS[warning], number=line.phone) if line and line.tel else said(WITHOUT_NUMBER[warning])


def _source_name(source: str) -> str:
    """The host of an address, or the words of the source."""
    return source.split("://", 1)[-1].split("/", 1)[0].removeprefix("www.").split(":")[0] if "://" in source else source
