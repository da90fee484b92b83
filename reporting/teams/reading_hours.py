"""When somebody reads: hours of the week, days off, and the last day on which a case worker looked.

Unknown until the team says it, and then said to her before and after she sends. Of looking only the day is
kept, one for all, so that four days of silence can be told to her and to the coordinator. Knows neither cases
nor the web.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from reporting.errors import AmparoError
from reporting.i18n import T_, said
from reporting.storage.models import DutyRow
from reporting.teams import audit
from reporting.teams.audit import Signer

ONLY_ROW = 1
SILENCE = 4  # calendar days, days off included: to her a day without an answer is a day
WEEK = 7
HOURS = 24


class BadHours(AmparoError, ValueError):
    """The hours of a day cannot be: the end must come after the beginning. `weekday` says which (0: Monday)."""

    def __init__(self, weekday: int) -> None:
        self.weekday = weekday
        super().__init__(weekday)


@dataclass(frozen=True, slots=True)
class Duty:
    """Weekday (0: Monday) -> from and to, full hours on the clock of the place; days off; the day of the last look."""

    hours: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    off: tuple[date, ...] = ()
    opened: date | None = None

    @property
    def is_known(self) -> bool:
        """Whether the team has said when it reads."""
        return bool(self.hours)

    def next_reading(self, now: datetime) -> datetime | None:
        """When somebody reads next: now, if it is such an hour; None if nothing is set or all of it is off."""
        return next(iter(self._readings(now)), None)

    def read_by(self, now: datetime) -> datetime | None:
        """The end of the first reading in which what comes now has a whole hour; None if nothing is set."""
        hour = timedelta(hours=1)
        return next((end for start, end in self._openings(now) if end - max(now, start) >= hour), None)

    def _readings(self, now: datetime) -> Iterator[datetime]:
        return (max(now, start) for start, _end in self._openings(now))

    def _openings(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """From and to of each reading that is not over, the soonest first."""
        for ahead in range(2 * WEEK):
            day = now.date() + timedelta(days=ahead)
            if day.weekday() in self.hours and day not in self.off:
                begins, ends = self.hours[day.weekday()]
                midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=ahead)
                start, end = midnight + timedelta(hours=begins), midnight + timedelta(hours=ends)
                if now < end:
                    yield start, end

    def silent_days(self, today: date) -> int | None:
        """Days since a case worker opened the queue; None before there was one."""
        return None if self.opened is None else max(0, (today - self.opened).days)

    def is_silent(self, today: date) -> bool:
        """Whether nobody has looked for so long that she should not wait."""
        days = self.silent_days(today)
        return days is not None and days >= SILENCE


def read(db: Session) -> Duty:
    """What is known now."""
    row = db.execute(_KNOWN).first()
    if row is None:
        return Duty()
    stored = json.loads(row.hours)
    hours = {int(weekday): (int(begins), int(ends)) for weekday, (begins, ends) in stored["week"].items()}
    return Duty(hours, tuple(date.fromisoformat(day) for day in stored["off"]), row.opened)


_KNOWN = select(*DutyRow.__table__.c["hours", "opened"]).where(DutyRow.__table__.c.id == ONLY_ROW)


def write(db: Session, by: Signer, hours: Mapping[int, tuple[int, int]], off: tuple[date, ...]) -> None:
    """Store the hours as somebody of the staff sets them, and note it in the audit.

    `BadHours` when the day is none of the week, or does not end after it begins.
    """
    for weekday, (begins, ends) in hours.items():
        if not 0 <= weekday < WEEK or not 0 <= begins < ends <= HOURS:
            raise BadHours(weekday)
    week = {str(weekday): list(times) for weekday, times in sorted(hours.items())}
    _row(db).hours = json.dumps({"week": week, "off": [day.isoformat() for day in sorted(set(off))]})
    db.flush()
    audit.note(db, "reading hours changed", by.member, by)


def note_opened(db: Session, today: date) -> None:
    """A case worker looked today. Written once a day."""
    row = db.get(DutyRow, ONLY_ROW)
    if row is None or row.opened != today:
        _row(db).opened = today
        db.flush()


def _row(db: Session) -> DutyRow:
    row = db.get(DutyRow, ONLY_ROW)
    if row is None:
        row = DutyRow(id=ONLY_ROW, hours='{"week": {}, "off": []}', opened=None)
        db.add(row)
    return row


def problems(db: Session, today: date) -> list[str]:
    """What the person who keeps the machine should know, each in a sentence that says what to do."""
    duty = read(db)
    sentences = []
    if not duty.is_known:
        sentences.append(
            T_(
                "No reading hours are set: reporters are told that nobody can say when it is read. Set them on the "
                "staff page for them."
            )
        )
    if duty.is_silent(today):
        words = T_("No case worker has opened the queue for %(days)s days: the first page says so.")
        sentences.append(said(words, days=duty.silent_days(today)))
    return sentences
