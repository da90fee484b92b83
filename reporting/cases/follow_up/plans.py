"""What is done with plans of an open case: filled in together with her, and looked at by a second case worker.

Knows neither what a plan asks nor the web. A version that was written is never changed but by a second person's look.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up.plan_versions import PLANS
from reporting.clock import HOUR
from reporting.i18n import N_


def fill(case_file: CaseFile, by: int, kind: str, words: Mapping[str, str], review: date | None, now: float) -> None:
    """A new version of a plan, as a case worker filled it in with her; the one before stays.

    The same sent twice is kept once. `NotAllowed` where nothing is written in it.
    """
    written = {name: text.strip() for name, text in words.items() if text.strip()}
    if not written:
        raise NotAllowed(N_("Nothing is written in it yet."))
    content: dict[str, Any] = {"words": written, "review": review.isoformat() if review else ""}
    before = case_file.all_of(kind)
    if not before or content != {name: before[-1].content[name] for name in content}:
        case_file.add(kind, content | {"by": by, "hour": int(now) // HOUR})


def look_over(case_file: CaseFile, by: int, number: int, now: float) -> None:
    """A second case worker has looked at the newest version of a plan.

    `NotAllowed` for who filled it in, for a version that is not the newest, and where somebody has looked already.
    """
    newest = [versions[-1] for kind in PLANS if (versions := case_file.all_of(kind))]
    record = next((record for record in newest if record.number == number), None)
    if record is None:
        raise NotAllowed(N_("This plan was filled in again. Look at the newest one."))
    if record.content.get("seen"):
        raise NotAllowed(N_("A second person has looked at it already."))
    if record.content["by"] == by:
        raise NotAllowed(N_("You filled it in: somebody else of the team looks at it."))
    record.content = record.content | {"seen": {"by": by, "hour": int(now) // HOUR}}
