"""A door to walk into: the nearest emergency of a hospital, what to say at its desk, what they may not ask for.

What is said comes from reviewed data, and only with a source. Chooses among what may be offered to her; hides nothing.
"""

from __future__ import annotations

import heapq
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from referrals.directory.reviewed_data import DATA
from referrals.matching import distance, order
from referrals.matching.listings import FOR_INSURED, Listing
from referrals.matching.order import Search
from referrals.matching.records import NATIONAL, Offer
from referrals.matching.wording import UNSURE, shown
from referrals.needs.codes import Need
from referrals.needs.rules import SOURCES
from reporting.vocabulary.places import FIRST_HOME

WALK_IN: Final = frozenset({"N_EMERG_MED", "N_PEP", "N_EC", "N_WOUND"})  # needs that somebody walks to at any hour
EMERGENCY: Final = "HEALTH_EMERGENCY"
SAY, RIGHT = "say", "right"
LOOKED_AT: Final = 64  # of the nearest services: a large directory fetches the card of each
NO_SOURCES: Final = frozenset({"P", "U"})  # marks of what is decided here, or what nobody has checked


@dataclass(frozen=True, slots=True)
class DeskSentence:
    """Something to say at a desk, or to know there, in every language that it has; with where it comes from."""

    kind: str
    texts: Mapping[str, str]
    sources: tuple[str, ...]
    signed: bool


def door_first(need: Need, offers: Sequence[Offer], search: Search, listings: Iterable[Listing]) -> tuple[Offer, ...]:
    """The offers of a need that somebody walks to: the nearest emergency first, the line of the country second.

    Unchanged for other needs, and where no emergency with an address is known near her.
    """
    if need.code not in WALK_IN:
        return tuple(offers)
    door, line = _nearest(need, search, listings), _line(need, search)
    first = [offer for offer in (door, line) if offer is not None] if door else []
    taken = {offer.service_id for offer in first}
    return (*first, *(offer for offer in offers if offer.service_id not in taken))


def _nearest(need: Need, search: Search, listings: Iterable[Listing]) -> Offer | None:
    """Of those in her province first; within a step of distance, a public one before one for people insured there."""
    near = [
        (_key(listing, search), listing.service) for listing in listings if listing.site and not search.bar(listing)
    ]
    for (band, *_), service in heapq.nsmallest(LOOKED_AT, near):
        card = search.cards.by_id.get(service)  # a listing may be of a service that is not held any more
        if card is not None and card.service_type == EMERGENCY and card.address:
            return shown(need, card, band, search)
    return None


def _key(listing: Listing, search: Search) -> tuple[int, int, int, float, str]:
    km = search.kilometres_to(listing.site)
    band = order.band_of(listing.cover, search.seeker.places, listing.site)
    return band, distance.step(km), listing.has & FOR_INSURED, km or 0, listing.service


def _line(need: Need, search: Search) -> Offer | None:
    """The first line of the country for this need that may be offered to her."""
    for service in search.cards.fallback.get(need.code, ()):
        line = search.cards.by_id.get(service)
        if line is not None and order.line_to(line, search.seeker):
            offer = shown(need, line, NATIONAL, search)
            return replace(offer, reasons=tuple(reason for reason in offer.reasons if reason.message not in UNSURE))
    return None


# ── what is said there ──────────────────────────────────────────────────────────────────────────────────────


def sentences(needs: Iterable[str], country: str = FIRST_HOME, *, of_another: bool = False) -> tuple[DeskSentence, ...]:
    """What to say at the desk for these needs, then what they may not ask for; said of another, where it is for one."""
    asked_for = set(needs)
    rows = [row for row in desk_rows() if is_sourced(row) and asked_for & set(row["needs"])]
    here = [row for row in rows if row.get("country", country) == country]
    return tuple(
        DeskSentence(row["kind"], _texts(row, of_another=of_another), tuple(row["sources"]), bool(row["reviewer"]))
        for kind in (SAY, RIGHT)
        for row in here
        if row["kind"] == kind
    )


def _texts(row: Mapping[str, Any], *, of_another: bool) -> Mapping[str, str]:
    said = row["another"] if of_another else row
    return {"es": said["es"], "en": said["en"]}


def is_sourced(row: Mapping[str, Any]) -> bool:
    """Whether a row has a source that somebody has seen on a day; one that has none is left out."""
    return any(source not in NO_SOURCES and "seen" in SOURCES.get(source, {}) for source in row["sources"])


@cache
def desk_rows() -> tuple[Mapping[str, Any], ...]:
    """The rows of at-the-desk.toml as they are written, with a source or without."""
    return tuple(tomllib.loads((DATA / "at-the-desk.toml").read_text(encoding="utf-8"))["row"])
