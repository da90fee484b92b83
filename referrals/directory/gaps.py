"""What is missing where: needs without a verified service, and services that no written case is offered.

Worked out of the directory, the places and the written cases, never of what people looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from referrals.directory import vignettes
from referrals.directory.reviewed_data import DATA
from referrals.directory.rows import OLD
from referrals.directory.snapshot import DirectorySnapshot
from referrals.matching import offers
from referrals.matching.listings import NONE, ServiceCard, is_listed
from referrals.matching.order import Search
from referrals.matching.records import Seeker
from referrals.needs import assessment
from reporting.i18n import N_, T_
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS

VERIFIED, LISTED, FAR, MISSING = "verified", "listed", "national", "missing"
STATES = {
    VERIFIED: N_("Verified within a year"),
    LISTED: N_("Only in a source, not verified"),
    FAR: N_("Only something for the whole country, not verified"),
    MISSING: N_("Nothing"),
}

HEADS = {VERIFIED: T_("verified"), LISTED: T_("in a source"), FAR: T_("national"), MISSING: T_("missing")}


@dataclass(frozen=True, slots=True)
class Gap:
    """A need over some provinces: the names of the provinces by how well it is met there."""

    need: str
    provinces: Mapping[str, tuple[str, ...]]  # state -> codes

    def count(self, *states: str) -> int:
        """In how many provinces the need is met in one of these states."""
        return sum(len(self.provinces[state]) for state in states)

    @property
    def all(self) -> int:
        """How many provinces were looked at."""
        return self.count(*STATES)


def gaps(held: DirectorySnapshot, today: date, inside: str = "") -> tuple[Gap, ...]:
    """For each need the provinces where a verified service meets it, and where none does; the emptiest first."""
    provinces = [
        code for code in held.parents if len(code) == len("PE2501") and code.startswith(inside or held.cards.country)
    ]
    served = {need: _states_by_place(held, need, today) for need in NEEDS}
    by_need = []
    for need, by_place in served.items():
        states: dict[str, list[str]] = {state: [] for state in STATES}
        for code in sorted(provinces):
            states[_state_of(by_place, code)].append(code)
        by_need.append(Gap(need, {state: tuple(codes) for state, codes in states.items()}))
    return tuple(sorted(by_need, key=lambda gap: (gap.count(VERIFIED), gap.count(VERIFIED, LISTED), gap.need)))


def _states_by_place(held: DirectorySnapshot, need: str, today: date) -> dict[str, str]:
    best: dict[str, str] = {}
    for card in held.cards.by_id.values():
        if need not in card.needs or not _can_be_offered(card):
            continue
        for place in card.coverage:
            state = _state_of_card(card, today, national=place == held.cards.country)
            best[place] = min(best.get(place, state), state, key=tuple(STATES).index)
    return best


def _state_of_card(card: ServiceCard, today: date, *, national: bool) -> str:
    if card.verified_on and date.fromisoformat(card.verified_on) >= today - timedelta(days=OLD):
        return VERIFIED
    return FAR if national else LISTED


def _state_of(by_place: Mapping[str, str], province: str) -> str:
    states = [by_place[code] for code in (province, province[:4], province[:2]) if code in by_place]
    return min(states, key=tuple(STATES).index, default=MISSING)


def gap_rows(held: DirectorySnapshot, today: date) -> Iterator[tuple[str, str, str, str]]:
    """Province code, its name, need, state: for a spreadsheet."""
    for gap in gaps(held, today):
        for state, codes in gap.provinces.items():
            yield from ((code, held.cards.place_names[code], gap.need, state) for code in codes)


TUESDAY = datetime(2026, 11, 24, 15, tzinfo=UTC)  # ten in the morning in Lima: when the written cases are tried
CASES = ("vignettes.yaml", "golden-cases.yaml")  # written cases in data/, as many of them as are there
WHY_NEVER = {
    "unseen": N_("No source has seen it: confirm it or take it out."),
    "silent": N_("It has no number and no address, and no line leads there."),
    "behind": N_("Others always go before it."),
}


def never_matched(held: DirectorySnapshot) -> dict[str, str]:
    """Services that no written case is ever offered, wherever it happens, and why. From the directory alone.

    Of services whose place is known only those that nobody can be offered: which neighbour goes first follows from
    where somebody is, and written cases are not told in every province.
    """
    offered: set[str] = set()
    for incident in _written_cases():
        assessed = assessment.assess(incident)
        for places in _places_that_differ(held):
            search = Search(Seeker(incident, assessed.must_not, places, ("es",)), held.cards, TUESDAY)
            near = search.near(assessed.needs)
            for need in assessed.needs:
                best, _ = offers.best_listings(need, search, near[need.code])
                offered |= {listing.service for listing, _ in best}
                if not best:
                    offered |= {offer.service_id for offer in offers.offers_of(need, search, ())[0]}
    cards = (card for card in held.cards.by_id.values() if card.service_id not in offered)
    return {card.service_id: _why_never(card) for card in cards if not (card.site and _can_be_offered(card))}


def _written_cases() -> Iterator[Incident]:
    for name in CASES:
        if (DATA / name).exists():
            text = (DATA / name).read_text("utf-8")
            yield from (incident for _, incident, _ in vignettes.assess_file(text, Path(name).suffix))


def _places_that_differ(held: DirectorySnapshot) -> list[tuple[str, ...]]:
    """No place, and every place that some service names: elsewhere the answers are those of no place."""
    named = {code for card in held.cards.by_id.values() for code in card.coverage} - {held.cards.country}
    return [(), *((code, code[:4]) if len(code) > len("PE25") else (code,) for code in sorted(named))]


def _can_be_offered(card: ServiceCard) -> bool:
    return is_listed(card) and card.reached != NONE


def _why_never(card: ServiceCard) -> str:
    if not is_listed(card):
        return WHY_NEVER["unseen"]
    return WHY_NEVER["behind" if _can_be_offered(card) else "silent"]
