"""The queue: which case first, and why. Works on summaries alone; opens nothing.

With thousands of cases it matters that nothing is worked out twice: how urgent each summary was, and until
when that holds, is remembered. Order: urgency class, then medical danger, then hours left in the nearest
window, then the day it came. What is folded away (a threat, junk, what is no report) and what is closed stands
apart.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from referrals.needs.assessment import assess
from referrals.needs.codes import URGENCIES, Need
from referrals.needs.rules import LIMITS, SIGN_LIMITS, STAMP
from reporting.cases.derived import part_of
from reporting.cases.junk import ENOUGH, REPEATED
from reporting.cases.records import CLOSED, NEW, OPEN, THREAT, Summary, alias
from reporting.cases.summary import SummaryContent
from reporting.clock import HOUR
from reporting.crypto.receipts import plain
from reporting.i18n import N_
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident

MEDICAL_DANGER = "D_"  # flags that begin so
EMERGENCIES = frozenset({"N_EMERG_MED", "N_CRISIS_MH"})  # a sign of danger is one as long as it calls for these
DANGER_NOW = frozenset({"S_PERP_NEAR", "S_LOCKED"})
PAGE = 50  # lines on a page
SAFETY = "N_SAFETY_PLAN"  # what these signs call for: once she has it, they are no sign of right now
RULES_STAMP = f"{STAMP} danger or unsafe, settled"  # a rank is good for the rules it was made with
FRESH_SIGNS = 24  # hours: so long what she said of right now is taken as of right now
Doubts = Mapping[int, tuple[str, ...]]  # case -> the signs for which it is put aside
Lies = Callable[[Summary, Doubts], bool]
# a place in the queue -> its name, and which summaries lie there
FOLDERS: Final[Mapping[str, tuple[str, Lies]]] = {
    "open": (
        N_("To be worked on"),
        lambda summary, aside: summary.state in {NEW, OPEN} and not summary.marks and summary.case not in aside,
    ),
    "new": (
        N_("Nobody has opened it"),
        lambda summary, aside: summary.state == NEW and not summary.marks and summary.case not in aside,
    ),
    "unread": (
        N_("Not read"),
        lambda summary, _aside: summary.unread and (not summary.marks or bool(summary.heard_at)),
    ),
    "closed": (N_("Closed"), lambda summary, _aside: summary.state == CLOSED and not summary.marks),
    "threats": (N_("Threats against the team"), lambda summary, _aside: THREAT in summary.marks),
    "junk": (N_("Junk and not reports"), lambda summary, _aside: bool(summary.marks) and THREAT not in summary.marks),
    "doubtful": (N_("Perhaps no report"), lambda summary, aside: summary.case in aside),
    "all": (N_("All"), lambda _summary, _aside: True),
}
NOTHING: Final[Doubts] = {}
KILLED_OR_MISSING = "KILLING_DISAPPEARANCE"
# what is known of a companion -> how a line of the queue says it; what is not known counts as missing
OF_A_COMPANION: Final = {
    "killed": N_("A companion was killed"),
    "missing": N_("A companion is missing"),
    "unknown": N_("A companion may be missing"),
}
NOBODY, MINE = "nobody", "mine"
CONTACT = "W_CONTACT_BACK"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One line of the queue, as a tired person reads it."""

    summary: Summary
    alias: str
    need: Need | None
    left: float | None  # hours in the nearest window
    danger: bool
    unsafe: bool
    minor: bool
    place: str | None
    record_only: bool
    companion: str = ""  # in words, where it is about somebody killed or missing
    why: str = ""  # why it stands where it stands: a name in `PLACES`

    @property
    def case(self) -> int:
        """Its number."""
        return self.summary.case


def line_of(summary: Summary, now: float) -> QueueItem:
    """What a summary says now; needs and clocks are worked out at the moment of looking."""
    incident = summary.incident_at(now)
    assessment = assess(incident)
    needs = [need for need in assessment.needs if need.code not in summary.settled]
    left = _nearest_window(needs)
    danger = any(need.code in EMERGENCIES for need in needs)
    unsafe = not incident.flags.isdisjoint(DANGER_NOW) and SAFETY not in summary.settled
    return QueueItem(
        summary=summary,
        alias=alias(summary.case),
        need=needs[0] if needs else None,
        left=left,
        danger=danger,
        unsafe=unsafe,
        minor=incident.age in MINOR_AGES,
        place=incident.province or incident.department or incident.region,
        record_only=not assessment.create_referral,
        companion=_companion(incident),
        why=place_of(summary, now / HOUR, window=left is not None, danger=danger or unsafe),
    )


def _companion(incident: Incident) -> str:
    return OF_A_COMPANION[incident.victim_state or "unknown"] if KILLED_OR_MISSING in incident.violence else ""


def _nearest_window(needs: Sequence[Need]) -> float | None:
    """Hours left in the window that closes first, among the needs that are the most urgent here."""
    first = needs[0].urgency if needs else ""
    left = [need.hours_left for need in needs if need.urgency == first and need.hours_left is not None]
    return min(left, default=None)


# ── what was worked out before ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Rank:
    """How urgent a case is, until when that holds, and when its nearest window closes (hours since 1970)."""

    urgency: int
    danger: bool  # medical, or whoever did it is near or holds her
    closes: float | None
    until: float | None  # None: nothing changes any more

    def holds(self, now: float) -> bool:
        """Whether nothing has changed since it was worked out."""
        return self.until is None or now / HOUR < self.until


def rank_of(summary: Summary, now: float) -> Rank:
    """Worked out with the rules; it changes only where a time passes a limit of a rule."""
    line = line_of(summary, now)
    return Rank(
        urgency=URGENCIES.index(line.need.urgency) if line.need else len(URGENCIES),
        danger=line.danger or line.unsafe,
        closes=None if line.left is None else now / HOUR + line.left,
        until=min((hour for hour in _changes(summary) if hour >= now / HOUR), default=None),
    )


def _changes(summary: Summary) -> Iterator[float]:
    """Every hour (since 1970) at which the rules may say something else of it."""
    hours = summary.incident.hours
    begins = [summary.acts_told] if hours is None else [summary.told_at - end for end in hours]
    yield from (begin + limit for begin in begins for limit in LIMITS)
    yield from (summary.signs_told + limit for limit in SIGN_LIMITS)


@dataclass(frozen=True, slots=True)
class QueueCache:
    """Summaries and ranks of a queue as last worked out, by case. A rank is good for one seal of a summary."""

    summaries: Mapping[int, tuple[str, SummaryContent]] = field(default_factory=dict)
    ranks: Mapping[int, Rank] = field(default_factory=dict)

    def rank(self, summary: Summary, now: float) -> Rank:
        """The rank of a summary: the one that is known, where it still holds."""
        return self.ranks[summary.case] if self.knows(summary, now) else rank_of(summary, now)

    def knows(self, summary: Summary, now: float) -> bool:
        """Whether it holds this summary as it is, with a rank that is still good."""
        known = self.ranks.get(summary.case)
        return known is not None and self.summaries[summary.case][0] == summary.seal and known.holds(now)

    def stale_parts(self, summaries: Iterable[Summary], now: float) -> frozenset[int]:
        """The parts that are worth writing anew: much has changed, or they know a case that is not there."""
        held, changed, missing = Counter[int](), Counter[int](), set(self.summaries)
        for summary in summaries:
            part = part_of(summary.case)
            held[part] += 1
            changed[part] += not self.knows(summary, now)
            missing.discard(summary.case)
        many = {part for part, count in changed.items() if count * FEW > held[part]}
        return frozenset(many | {part_of(case) for case in missing})


FEW = 50  # a part of a cache is written anew when more than one of its summaries in fifty has changed


def to_bytes(cache: QueueCache) -> bytes:
    """The bytes of a cache, with the stamp of the rules it was worked out by, to be sealed."""
    rows = [
        [case, seal, content.as_stored(), rank.urgency, rank.danger, rank.closes, rank.until]
        for case, rank in cache.ranks.items()
        for seal, content in (cache.summaries[case],)
    ]
    return json.dumps({"rules": RULES_STAMP, "rows": rows}, separators=(",", ":"), ensure_ascii=False).encode()


def from_bytes(packed: bytes) -> QueueCache:
    """The cache in the bytes of `to_bytes`; empty where the rules are others by now, or where there is nothing."""
    read = json.loads(packed) if packed else {}
    if read.get("rules") != RULES_STAMP:
        return QueueCache()
    summaries = {case: (seal, SummaryContent.from_stored(stored)) for case, seal, stored, *_ in read["rows"]}
    ranks = {case: Rank(*rank) for case, _, _, *rank in read["rows"]}
    return QueueCache(summaries, ranks)


def joined(caches: Iterable[QueueCache]) -> QueueCache:
    """The caches of several teams as one."""
    summaries: dict[int, tuple[str, SummaryContent]] = {}
    ranks: dict[int, Rank] = {}
    for cache in caches:
        summaries |= cache.summaries
        ranks |= cache.ranks
    return QueueCache(summaries, ranks)


def worked_out(summaries: Iterable[Summary], before: QueueCache, now: float) -> QueueCache:
    """The cache of these summaries as of now."""
    listed = list(summaries)
    return QueueCache(
        {summary.case: (summary.seal, summary.content) for summary in listed},
        {summary.case: before.rank(summary, now) for summary in listed},
    )


def in_parts(
    summaries: Iterable[Summary], parts: frozenset[int], here: frozenset[int], before: QueueCache, now: float
) -> dict[int, bytes]:
    """These parts of a cache, ready to be kept, of the summaries that are here; empty where there are none."""
    listed: dict[int, list[Summary]] = {part: [] for part in parts}
    for summary in summaries:
        if summary.case in here and part_of(summary.case) in listed:
            listed[part_of(summary.case)].append(summary)
    return {part: to_bytes(worked_out(some, before, now)) if some else b"" for part, some in listed.items()}


# ── the order ───────────────────────────────────────────────────────────────────────────────────────────────
Key = Callable[[Summary, Rank, float], tuple[Any, ...]]


# Why a case stands where it stands, the first first; a case stands at the first that fits. What nobody has yet goes
# before what is in hand: without "danger" and "window" in this order, signs of last week hid a window of two hours.
# name -> (as the queue says it, whether it fits: what a summary says, an open window, danger, the hour now)
Fits = Callable[[Summary, bool, bool, float], bool]
PLACES: Final[Mapping[str, tuple[str, Fits]]] = {
    "danger": (
        N_("Danger now, and nobody has it"),
        lambda summary, _window, danger, hour: (
            danger and not summary.is_taken and summary.signs_told > hour - FRESH_SIGNS
        ),
    ),
    "window": (
        N_("A window closes, and nobody has it"),
        lambda summary, window, _danger, _hour: window and not summary.is_taken,
    ),
    "wrote": (N_("She said something and waits"), lambda summary, _window, _danger, _hour: summary.waits),
    "new": (N_("New"), lambda summary, _window, _danger, _hour: summary.state == NEW),
    "open": (N_("Nobody has it yet"), lambda summary, _window, _danger, _hour: not summary.is_taken),
    "taken": (N_("In hand"), lambda _summary, _window, _danger, _hour: True),
}
_PLACE_NUMBERS = {name: number for number, name in enumerate(PLACES)}


def place_of(summary: Summary, hour: float, *, window: bool, danger: bool) -> str:
    """Why a case stands where it stands, by name."""
    return next(name for name, (_, fits) in PLACES.items() if fits(summary, window, danger, hour))


def _urgency(summary: Summary, rank: Rank, hour: float) -> tuple[Any, ...]:
    left = math.inf if rank.closes is None else max(0.0, rank.closes - hour)
    return rank.urgency, not rank.danger, left, summary.hour // 24, summary.case


def _first_first(summary: Summary, rank: Rank, hour: float) -> tuple[Any, ...]:
    """By its place; among windows the soonest, among those who wait the longest, else by urgency."""
    window = rank.closes is not None and rank.closes > hour
    place = place_of(summary, hour, window=window, danger=rank.danger)
    within = {"window": rank.closes, "wrote": summary.heard_at}.get(place) or 0
    return _PLACE_NUMBERS[place], within, *_urgency(summary, rank, hour)


# how a queue can be sorted: name, key at an hour
SORTS: Final[Mapping[str, tuple[str, Key]]] = {
    "urgency": (N_("The most urgent first"), _first_first),
    "newest": (N_("The newest first"), lambda summary, _rank, _hour: (-summary.hour, summary.case)),
    "oldest": (N_("The oldest first"), lambda summary, _rank, _hour: (summary.hour, summary.case)),
    "answered": (
        N_("The unanswered first"),
        lambda summary, rank, hour: (summary.answered, *_urgency(summary, rank, hour)),
    ),
}


def put_aside(summaries: Sequence[Summary], now: float, cache: QueueCache | None = None) -> Doubts:
    """Cases that nobody has opened, with two signs of junk. Nothing that may be urgent, no child, nobody who asks."""
    known, doubts = cache or QueueCache(), dict[int, tuple[str, ...]]()
    first = {
        summary.words: summary.case
        for summary in sorted(summaries, key=lambda summary: (summary.hour, summary.case), reverse=True)
    }
    for summary in summaries:
        repeats = bool(summary.words) and first[summary.words] != summary.case  # who said it first did not repeat it
        signs = (*summary.signs, *((REPEATED,) if repeats else ()))
        waits = summary.state == NEW and not summary.owner and not summary.marks
        if waits and len(signs) >= ENOUGH and not _may_be_urgent(summary, known.rank(summary, now)):
            doubts[summary.case] = signs
    return doubts


def _may_be_urgent(summary: Summary, rank: Rank) -> bool:
    incident = summary.incident
    signs = {flag for flag in incident.flags if flag.startswith(MEDICAL_DANGER)}
    in_danger = bool(signs) or not incident.flags.isdisjoint(DANGER_NOW)
    asks = incident.age in MINOR_AGES or CONTACT in incident.wants
    return in_danger or asks or rank.closes is not None or rank.urgency == URGENCIES.index("NOW")


@dataclass(frozen=True, slots=True)
class View:
    """What somebody wants to see of the queue. It stands in the address, so that a saved view is a bookmark."""

    folder: str = "open"
    owner: str = ""
    name: str = ""
    sort: str = "urgency"
    after: int = 0
    fold: int = 0  # a case: what lies in the fold that it stands for, each by itself


def chosen(summaries: Iterable[Summary], view: View, me: int, aside: Doubts = NOTHING) -> list[Summary]:
    """The summaries that a view asks for, in no order."""
    _, lies_there = FOLDERS[view.folder]
    return [
        summary
        for summary in summaries
        if lies_there(summary, aside) and _is_hers(summary, view.owner, me) and _is_called(summary, view.name)
    ]


def _is_hers(summary: Summary, owner: str, me: int) -> bool:
    if owner == MINE:
        return summary.owner == me
    if owner == NOBODY:
        return not summary.owner
    return not owner.isdecimal() or summary.owner == int(owner)


def _is_called(summary: Summary, name: str) -> bool:
    """Part of its alias or of one of its labels."""
    if not name.strip():
        return True
    wanted = plain(name).replace(" ", "")
    return any(wanted in plain(title).replace(" ", "") for title in (alias(summary.case), *summary.labels))


def in_order(
    summaries: Iterable[Summary], now: float, sort: str = "urgency", cache: QueueCache | None = None
) -> list[Summary]:
    """The summaries in the order asked for."""
    known, key = cache or QueueCache(), SORTS[sort][1]
    return sorted(summaries, key=lambda summary: key(summary, known.rank(summary, now), now / HOUR))


def page_of(summaries: Sequence[Summary], after: int) -> tuple[Sequence[Summary], int]:
    """The fifty summaries after a case, and the case after which the next page begins (0: there is none)."""
    start = next((number + 1 for number, summary in enumerate(summaries) if summary.case == after), 0)
    shown = summaries[start : start + PAGE]
    return shown, shown[-1].case if start + PAGE < len(summaries) else 0
