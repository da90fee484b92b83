"""The queue: which case first, why it stands there, and which a view shows. Opens nothing.

With thousands of cases it matters that nothing is worked out twice: how each stands, and until when that holds, is
remembered (`ranks`). Order: the table of places, within one urgency, medical danger, then hours left in the nearest
window, then the day it came. What is folded away (a threat, junk, what is no report) and what is closed stands apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Final

from referrals.casework import ranks
from referrals.casework.pressing import EMERGENCIES, Pressing, has_signs, pressing, told_danger
from referrals.casework.ranks import ORDER, Rank, fixed
from referrals.needs.assessment import past_windows
from referrals.needs.codes import URGENCIES, Need
from referrals.needs.rules import LIMITS, SIGN_LIMITS, STAMP
from reporting.cases.desk import CONTACT_DAYS
from reporting.cases.junk import SIGNS as JUNK_SIGNS
from reporting.cases.records import JUNK_DAYS, THREAT, alias
from reporting.cases.summary import CLOSED, NEW, OPEN, Summary
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS

PAGE = 50  # lines on a page
FRESH_SIGNS = 24  # hours: so long what she said of right now is taken as of right now
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
class Moment:
    """A case at the moment of looking: what its summary says, the hour (since 1970), and what presses."""

    summary: Summary
    hour: float
    window: bool  # one is open
    unserved: bool  # and no service is on its way for it
    danger: bool  # now
    told_danger: bool  # she told it, however long ago

    def nobody_answered(self, since: int) -> bool:
        """Whether nobody has written or spoken to her since that hour."""
        return self.summary.is_left_alone(since, self.hour)

    @property
    def nobody_has_it(self) -> bool:
        """Whether it is open and nobody's."""
        return not self.summary.owner and self.summary.state != CLOSED


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order: as the queue says it, what it says where somebody has the case, and whether it fits.

    `always`: what the queue says is said also where somebody has the case.
    """

    says: str
    fits: Callable[[Moment], bool]
    held: str = ""
    always: bool = True


NOT_WRITTEN: Final = N_("%(who)s has it; nobody has written to her")
# Why a case stands where it stands, the first first; a case stands at the first that fits. What nobody answered goes
# before what is in hand, and neither a look nor that somebody takes it is an answer: who was strangled stood last
# because a colleague had pressed "I take it". Without "danger" and "window" in this order, signs of last week hid a
# window of two hours.
PLACES: Final[Mapping[str, Place]] = {
    "danger": Place(
        N_("Danger now"),
        lambda now: (
            now.danger
            and now.summary.signs_told > now.hour - FRESH_SIGNS
            and now.nobody_answered(now.summary.signs_told)
        ),
        NOT_WRITTEN,
    ),
    "window": Place(
        N_("Its time runs out"),
        lambda now: (
            now.window and (now.nobody_answered(now.summary.happened_told) or (now.nobody_has_it and now.unserved))
        ),
        NOT_WRITTEN,
    ),
    "silent": Place(
        N_("She told of danger"),
        lambda now: now.told_danger and now.nobody_answered(now.summary.signs_told),
        NOT_WRITTEN,
    ),
    "send": Place(N_("She said yes: send it"), lambda now: now.summary.waits_to_be_sent),
    "wrote": Place(N_("She wrote"), lambda now: now.summary.waits),
    "due": Place(N_("Due today"), lambda now: now.summary.is_due(now.hour) and not now.summary.is_untouched),
    "open": Place(N_("Nobody has it yet"), lambda now: not now.summary.is_in_hand(now.hour), NOT_WRITTEN, always=False),
    "taken": Place(N_("In hand"), lambda _now: True, N_("%(who)s has it"), always=False),
}
_PLACE_NUMBERS = {name: number for number, name in enumerate(PLACES)}
# places at which nobody has answered what may be over in hours: a look is soon forgotten there
UNANSWERED: Final = frozenset(_PLACE_NUMBERS[name] for name in ("danger", "window", "silent"))
TODAY: Final = frozenset({*PLACES} - {"taken"})  # places at which something is to be done
# which of these places wait longest first: what she waits for
WAITING: Final = frozenset({"send", "wrote"})
# a folder of the queue -> its name, and whether a summary lies there that stands at this place
Lies = Callable[[Summary, str, bool], bool]
FOLDERS: Final[Mapping[str, tuple[str, Lies]]] = {
    "today": (
        N_("Today"),
        lambda summary, place, window: summary.state != CLOSED and not summary.marks and (window or place in TODAY),
    ),
    "new": (N_("New ones"), lambda summary, _place, _window: summary.state == NEW and not summary.marks),
    "waits": (
        N_("She waits"),
        lambda summary, _place, _window: not summary.marks and (summary.waits or summary.waits_to_be_sent),
    ),
    MINE: (N_("Mine"), lambda summary, _place, _window: summary.state != CLOSED and not summary.marks),
    "open": (
        N_("All of them"),
        lambda summary, _place, _window: summary.state in {NEW, OPEN} and not summary.marks,
    ),
    "unread": (
        N_("Not read"),
        lambda summary, _place, _window: summary.unread and (not summary.marks or bool(summary.heard_at)),
    ),
    "closed": (N_("Closed"), lambda summary, _place, _window: summary.state == CLOSED and not summary.marks),
    "threats": (N_("Threats against the team"), lambda summary, _place, _window: THREAT in summary.marks),
    "junk": (
        N_("Junk and not reports"),
        lambda summary, _place, _window: bool(summary.marks) and THREAT not in summary.marks,
    ),
    "doubtful": (N_("Perhaps no report"), lambda _summary, _place, _window: False),  # decided among all: `put_aside`
    "all": (N_("Closed and set aside too"), lambda _summary, _place, _window: True),
}
TABS: Final = ("today", "new", "waits", MINE, "open")  # folders that are always shown; the others where something lies
FOLDER_BITS = {name: 1 << number for number, name in enumerate(FOLDERS)}
LEAVES = tuple(FOLDER_BITS[name] for name in TABS)  # what is put aside lies in none of these
# what a case has, as bits of a rank
MINOR, URGENT, WINDOW, TO_JUDGE, ANSWERED, LABELLED = (1 << number for number in range(6))
TO_READ = 1 << 30  # a hand-over note in it waits to be read; by whom, its summary says
SIGN_BITS = {sign: 1 << (6 + number) for number, sign in enumerate(JUNK_SIGNS)}
RULES_STAMP = f"{STAMP} {','.join(PLACES)} {','.join(FOLDERS)} {','.join(JUNK_SIGNS)} ranks 7"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One line of the queue, as a tired person reads it."""

    summary: Summary
    alias: str
    need: Need | None
    left: float | None  # hours in the nearest window; 0 where it may be past: hours told as a range, or not at all
    over: float | None  # hours until that window is surely over
    closes: float  # the hour (since 1970) in which it closes, or surely has; infinite without one
    danger: bool
    unsafe: bool
    minor: bool
    place: str | None
    record_only: bool
    may_be_urgent: bool  # somebody in it may need help now
    companion: str = ""  # in words, where it is about somebody killed or missing
    why: str = ""  # why it stands where it stands: a name in `PLACES`
    needed: frozenset[str] = frozenset()  # everything that follows from what she told, as of now

    @property
    def window(self) -> bool:
        """Whether one is open."""
        return self.left is not None

    @property
    def presses(self) -> bool:
        """Whether a window is open, or there is danger now."""
        return self.window or self.danger or self.unsafe

    @property
    def case(self) -> int:
        """Its number."""
        return self.summary.case


def line_of(summary: Summary, now: float) -> QueueItem:
    """What a summary says now; needs and clocks are worked out at the moment of looking."""
    incident = summary.incident_at(now)
    presses = pressing(incident, summary.settled, summary.under_way)
    moment = Moment(
        summary=summary,
        hour=now / HOUR,
        window=presses.window,
        unserved=presses.unserved,
        danger=presses.is_danger,
        told_danger=presses.is_danger or told_danger(incident, summary.settled) is not None,
    )
    return QueueItem(
        summary=summary,
        alias=alias(summary.case),
        need=presses.needs[0] if presses.needs else None,
        left=presses.left,
        over=presses.over,
        closes=presses.closes(now / HOUR),
        danger=presses.danger,
        unsafe=presses.unsafe,
        minor=incident.age in MINOR_AGES,
        place=incident.province or incident.department or incident.region,
        record_only=not presses.assessment.create_referral,
        may_be_urgent=may_be_urgent(incident, presses),
        companion=_companion(incident),
        why=place_of(moment),
        needed=frozenset(need.code for need in presses.assessment.needs),
    )


def missed_windows(line: QueueItem, now: float) -> tuple[str, ...]:
    """The needs whose window was open when she told it, and closed before anybody wrote or spoke to her."""
    summary = line.summary
    if not summary.is_left_alone(summary.happened_told, now / HOUR):
        return ()
    over = past_windows(summary.incident, line.needed)
    return tuple(need for need in over if need not in EMERGENCIES and need not in summary.settled)


def _companion(incident: Incident) -> str:
    return OF_A_COMPANION[incident.victim_state or "unknown"] if KILLED_OR_MISSING in incident.violence else ""


# ── how each stands, worked out once ────────────────────────────────────────────────────────────────────────


def rank_of(summary: Summary, now: float) -> Rank:
    """Worked out with the rules; it changes only where a time passes a limit of a rule, or a day begins."""
    line, hour = line_of(summary, now), now / HOUR
    incident = summary.incident
    # who waits longest goes first, behind what presses: that goes by urgency, danger and window
    longest = {"due": summary.due_at} | dict.fromkeys(WAITING, summary.heard_at)
    within = {"window": line.closes} | ({} if line.presses else longest)
    return Rank(
        place=_PLACE_NUMBERS[line.why],
        within=within.get(line.why) or 0,
        urgency=URGENCIES.index(line.need.urgency) if line.need else len(URGENCIES),
        calm=not (line.danger or line.unsafe),
        closes=line.closes,
        day=summary.hour // 24,
        case=summary.case,
        until=min((changes for changes in _changes(summary) if changes >= hour), default=math.inf),
        epoch=summary.epoch,
        version=summary.version,
        hour=summary.hour,
        heard=max(summary.heard_at, summary.hour),
        wrote=summary.wrote_at,
        ends=_ends(summary),
        owner=summary.owner,
        need=1 + NEED_NUMBERS[line.need.code] if line.need else 0,
        lies=sum(FOLDER_BITS[name] for name, (_, lies) in FOLDERS.items() if lies(summary, line.why, line.window)),
        traits=_traits(summary, line),
        group=summary.group or 0,
        department=fixed("department", incident.department or ""),
        language=fixed("language", summary.language),
        words=fixed("words", summary.words),
        mark=fixed("mark", "") if not summary.mark else summary.mark,
    )


NEED_NUMBERS = {code: number for number, code in enumerate(NEEDS)}


def _traits(summary: Summary, line: QueueItem) -> int:
    has = {
        MINOR: line.minor,
        URGENT: line.may_be_urgent,
        WINDOW: line.window and summary.state != CLOSED and not summary.marks,
        TO_JUDGE: summary.state == NEW and not summary.owner and not summary.marks,
        ANSWERED: summary.answered,
        LABELLED: bool(summary.labels),
        TO_READ: bool(summary.to_read),
    }
    signs = sum(SIGN_BITS[sign] for sign in {*summary.signs} & SIGN_BITS.keys())
    return signs + sum(bit for bit, it_has in has.items() if it_has)


def _ends(summary: Summary) -> int:
    """The hour from which on something of it goes, 0 where there is none."""
    if summary.junk_at:
        return summary.junk_at + 24 * JUNK_DAYS
    return summary.closed_at + 24 * CONTACT_DAYS if summary.state == CLOSED and summary.may_be_reachable else 0


def ended(listed: Iterable[Rank], now: float) -> list[int]:
    """The cases of which something goes now: `desk.tidy` and `desk.clear_junk` say what."""
    return [rank.case for rank in listed if 0 < rank.ends < now / HOUR]


def may_be_urgent(incident: Incident, presses: Pressing) -> bool:
    """Whether somebody in it may need help now: danger she told, a window, a child, or that she asks to be reached."""
    asks = incident.age in MINOR_AGES or CONTACT in incident.wants
    is_now = bool(presses.needs) and presses.needs[0].urgency == "NOW"
    return has_signs(incident) or asks or presses.window or is_now


def _changes(summary: Summary) -> Iterator[float]:
    """Every hour (since 1970) at which something else may be true of it."""
    hours = summary.incident.hours
    begins = [summary.acts_told] if hours is None else [summary.told_at - end for end in hours]
    yield from (begin + limit for begin in begins for limit in LIMITS)
    yield from (summary.signs_told + limit for limit in (*SIGN_LIMITS, FRESH_SIGNS))
    yield from summary.changing_hours


# the cache of the queue, by the rules as they are
worked_out = partial(ranks.worked_out, work=rank_of)
to_bytes = partial(ranks.to_bytes, stamp=RULES_STAMP)
from_bytes = partial(ranks.from_bytes, stamp=RULES_STAMP)


def place_of(moment: Moment) -> str:
    """Why a case stands where it stands, by name."""
    return next(name for name, place in PLACES.items() if place.fits(moment))


# ── the order ───────────────────────────────────────────────────────────────────────────────────────────────
# how a queue can be sorted: name, key of a rank
SORTS: Final[Mapping[str, tuple[str, Callable[[Rank], Any]]]] = {
    "urgency": (N_("The most urgent first"), ORDER),
    "newest": (N_("The newest first"), lambda rank: (-rank.hour, rank.case)),
    "oldest": (N_("The oldest first"), attrgetter("hour", "case")),
    "answered": (N_("The unanswered first"), lambda rank: (rank.traits & ANSWERED, *rank[2:7])),
}


def in_order(listed: Iterable[Rank], sort: str = "urgency") -> list[Rank]:
    """The ranks in the order asked for."""
    return sorted(listed, key=SORTS[sort][1])
