"""What presses in a case right now: danger to her life, whoever did it near her, the window that closes first.

Pure. One answer for the queue, for the page of a case and for the step that is next.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from referrals.needs.assessment import assess, surely_over
from referrals.needs.codes import Assessment, Need
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up import progress
from reporting.clock import HOUR
from reporting.vocabulary.incident import Incident

EMERGENCIES: Final = frozenset({"N_EMERG_MED", "N_CRISIS_MH"})  # a sign is danger as long as it calls for these
DANGER_NOW: Final = frozenset({"S_PERP_NEAR", "S_LOCKED"})
SAFETY: Final = "N_SAFETY_PLAN"  # what these signs call for: once she has it, they are no sign of right now
MEDICAL_DANGER: Final = "D_"  # flags that begin so
FIRST_DAY: Final = frozenset({"NOW", "H24"})  # urgencies


@dataclass(frozen=True, slots=True)
class Pressing:
    """The open needs; hours left in the nearest window (0: it may be past) and until it is surely over; danger."""

    assessment: Assessment
    needs: tuple[Need, ...]
    left: float | None
    over: float | None
    danger: bool  # medical
    unsafe: bool  # whoever did it is near or holds her
    unserved: bool = False  # a window is open for which no service is on its way

    @property
    def window(self) -> bool:
        """Whether one is open."""
        return self.left is not None

    @property
    def is_danger(self) -> bool:
        """Medical, or whoever did it is near or holds her."""
        return self.danger or self.unsafe

    def closes(self, hour: float) -> float:
        """The hour in which the nearest window closes; where it may be past, from which on it surely is."""
        if self.left is None or self.over is None:
            return math.inf
        return hour + (self.left or self.over)


def pressing(incident: Incident, settled: Collection[str], under_way: Collection[str] = ()) -> Pressing:
    """What presses in an incident as it is at the moment of looking; `settled` needs do not.

    `under_way`: the needs for which a service is on its way to her.
    """
    assessment = assess(incident)
    needs = tuple(need for need in assessment.needs if need.code not in settled)
    left, over = _nearest_window(needs, incident)
    return Pressing(
        assessment=assessment,
        needs=needs,
        left=left,
        over=over,
        danger=any(need.code in EMERGENCIES for need in needs),
        unsafe=not incident.flags.isdisjoint(DANGER_NOW) and SAFETY not in settled,
        unserved=_nearest_window([need for need in needs if need.code not in under_way], incident)[0] is not None,
    )


def has_signs(incident: Incident) -> bool:
    """Whether she told any sign of danger, medical or that whoever did it is near, whatever follows from it."""
    return any(flag.startswith(MEDICAL_DANGER) or flag in DANGER_NOW for flag in incident.flags)


def told_danger(incident: Incident, settled: Collection[str]) -> Pressing | None:
    """What pressed when she told how she was, where that was danger, however long ago; None where it was none."""
    if not has_signs(incident):
        return None
    then = pressing(replace(incident, signs_ago=0.0), settled)
    return then if then.is_danger else None


def signs_told(incident: Incident, presses: Pressing) -> list[str]:
    """The flags she told that make the danger, in the order of their codes."""
    medical = (flag for flag in sorted(incident.flags) if presses.danger and flag.startswith(MEDICAL_DANGER))
    return [*medical, *(flag for flag in sorted(incident.flags & DANGER_NOW) if presses.unsafe)]


def _nearest_window(needs: Sequence[Need], incident: Incident) -> tuple[float, float] | tuple[None, None]:
    """Hours left in the window that closes first among the needs of the first day, and hours until it is surely over.

    Never only among the most urgent: a child's need of protection hid the hours that were left for the pill.
    """
    soon = [need for need in needs if need.urgency in {needs[0].urgency, *FIRST_DAY}]
    ends = [(need.hours_left, surely_over(need, incident)) for need in soon]
    windows = [(left or 0.0, over) for left, over in ends if over is not None]
    if not windows:
        return None, None
    return min((window for window in windows if window[0]), default=(0.0, min(over for _, over in windows)))


def pressing_in(case_file: CaseFile, now: float) -> Pressing:
    """What presses in a case that lies open."""
    settled = {need for need, stands in case_file.need_states.items() if stands.settled}
    return pressing(case_file.incident_at(now), settled)


def write_down(case_file: CaseFile, now: float) -> None:
    """Write into a case that lies open what presses in it: what is next is worked out from that."""
    presses = pressing_in(case_file, now)
    closes = presses.closes(now / HOUR)
    progress.presses(case_file, closes=0 if math.isinf(closes) else math.floor(closes), danger=presses.is_danger)
