"""The queue: which case first, and why. Works on cards alone; opens nothing.

Order: urgency class, then medical danger, then hours left in the nearest window, then the day it came. What is folded
away (a threat, junk, what is no report) and what is closed has a place of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from referrals.needs import URGENCIES, Need, assess
from reporting.casebook import CLOSED, HOUR, NEW, OPEN, THREAT, Card, alias
from reporting.incidents import MINOR_AGES, N_
from reporting.receipts import plain

MEDICAL_DANGER = "D_"  # flags that begin so
DANGER_NOW = frozenset({"S_PERP_NEAR", "S_LOCKED"})
PAGE = 50  # lines on a page

# a place in the queue -> its name, and which cards lie there
FOLDERS: Final[Mapping[str, tuple[str, Callable[[Card], bool]]]] = {
    "open": (N_("To be worked on"), lambda card: card.state in {NEW, OPEN} and not card.marks),
    "new": (N_("Nobody has opened it"), lambda card: card.state == NEW and not card.marks),
    "unread": (N_("Not read"), lambda card: card.unread and not card.marks),
    "closed": (N_("Closed"), lambda card: card.state == CLOSED and not card.marks),
    "threats": (N_("Threats against the team"), lambda card: THREAT in card.marks),
    "junk": (N_("Junk and not reports"), lambda card: bool(card.marks) and THREAT not in card.marks),
    "all": (N_("All"), lambda _card: True),
}
NOBODY, MINE = "nobody", "mine"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the queue, as a tired person reads it."""

    card: Card
    alias: str
    need: Need | None
    danger: bool
    unsafe: bool
    minor: bool
    place: str | None
    record_only: bool

    @property
    def case(self) -> int:
        """Its number."""
        return self.card.case


def line_of(card: Card, now: float) -> Line:
    """What a card says now; needs and clocks are worked out at the moment of looking."""
    incident = card.incident.later(max(0.0, now / HOUR - card.told))
    assessment = assess(incident)
    return Line(
        card=card,
        alias=alias(card.case),
        need=assessment.needs[0] if assessment.needs else None,
        danger=any(flag.startswith(MEDICAL_DANGER) for flag in incident.flags),
        unsafe=not incident.flags.isdisjoint(DANGER_NOW),
        minor=incident.age in MINOR_AGES,
        place=incident.province or incident.department or incident.region,
        record_only=not assessment.create_referral,
    )


def _urgency(line: Line) -> tuple[Any, ...]:
    urgency = URGENCIES.index(line.need.urgency) if line.need else len(URGENCIES)
    left = line.need.hours_left if line.need and line.need.hours_left is not None else math.inf
    return urgency, not line.danger, left, line.card.hour // 24, line.case


# how a queue can be sorted: name, key
SORTS: Final[Mapping[str, tuple[str, Callable[[Line], tuple[Any, ...]]]]] = {
    "urgency": (N_("The most urgent first"), _urgency),
    "newest": (N_("The newest first"), lambda line: (-line.card.hour, line.case)),
    "oldest": (N_("The oldest first"), lambda line: (line.card.hour, line.case)),
    "answered": (N_("The unanswered first"), lambda line: (line.card.answered, *_urgency(line))),
}


@dataclass(frozen=True, slots=True)
class View:
    """What somebody wants to see of the queue. It stands in the address, so that a saved view is a bookmark."""

    folder: str = "open"
    owner: str = ""
    name: str = ""
    sort: str = "urgency"
    after: int = 0


def chosen(cards: Iterable[Card], view: View, me: int, only: frozenset[int] | None = None) -> list[Card]:
    """The cards that a view asks for, in no order."""
    _, lies_there = FOLDERS[view.folder]
    return [
        card
        for card in cards
        if lies_there(card) and _is_hers(card, view.owner, me) and _is_called(card, view.name)
        and (only is None or card.case in only)
    ]  # fmt: skip


def _is_hers(card: Card, owner: str, me: int) -> bool:
    if owner == MINE:
        return card.owner == me
    if owner == NOBODY:
        return not card.owner
    return not owner.isdecimal() or card.owner == int(owner)


def _is_called(card: Card, name: str) -> bool:
    """Part of its alias or of one of its labels."""
    if not name.strip():
        return True
    wanted = plain(name).replace(" ", "")
    return any(wanted in plain(one).replace(" ", "") for one in (alias(card.case), *card.labels))


def sorted_lines(cards: Iterable[Card], now: float, sort: str = "urgency") -> list[Line]:
    """The lines of these cards in the order asked for."""
    return sorted((line_of(card, now) for card in cards), key=SORTS[sort][1])


def page_of(lines: Sequence[Line], after: int) -> tuple[Sequence[Line], int]:
    """The fifty lines after a case, and the case after which the next page begins (0: there is none)."""
    start = next((number + 1 for number, line in enumerate(lines) if line.case == after), 0)
    shown = lines[start : start + PAGE]
    return shown, shown[-1].case if start + PAGE < len(lines) else 0
