"""What the team did so far, as the queue has to know it: spoke to her, tried to today, set a day for a step.

A mere look is none of it, and neither is that somebody has the case. Knows no need and no window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from reporting.cases.follow_up import next_steps
from reporting.cases.follow_up.days import WorkingDays
from reporting.cases.follow_up.next_steps import NextStep
from reporting.cases.follow_up.plan_versions import PLANS
from reporting.cases.follow_up.progress import OpenedCase, progress_of_file
from reporting.vocabulary.need_states import REACH

SHE_ANSWERED = "she"  # how a try to reach her ended, when it was she who answered
HERS: Final = frozenset({"agree", "decline", "revoke"})  # moves of a referral that are hers to say
ALLOWS: Final = frozenset({"allowed", "denied"})  # acts in which she says what she allows


def what_was_done(opened: OpenedCase, days: WorkingDays) -> dict[str, Any]:
    """The fields of a summary that follow from it, each in hours since 1970 (None: nothing of the kind was done)."""
    progress = progress_of_file(opened)
    steps = next_steps.standing(progress, days)
    last_try = max((attempt["hour"] for attempt in opened.work_record.get("attempts", ())), default=None)
    moved = {entry["key"] for entry in progress.entries if entry["act"] == next_steps.DAY}
    return {
        "due_at": next_steps.due_hour(steps, days),
        "spoke_at": max(_talks(opened), default=None),
        "tried_until": None if last_try is None else days.begins(days.day_of(last_try) + timedelta(days=1)),
        "planned_at": _planned(steps, moved, days),
        "no_way": (not progress.writes and not opened.all_of("contact")) or None,
    }


def _talks(opened: OpenedCase) -> Iterator[int]:
    """Each hour in which somebody spoke to her: a try she answered, her words by voice, a plan; or help reached her.

    What she did by her receipt has no member beside it (`by` 0).
    """
    work_record = opened.work_record
    moves = (move for referral in opened.all_of("referral") for move in referral.content["moves"])
    yield from (attempt["hour"] for attempt in work_record.get("attempts", ()) if attempt["result"] == SHE_ANSWERED)
    yield from (move["hour"] for move in moves if move["move"] == REACH or (move["move"] in HERS and move["by"]))
    yield from (entry["hour"] for entry in work_record.get("history", ()) if entry["act"] in ALLOWS and entry["by"])
    yield from (plan.content["hour"] for kind in PLANS for plan in opened.all_of(kind))


def _planned(steps: Iterable[NextStep], moved: set[str], days: WorkingDays) -> int | None:
    by_people = (step for step in steps if not step.by_system or step.key in moved)
    return max((days.begins(step.day) for step in by_people), default=None)
