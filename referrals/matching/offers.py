"""The services that are offered for a need, best first, and which were hidden for what reason.

Pure. Hides only what is known bad or does not serve her place or need. There is never a need without an offer,
save for companions: a national line closes every list.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from referrals.matching.listings import NONE, Listing
from referrals.matching.order import Ranked, Search, forbids
from referrals.matching.records import NATIONAL, Cards, Offer, Seeker
from referrals.matching.wording import shown
from referrals.needs.codes import Need

SHOWN = 3  # offers for one need
POLICE_SHOWN = 2  # more, run by the police, for somebody who asked for them in words
ENOUGH = 16  # of the best, so that some may be of one organisation or stand there twice
OF_ONE, AMONG = 2, 5  # so many of one organisation among the first so many
NEVER_REPLACED = frozenset({"N_PEER"})  # needs for which no line of the country stands in: a companion is no office


def offers(need: Need, seeker: Seeker, cards: Cards, now: datetime) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The offers for one need, best first, and the services hidden for each reason."""
    search = Search(seeker, cards, now)
    return offers_of(need, search, search.near([need])[need.code])


def offers_of(need: Need, search: Search, listings: Sequence[Listing]) -> tuple[tuple[Offer, ...], dict[str, set[str]]]:
    """The offers for one need, best first, and the services hidden for each reason.

    `listings`: those of the need, which were fetched for several needs in one go.
    """
    best, hidden = best_listings(need, search, listings)
    held = search.cards.by_id  # a stored listing may be of a service that is not held any more, or not believed
    offered = [shown(need, card, band, search) for listing, band in best if (card := held.get(listing.service))]
    if not any(offer.tel for offer in offered):
        near = any(offer.address for offer in offered)
        line = _line_at_last(need, search, {offer.service_id for offer in offered}, fallback=not near)
        offered = [*offered, *line]
    return tuple(offered), hidden


def best_listings(
    need: Need, search: Search, listings: Sequence[Listing]
) -> tuple[list[tuple[Listing, int]], dict[str, set[str]]]:
    """(listing, band) of those that are shown, best first, and the services hidden for each reason."""
    candidates, hidden = search.ranked(need, listings)
    # a name without number, address or line is work for the team and helps nobody who looks for help
    listed = [candidate for candidate in candidates if candidate[3] != NONE]
    best = _spread(heapq.nsmallest(ENOUGH, listed))[:SHOWN]
    if len(listed) > ENOUGH and (len(best) < SHOWN or _is_of_one(best)):
        best = _spread(sorted(listed))[:SHOWN]
    if search.seeker.wants_police:
        taken = {listing.service for _, listing, _, _ in best}
        police = (candidate for candidate in listed if candidate[1].police and candidate[1].service not in taken)
        best += _spread(sorted(police))[:POLICE_SHOWN]
    return [(listing, band) for _, listing, band, _ in best], hidden


def _is_of_one(best: Iterable[Ranked]) -> bool:
    """Whether one organisation has more of them than it may: then others stand further behind."""
    count = Counter(listing.organisation for _, listing, _, _ in best if listing.organisation)
    return any(times > OF_ONE for times in count.values())


def _spread(in_order: Iterable[Ranked]) -> list[Ranked]:
    """Each service once, at most two of one organisation among the first five; a third one waits behind them."""
    first: list[Ranked] = []
    waiting: list[Ranked] = []
    count: dict[str, int] = {}
    taken: set[str] = set()
    for candidate in in_order:
        service, organisation = candidate[1].service, candidate[1].organisation
        if service in taken:
            continue
        taken.add(service)
        count[organisation] = count.get(organisation, 0) + 1
        waits = organisation and count[organisation] > OF_ONE and len(first) < AMONG
        (waiting if waits else first).append(candidate)
    return first if len(first) < AMONG and not waiting else [*first[:AMONG], *waiting, *first[AMONG:]]


def _line_at_last(need: Need, search: Search, listed: Iterable[str], *, fallback: bool) -> list[Offer]:
    """The first national line that may be offered. `fallback`: there is nothing else."""
    cards = search.cards
    if need.code in NEVER_REPLACED:
        return []
    for line in (*cards.fallback.get(need.code, ()), *cards.last_resort):
        card = cards.by_id.get(line)
        if card is not None and card.tel and line not in listed and forbids(card, search.seeker) is None:
            return [shown(need, card, NATIONAL, search, fallback=fallback)]
    return []
