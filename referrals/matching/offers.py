"""The services that are offered for a need, best first, and which were hidden for what reason.

Pure. Hides only what is known bad or does not serve her place or need. There is never a need without an offer:
a national line closes every list.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime

from referrals.matching.listings import NONE, Listing
from referrals.matching.order import Asked, Ranked, forbids
from referrals.matching.records import NATIONAL, URGENT, Cards, Offer, Seeker
from referrals.matching.wording import shown
from referrals.needs.codes import Need

SHOWN = 3  # offers for one need
POLICE_SHOWN = 2  # more, run by the police, for somebody who asked for them in words
ENOUGH = 16  # of the best, so that some may be of one organisation or stand there twice
OF_ONE, AMONG = 2, 5  # so many of one organisation among the first so many


def offers(need: Need, seeker: Seeker, cards: Cards, now: datetime) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The doors for one need, best first, and the services hidden for each reason."""
    asked = Asked(seeker, cards, now)
    return offers_of(need, asked, asked.near([need])[need.code])


def offers_of(need: Need, asked: Asked, doors: Iterable[Listing]) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The same where the doors of several needs were fetched in one go."""
    best, hidden = best_doors(need, asked, doors)
    found = [shown(need, asked.cards.by_id[door.service], band, asked) for door, band in best]
    if not any(offer.tel for offer in found):
        line = _fallback(need, asked, {offer.service_id for offer in found})
        found = [*line, *found] if need.urgency in URGENT else [*found, *line]  # in a hurry a number goes before a name
    return tuple(found), hidden


def best_doors(
    need: Need, asked: Asked, doors: Iterable[Listing]
) -> tuple[list[tuple[Listing, int]], dict[str, set[str]]]:
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


def _fallback(need: Need, asked: Asked, listed: Iterable[str]) -> list[Offer]:
    """The first national line that may be offered."""
    cards = asked.cards
    for line in (*cards.fallback.get(need.code, ()), *cards.last_resort):
        card = cards.by_id.get(line)
        if card is not None and card.tel and line not in listed and forbids(card, asked.seeker) is None:
            return [shown(need, card, NATIONAL, asked, fallback=True)]
    return []
