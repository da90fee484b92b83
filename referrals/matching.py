"""Matching: from needs and a place to the right doors, in an order that can be said aloud.

Pure: cards in, offers out. The gate hides only what is known bad or does not serve her place or need; everything
else ranks by a tuple compared from left to right, and each part of it gives one sentence. Unknown is not no: it
ranks below yes and says so. There is never a need without an offer: a national line closes every list.
Which types serve which needs, and what is said about a service, stands in referrals/data with its basis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from referrals.needs import Need, forbidden
from reporting.incidents import IDENTITY_GROUP, MINOR_AGES, N_, Incident

SHOWN = 3  # offers for one need
POLICE_SHOWN = 2  # more, run by the police, for somebody who asked for them in words
URGENT = frozenset({"NOW", "H24", "H72", "H120"})
YES, NO, UNKNOWN = "yes", "no", "unknown"
OWN, THROUGH, NONE = 0, 1, 2  # how a service is reached: its own number, through a line, not known
SAME_PROVINCE, SAME_REGION, NATIONAL = 1, 2, 3


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


@dataclass(frozen=True, slots=True)
class Cards:
    """The whole directory in memory."""

    by_id: Mapping[str, ServiceCard]
    fallback: Mapping[str, tuple[str, ...]]  # need -> national lines, the best first
    place_names: Mapping[str, str]


# ── the gate ────────────────────────────────────────────────────────────────────────────────────────────────


def is_listed(card: ServiceCard) -> bool:
    """A row that no source has seen is work for the team, not a door for her."""
    return bool(card.source)


def near_band(card: ServiceCard, places: tuple[str, ...]) -> int | None:
    """How near its coverage is to her; None if it does not serve her place."""
    if card.coverage_national:
        return NATIONAL
    covered = [place for place in places if place in card.coverage]
    if covered:
        return SAME_PROVINCE if len(covered[0]) > len("PE25") else SAME_REGION
    inside_hers = places and any(
        len(places[0]) == len("PE25") and place.startswith(places[0]) for place in card.coverage
    )
    return SAME_REGION if inside_hers else None


def offers(need: Need, seeker: Seeker, cards: Cards) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The doors for one need, best first, and the services hidden for each reason."""
    hidden: dict[str, set[str]] = {}
    open_doors = []
    for card in cards.by_id.values():
        band = near_band(card, seeker.places)
        if band is None or need.code not in card.needs or not is_listed(card):
            continue
        reason = _forbidden(card, seeker)
        if reason is None:
            open_doors.append((_rank(card, need, seeker, band, cards), card, band))
        else:
            hidden.setdefault(reason, set()).add(card.service_id)
    in_order = [(card, band) for _, card, band in sorted(open_doors, key=lambda door: door[0])]
    asked_for = [door for door in in_order[SHOWN:] if seeker.wants_police and door[0].police == YES][:POLICE_SHOWN]
    reachable = [door for door in in_order if _reach(door[0], seeker, cards) != NONE]
    best = (reachable or in_order)[:SHOWN] + asked_for  # a name without a number helps only where there is no other
    found = [shown(need, card, band, seeker, cards) for card, band in best]
    if not any(offer.tel for offer in found):
        line = _fallback(need, seeker, cards, {offer.service_id for offer in found})
        found = [*line, *found] if need.urgency in URGENT else [*found, *line]  # in a hurry a number goes before a name
    return tuple(found), hidden


def _forbidden(card: ServiceCard, seeker: Seeker) -> str | None:
    return forbidden(card, seeker.must_not, seeker.incident, police_shown=seeker.police_shown)


def _fallback(need: Need, seeker: Seeker, cards: Cards, listed: Iterable[str]) -> list[Offer]:
    """The first national line that may be offered."""
    for line in (*cards.fallback.get(need.code, ()), "linea113", "linea100"):
        card = cards.by_id.get(line)
        if card is not None and card.tel and line not in listed and _forbidden(card, seeker) is None:
            return [shown(need, card, NATIONAL, seeker, cards, fallback=True)]
    return []


# ── the order ───────────────────────────────────────────────────────────────────────────────────────────────


def _rank(card: ServiceCard, need: Need, seeker: Seeker, band: int, cards: Cards) -> tuple[int | str, ...]:
    reached, opens = _reach(card, seeker, cards), 0 if card.is_24h == YES else 2
    known = 0 if card.needs[need.code] == YES else 1
    wishes, tongue = len(_missing_wishes(card, seeker)), _tongue(card, seeker)
    fresh = 0 if card.verified_on else 3
    if need.urgency in URGENT:
        return reached, opens, known, wishes, tongue, band, fresh, card.service_id
    return reached, known, wishes, tongue, band, fresh, opens, card.service_id


def _reach(card: ServiceCard, seeker: Seeker, cards: Cards) -> int:
    if card.tel:
        return OWN
    return THROUGH if _line_to(card, seeker, cards) else NONE


def _line_to(card: ServiceCard, seeker: Seeker, cards: Cards) -> ServiceCard | None:
    line = cards.by_id.get(card.through)
    usable = line is not None and line.tel and line.service_id != card.service_id and _forbidden(line, seeker) is None
    return line if usable else None


def _tongue(card: ServiceCard, seeker: Seeker) -> int:
    if not card.languages:
        return 2
    return 0 if card.languages & set(seeker.languages) else 1


def _is_trans(incident: Incident) -> bool:
    return IDENTITY_GROUP.get(incident.identity or "") == "TRANS"


# wish -> (who has it, the answer of the service)
WISHES: Mapping[str, tuple[Callable[[Incident], bool], Callable[[ServiceCard], str]]] = {
    "trans": (_is_trans, lambda card: card.trans_friendly),
    "sw": (lambda _incident: True, lambda card: card.sw_friendly),
    "papers": (lambda incident: incident.docs in {"NONE", "MISMATCH"}, lambda card: card.accepts_no_id),
}


def _missing_wishes(card: ServiceCard, seeker: Seeker) -> list[str]:
    return [wish for wish, (has, answer) in WISHES.items() if has(seeker.incident) and answer(card) != YES]


# ── the sentences ───────────────────────────────────────────────────────────────────────────────────────────

WARNINGS = {
    "POLICE_CONTACT": N_("This line may speak with the police. Ask about that before you tell."),
    "SEEN_FOR_LIMA": N_(
        "Our source speaks of Lima. In other regions try it; if nobody answers, call 116 or go to the nearest hospital."
    ),
    "FAR_FROM_CAPITAL": N_("It may not arrive far from the capital of the region."),
    "OLD_DATA": N_("What we know of it is some years old."),
    "KITS_MISSING": N_("Some places did not have the medicines. Call 113 first."),
    "MAY_REPORT_THEMSELVES": N_("They can make a complaint on their own. Ask before you tell."),
    "SENDS_TO_STATION": N_("It often only gives advice and sends people to a police station."),
    "STATE_LAW": N_("A law may limit their help against the State. Ask them."),
    "ADULT_WITH_ID": N_("Their page asks for an identity card and 18 years. Ask if they help you without."),
    "KIT_DISPUTED": N_("It was not clear whether they hand out the medicines. Get care first."),
    "INTERIOR": N_("The ministry of the police runs it."),
}
DUTY = N_("They may have to report violence to an authority. You can ask before you tell.")
POLICE_INSIDE = N_("The police run this or are inside.")
NEVER_CHECKED = N_("Not verified by us: call first.")
NEVER_CHECKED_NO_NUMBER = N_("Not verified by us.")
CHECKED = N_("Verified on %(day)s.")


def shown(need: Need, card: ServiceCard, band: int, seeker: Seeker, cards: Cards, *, fallback: bool = False) -> Offer:
    """A card as an offer, with its reasons and warnings."""
    line = None if card.tel else _line_to(card, seeker, cards)
    unchecked = NEVER_CHECKED if card.tel or line else NEVER_CHECKED_NO_NUMBER
    return Offer(
        need=need.code,
        service_id=card.service_id,
        name=card.name,
        phone=line.phone if line else card.phone,
        tel=line.tel if line else card.tel,
        what_for=card.what_for,
        reasons=tuple(_reasons(need, card, band, seeker, cards, line)),
        warnings=tuple(_warnings(card, seeker)),
        verified=said(CHECKED, day=card.verified_on) if card.verified_on else said(unchecked),
        source_name=_source_name(card.source),
        source_date=card.source_date,
        fallback=fallback,
    )


def _reasons(
    need: Need, card: ServiceCard, band: int, seeker: Seeker, cards: Cards, line: ServiceCard | None
) -> Iterable[Sentence]:
    """Why this one, in the order of the tuple."""
    if line is not None:
        yield said(N_("You reach it by calling %(number)s: %(name)s."), number=line.phone, name=line.name)
    elif not card.tel:
        yield said(N_("We do not have its number or address yet."))
        yield from _good(card, seeker)
        yield _where(card, band, seeker, cards)
        return
    if card.is_24h == YES:
        yield said(N_("Open 24 hours."))
    elif card.hours:
        yield said(N_("Hours: %(hours)s."), hours=card.hours)
    else:
        yield said(N_("We do not know its hours: call first."))
    if card.needs.get(need.code) != YES:
        yield said(N_("We do not know for sure if they help with this: call first."))
    yield from _good(card, seeker)
    yield _where(card, band, seeker, cards)
    if card.cost.startswith("free"):
        yield said(N_("It is free.") if card.cost == "free" else N_("It is free with SIS insurance."))
    if card.phone_note:
        yield said(N_("About the number: %(note)s."), note=card.phone_note)


def _good(card: ServiceCard, seeker: Seeker) -> Iterable[Sentence]:
    if _is_trans(seeker.incident) and card.trans_friendly == YES:
        yield said(N_("Run by or known to respect trans people, says the source."))
    if card.sw_friendly == YES:
        yield said(N_("Run by or for sex workers, says the source."))
    if seeker.incident.docs in {"NONE", "MISMATCH"} and card.accepts_no_id == YES:
        yield said(N_("No identity card is needed, says the source."))
    if set(seeker.languages) & card.languages - {"es"}:
        yield said(N_("They speak your language."))


def _where(card: ServiceCard, band: int, seeker: Seeker, cards: Cards) -> Sentence:
    if band == NATIONAL:
        return said(N_("It serves the whole country."))
    if band == SAME_PROVINCE:
        return said(N_("It serves your province."))
    if not set(seeker.places) & card.coverage:
        inside = sorted(cards.place_names.get(place, place) for place in card.coverage)
        return said(N_("It serves part of your region: %(places)s."), places=", ".join(inside))
    return said(N_("It serves your region."))


def _warnings(card: ServiceCard, seeker: Seeker) -> Iterable[Sentence]:
    incident = seeker.incident
    checks = (
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
    yield from (said(WARNINGS[warning]) for warning in card.warnings)


def _source_name(source: str) -> str:
    """The host of an address, or the words of the source."""
    return source.split("://", 1)[-1].split("/", 1)[0].removeprefix("www.").split(":")[0] if "://" in source else source
