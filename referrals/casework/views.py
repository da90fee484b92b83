"""Views: which cases of the queue somebody sees, fifty a page, how many lie in each folder, what a view leaves out.

Pure. Works on ranks alone; only a search for a label reads summaries, of the cases that have one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from operator import attrgetter
from typing import Final

from referrals.casework import queue
from referrals.casework.ranks import QueueCache, Rank, fixed, text_of
from reporting.cases.junk import ENOUGH, REPEATED
from reporting.cases.records import alias, is_to_read
from reporting.cases.summary import Summary
from reporting.clock import HOUR
from reporting.crypto.receipts import plain
from reporting.i18n import N_

Doubts = Mapping[int, tuple[str, ...]]  # case -> the signs for which it is put aside
NOTHING: Final[Doubts] = {}


def page_of(listed: Sequence[Rank], sort: str = "urgency", after: int = 0) -> tuple[Sequence[Rank], int]:
    """The fifty ranks after a case, in order, and the case after which the next page begins (0: there is none)."""
    key = queue.SORTS[sort][1]
    last = next((key(rank) for rank in listed if rank.case == after), None) if after else None
    rest = listed if last is None else [rank for rank in listed if key(rank) > last]
    shown = nsmallest(queue.PAGE + 1, rest, key=key)
    return shown[: queue.PAGE], shown[queue.PAGE - 1].case if len(shown) > queue.PAGE else 0


def page_in(ordered: Sequence[Rank], after: int = 0) -> tuple[Sequence[Rank], int]:
    """The same of ranks that are in order already."""
    start = next((number + 1 for number, rank in enumerate(ordered) if rank.case == after), 0)
    shown = ordered[start : start + queue.PAGE]
    return shown, shown[-1].case if start + queue.PAGE < len(ordered) else 0


def put_aside(listed: Iterable[Rank]) -> Doubts:
    """Cases that nobody has opened, with two signs of junk. Nothing that may be urgent, no child, nobody who asks."""
    every = list(listed)
    first = _first_to_say(every)
    doubts = dict[int, tuple[str, ...]]()
    for rank in every:
        if not rank.traits & queue.TO_JUDGE or rank.traits & queue.URGENT:
            continue
        repeats = first.get(rank.words, rank.case) != rank.case  # who said it first did not repeat it
        signs = [sign for sign, bit in queue.SIGN_BITS.items() if rank.traits & bit]
        signs += [REPEATED] * repeats
        if len(signs) >= ENOUGH:
            doubts[rank.case] = tuple(signs)
    return doubts


def _first_to_say(every: Sequence[Rank]) -> dict[bytes, int]:
    """Words that stand in several cases -> the case in which they stood first."""
    often = {words for words, count in Counter(map(attrgetter("words"), every)).items() if count > 1}
    often.discard(fixed("words", ""))
    first: dict[bytes, Rank] = {}
    for rank in every if often else ():
        if rank.words in often:
            before = first.get(rank.words, rank)
            first[rank.words] = min(rank, before, key=attrgetter("hour", "case"))
    return {words: rank.case for words, rank in first.items()}


@dataclass(frozen=True, slots=True)
class View:
    """What somebody wants to see of the queue. It stands in the address, so that a saved view is a bookmark."""

    folder: str = "today"
    owner: str = ""
    name: str = ""
    sort: str = "urgency"
    after: int = 0
    fold: int = 0  # a case: what lies in the fold that it stands for, each by itself
    department: str = ""
    need: str = ""
    minor: str = ""
    language: str = ""
    silence: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when nobody said anything: how it is called, whose last word, how many days at least."""

    name: str
    whose: str
    days: int


HERS, OURS = "hers", "ours"
# whose last word -> the hour of it; where the team never wrote, it is silent since the report
LAST_WORDS: Final[Mapping[str, Callable[[Rank], int]]] = {
    HERS: attrgetter("heard"),
    OURS: lambda rank: rank.wrote or rank.hour,
}
SILENCES: Final[Mapping[str, Silence]] = {
    "hers-3": Silence(N_("She said nothing for 3 days"), HERS, 3),
    "hers-14": Silence(N_("She said nothing for 2 weeks"), HERS, 14),
    "ours-1": Silence(N_("We wrote nothing for a day"), OURS, 1),
    "ours-3": Silence(N_("We wrote nothing for 3 days"), OURS, 3),
    "ours-14": Silence(N_("We wrote nothing for 2 weeks"), OURS, 14),
}


def chosen(
    cache: QueueCache, view: View, me: int, now: float, aside: Doubts = NOTHING, only: Iterable[Rank] | None = None
) -> list[Rank]:
    """The ranks that a view asks for, in no order. `only`: of these; of all where nothing is said."""
    listed = list(cache.ranks.values() if only is None else only)
    for holds in (_lies_in(view.folder, me, aside), *_filters(cache, view, me, now)):
        listed = [rank for rank in listed if holds(rank)]
    return listed


Holds = Callable[[Rank], bool]


def _lies_in(folder: str, me: int, aside: Doubts) -> Holds:
    bit = queue.FOLDER_BITS[folder]
    if folder == "doubtful":
        return lambda rank: rank.case in aside
    if folder == queue.MINE:
        return lambda rank: bool(rank.lies & bit) and rank.owner == me
    if folder in queue.TABS and aside:
        return lambda rank: bool(rank.lies & bit) and rank.case not in aside
    return lambda rank: bool(rank.lies & bit)


def _filters(cache: QueueCache, view: View, me: int, now: float) -> Iterator[Holds]:
    """One for each thing that is asked for."""
    if view.owner in {queue.MINE, queue.NOBODY} or view.owner.isdecimal():
        owner = {queue.MINE: me, queue.NOBODY: 0}.get(view.owner, int(view.owner) if view.owner.isdecimal() else 0)
        yield lambda rank: rank.owner == owner
    if view.department:
        department = fixed("department", view.department)
        yield lambda rank: rank.department == department
    if view.need in queue.NEED_NUMBERS:
        need = 1 + queue.NEED_NUMBERS[view.need]
        yield lambda rank: rank.need == need
    if view.minor:
        yield lambda rank: bool(rank.traits & queue.MINOR)
    if view.language:
        language = fixed("language", view.language)
        yield lambda rank: rank.language == language
    if view.silence in SILENCES:
        silence = SILENCES[view.silence]
        before, last = int(now // HOUR) - 24 * silence.days, LAST_WORDS[silence.whose]
        yield lambda rank: last(rank) <= before
    if wanted := plain(view.name).replace(" ", ""):
        yield lambda rank: any(wanted in plain(title).replace(" ", "") for title in _titles(cache, rank))


def _titles(cache: QueueCache, rank: Rank) -> tuple[str, ...]:
    """Its short name and its labels."""
    labels = cache.summary(rank.case).labels if rank.traits & queue.LABELLED else ()
    return (alias(rank.case), *labels)


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be asked for, because something of it is there: codes of departments, of needs, of languages."""

    departments: frozenset[str]
    needs: tuple[str, ...]  # in the order of needs
    languages: frozenset[str]


def choices(ranks: Collection[Rank]) -> Choices:
    """What the filters of a queue can offer."""
    there = set(map(attrgetter("need"), ranks))
    return Choices(
        frozenset(filter(None, map(text_of, set(map(attrgetter("department"), ranks))))),
        tuple(need for need, number in queue.NEED_NUMBERS.items() if number + 1 in there),
        frozenset(filter(None, map(text_of, set(map(attrgetter("language"), ranks))))),
    )


def counts(listed: Iterable[Rank], me: int, aside: Doubts = NOTHING) -> dict[str, int]:
    """Folder -> how many lie there; each rank is looked at once."""
    every, numbers = list(listed), dict.fromkeys(queue.FOLDERS, 0)
    together = Counter((rank.lies, rank.owner == me, rank.case in aside) for rank in every)
    for (lies, is_mine, doubtful), count in together.items():
        for name, bit in queue.FOLDER_BITS.items():
            hidden = (doubtful and bit in queue.LEAVES) or (name == queue.MINE and not is_mine)
            numbers[name] += count if lies & bit and not hidden else 0
    numbers["doubtful"] = sum(rank.case in aside for rank in every)
    return numbers


def to_read(cache: QueueCache, me: int) -> list[tuple[int, str]]:
    """The cases with a hand-over note that this member has to read before her shift: number, short name; in order."""
    marked = [rank for rank in cache.ranks.values() if rank.traits & queue.TO_READ]
    mine = (rank for rank in queue.in_order(marked) if _has_to_read(cache, rank, me))
    return [(rank.case, alias(rank.case)) for rank in mine]


def _has_to_read(cache: QueueCache, rank: Rank, me: int) -> bool:
    return any(is_to_read(by, to, me) for by, to in cache.summary(rank.case).to_read)


def to_go_on_with(cache: QueueCache, ordered: Iterable[Rank], me: int, case: int, hour: int, day_began: int) -> int:
    """The first case that this member has not looked at today, after all that was told; 0 where there is none.

    Danger and a window that nobody answered are led to again after an hour: a look is no answer. Never the case that
    lies open. Hours count since 1970; `day_began`: that with which the day began where the team works.
    """
    for rank in ordered:
        since = hour - 1 if rank.place in queue.UNANSWERED else day_began
        if rank.case != case and not _was_looked_at(cache.summary(rank.case), me, since):
            return rank.case
    return 0


def _was_looked_at(summary: Summary, me: int, since: int) -> bool:
    """Whether this member was the last to look, since that hour and since whatever she said."""
    if summary.unread and summary.owner in {0, me}:  # what is a colleague's stays unread until she looks herself
        return False
    return summary.looked_by == me and summary.looked_at >= max(since, summary.heard_at, summary.hour)


def hidden_windows(cache: QueueCache, shown: Iterable[Rank]) -> int:
    """How many cases with an open window a view leaves out."""
    every = sum(bool(rank.traits & queue.WINDOW) for rank in cache.ranks.values())
    return every - sum(bool(rank.traits & queue.WINDOW) for rank in shown)
