"""Folds: many reports of one sender within an hour, each with a sign of junk, stand in the queue as one line.

Pure. Nothing is thrown away and nothing is put lower: the line stands where the most urgent of them would stand, says
what danger, which child and which window is among them, and opens. Why a report can be in a fold at all:
`reporting/cases/junk.group_of`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from referrals.casework import queue
from reporting.cases.records import NEW, Summary
from reporting.clock import HOUR
from reporting.vocabulary.codes import MINOR_AGES

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


def is_foldable(summary: Summary) -> bool:
    """Whether it can lie in a fold: nobody has opened it, has it or has marked it, and it can be of a flood at all."""
    return summary.group is not None and summary.state == NEW and not summary.owner and not summary.marks


def folded(
    ordered: Sequence[Summary], everything: Iterable[Summary], now: float, cache: queue.QueueCache
) -> tuple[list[Summary], Mapping[int, Fold]]:
    """The lines of a queue in the same order, and what stands behind those that are folds, by case.

    A fold stands where its first stood, as its most urgent. `everything` is what is counted: who opens some of a flood
    does not unfold the rest.
    """
    sizes = Counter(summary.group for summary in everything)
    groups: dict[int | None, list[Summary]] = {}
    for summary in ordered:
        if is_foldable(summary) and sizes[summary.group] > MANY:
            groups.setdefault(summary.group, []).append(summary)
    lines, folds = list[Summary](), dict[int, Fold]()
    for summary in ordered:
        members = groups.get(summary.group, []) if is_foldable(summary) else []
        if len(members) <= 1:
            lines.append(summary)
        elif members[0] is summary:
            first = queue.in_order(members, now, cache=cache)[0]
            lines.append(first)
            folds[first.case] = _fold(members, now, cache)
    return lines, folds


def _fold(members: Sequence[Summary], now: float, cache: queue.QueueCache) -> Fold:
    ranks = [cache.rank(summary, now) for summary in members]
    left = [rank.closes - now / HOUR for rank in ranks if rank.closes is not None and rank.closes > now / HOUR]
    return Fold(
        reports=len(members),
        danger=any(rank.danger for rank in ranks),
        minor=any(summary.incident.age in MINOR_AGES for summary in members),
        left=min(left, default=None),
    )


def opened(listed: Sequence[Summary], case: int) -> Sequence[Summary]:
    """What lies in the fold that this case stands for, or stood for; all of it where no case is named."""
    group = next((summary.group for summary in listed if summary.case == case), None)
    return listed if not case else [summary for summary in listed if group is not None and summary.group == group]
