"""What the buttons for what is next do: another day, done, a step of one's own, an appointment, a try to reach her.

And a note that the next shift has to read. Renders no page; the table of acts is in `case_actions`.
"""

from __future__ import annotations

from datetime import date

from flask import g

from referrals.casework.follow_up import appointments
from referrals.casework.follow_up.appointments import Arrangement
from referrals.pages.act_forms import (
    AppointmentForm,
    AppointmentOffForm,
    AttemptForm,
    NextStepForm,
    OwnStepForm,
    PassOnForm,
    ReadForm,
)
from referrals.pages.case_forms import owner
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up import acts
from reporting.cases.follow_up.days import WorkingDays, working_days
from reporting.web.context import installation, today
from reporting.web.forms import DAY_IS_WRITTEN, BadFormValue, day_in, number_in

DONE, MINE = "done", "mine"


def days_here() -> WorkingDays:
    """The days of this place, with the reading hours as they are now."""
    with installation().reading() as db:
        return working_days(db)


def change_step(case_file: CaseFile, form: NextStepForm) -> None:
    """One tap on a step: done, mine, or on another day."""
    key, step, member, now = form.key.data, form.step.data, g.keys.member, installation().clock()
    if step == DONE:
        acts.finish(case_file, member, key, days_here(), now)
    elif step == MINE:
        acts.take(case_file, member, key, member, days_here(), now)
    else:
        acts.put_off(case_file, member, key, step, days_here(), now)


def plan_step(case_file: CaseFile, form: OwnStepForm) -> None:
    """A step of one's own."""
    day, by = _day(form.day.data), g.keys.member
    acts.plan_step(case_file, by, form.text.data, day, owner(form.owner.data), today().date(), installation().clock())


def appoint(case_file: CaseFile, form: AppointmentForm) -> None:
    """An appointment of a referral."""
    arranged = Arrangement(_day(form.day.data), form.time.data, form.place.data, form.ask_for.data, form.word.data)
    number, now = number_in(form.number.data), installation().clock()
    appointments.appoint(case_file, number, g.keys.member, arranged, today().date(), now)


def take_back(case_file: CaseFile, form: AppointmentOffForm) -> None:
    """An appointment does not stand any more."""
    number, which = number_in(form.number.data), number_in(form.which.data)
    appointments.take_back(case_file, number, which, g.keys.member, installation().clock())


def tried(case_file: CaseFile, form: AttemptForm) -> None:
    """Somebody tried to reach her."""
    acts.tried(case_file, g.keys.member, form.channel.data, form.step.data, installation().clock())


def pass_on(case_file: CaseFile, form: PassOnForm) -> None:
    """A note that a colleague has to read."""
    acts.pass_on(case_file, g.keys.member, form.text.data, owner(form.owner.data), installation().clock())


def has_read(case_file: CaseFile, form: ReadForm) -> None:
    """It was read."""
    acts.has_read(case_file, g.keys.member, number_in(form.number.data), installation().clock())


def _day(text: str) -> date:
    try:
        return day_in(text)
    except BadFormValue:
        raise NotAllowed(DAY_IS_WRITTEN) from None
