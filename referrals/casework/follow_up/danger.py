"""The danger she is in, asked anew by a case worker: what stays of what was told before, and what every date said.

How she is right now is said anew each time: what she does not name is over. What happened stays happened; what is named
beside it happened since, and says when. Codes and why they differ: `present` and `event` signs of the rules. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from reporting.cases.records import Case
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Hours, Incident

# what is so right now, or is not: each time said anew
NOW: Final = (
    "S_PERP_NEAR",
    "S_LOCKED",
    "S_NO_SAFE_PLACE",
    "S_KNOWS_HOME",
    "S_CHILDREN",
    "D_BLEEDING",
    "D_BREATHING",
    "D_HEAD_SIGNS",
    "D_SEVERE_PAIN",
    "D_PREG_DANGER",
    "D_SUICIDE",
)
DANGER_SIGNS: Final = tuple(code for code in VOCABULARY["flags"] if code.startswith(("S_", "D_")))
HAPPENED: Final = tuple(code for code in DANGER_SIGNS if code not in NOW)  # it is not undone by being told once


@dataclass(frozen=True, slots=True)
class DangerTold:
    """The signs of danger as they were told at an hour (since 1970), to a member or by herself (`by` 0)."""

    hour: int
    by: int
    signs: tuple[str, ...]


def danger_over_time(case: Case) -> tuple[DangerTold, ...]:
    """What was told of danger, with its date, the newest last: in the report, and whenever it was asked anew."""
    over_time = [DangerTold(case.hour, case.voice, _in_order(case.first.flags))]
    for correction in case.corrections:
        signs = _in_order(correction.incident.flags)
        if correction.signs or signs != over_time[-1].signs:
            over_time.append(DangerTold(correction.hour, correction.by, signs))
    return tuple(over_time)


def newly_happened(incident: Incident, signs: Iterable[str]) -> frozenset[str]:
    """The signs among these that happened, and that were not told before."""
    return frozenset(signs) & frozenset(HAPPENED) - incident.flags


def with_danger(incident: Incident, signs: Iterable[str], since: Hours | None = None) -> Incident:
    """The incident (as it is now) after the signs were asked anew. `since`: hours since it happened again, if it did.

    The time then spans both, so that no window and no must-not goes by what is long past.
    """
    known = (frozenset(signs) & frozenset(DANGER_SIGNS)) | (incident.flags - frozenset(NOW))
    if since is None:
        return replace(incident, flags=known)
    before = incident.hours or since
    hours = min(before[0], since[0]), max(before[1], since[1])
    return replace(incident, flags=known, hours=hours, told_twice=None)


def _in_order(flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(code for code in DANGER_SIGNS if code in set(flags))
