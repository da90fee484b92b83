"""The course of a case: the little that is counted of how it went, as one frozen record in codes and hours.

No word that anybody wrote is in it. Worked out of an opened case; pure. Knows no period, no team and no table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Self

from referrals.casework.referral import MOVES, PROPOSED, TO_PROTECT
from referrals.needs.assessment import assess
from referrals.needs.rules import STAMP
from reporting.cases.follow_up import next_steps
from reporting.cases.follow_up.days import WorkingDays
from reporting.cases.follow_up.how_was_it import how_it_was
from reporting.cases.follow_up.progress import progress_of
from reporting.cases.records import FROM_HER, Case, Referral
from reporting.vocabulary.need_states import MET_ELSEWHERE, NOT_WANTED, REACH, REFUSE

COUNTED_WINDOWS: Final = ("N_PEP", "N_EC")  # needs whose window is watched
# how far a referral came, step by step -> a move that says so, or says more
STEPS: Final[Mapping[str, frozenset[str]]] = {
    "proposed": frozenset(),
    "yes": frozenset({"agree"}),
    "sent": frozenset({"send"}),
    "accepted": frozenset({"accept"}),
    "reached": frozenset({REACH}),
}
HER_NO: Final = frozenset({"decline", "revoke"})
COURSE_STAMP: Final = f"{STAMP} courses 2"  # by which rules a course was worked out, and how it is written


@dataclass(frozen=True, slots=True)
class WindowCourse:
    """A need whose window was open when she reported. Hours since 1970; 0 is never, or not known."""

    need: str
    ends: int  # in which the window closes, by the earliest time she told; 0 where she told none that says
    reached: int  # in which she was first attended for it
    elsewhere: bool  # she has it from elsewhere
    unwanted: bool  # she does not want it


@dataclass(frozen=True, slots=True)
class ReferralCourse:
    """What became of one referral. `protects`: it was filed to protect a child, without her yes."""

    service: str
    steps: int  # how many of `STEPS` it came through: 1 is proposed
    her_no: bool  # her last word on it was no
    refusals: tuple[str, ...]  # the reason of each time its service refused; empty where none was noted
    protects: bool


@dataclass(frozen=True, slots=True)
class DueWork:
    """A next step that had a day. Hours since 1970: with which the day is over; in which it was done, 0 for never."""

    until: int
    done: int


@dataclass(frozen=True, slots=True)
class Course:
    """What is counted of one case. Hours since 1970, 0 for never; codes as they stand in the case."""

    case: int
    version: int  # of the case, when this was worked out
    hour: int  # of the report
    province: str  # or the department, where she told no more; empty where she told neither
    marked: bool  # folded away: it counts nowhere
    voice: bool  # somebody of the team wrote it down while she told it
    may_write: bool  # she allows letters
    answered: int  # hour of the first letter of the team
    state: str
    outcome: str
    owner: int
    gaps: tuple[str, ...]  # needs that no service meets where she is
    was_closed: bool  # at least once
    reopened: bool  # at least once
    reopened_by_her: bool
    face: str  # how it was for her; empty where she said nothing
    windows: tuple[WindowCourse, ...]
    referrals: tuple[ReferralCourse, ...]
    work: tuple[DueWork, ...]  # the steps after moves of referrals, and those that people planned

    def to_json(self) -> bytes:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """The course that `to_json` wrote down."""
        kept: dict[str, Any] = json.loads(line)
        windows = tuple(WindowCourse(**window) for window in kept.pop("windows"))
        referrals = tuple(
            ReferralCourse(**referral | {"refusals": tuple(referral["refusals"])}) for referral in kept.pop("referrals")
        )
        work = tuple(DueWork(**step) for step in kept.pop("work"))
        gaps = tuple(kept.pop("gaps"))
        return cls(**kept, gaps=gaps, windows=windows, referrals=referrals, work=work)


def course_of(case: Case, days: WorkingDays) -> Course:
    """What is counted of a case as it stands; `days` of its place, by which a step has its day."""
    history = case.work_record.get("history", ())
    reopened = [entry["by"] for entry in history if entry["act"] == "reopened"]
    incident = case.incident
    return Course(
        case=case.id,
        version=case.version,
        hour=case.hour,
        province=incident.province or incident.department or "",
        marked=case.unwell,
        voice=bool(case.voice),
        may_write="C_LETTERS" in case.consents,
        answered=min((letter.hour for letter in case.letters if letter.sender != FROM_HER), default=0),
        state=case.state,
        outcome=case.work_record.get("outcome", ""),
        owner=case.owner,
        gaps=tuple(case.work_record.get("gaps", ())),
        was_closed=any(entry["act"] == "closed" for entry in history),
        reopened=bool(reopened),
        reopened_by_her=0 in reopened,
        face=how_it_was(case.work_record),
        windows=tuple(_windows(case)),
        referrals=tuple(map(_referral, case.referrals)),
        work=tuple(_work(case, days)),
    )


def _work(case: Case, days: WorkingDays) -> Iterator[DueWork]:
    """Each step that followed from a move, done by the next one or when somebody said so; then what people planned."""
    progress = progress_of(case)
    said = next_steps.hours_done(progress)
    for referral in case.referrals:
        for stood, following in _as_it_stood(referral):
            step = next_steps.step_after(progress, stood, days)
            if step is not None:
                ends = [hour for hour in (said.get(step.key), following) if hour]
                yield DueWork(_day_is_over(step.day, days), min(ends, default=0))
    for step, done in next_steps.planned_by_people(progress, days):
        yield DueWork(_day_is_over(step.day, days), done)


def _as_it_stood(referral: Referral) -> Iterator[tuple[Referral, int]]:
    """The referral after each of its moves, and the hour of the next move; 0 after the last."""
    state = TO_PROTECT if referral.protects else PROPOSED
    for number, move in enumerate(referral.moves, 1):
        state = MOVES[state][move["move"]].next if number > 1 else state
        hour = referral.moves[number]["hour"] if number < len(referral.moves) else 0
        by_then = tuple(meeting for meeting in referral.appointments if not hour or meeting.hour <= hour)
        yield replace(referral, state=state, moves=referral.moves[:number], appointments=by_then), hour


def _day_is_over(day: date, days: WorkingDays) -> int:
    return days.begins(day + timedelta(days=1))


def _windows(case: Case) -> Iterable[WindowCourse]:
    """The watched needs that stood open with a running window in the hour of the report, by what she told then."""
    needs = {need.code: need for need in assess(case.first).needs}
    for code in COUNTED_WINDOWS:
        if code in needs:
            left, stands = needs[code].hours_left, case.need_states.get(code)
            attended = (
                step["hour"]
                for referral in case.referrals
                for step in referral.moves
                if referral.need == code and step["move"] == REACH
            )
            yield WindowCourse(
                need=code,
                ends=case.hour + int(left) if left else 0,
                reached=min(attended, default=0),
                elsewhere=stands is not None and stands.state == MET_ELSEWHERE,
                unwanted=stands is not None and stands.state == NOT_WANTED,
            )


def _referral(referral: Referral) -> ReferralCourse:
    moves = [step["move"] for step in referral.moves]
    furthest = max(number for number, says in enumerate(STEPS.values()) if not says or says & {*moves})
    words = [move for move in moves if move in HER_NO or move == "agree"]
    return ReferralCourse(
        service=referral.service,
        steps=furthest + 1,
        her_no=words[-1:] != [] and words[-1] in HER_NO,
        refusals=tuple(step.get("because", "") for step in referral.moves if step["move"] == REFUSE),
        protects=bool(referral.protects),
    )
