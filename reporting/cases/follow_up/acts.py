"""What people do about what is next: another day, another owner, done, a step of their own; who tried to reach her.

And what the next shift has to read. Who may do it is decided here. Knows nothing of services and of the web.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up import next_steps
from reporting.cases.follow_up.days import WorkingDays
from reporting.cases.follow_up.in_hand import SHE_ANSWERED
from reporting.cases.follow_up.next_steps import NextStep
from reporting.cases.follow_up.progress import progress_of_file
from reporting.cases.records import is_to_read
from reporting.cases.summary import CLOSED
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.vocabulary.questions import CHANNELS

GONE = N_("This step does not stand any more.")
LATEST_DAYS = 366  # so far ahead a step is planned at most
WITHIN_A_YEAR = N_("Choose a day from today on, within a year.")
# what is pressed -> in how many days
LATER: Final[Mapping[str, int]] = {"tomorrow": 1, "days3": 3, "days7": 7}
# how a try to reach her ended
RESULTS: Final[Mapping[str, str]] = {
    "nobody": N_("Nobody answered"),
    "other": N_("Somebody else answered"),
    SHE_ANSWERED: N_("She answered"),
}


def _stands(case_file: CaseFile, key: str, days: WorkingDays) -> NextStep:
    """The step of this key. `NotAllowed` where it does not stand (any more)."""
    for step in next_steps.standing(progress_of_file(case_file), days):
        if step.key == key:
            return step
    raise NotAllowed(GONE)


def _enter(case_file: CaseFile, by: int, now: float, act: str, key: str, **more: Any) -> None:
    entry = {"act": act, "key": key, "by": by, "hour": int(now) // HOUR, **more}
    case_file.work_record |= {"steps": [*case_file.work_record.get("steps", ()), entry]}


def put_off(case_file: CaseFile, by: int, key: str, later: str, days: WorkingDays, now: float) -> None:
    """A step on another day, counted from today. `NotAllowed` where it does not stand. Windows stay as they are."""
    step = _stands(case_file, key, days)
    if later not in LATER:
        raise NotAllowed(N_("Choose a day."))
    day = days.after(int(now) // HOUR, LATER[later])
    _enter(case_file, by, now, next_steps.DAY, key, day=day.isoformat(), name=step.name)


def take(case_file: CaseFile, by: int, key: str, owner: int, days: WorkingDays, now: float) -> None:
    """Whose a step is from now on. `NotAllowed` where it does not stand, or is for somebody else than that member."""
    step = _stands(case_file, key, days)
    if owner and owner == step.not_by:
        raise NotAllowed(N_("Another case worker than the one who proposed it has to confirm."))
    _enter(case_file, by, now, next_steps.OWNER, key, to=owner, name=step.name)


def finish(case_file: CaseFile, by: int, key: str, days: WorkingDays, now: float) -> None:
    """A step is done, or not needed. `NotAllowed` where it does not stand."""
    _enter(case_file, by, now, next_steps.DONE, key, name=_stands(case_file, key, days).name)


def plan_step(case_file: CaseFile, by: int, text: str, day: date, owner: int, today: date, now: float) -> None:
    """A step of one's own. `NotAllowed` for a closed case, and for a day that is past or more than a year away."""
    if case_file.summary.state == CLOSED:
        raise NotAllowed(N_("The case is closed. Open it again first."))
    if not today <= day <= today + timedelta(days=LATEST_DAYS):
        raise NotAllowed(WITHIN_A_YEAR)
    key = f"own.{len(case_file.work_record.get('steps', ()))}"
    _enter(case_file, by, now, next_steps.PLANNED, key, text=text, day=day.isoformat(), to=owner)


# ── trying to reach her ─────────────────────────────────────────────────────────────────────────────────────


def tried(case_file: CaseFile, by: int, channel: str, result: str, now: float) -> None:
    """That somebody tried to reach her, in which way, and how it ended; nothing of her number.

    `NotAllowed` as long as she does not allow that she is reached.
    """
    if "C_CONTACT" not in case_file.consents:
        raise NotAllowed(N_("She gave no way to reach her, or took it back."))
    if channel not in CHANNELS or result not in RESULTS:
        raise NotAllowed(N_("Choose how you tried, and how it ended."))
    entry = {"by": by, "hour": int(now) // HOUR, "channel": channel, "result": result}
    case_file.work_record |= {"attempts": [*case_file.work_record.get("attempts", ()), entry]}


# ── from one shift to the next ──────────────────────────────────────────────────────────────────────────────


def pass_on(case_file: CaseFile, by: int, text: str, to: int, now: float) -> None:
    """A note that a member (`to`), or whoever comes next (0), has to read. `NotAllowed` to oneself."""
    if to == by:
        raise NotAllowed(N_("Choose a colleague, or whoever comes next."))
    case_file.add("note", {"by": by, "hour": int(now) // HOUR, "text": text, "to": to})


def has_read(case_file: CaseFile, by: int, number: int, now: float) -> None:
    """A member says that she read a hand-over note. `NotAllowed` where it is not for her, or read already."""
    note = case_file.record(number, "note")
    to = note.content.get("to")
    if to is None or "read" in note.content or not is_to_read(note.content["by"], to, by):
        raise NotAllowed(N_("Somebody has read it already."))
    note.content = note.content | {"read": {"by": by, "hour": int(now) // HOUR}}
