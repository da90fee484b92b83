"""Help: what pages ask the directory, for an incident or for needs that somebody names.

Is handed the directory as it lies in memory. Knows no page and has never heard of a case; nothing is said of a
service that its row does not say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from referrals.directory.home import BOX, lines_of_country
from referrals.directory.reviewed_data import DATA, retired
from referrals.directory.snapshot import DirectorySnapshot, shipped_lines
from referrals.matching import order, wording
from referrals.matching.listings import is_listed
from referrals.matching.offers import offers_of
from referrals.matching.order import Search
from referrals.matching.records import NATIONAL, Cards, Offer, Seeker
from referrals.needs.assessment import assess
from referrals.needs.codes import Need
from referrals.needs.exclusions import forbidden
from reporting.vocabulary.countries import FIRST_HOME
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS

# needs somebody may look for without telling what happened, in screen order
ASKED = (
    "N_EMERG_MED",
    "N_PEP",
    "N_EC",
    "N_STI",
    "N_PREG",
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
FIRST = frozenset({"N_CHILD_PROT", "N_SAFETY_PLAN", "N_EC"})  # within a day: shown before the next question, like NOW
IN_SIGHT = {"N_CHILD_PROT": 2}  # need -> offers in sight, where it is not one: both lines that a child may know
REFUSABLE = frozenset(
    {
        "HEALTH_EMERGENCY",
        "HEALTH_STI_HIV",
        "HEALTH_PRIMARY",
        "MENTAL_HEALTH",
        "VIOLENCE_CENTRE",
        "VIOLENCE_CENTRE_POLICE",
        "PROSECUTOR",
        "OMBUDSMAN",
        "LEGAL_PUBLIC_DEFENCE",
    }
)


@cache
def need_texts(country: str = FIRST_HOME) -> Mapping[str, Mapping[str, Any]]:
    """What she should know about a need, in her language, with its sources. The law of another country is left out."""
    texts = tomllib.loads((DATA / "need-texts.toml").read_text(encoding="utf-8"))
    return {need: text for need, text in texts.items() if text.get("country", country) == country}


def about_need(code: str, incident: Incident, country: str = FIRST_HOME) -> Mapping[str, Any]:
    """What she should know about a need, in every language; nothing where there is no text.

    Where a companion was killed or is missing, a need may have words of its own for that.
    """
    texts, state = need_texts(country).get(code, {}), "killed" if incident.victim_state == "killed" else "missing"
    named = (state, "companion") if "KILLING_DISAPPEARANCE" in incident.violence else ()
    own: Mapping[str, Any] | None = next((texts[name] for name in named if name in texts), None)
    return own or (texts if "es" in texts else {})


@cache
def _child_policy() -> Mapping[str, Any]:
    return tomllib.loads((DATA / "child-policy.toml").read_text(encoding="utf-8"))


def child_policy(language: str, country: str = FIRST_HOME) -> tuple[str, ...]:
    """What somebody under 18 is told before she writes, with the lines of her country, and whether it is signed."""
    policy = _child_policy()
    known = language if language in policy else "es"
    words, lines = policy[known], policy.get(country, {}).get(known, {}).get("paragraphs", ())
    unsigned = () if policy["reviewer"] else (words["status"],)
    return (words["title"], *words["paragraphs"], *lines, *unsigned)


@dataclass(frozen=True, slots=True)
class NeedHelp:
    """A need with the services offered for it. `timed`: whether its urgency was worked out from an incident."""

    need: Need
    label: str
    about: Mapping[str, str]
    offers: tuple[Offer, ...]
    timed: bool

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

    @property
    def gaps(self) -> tuple[str, ...]:
        """The needs that no service meets, the most urgent first: at best the line of last resort answers."""
        return tuple(
            need_help.need.code for need_help in self.needs if all(offer.fallback for offer in need_help.offers)
        )

    @property
    def hidden_for_police(self) -> int:
        """How many services are not shown because the police are there."""
        return sum(self.hidden.get(code, 0) for code in ("MN_POLICE", "MN_CEM_COMISARIA"))


def help_for(
    snapshot: DirectorySnapshot,
    incident: Incident,
    now: float,
    *,
    languages: tuple[str, ...],
    only: list[str] | None = None,
    police_shown: bool = False,
) -> Help:
    """Needs, clocks and offers of an incident as of `now` (seconds since 1970); `only` some while she is telling."""
    incident, assessed = _with_successors(snapshot, incident), assess(incident)
    wanted = [need for need in assessed.needs if only is None or need.code in only]
    hers = tuple(code for code in (incident.lang, *languages) if code)
    seeker = Seeker(incident, assessed.must_not, _places(incident), hers, police_shown)
    return _help(snapshot, wanted, seeker, now, create_referral=assessed.create_referral)


def help_with(
    snapshot: DirectorySnapshot,
    wanted: Iterable[str],
    department: str | None,
    now: float,
    *,
    languages: tuple[str, ...],
    police_shown: bool = False,
) -> Help:
    """Offers for needs that somebody names without telling what happened. Careful must-nots hold."""
    incident = Incident(department=department)
    seeker = Seeker(incident, assess(incident).must_not, _places(incident), languages, police_shown)
    return _help(snapshot, [Need(code, "H24", ()) for code in wanted if code in ASKED], seeker, now, timed=False)


def _with_successors(snapshot: DirectorySnapshot, incident: Incident) -> Incident:
    """The incident, with what became of services that refused her when they were still one row for many."""
    became = {places for service, places in retired().items() if service in incident.refused_by and places}
    if not became:
        return incident
    kinds = {
        (kind, snapshot.cards.country + region) for kind, _, region in (places.partition("@") for places in became)
    }
    cards = snapshot.cards.by_id.values()
    more = {card.service_id for card in cards for place in card.coverage if (card.service_type, place) in kinds}
    return replace(incident, refused_by=incident.refused_by | more)


def urgent_needs(incident: Incident) -> list[str]:
    """The needs that cannot wait for her next answer."""
    needs = assess(incident).needs
    return [need.code for need in needs if need.urgency == "NOW" or (need.urgency == "H24" and need.code in FIRST)]


def _help(
    snapshot: DirectorySnapshot,
    wanted: Sequence[Need],
    seeker: Seeker,
    now: float,
    *,
    timed: bool = True,
    create_referral: bool = False,
) -> Help:
    search = Search(seeker, snapshot.cards, _moment(now))
    near = search.near(wanted)
    hidden: dict[str, set[str]] = {}
    needs: list[NeedHelp] = []
    in_sight, folded = set[str](), set[str]()
    for need in wanted:
        offers, reasons = offers_of(need, search, near[need.code])
        for reason, services in reasons.items():
            hidden.setdefault(reason, set()).update(services)
        about = about_need(need.code, seeker.incident, snapshot.cards.country)
        if need.urgency != "NOW":
            offers = _another_first(offers, in_sight, snapshot.cards)
        needs.append(_first_in_full(NeedHelp(need, NEEDS[need.code], about, offers, timed), in_sight, folded))
    counts = {reason: len(services) for reason, services in hidden.items()}
    return Help(tuple(needs), seeker.must_not, counts, create_referral)


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


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)


def _places(incident: Incident) -> tuple[str, ...]:
    return tuple(code for code in (incident.province, incident.department) if code)


def national_lines(snapshot: DirectorySnapshot, now: float) -> tuple[Offer, ...]:
    """The lines that answer in the whole country, for the box that is always there."""
    cards = snapshot.cards
    search = Search(Seeker(Incident(), frozenset(), (), ("es",)), cards, _moment(now))
    lines = (cards.by_id[line] for line in cards.lines)
    return tuple(wording.shown(Need("N_PFA", "NOW", ()), line, NATIONAL, search) for line in lines)


def has_lines(country: str) -> bool:
    """Whether lines of this country are shipped."""
    return bool(shipped_lines(country))


def lines_as_shipped(country: str, now: float) -> tuple[Offer, ...]:
    """The shipped lines of a country as offers, for where the directory cannot be read. `now` in seconds since 1970."""
    cards = Cards(shipped_lines(country), {}, {}, country=country)
    search = Search(Seeker(Incident(), frozenset(), (), ("es",)), cards, _moment(now))
    box = (cards.by_id[line] for line in lines_of_country(country).get(BOX, ()))
    return tuple(wording.shown(Need("N_PFA", "NOW", ()), line, NATIONAL, search) for line in box)


def services_for(snapshot: DirectorySnapshot, incident: Incident) -> list[tuple[str, str]]:
    """(id, name) of every service that may be offered to her: those near first, then those of the whole country."""
    incident, must_not, places = _with_successors(snapshot, incident), assess(incident).must_not, _places(incident)
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
    seeker = Seeker(incident, assess(incident).must_not, _places(incident), languages)
    band = order.near_band(card, seeker.places) or NATIONAL
    return wording.shown(Need(need, "SOON", ()), card, band, Search(seeker, snapshot.cards, _moment(now)))


def needs_to_ask() -> dict[str, str]:
    """Needs that can be looked for without telling, with their labels."""
    return {code: NEEDS[code] for code in ASKED}


def provinces(snapshot: DirectorySnapshot, department: str) -> dict[str, str]:
    """The provinces of a department, by name."""
    return _children(snapshot, department) if department else {}


def other_departments(snapshot: DirectorySnapshot) -> dict[str, str]:
    """All departments, by name."""
    return _children(snapshot, snapshot.cards.country)


def _children(snapshot: DirectorySnapshot, parent: str) -> dict[str, str]:
    inside = [(snapshot.cards.place_names[code], code) for code, above in snapshot.parents.items() if above == parent]
    return {code: name for name, code in sorted(inside)}


def could_have_refused(snapshot: DirectorySnapshot, department: str, province: str = "") -> dict[str, str]:
    """Services of her region, or of the whole country, that she may name as having refused or hurt her.

    Those of her province first, then by their names.
    """
    places = tuple(place for place in (province, department) if place)
    here = (card for card in snapshot.cards.by_id.values() if card.service_type in REFUSABLE and is_listed(card))
    bands = ((order.near_band(card, places), card.name, card.service_id) for card in here)
    return {service: name for _, name, service in sorted(line for line in bands if line[0] is not None)}


def names(snapshot: DirectorySnapshot) -> dict[str, str]:
    """Names of places and services by their code."""
    services = {card.service_id: card.name for card in snapshot.cards.by_id.values()}
    return {**snapshot.cards.place_names, **services}
