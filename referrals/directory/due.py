"""Which services are due to be confirmed again, the most due first; and which numbers were changed of late.

Knows neither who calls nor how a row is edited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referrals.directory.home import at_home
from referrals.directory.models import FlagRow, HistoryRow, ServiceRow
from referrals.directory.rows import OLD, answer_of, cells_of
from referrals.matching.hours import YES

OFTEN = 30  # days after which a line or a PEP site is due
SELDOM = 180  # days after which any other service is due


@dataclass(frozen=True, slots=True)
class Due:
    """When a service has to be looked at again."""

    service: str
    name: str
    phone: str
    every: int  # days
    verified_on: str
    since: int | None  # days since then; None: never
    flagged: int  # flags that nobody has answered
    cells: Mapping[str, str]

    @property
    def over(self) -> bool:
        """It is time: never looked at, too long ago, or somebody said that it is wrong."""
        return self.since is None or self.since >= self.every or self.flagged > 0

    @property
    def old(self) -> bool:
        """Nobody has looked for a year."""
        return self.since is None or self.since > OLD


def due(db: Session, today: date) -> tuple[Due, ...]:
    """Every service with what is due: flagged first, then never looked at, then the longest ago."""
    waiting = select(FlagRow.service, func.sum(FlagRow.count)).where(FlagRow.waits).group_by(FlagRow.service)
    flagged = {service: int(count) for service, count in db.execute(waiting)}
    rows, here = db.scalars(select(ServiceRow).order_by(ServiceRow.id)), at_home(db)
    states = [due_of(cells_of(row), today, flagged.get(row.id, 0)) for row in rows if row.id in here]
    return tuple(sorted(states, key=_most_due))


def _most_due(state: Due) -> tuple[bool, int, int, int, str]:
    never = state.since is None
    return not state.over, -state.flagged, state.every, 0 if never else 1 - (state.since or 0), state.service


def due_of(cells: Mapping[str, str], today: date, flagged: int) -> Due:
    """One service of the list: how often it is due, and how many days ago it was confirmed."""
    verified = cells["verified_on"]
    since = max(0, (today - date.fromisoformat(verified)).days) if verified else None
    return Due(cells["id"], cells["name"], cells["phone"], _every(cells), verified, since, flagged, cells)


def _every(cells: Mapping[str, str]) -> int:
    """Crisis lines and places that say they hold PEP change oftenest, and a dead one costs most."""
    return OFTEN if cells["service_type"] == "CRISIS_LINE" or answer_of(cells["has_pep"]) == YES else SELDOM


NUMBERS = ("phone", "whatsapp")
A_WEEK = 7  # days for which a changed number stands on the desk


@dataclass(frozen=True, slots=True)
class ChangedNumber:
    """A number that was changed of late, for whoever wants to call it once more."""

    service: str
    name: str
    day: str
    who: str
    before: str
    after: str


def changed_numbers(db: Session, today: date) -> tuple[ChangedNumber, ...]:
    """Every number that somebody changed within the last week, the newest first."""
    since = (today - timedelta(days=A_WEEK)).isoformat()
    lines = db.execute(
        select(HistoryRow, ServiceRow.name)
        .join(ServiceRow, ServiceRow.id == HistoryRow.service)
        .where(HistoryRow.day > since)
        .order_by(HistoryRow.id.desc())
    )
    return tuple(
        ChangedNumber(line.service, name, line.day, line.who, *two)
        for line, name in lines
        for column, two in json.loads(line.changes).items()
        if column in NUMBERS
    )
