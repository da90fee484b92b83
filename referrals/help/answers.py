"""Answers: what pages ask the directory, for an incident or for needs that somebody names.

Nothing is said of a service that its row does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Unpack

from referrals.directory.home import BOX, lines_of_country
from referrals.directory.snapshot import DirectorySnapshot, shipped_lines
from referrals.help.at_the_door import WALK_IN, door_first
from referrals.help.match import Match, MatchOptions, match, match_for, moment, places_of, with_what_became
from referrals.help.right_person import is_for_another
from referrals.help.texts import Words, about_need, need_names
from referrals.matching import order, wording
from referrals.matching.hours import YES
from referrals.matching.listings import DEPARTMENT_CODE, is_listed
from referrals.matching.offers import best_listings, offers_of
from referrals.matching.order import Search
from referrals.matching.records import NATIONAL, Cards, Offer, Seeker
from referrals.needs.assessment import assess
from referrals.needs.codes import Need
from referrals.needs.exclusions import forbidden
from reporting.i18n import N_
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.places import FIRST_HOME, KNOWN_BY

# needs somebody may look for without telling what happened, in screen order
ASKED = (
    "N_EMERG_MED",
    "N_PEP",
    "N_EC",
    "N_WOUND",
    "N_STI",
    "N_PREG",
    "N_MED_CHECK",
    "N_CRISIS_MH",
    "N_MISSING",
    "N_PFA",
    "N_SHELTER",
    "N_SAFETY_PLAN",
    "N_LEGAL_INFO",
    "N_LEGAL_STATE",
    "N_REPORT_ROUTE",
    "N_TRAFFICKING",
    "N_CHILD_PROT",
    "N_PEER",
    "N_DOCS",
    "N_DIGITAL",
    "N_ECON",
)
# need -> what she would say, on the page for whoever needs help this minute; in screen order
RIGHT_NOW = {
    "N_EMERG_MED": N_("I am bleeding, I cannot breathe"),
    "N_CRISIS_MH": N_("I think of ending my life"),
    "N_SAFETY_PLAN": N_("Somebody is hurting me"),
}
FIRST = frozenset({"N_CHILD_PROT", "N_SAFETY_PLAN", "N_EC"})  # within a day: shown before the next question, like NOW
# need -> offers in sight, where it is not one: both lines that a child may know; a door, and the line to ask before
IN_SIGHT = {"N_CHILD_PROT": 2, **dict.fromkeys(WALK_IN, 2)}
# type of a service that may have refused her -> the group in which she finds it
REFUSABLE = {
    "HEALTH_EMERGENCY": N_("Hospitals and health centres"),
    "HEALTH_PRIMARY": N_("Hospitals and health centres"),
    "HEALTH_STI_HIV": N_("Hospitals and health centres"),
    "MENTAL_HEALTH": N_("Mental health centres"),
    "VIOLENCE_CENTRE": N_("Centres for women (CEM)"),
    "VIOLENCE_CENTRE_POLICE": N_("Centres for women (CEM) inside a police station"),
    "PROSECUTOR": N_("Fiscalía, Defensoría, lawyers"),
    "OMBUDSMAN": N_("Fiscalía, Defensoría, lawyers"),
    "LEGAL_PUBLIC_DEFENCE": N_("Fiscalía, Defensoría, lawyers"),
}


@dataclass(frozen=True, slots=True)
class NeedHelp:
    """A need with the services offered for it. `timed`: whether its urgency was worked out from an incident."""

    need: Need
    label: str
    about: Mapping[str, str]
    offers: tuple[Offer, ...]
    timed: bool
    of_another: bool = False

    @property
    def words(self) -> Words:
        """What the need is called in her words, by language, in the right person."""
        return need_names(of_another=self.of_another)[self.need.code]

    @property
    def open(self) -> tuple[Offer, ...]:
        """The offers that are always in sight."""
        return self.offers[: IN_SIGHT.get(self.need.code, 1)]

    @property
    def folded(self) -> tuple[Offer, ...]:
        """The offers behind one touch, on pages that have room for them."""
        return self.offers[len(self.open) :]


@dataclass(frozen=True, slots=True)
class Help:
    """Everything a page shows of needs and offers."""

    needs: tuple[NeedHelp, ...]
    must_not: frozenset[str]
    hidden: Mapping[str, int]
    create_referral: bool
    hidden_for_police: int = 0  # services that are not shown because the police are there
    hidden_in_doubt: int = 0  # those of which nobody knows whether the police are there
    placed: bool = True  # she said where she is
    country: str = FIRST_HOME
    of_another: bool = False  # what is shown is for the person whom somebody else tells about

    @property
    def signed(self) -> bool:
        """Whether every text about her needs is signed."""
        return all(need_help.about["reviewer"] for need_help in self.needs if need_help.about)

    @property
    def cannot_wait(self) -> NeedHelp | None:
        """The need that comes first, where it is for now or its time runs out; None where nothing presses."""
        first = next(iter(self.needs), None)
        return first if first and (first.need.urgency == "NOW" or first.need.hours_left is not None) else None

    @property
    def gaps(self) -> tuple[str, ...]:
        """The needs that no service meets, the most urgent first: at best the line of last resort answers."""
        return tuple(
            need_help.need.code for need_help in self.needs if all(offer.fallback for offer in need_help.offers)
        )


def help_for(snapshot: DirectorySnapshot, incident: Incident, now: float, **options: Unpack[MatchOptions]) -> Help:
    """Needs, clocks and offers of an incident as of `now` (seconds since 1970)."""
    return help_of(match(snapshot, incident, now, **options))


def gaps_for(snapshot: DirectorySnapshot, incident: Incident, now: float, **options: Unpack[MatchOptions]) -> list[str]:
    """The same as `Help.gaps` of `help_for`, without a word being said of a service: what sending counts."""
    matched = match(snapshot, incident, now, **options)
    return [need.code for need in matched.needs if not _is_met(need, matched)]


def _is_met(need: Need, matched: Match) -> bool:
    search, listings = matched.search, matched.near[need.code]
    best, _ = best_listings(need, search, listings)
    held = any(listing.service in search.cards.by_id for listing, _ in best)
    return held or bool(door_first(need, (), search, listings))


def help_with(
    snapshot: DirectorySnapshot,
    wanted: Iterable[str],
    place: str | None,
    now: float,
    *,
    languages: tuple[str, ...],
    police_shown: bool = False,
    open_now: bool = False,
) -> Help:
    """Offers for needs that somebody names without telling what happened. Careful must-nots hold.

    `place` is a department or a province; `open_now` leaves out what is not known to be open at this moment.
    """
    province = place if place and len(place) > DEPARTMENT_CODE else None
    incident = Incident(department=place[:DEPARTMENT_CODE] if place else None, province=province)
    seeker = Seeker(incident, assess(incident).must_not, places_of(incident), languages, police_shown)
    named = set(wanted)
    needs = [Need(code, "H24", ()) for code in NEEDS if code in named]
    return help_of(match_for(snapshot, needs, seeker, now), timed=False, open_now=open_now)


def urgent_needs(incident: Incident) -> list[str]:
    """The needs that cannot wait for her next answer."""
    needs = assess(incident).needs
    return [need.code for need in needs if need.urgency == "NOW" or (need.urgency == "H24" and need.code in FIRST)]


def help_of(matched: Match, *, timed: bool = True, open_now: bool = False) -> Help:
    """What a page shows of it. `timed`: with clocks; `open_now` leaves out what is not known to be open."""
    search, seeker, cards = matched.search, matched.search.seeker, matched.search.cards
    hidden: dict[str, set[str]] = {}
    needs: list[NeedHelp] = []
    in_sight, folded = set[str](), set[str]()
    of_another = is_for_another(seeker.incident)
    for need in matched.needs:
        listings = matched.near[need.code]
        if open_now:
            listings = [listing for listing in listings if search.ahead(listing.hours).open & 1]
        offers, reasons = offers_of(need, search, listings)
        for reason, services in reasons.items():
            hidden.setdefault(reason, set()).update(services)
        about = about_need(need.code, seeker.incident, cards.country)
        if need.urgency != "NOW":
            offers = _another_first(offers, in_sight, cards)
        offers = door_first(need, offers, search, listings)
        needs.append(
            _first_in_full(NeedHelp(need, NEEDS[need.code], about, offers, timed, of_another), in_sight, folded)
        )
    counts = {reason: len(services) for reason, services in hidden.items()}
    civil = set[str]().union(*(hidden.get(reason, ()) for reason in ("MN_POLICE", "MN_CEM_COMISARIA")))
    known = sum(card.police == YES for service in civil if (card := cards.by_id.get(service)))
    placed = bool(seeker.places)
    return Help(
        tuple(needs),
        seeker.must_not,
        counts,
        matched.create_referral,
        known,
        len(civil) - known,
        placed,
        cards.country,
        of_another,
    )


def _another_first(offers: tuple[Offer, ...], in_sight: set[str], cards: Cards) -> tuple[Offer, ...]:
    """The offers of a need, a nearer one first where their first is a line of the country that she sees already.

    What is needed now keeps its order. The line stays among them: nothing is taken away.
    """
    if not offers or offers[0].service_id not in in_sight or not cards.by_id[offers[0].service_id].coverage_national:
        return offers
    nearer = (offer for offer in offers if not cards.by_id[offer.service_id].coverage_national)
    first = next(nearer, None)
    return offers if first is None else (first, *(offer for offer in offers if offer is not first))


def _first_in_full(need_help: NeedHelp, in_sight: set[str], folded: set[str]) -> NeedHelp:
    """A service for several needs is told in full once in sight; a folded one only where it was not told before."""
    shown = [replace(offer, again=offer.service_id in in_sight) for offer in need_help.open]
    in_sight.update(offer.service_id for offer in need_help.open)
    more = [replace(offer, again=offer.service_id in in_sight | folded) for offer in need_help.folded]
    folded.update(offer.service_id for offer in need_help.folded)
    return replace(need_help, offers=(*shown, *more))


def national_lines(snapshot: DirectorySnapshot, now: float) -> tuple[Offer, ...]:
    """The lines that answer in the whole country, for the box that is always there."""
    cards = snapshot.cards
    search = Search(Seeker(Incident(), frozenset(), (), ("es",)), cards, moment(now))
    lines = (cards.by_id[line] for line in cards.lines)
    return tuple(wording.shown(Need("N_PFA", "NOW", ()), line, NATIONAL, search) for line in lines)


def lines_for_now(snapshot: DirectorySnapshot, now: float) -> tuple[tuple[str, Offer], ...]:
    """(what happens to her, the line to call) for what cannot wait a minute; the number is the country's own."""
    cards = snapshot.cards
    search = Search(Seeker(Incident(), frozenset(), (), ("es",)), cards, moment(now))
    known = shipped_lines(cards.country)
    answers: list[tuple[str, Offer]] = []
    for need, words in RIGHT_NOW.items():
        named = cards.fallback.get(need, ())
        lines = (card for line in named for card in (cards.by_id.get(line), known.get(line)))
        line = next((card for card in lines if card and card.tel), None)
        if line:
            answers.append((words, wording.shown(Need(need, "NOW", ()), line, NATIONAL, search)))
    return tuple(answers)


def has_lines(country: str) -> bool:
    """Whether lines of this country are shipped."""
    return bool(shipped_lines(country))


def lines_as_shipped(country: str, now: float) -> tuple[Offer, ...]:
    """The shipped lines of a country as offers, for where the directory cannot be read. `now` in seconds since 1970."""
    cards = Cards(shipped_lines(country), {}, {}, country=country)
    search = Search(Seeker(Incident(), frozenset(), (), ("es",)), cards, moment(now))
    box = (cards.by_id[line] for line in lines_of_country(country).get(BOX, ()))
    return tuple(wording.shown(Need("N_PFA", "NOW", ()), line, NATIONAL, search) for line in box)


def services_for(snapshot: DirectorySnapshot, incident: Incident) -> list[tuple[str, str]]:
    """(id, name) of every service that may be offered to her: those near first, then those of the whole country."""
    incident, must_not, places = with_what_became(snapshot, incident), assess(incident).must_not, places_of(incident)
    bands = ((order.near_band(card, places), card) for card in snapshot.cards.by_id.values() if is_listed(card))
    allowed = [(band, card) for band, card in bands if band is not None and not forbidden(card, must_not, incident)]
    return [(card.service_id, card.name) for _, card in sorted(allowed, key=lambda pair: (pair[0], pair[1].name))]


def offer_of(
    snapshot: DirectorySnapshot,
    service: str,
    need: str,
    incident: Incident,
    now: float,
    *,
    languages: tuple[str, ...] = ("es",),
) -> Offer | None:
    """One service as an offer to her, with its reasons and warnings; None where the directory has it no more."""
    card = snapshot.cards.by_id.get(service)
    if card is None:
        return None
    seeker = Seeker(incident, assess(incident).must_not, places_of(incident), languages)
    band = order.near_band(card, seeker.places) or NATIONAL
    return wording.shown(Need(need, "SOON", ()), card, band, Search(seeker, snapshot.cards, moment(now)))


def needs_to_ask() -> dict[str, str]:
    """Needs that can be looked for without telling, with their labels."""
    return {code: NEEDS[code] for code in ASKED}


def provinces(snapshot: DirectorySnapshot, department: str) -> dict[str, str]:
    """The provinces of a department, by name; with the city that people know, where it has another one."""
    inside = _children(snapshot, department) if department else {}
    return {code: f"{name} ({KNOWN_BY[code]})" if code in KNOWN_BY else name for code, name in inside.items()}


def other_departments(snapshot: DirectorySnapshot) -> dict[str, str]:
    """All departments, by name."""
    return _children(snapshot, snapshot.cards.country)


def places_to_pick(snapshot: DirectorySnapshot) -> dict[str, str]:
    """All departments, each followed by its provinces, by name: for a list to pick one from."""
    picked: dict[str, str] = {}
    for department, name in other_departments(snapshot).items():
        picked[department] = name
        picked |= {code: f"{name}: {inside}" for code, inside in provinces(snapshot, department).items()}
    return picked


def _children(snapshot: DirectorySnapshot, parent: str) -> dict[str, str]:
    inside = [(snapshot.cards.place_names[code], code) for code, above in snapshot.parents.items() if above == parent]
    return {code: name for name, code in sorted(inside)}


def could_have_refused(snapshot: DirectorySnapshot, department: str, province: str = "") -> dict[str, str]:
    """Services of her region, or of the whole country, that she may name as having refused or hurt her.

    Those of her province first, then by their names.
    """
    places = tuple(place for place in (province, department) if place)
    here = (card for card in snapshot.cards.by_id.values() if card.service_type in REFUSABLE and is_listed(card))
    bands = ((order.near_band(card, places), wording.plain(card.name), card.service_id) for card in here)
    return {service: name for _, name, service in sorted(line for line in bands if line[0] is not None)}


def groups_of(snapshot: DirectorySnapshot, services: Iterable[str]) -> dict[str, str]:
    """Service -> the group in which she finds it; for services that may have refused her."""
    kinds = {service: snapshot.cards.by_id[service].service_type for service in services}
    return {service: REFUSABLE[kind] for service, kind in kinds.items()}


def names(snapshot: DirectorySnapshot) -> dict[str, str]:
    """Names of places and services by their code."""
    services = {card.service_id: wording.plain(card.name) for card in snapshot.cards.by_id.values()}
    return {**snapshot.cards.place_names, **services}
