"""What is next in a case: from each state of a referral, and of a case without one, to a step, its day and its owner.

The tables are all of it. A step that the system makes is never stored: it is worked out from the moves, the letters and
the hours of both, so it is done when the move happens. What people set (another day, another owner, done, a step of
their own) lies in the work record. Of the steps of the system one stands at a time, the earliest; a closed case has
none. No step postpones a window: windows come from the rules and stand in the queue by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from reporting.cases.follow_up.days import WorkingDays
from reporting.cases.follow_up.progress import CaseProgress
from reporting.cases.records import FROM_HER, FROM_TEAM, Referral
from reporting.cases.summary import CLOSED, NEW
from reporting.i18n import N_


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step: what is to be done, on the how many-th day after the move, and why so.

    `same_day`: on the very day for what can run out within one. `by_another`: not by who made the move. `presses`: on
    the very day where there is danger, or where a window closes within `SOON` hours.
    """

    name: str
    days: int
    because: str
    same_day: bool = False
    by_another: bool = False
    presses: bool = False


@dataclass(frozen=True, slots=True)
class NoStep:
    """Nothing is to be done because a day has come, and why."""

    because: str


# state of a referral -> the step that follows from it, or why none does. The guide for case workers prints this table.
OF_REFERRAL: Final[Mapping[str, StepRow | NoStep]] = {
    "proposed": StepRow(
        N_("See whether she has answered"),
        2,
        N_("She decides in her own time; who has the case looks after two days whether she needs something else."),
        same_day=True,
    ),
    "consented": StepRow(N_("Send it to the service"), 0, N_("She said yes and waits: it goes on the same day.")),
    "declined": NoStep(N_("Her no is an answer. She is not asked again because a day has come.")),
    "to_protect": StepRow(
        N_("Decide as the second case worker"),
        0,
        N_("A child may be in danger, and nothing goes out before a second person has decided."),
        by_another=True,
    ),
    "protected": StepRow(N_("Send it to the service"), 0, N_("Two people decided that a child needs it: it goes now.")),
    "sent": StepRow(
        N_("Ask the service whether it attends her"),
        2,
        N_("A service that says nothing for two days may not have read it, and she waits."),
        same_day=True,
    ),
    "accepted": StepRow(
        N_("Ask whether she was attended"),
        2,
        N_("After an appointment the next day, else after two days: a yes of a service is no help yet."),
        same_day=True,
    ),
    "not_reached": StepRow(
        N_("Try the service again, or look for another"), 1, N_("She still needs it."), same_day=True
    ),
    "refused": StepRow(
        N_("Look for another service, and close this referral"), 1, N_("She still needs it."), same_day=True
    ),
    "reached": StepRow(
        N_("Ask her how it was, and close this referral"),
        3,
        N_("Three days are enough to know whether she was treated well; how it went helps whoever comes after her."),
    ),
    "revoked": NoStep(N_("It was taken back. What she wants instead, she says in her own time.")),
    "closed": NoStep(N_("It has its outcome.")),
}
OF_PLAN: Final = StepRow(
    N_("Look at the plan again with her"), 0, N_("It is the day that was agreed when the plan was filled in.")
)
SHUT, ASIDE, FRESH, WAITS, UNANSWERED, ANSWERED, SETTLED, NO_WAY = (
    "closed",
    "put aside",
    "new",
    "waits",
    "unanswered",
    "answered",
    "settled",
    "no way",
)
# how a case stands where no referral says what is next -> the same
OF_CASE: Final[Mapping[str, StepRow | NoStep]] = {
    SHUT: NoStep(N_("It is closed. What she says opens it again, and then there is a step.")),
    ASIDE: NoStep(N_("It carries a mark; whoever takes the mark back sees what is next.")),
    FRESH: NoStep(N_("Nobody has opened it: it stands among the new ones.")),
    WAITS: StepRow(N_("Answer her"), 0, N_("She said something, and nobody has answered: it is answered on that day.")),
    UNANSWERED: StepRow(
        N_("Write to her for the first time"),
        1,
        N_("She told something hard and allows letters: silence hurts."),
        presses=True,
    ),
    ANSWERED: StepRow(
        N_("Nothing came from her: see what else would help"),
        7,
        N_("Nobody hurries her; after a week somebody thinks of her again."),
    ),
    SETTLED: StepRow(
        N_("Close the case, or plan what comes next"),
        7,
        N_("No referral is open any more; a week leaves her time to say what she still needs."),
    ),
    NO_WAY: NoStep(N_("She allows no letters and nothing is proposed: whoever has the case decides what is next.")),
}
# how a case stands, in words
CASE_STATES: Final[Mapping[str, str]] = {
    SHUT: N_("The case is closed"),
    ASIDE: N_("It is set aside under a mark"),
    FRESH: N_("It is new"),
    WAITS: N_("She wrote, and nobody has answered"),
    UNANSWERED: N_("It was read, and nobody has written to her"),
    ANSWERED: N_("The team wrote last, and nothing is proposed"),
    SETTLED: N_("Every referral has ended"),
    NO_WAY: N_("She allows no letters, and nothing is proposed"),
}
# Needs that some rule calls for at once or within a day: a test holds this against the rules.
WITHIN_A_DAY: Final = frozenset(
    {
        "N_EMERG_MED",
        "N_MED_CHECK",
        "N_PEP",
        "N_EC",
        "N_WOUND",
        "N_FORENSIC",
        "N_CRISIS_MH",
        "N_PFA",
        "N_SAFETY_PLAN",
        "N_SHELTER",
        "N_LEGAL_STATE",
        "N_PROTECTION",
        "N_REPORT_ROUTE",
        "N_TRAFFICKING",
        "N_CHILD_PROT",
        "N_DIGITAL",
        "N_MISSING",
    }
)
SOON: Final = 72  # hours: a window that closes within them is a matter of today
LIVE: Final = frozenset({"sent", "accepted", "reached"})  # states of a referral in which an appointment counts
# what people set; each entry has "by" and "hour"
DAY, OWNER, DONE, PLANNED, ENDED = "day", "owner", "done", "planned", "ended"


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step that stands: its key in the work record, what is to be done, on which day, by whom (0: nobody yet).

    `name` is a message id, or the words of who planned it (`by_system` is false). `not_by`: a member who may not do it.
    """

    key: str
    name: str
    day: date
    owner: int
    by_system: bool
    because: str = ""
    referral: int = 0
    not_by: int = 0


def standing(case: CaseProgress, days: WorkingDays) -> tuple[NextStep, ...]:
    """What is next, the earliest first: at most one step of the system, and what people planned. None if closed."""
    if case.state == CLOSED or case.marked:
        return ()
    follows = min(_following(case, days), key=lambda step: (step.day, step.key), default=None)
    steps = [*([follows] if follows else []), *_planned(case, days)]
    return tuple(sorted(steps, key=lambda step: (step.day, not step.by_system, step.key)))


def why_none(case: CaseProgress) -> str:
    """Why the system makes no step, as a message id."""
    row = OF_CASE[_stands(case)[0]]
    if isinstance(row, NoStep):
        return row.because
    return N_("Somebody said that the last step is done, and planned no other.")


def _following(case: CaseProgress, days: WorkingDays) -> Iterator[NextStep]:
    """The steps that follow by the tables and are not done; the earliest of them is the step of the system."""
    if case.state == NEW:
        return
    follows = [step for referral in case.referrals for step in _of_referral(case, referral, days)]
    name, hour = _stands(case)
    row = OF_CASE[name]
    if isinstance(row, StepRow) and (name == WAITS or not follows):
        today = row.presses and (case.danger or hour < case.closes <= hour + SOON)
        day = days.day_of(hour) if today else _in_time(case, hour, days.after(hour, row.days), days)
        follows.append(_step(case, f"case.{name}.{hour}", row, day))
    if case.review:
        follows.append(_step(case, f"plan.{case.review.isoformat()}", OF_PLAN, days.read_on(case.review)))
    done = hours_done(case)
    yield from (_as_set(case, step, days) for step in follows if step.key not in done)


def step_after(case: CaseProgress, referral: Referral, days: WorkingDays) -> NextStep | None:
    """The step that follows from a referral as it stands, or stood, with the day and the owner that people set."""
    return next((_as_set(case, step, days) for step in _of_referral(case, referral, days)), None)


def planned_by_people(case: CaseProgress, days: WorkingDays) -> Iterator[tuple[NextStep, int]]:
    """Each step that people planned, and the hour (since 1970) in which it was done; 0 where nobody did it.

    What was not done when the case was closed is left out: closing ended it.
    """
    done, closed = hours_done(case), _last_closing(case)
    for number, entry in enumerate(case.entries):
        if entry["act"] == PLANNED and (entry["key"] in done or number > closed):
            day = days.read_on(date.fromisoformat(entry["day"]))
            step = NextStep(entry["key"], entry["text"], day, entry["to"], by_system=False)
            yield _as_set(case, step, days), done.get(entry["key"], 0)


def hours_done(case: CaseProgress) -> dict[str, int]:
    """Key of each step that somebody said is done -> the hour (since 1970) in which it was said last."""
    return {entry["key"]: entry["hour"] for entry in case.entries if entry["act"] == DONE}


def _last_closing(case: CaseProgress) -> int:
    """The place among the entries at which the case was closed last; -1 where it never was."""
    return max((number for number, entry in enumerate(case.entries) if entry["act"] == ENDED), default=-1)


def _of_referral(case: CaseProgress, referral: Referral, days: WorkingDays) -> Iterator[NextStep]:
    row, move = OF_REFERRAL[referral.state], referral.moves[-1]
    if isinstance(row, NoStep):
        return
    wait = 0 if row.same_day and referral.need in WITHIN_A_DAY else row.days
    day = _in_time(case, move["hour"], days.after(move["hour"], wait), days)
    if referral.state in LIVE and (appointed := [meeting.day for meeting in referral.appointments if not meeting.off]):
        day = days.read_on(max(max(appointed) + timedelta(days=1), days.day_of(move["hour"])))
    not_by = referral.moves[0]["by"] if row.by_another else 0
    yield _step(case, f"{referral.id}.{len(referral.moves)}", row, day, referral.id, not_by)


def _in_time(case: CaseProgress, hour: int, day: date, days: WorkingDays) -> date:
    """The day, or an earlier one: while a window is open, when half of what was left of it is over, at most tomorrow.

    A window waits for no day on which somebody reads.
    """
    if case.closes <= hour:
        return day
    half_way = days.day_of(hour + (case.closes - hour) / 2)
    return min(day, half_way, days.day_of(hour) + timedelta(days=1))


def _step(case: CaseProgress, key: str, row: StepRow, day: date, referral: int = 0, not_by: int = 0) -> NextStep:
    owner = 0 if case.owner == not_by else case.owner
    return NextStep(key, row.name, day, owner, by_system=True, because=row.because, referral=referral, not_by=not_by)


def _stands(case: CaseProgress) -> tuple[str, int]:
    """How the case itself stands, and since which hour."""
    again = max((entry["hour"] for entry in case.history if entry["act"] == "reopened"), default=0)
    ours = max((hour for sender, hour in case.letters if sender == FROM_TEAM), default=0)
    moved = max((referral.moves[-1]["hour"] for referral in case.referrals), default=0)
    fits = (
        (SHUT, case.state == CLOSED, 0),
        (ASIDE, case.marked, 0),
        (FRESH, case.state == NEW, 0),
        (WAITS, case.waits and not _said_only_yes(case), case.heard),
        (SETTLED, bool(case.referrals), max(moved, ours, again)),
        (ANSWERED, bool(ours), max(ours, again)),
        (UNANSWERED, case.writes, max(case.read, again)),
        (NO_WAY, True, 0),
    )
    return next((name, hour) for name, holds, hour in fits if holds)


def _said_only_yes(case: CaseProgress) -> bool:
    """Whether what she said last is her yes to a service: its answer is that it is sent."""
    agreed = any(
        (move["move"], move["by"], move["hour"]) == ("agree", 0, case.heard)
        for referral in case.referrals
        for move in referral.moves
    )
    return agreed and (FROM_HER, case.heard) not in case.letters


def _as_set(case: CaseProgress, step: NextStep, days: WorkingDays) -> NextStep:
    """The step with the day and the owner that people set last."""
    day, owner = step.day, step.owner
    for entry in case.entries:
        if entry["key"] == step.key and entry["act"] == DAY:
            day = days.read_on(date.fromisoformat(entry["day"]))
        elif entry["key"] == step.key and entry["act"] == OWNER:
            owner = entry["to"]
    return NextStep(step.key, step.name, day, owner, step.by_system, step.because, step.referral, step.not_by)


def _planned(case: CaseProgress, days: WorkingDays) -> Iterator[NextStep]:
    """What people planned and nobody has done; closing the case ends it."""
    return (step for step, done in planned_by_people(case, days) if not done)


def due_hour(steps: Iterable[NextStep], days: WorkingDays) -> int:
    """The hour (since 1970) with which the day of the earliest step begins; 0 without a step."""
    return min((days.begins(step.day) for step in steps), default=0)
