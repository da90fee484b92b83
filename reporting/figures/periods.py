"""Periods of releases: a year, two together, a half, a quarter. A calendar rule; nobody looks at how many came."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from reporting.clock import DAY
from reporting.errors import AmparoError
from reporting.vocabulary.tally import FIRST_YEAR

FREEZE_DAYS = 60  # after the end of a period: so long outcomes and corrections still count


class UnknownPeriod(AmparoError, ValueError):
    """No period has this name."""


@dataclass(frozen=True, slots=True)
class Period:
    """A closed stretch of months. `first` and `last` are months since year 0."""

    name: str
    first: int
    last: int

    @property
    def months(self) -> range:
        """Every month of it."""
        return range(self.first, self.last + 1)

    @property
    def ends(self) -> float:
        """The first second after it (since 1970, UTC)."""
        return float(calendar.timegm(((self.last + 1) // 12, (self.last + 1) % 12 + 1, 1, 0, 0, 0)))


# shape of the name -> first month within the year, months. A calendar rule; nobody looks at how many reports came.
_SHAPES: tuple[tuple[str, Callable[[int], int], int], ...] = (
    (r"(\d{4})()", lambda _part: 0, 12),
    (r"(\d{4})-S([12])", lambda part: (part - 1) * 6, 6),
    (r"(\d{4})-T([1-4])", lambda part: (part - 1) * 3, 3),
)
_YEARS = re.compile(r"(\d{4})-(\d{4})", re.ASCII)


def period(name: str) -> Period:
    """A year (2026), two years (2025-2026), a half (2026-S1) or a quarter (2026-T1). `UnknownPeriod` for others."""
    for shape, begins, length in _SHAPES:
        parts = re.fullmatch(shape, name, re.ASCII)
        if parts and int(parts[1]) >= FIRST_YEAR:
            first = int(parts[1]) * 12 + begins(int(parts[2] or 0))
            return Period(name, first, first + length - 1)
    years = _YEARS.fullmatch(name)
    if years and int(years[1]) >= FIRST_YEAR and int(years[2]) == int(years[1]) + 1:
        return Period(name, int(years[1]) * 12, int(years[2]) * 12 + 11)
    raise UnknownPeriod(name)


def closed_periods(now: float, taken: Iterable[str]) -> tuple[str, ...]:
    """What can be frozen now: the last three years, and two of them together, without months that were frozen."""
    year, gone = datetime.fromtimestamp(now, UTC).year, {month for name in taken for month in period(name).months}
    names = (
        *(str(before) for before in range(year - 1, year - 4, -1)),
        *(f"{before - 1}-{before}" for before in (year - 1, year - 2)),
    )
    free = (closed for closed in map(period, names) if gone.isdisjoint(closed.months))
    return tuple(closed.name for closed in free if now >= closed.ends + FREEZE_DAYS * DAY)
