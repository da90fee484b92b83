"""What was told, or what somebody looks for, held against the directory: once, for all that is asked at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Required, TypedDict, Unpack

from referrals.directory.reviewed_data import retired
from referrals.directory.snapshot import DirectorySnapshot
from referrals.matching.listings import Listing
from referrals.matching.order import Search
from referrals.matching.records import Seeker
from referrals.needs.assessment import assess
from referrals.needs.codes import Need
from reporting.vocabulary.incident import Incident

LeavesOut = Callable[[Need], bool]


class MatchOptions(TypedDict, total=False):
    """What narrows a match: `only` some needs while she is telling; `leaves_out` says which are no longer asked for."""

    languages: Required[tuple[str, ...]]
    only: list[str] | None
    police_shown: bool
    leaves_out: LeavesOut


def nothing(_need: Need) -> bool:
    """Leaves no need out."""
    return False


@dataclass(frozen=True, slots=True)
class Match:
    """The needs that are open, the most urgent first, with the listings of her places for each."""

    needs: tuple[Need, ...]
    search: Search
    near: Mapping[str, Sequence[Listing]]
    create_referral: bool = False


def match(
    snapshot: DirectorySnapshot,
    incident: Incident,
    now: float,
    **options: Unpack[MatchOptions],
) -> Match:
    """An incident as of `now` (seconds since 1970)."""
    assessed, only, leaves_out = assess(incident), options.get("only"), options.get("leaves_out", nothing)
    wanted = [need for need in assessed.needs if (only is None or need.code in only) and not leaves_out(need)]
    hers = tuple(code for code in (incident.lang, *options["languages"]) if code)
    refused = with_what_became(snapshot, incident)
    seeker = Seeker(refused, assessed.must_not, places_of(incident), hers, options.get("police_shown", False))
    return match_for(snapshot, wanted, seeker, now, create_referral=assessed.create_referral)


def match_for(
    snapshot: DirectorySnapshot, wanted: Sequence[Need], seeker: Seeker, now: float, *, create_referral: bool = False
) -> Match:
    """These needs of somebody who looks."""
    search = Search(seeker, snapshot.cards, moment(now))
    return Match(tuple(wanted), search, search.near(wanted), create_referral)


def with_what_became(snapshot: DirectorySnapshot, incident: Incident) -> Incident:
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


def moment(now: float) -> datetime:
    """Seconds since 1970 as matching takes them."""
    return datetime.fromtimestamp(now, UTC)


def places_of(incident: Incident) -> tuple[str, ...]:
    """Where she is, the smallest first, as far as she said."""
    return tuple(code for code in (incident.province, incident.department) if code)
