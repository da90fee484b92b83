"""Folds: many reports of one sender within an hour, each with a sign of junk, stand in the queue as one line.

Pure. Nothing is thrown away and nothing is put lower: the line stands where the most urgent of them would stand, says
what danger, which child and which window is among them, and opens. Why a report can be in a fold at all:
`reporting/cases/junk.group_of`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from referrals.casework import queue
from referrals.casework.ranks import ORDER, Rank
from reporting.clock import HOUR

# More than so many of one sender in an hour: thirty people of a workshop behind one address never fold, even if each of
# them was quick or pasted the same words. So few lines more for a flood are the price.
MANY: Final = 30


@dataclass(frozen=True, slots=True)
class Fold:
    """What is among the reports that one line of the queue stands for."""

    reports: int
    danger: bool  # medical, or whoever did it is near or holds her
    minor: bool
    left: float | None  # hours in the window that closes first


def is_foldable(rank: Rank) -> bool:
    """Whether it can lie in a fold: nobody has opened it, has it or has marked it, and it can be of a flood at all."""
    return bool(rank.group) and bool(rank.traits & queue.TO_JUDGE)


def large(everything: Iterable[Rank]) -> frozenset[int]:
    """The numbers of the senders who sent so much that it folds."""
    sizes = Counter(map(attrgetter("group"), everything))
    return frozenset(group for group, size in sizes.items() if group and size > MANY)


def folded(ordered: Sequence[Rank], many: Collection[int], now: float) -> tuple[list[Rank], Mapping[int, Fold]]:
    """The lines of a queue in the same order, and what stands behind those that are folds, by case.

    A fold stands where its first stood, as its most urgent. `many`: the groups that are `large` among all cases, so
    that who opens some of a flood does not unfold the rest.
    """
    groups = dict[int, list[Rank]]()
    for rank in ordered:
        if rank.group in many and is_foldable(rank):
            groups.setdefault(rank.group, []).append(rank)
    lines, folds = list[Rank](), dict[int, Fold]()
    for rank in ordered:
        members = groups.get(rank.group, []) if is_foldable(rank) else []
        if len(members) <= 1:
            lines.append(rank)
        elif members[0] is rank:
            first = min(members, key=ORDER)
            lines.append(first)
            folds[first.case] = _fold(members, now)
    return lines, folds


def _fold(members: Sequence[Rank], now: float) -> Fold:
    closes = min(rank.closes for rank in members)
    return Fold(
        reports=len(members),
        danger=any(rank.danger for rank in members),
        minor=any(rank.traits & queue.MINOR for rank in members),
        left=None if math.isinf(closes) else closes - now / HOUR,
    )


def opened(listed: Iterable[Rank], case: int) -> Iterable[Rank]:
    """What lies in the fold that this case stands for, or stood for; all of it where no case is named."""
    if not case:
        return listed
    ranks = list(listed)
    group = next((rank.group for rank in ranks if rank.case == case), 0)
    return [rank for rank in ranks if group and rank.group == group]
