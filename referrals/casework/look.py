"""A look at the queue: what lies there, held against what was worked out before; only what has changed is opened.

Which cases there are, of which version, is read out of an index; what is known of a version is not opened again. That
nobody swapped the bytes of a version is looked at too: of every case where there are few, else of some drawn at random
at each look. Opens summaries only, never a case; writes nothing while somebody waits.
"""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from referrals.casework import queue, ranks
from referrals.casework.ranks import QueueCache
from reporting.cases import queue_cache, taken
from reporting.cases.derived import PARTS, part_of
from reporting.cases.queue_cache import Listing
from reporting.cases.records import BrokenCase
from reporting.cases.taken import Lists, TakenList
from reporting.teams.keyring import Keys
from reporting.teams.team_log import Pin

VERIFIED: Final = 500  # of so many cases the bytes are looked at, at each look


@dataclass(frozen=True, slots=True)
class Look:
    """What a member saw: every case that opens, as of now, and what does not open."""

    cache: QueueCache
    broken: tuple[BrokenCase, ...]
    there: Listing
    lists: Lists
    changed: frozenset[int]  # cases that were worked out at this look
    gone: frozenset[int]  # that the cache knew, and that are not there


def look(db: Session, keys: Keys, pin: Pin, now: float) -> Look:
    """The queue of a member's teams as it is now."""
    with _without_collecting():
        lists = taken.lists(db, keys, pin)  # before the cases, as they only get newer
        cache, there = kept(db, keys, lists), queue_cache.listed(db, keys)
        as_before, broken, fresh = _compared(cache, there, lists)
        fresh |= _swapped(db, keys, cache, as_before)
        summaries, failed = queue_cache.opened(db, keys, lists, fresh if len(fresh) < len(there.rows) else None)
        again, still = queue_cache.looked_at_again(db, keys, pin, [*broken, *failed])
        as_before -= fresh
        aged = [case for case, rank in cache.ranks.items() if not rank.holds(now) and case in as_before]
        anew = queue.worked_out([*summaries, *again, *map(cache.summary, aged)], now)
        gone = cache.ranks.keys() - {row[0] for row in there.rows}
        cache.change(cache.ranks.keys() - as_before, anew)
        return Look(cache, still, there, lists, frozenset(anew.ranks), frozenset(gone))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Tens of thousands of small records are made, and none of them in a ring: looking for rings would take as long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def kept(db: Session, keys: Keys, lists: Lists) -> QueueCache:
    """What was last worked out, of all teams of a member."""
    return ranks.joined(
        queue.from_bytes(part, stamp=_stamp_of(there), team=team)
        for team, there in lists.items()
        for part in queue_cache.read_sheets(db, keys, team).values()
    )


def _stamp_of(there: TakenList | None) -> str:
    """What ranks are worked out by: the rules, and the key of the list of what the team has taken (of its marks)."""
    return f"{queue.RULES_STAMP} {there.called if there else ''}"


def _compared(before: QueueCache, there: Listing, lists: Lists) -> tuple[set[int], list[BrokenCase], set[int]]:
    """The cases that are known as they are, those that the team knows otherwise, and those that are to be opened."""
    as_before, broken, fresh = set[int](), list[BrokenCase](), set[int]()
    ranks, teams, waiting = before.ranks, before.teams, there.waiting
    for case, team, epoch, version in there.rows:
        rank, known = ranks.get(case), lists[team]
        if rank is None or known is None or (rank.version, rank.epoch, teams[case]) != (version, epoch, team):
            fresh.add(case)
        elif why := known.too_old(rank.mark, version, in_vault=case not in waiting):
            broken.append(BrokenCase(case, team, why))
        else:
            as_before.add(case)
    return as_before, broken, fresh


def _swapped(db: Session, keys: Keys, before: QueueCache, cases: Collection[int]) -> set[int]:
    """The cases whose bytes are not those that the cache knows, among those that are looked at this time."""
    some: Collection[int] | None = None
    if len(cases) > VERIFIED:
        parts = set(secrets.SystemRandom().sample(range(PARTS), max(1, PARTS * VERIFIED // len(cases))))
        some = {case for case in cases if part_of(case) in parts}
    seals = queue_cache.seals(db, keys, some)
    return {case for case in (cases if some is None else some) if seals.get(case) != before.stored[case][0]}


# ── after the page is sent ──────────────────────────────────────────────────────────────────────────────────
Opens = Callable[[], AbstractContextManager[Session]]


def keep(writing: Opens, keys: Keys, seen: Look) -> None:
    """Keep what was worked out, so that the next look is quick; each team in a short transaction of its own."""
    for team in keys.epochs:
        here = {case for case, its in seen.cache.teams.items() if its == team}
        parts = ranks.stale_parts(here, seen.changed & here, seen.gone)
        if parts:
            with writing() as db:
                queue_cache.write_sheets(
                    db,
                    keys,
                    team,
                    lambda there, parts=parts, here=here, team=team: ranks.in_parts(  # type: ignore[misc]
                        seen.cache, parts, there & here, _stamp_of(seen.lists[team])
                    ),
                )


def see_moved(db: Session, keys: Keys, seen: Look, moved: Collection[int], now: float) -> Look:
    """The look with these cases as they are since their keys went to the vault."""
    summaries, _ = queue_cache.opened(db, keys, seen.lists, moved)
    anew = queue.worked_out(summaries, now)
    seen.cache.change((), anew)
    return replace(seen, changed=seen.changed | anew.ranks.keys())


def news(keys: Keys, seen: Look, now: float) -> dict[int, taken.Seen]:
    """What the team's list does not know yet of what was seen."""
    here: dict[int, dict[bytes, int]] = {team: {} for team in keys.epochs}
    ranks, waiting = seen.cache.ranks, seen.there.waiting
    for case, team, _, version in seen.there.rows:
        known = seen.lists[team]
        if known is not None and known.key:
            rank = ranks.get(case)
            here[team][rank.mark if rank else known.mark(case)] = version if rank and case not in waiting else 0
    return taken.news(keys, seen.lists, here, now)
