"""Triage: which case first, and why. Works on cards alone; opens nothing.

Order: urgency class, then medical danger, then hours left in the nearest window, then the day it came.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from referrals.needs import URGENCIES, Need, assess
from reporting.casebook import HOUR, Card, alias
from reporting.incidents import MINOR_AGES

MEDICAL_DANGER = "D_"  # flags that begin so
DANGER_NOW = frozenset({"S_PERP_NEAR", "S_LOCKED"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the queue, as a tired person reads it."""

    case: int
    alias: str
    need: Need | None
    danger: bool
    unsafe: bool
    minor: bool
    place: str | None
    hour: int
    state: str
    unread: bool
    answered: bool
    record_only: bool


def line_of(card: Card, now: float) -> Line:
    """What a card says now; needs and clocks are worked out at the moment of looking."""
    incident = card.incident.later(max(0.0, now / HOUR - card.hour))
    assessment = assess(incident)
    first = assessment.needs[0] if assessment.needs else None
    return Line(
        case=card.case,
        alias=alias(card.case),
        need=first,
        danger=any(flag.startswith(MEDICAL_DANGER) for flag in incident.flags),
        unsafe=bool(incident.flags & DANGER_NOW),
        minor=incident.age in MINOR_AGES,
        place=incident.province or incident.department or incident.region,
        hour=card.hour,
        state=card.state,
        unread=card.unread,
        answered=card.answered,
        record_only=not assessment.create_referral,
    )


def sorted_lines(cards: Iterable[Card], now: float) -> list[Line]:
    """The whole queue, the most urgent first."""
    return sorted((line_of(card, now) for card in cards), key=_rank)


def _rank(line: Line) -> tuple[int, bool, float, int, int]:
    urgency = URGENCIES.index(line.need.urgency) if line.need else len(URGENCIES)
    left = line.need.hours_left if line.need and line.need.hours_left is not None else math.inf
    return urgency, not line.danger, left, line.hour // 24, line.case
