"""How it goes: the figures of many courses. Exact, and therefore for those alone who can open each of these cases.

Pure: is handed courses, the hour and the kinds of services; knows no member's name, no table and no page.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, TypeVar

from referrals.casework.follow_up.course import COUNTED_WINDOWS, STEPS, Course, DueWork, ReferralCourse, WindowCourse
from reporting.cases.summary import CLOSED
from reporting.clock import HOUR
from reporting.vocabulary.tally import ANSWERED_WITHIN, answered_of

IN_TIME, LATE, ELSEWHERE, UNWANTED = "in_time", "late", "elsewhere", "unwanted"
RUNS, MISSED, NOT_KNOWN = "runs", "missed", "not_known"
Counted = TypeVar("Counted", int, str, tuple[str, str])
MONTHS: Final = 12
MONTH, MONTH_BEFORE, YEAR = "month", "before", "year"  # periods; any other is all that is there
WINDOW_ENDS: Final = (IN_TIME, ELSEWHERE, UNWANTED, LATE, MISSED, RUNS, NOT_KNOWN)


@dataclass(frozen=True, slots=True)
class Answers:
    """Time to the first letter of the team, of the cases that she wrote herself. Hours."""

    cases: int
    answered: int
    median: float | None  # of those answered; None where none was
    within_day: int
    within_three_days: int
    within_week: int
    never: int  # though she allows letters
    unwanted: int  # not answered, and she allows no letters


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """One need with a window: in how many cases it was open at the report, and how each came out."""

    need: str
    cases: int
    counts: Mapping[str, int]  # one of WINDOW_ENDS -> cases


@dataclass(frozen=True, slots=True)
class Cascade:
    """Referrals to one kind of service: how many came at least so far."""

    kind: str
    steps: Mapping[str, int]  # name of a step -> referrals; it never grows from step to step
    her_no: int


@dataclass(frozen=True, slots=True)
class WorkFigures:
    """Next steps whose day has come or that are done: on their day or before, later, and not yet."""

    kept: int
    late: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How it goes in a set of cases. The order of what is counted by name is by count, then by name."""

    cases: int
    marked: int  # beside these: folded away, they count nowhere
    answers: Answers
    windows: tuple[WindowFigures, ...]
    cascade: tuple[Cascade, ...]  # all kinds together first, under an empty name, where there is any
    to_protect: int  # referrals for a child without her yes, which stand in no cascade
    refusals: tuple[tuple[str, str, int], ...]  # service, reason, how often
    gaps: tuple[tuple[str, str, int], ...]  # place, need, cases
    closed: int
    outcomes: tuple[tuple[str, int], ...]
    ever_closed: int
    reopened: int
    reopened_by_her: int
    faces: Mapping[str, int]
    work: WorkFigures


def figures_of(courses: Iterable[Course], hour: float, kind_of: Callable[[str], str]) -> Figures:
    """The figures of these courses as of an hour (since 1970). `kind_of`: service -> its kind."""
    every = list(courses)
    counted = [course for course in every if not course.marked]
    closed = [course for course in counted if course.state == CLOSED]
    referrals = [referral for course in counted for referral in course.referrals]
    asked_for = [referral for referral in referrals if not referral.protects]
    return Figures(
        cases=len(counted),
        marked=len(every) - len(counted),
        answers=_answers(counted),
        windows=tuple(_window(need, counted, hour) for need in COUNTED_WINDOWS),
        cascade=tuple(_cascade(kind, some) for kind, some in _by_kind(asked_for, kind_of)),
        to_protect=len(referrals) - len(asked_for),
        refusals=tuple(
            (service, reason, count)
            for (service, reason), count in _most_first(
                (referral.service, reason) for referral in referrals for reason in referral.refusals
            )
        ),
        gaps=tuple(
            (place, need, count)
            for (place, need), count in _most_first(
                (course.province, need) for course in counted for need in course.gaps
            )
        ),
        closed=len(closed),
        outcomes=tuple(_most_first(course.outcome for course in closed)),
        ever_closed=sum(course.was_closed or course.state == CLOSED for course in counted),
        reopened=sum(course.reopened for course in counted),
        reopened_by_her=sum(course.reopened_by_her for course in counted),
        faces=Counter(course.face for course in counted if course.face),
        work=_work([step for course in counted for step in course.work], hour),
    )


def _work(steps: Collection[DueWork], hour: float) -> WorkFigures:
    return WorkFigures(
        kept=sum(0 < step.done < step.until for step in steps),
        late=sum(step.done >= step.until for step in steps),
        overdue=sum(not step.done and step.until <= hour for step in steps),
    )


def load(courses: Iterable[Course]) -> tuple[tuple[int, int], ...]:
    """(member, open cases) as of now, the most first; 0 is nobody."""
    return tuple(_most_first(course.owner for course in courses if not course.marked and course.state != CLOSED))


@dataclass(frozen=True, slots=True)
class Span:
    """Hours since 1970: from the first on, and until before the last."""

    first: int
    last: int


def span_of(period: str, now: datetime) -> Span:
    """The hours of a period, as of a moment on the clock of the place. A year is this month and the eleven before."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (month - timedelta(days=1)).replace(day=1)
    months = month.year * MONTHS + month.month - MONTHS
    year = month.replace(year=months // MONTHS, month=months % MONTHS + 1)
    first, last = {MONTH: (month, now), MONTH_BEFORE: (before, month), YEAR: (year, now)}.get(period, (None, now))
    return Span(_hour(first) if first else 0, _hour(last) + (last is now))


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // HOUR


def reported_in(courses: Iterable[Course], span: Span) -> list[Course]:
    """The courses of cases that were reported in these hours."""
    return [course for course in courses if span.first <= course.hour < span.last]


def _answers(counted: Sequence[Course]) -> Answers:
    written = [course for course in counted if not course.voice]
    hours = [course.answered - course.hour for course in written if course.answered]
    came = Counter(
        answered_of(course.hour, course.answered or None, letters=course.may_write, voice=course.voice)
        for course in written
    )
    within_day, within_three_days, within_week = accumulate(came[code] for _limit, code in ANSWERED_WITHIN)
    return Answers(
        cases=len(written),
        answered=len(hours),
        median=statistics.median(hours) if hours else None,
        within_day=within_day,
        within_three_days=within_three_days,
        within_week=within_week,
        never=came["NEVER"],
        unwanted=came["NOT_AWAITED"],
    )


def _window(need: str, counted: Iterable[Course], hour: float) -> WindowFigures:
    came = Counter(came_out(window, hour) for course in counted for window in course.windows if window.need == need)
    return WindowFigures(need, came.total(), {end: came[end] for end in WINDOW_ENDS})


def came_out(window: WindowCourse, hour: float) -> str:
    """How an open window came out as of an hour (since 1970): one of WINDOW_ENDS."""
    if not window.ends:
        return NOT_KNOWN
    if 0 < window.reached <= window.ends:
        return IN_TIME
    settled = {ELSEWHERE: window.elsewhere, UNWANTED: window.unwanted, LATE: window.reached, RUNS: hour <= window.ends}
    return next((end for end, holds in settled.items() if holds), MISSED)


def _by_kind(
    referrals: Collection[ReferralCourse], kind_of: Callable[[str], str]
) -> Iterable[tuple[str, Collection[ReferralCourse]]]:
    """All of them under an empty name, then those of each kind, the most first; nothing where there is none."""
    if referrals:
        yield "", referrals
    for kind, _ in _most_first(kind_of(referral.service) for referral in referrals):
        yield kind, [referral for referral in referrals if kind_of(referral.service) == kind]


def _cascade(kind: str, referrals: Collection[ReferralCourse]) -> Cascade:
    came = {name: sum(referral.steps > number for referral in referrals) for number, name in enumerate(STEPS)}
    return Cascade(kind, came, sum(referral.her_no for referral in referrals))


def _most_first(listed: Iterable[Counted]) -> list[tuple[Counted, int]]:
    return sorted(Counter(listed).items(), key=lambda counted: (-counted[1], counted[0]))
