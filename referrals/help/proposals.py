"""The doors that a case worker can propose for each need of a case, in the order of offers, with why.

More of them than a reporter is shown, in the same order: in time, sure, how it is reached, her wishes, distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from referrals.help.match import Match
from referrals.matching.listings import NONE, Listing
from referrals.matching.order import Search
from referrals.matching.wording import UNSURE, shown
from referrals.needs.codes import Need
from reporting.i18n import Sentence

AT_MOST = 8  # doors of a need


@dataclass(frozen=True, slots=True)
class Door:
    """A service to propose, and why it stands where it stands."""

    service: str
    name: str
    why: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors of one need, the best first."""

    need: Need
    doors: tuple[Door, ...]


def doors_of(matched: Match) -> tuple[Doors, ...]:
    """For each need that is open, the most urgent first: what may be proposed. A need without a door is left out."""
    listed = (Doors(need, tuple(_doors(need, matched.near[need.code], matched.search))) for need in matched.needs)
    return tuple(doors for doors in listed if doors.doors)


def _doors(need: Need, listings: Sequence[Listing], search: Search) -> list[Door]:
    ranked, _ = search.ranked(need, listings)
    doors: dict[str, Door] = {}
    for _, listing, band, reached in sorted(ranked):
        card = search.cards.by_id.get(listing.service)
        if reached == NONE or card is None or card.service_id in doors:
            continue
        offer = shown(need, card, band, search)
        unsure = tuple(reason for reason in offer.reasons if reason.message in UNSURE)
        why = tuple(reason for reason in (offer.where, offer.is_open) if reason)
        doors[card.service_id] = Door(card.service_id, card.name, (*why, *unsure))
        if len(doors) == AT_MOST:
            break
    return list(doors.values())
