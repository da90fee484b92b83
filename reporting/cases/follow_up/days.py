"""Whole days on the clock of the place, and on which of them somebody reads.

Knows no case. Which hours the team reads is a matter of `teams.reading_hours`; without any, every day is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from reporting.clock import HOUR
from reporting.storage.database import zone_of
from reporting.teams import reading_hours
from reporting.teams.reading_hours import Duty

LOOKED_AHEAD = 60  # days: where all of so many are off, the day itself stands


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days of one place: its clock, and when its team reads."""

    zone: str = "UTC"
    duty: Duty = field(default_factory=Duty)

    def day_of(self, hour: float) -> date:
        """The day there in an hour since 1970."""
        return datetime.fromtimestamp(hour * HOUR, UTC).astimezone(ZoneInfo(self.zone)).date()

    def begins(self, day: date) -> int:
        """The first full hour (since 1970) of a day there."""
        return ceil(datetime.combine(day, time(), ZoneInfo(self.zone)).timestamp() / HOUR)

    def read_on(self, day: date) -> date:
        """The day itself, or the first after it on which somebody reads; as it is where no hours are known."""
        if not self.duty.is_known:
            return day
        left = (date.max - day).days + 1  # a case that was kept with a day of the last week that there is opens too
        ahead = (day + timedelta(days=number) for number in range(min(LOOKED_AHEAD, left)))
        return next((later for later in ahead if self._is_read(later)), day)

    def after(self, hour: float, days: int) -> date:
        """So many whole days after an hour since 1970, or the first day after that on which somebody reads."""
        return self.read_on(self.day_of(hour) + timedelta(days=days))

    def _is_read(self, day: date) -> bool:
        return day.weekday() in self.duty.hours and day not in self.duty.off


def working_days(db: Session) -> WorkingDays:
    """The days of the place whose database this is, with the reading hours as they are now."""
    return WorkingDays(zone_of(db), reading_hours.read(db))
