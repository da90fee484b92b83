"""What the page of a case shows of what is next: each step, how late it is, and the appointments.

Decides nothing: what is next is a matter of `cases.follow_up.next_steps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from referrals.casework.follow_up import appointments
from referrals.pages.follow_up.acts import days_here
from reporting.cases.follow_up import next_steps
from reporting.cases.follow_up.next_steps import NextStep
from reporting.cases.follow_up.progress import progress_of
from reporting.cases.records import Case
from reporting.web.context import today


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as a page shows it. `late`: days since its day; less than 0 before it. `service`: of which referral."""

    key: str
    name: str
    because: str
    by_system: bool
    owner: int
    not_by: int
    service: str
    late: int
    day: date


def what_is_next(case: Case) -> dict[str, Any]:
    """What the template of a case needs for its steps, hand-over notes and appointments."""
    progress, day = progress_of(case), today().date()
    services = {referral.id: referral.service for referral in case.referrals}

    def shown(step: NextStep) -> ShownStep:
        service, late = services.get(step.referral, ""), (day - step.day).days
        return ShownStep(
            step.key,
            step.name,
            step.because,
            step.by_system,
            step.owner,
            step.not_by,
            service,
            late,
            step.day,
        )

    return {
        "next_steps": [shown(step) for step in next_steps.standing(progress, days_here())],
        "why_none": next_steps.why_none(progress),
        "appointments": {referral.id: appointments.standing(referral) for referral in case.referrals},
        "live": next_steps.LIVE,
        "tomorrow": f"{day + timedelta(days=1):%d/%m/%Y}",
    }
