"""Opening hours: one answer to "is it open?" for list, order and page.

Pure. A week is 672 quarters of an hour on the service's own clock, Monday 00:00 first: bit s is set where it
is open all through quarter s, so nobody is sent to a door that closes meanwhile. What a day opens itself is
kept apart from what reaches over from the day before. Three answers: open, closed, unknown. Looking ahead is
done on the wall clock; where a clock is changed it may be an hour off.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

QUARTER: Final = 15  # minutes
QUARTERS_PER_DAY: Final = 96  # quarters
SLOTS: Final = 7 * QUARTERS_PER_DAY
ALL_DAY: Final = (1 << QUARTERS_PER_DAY) - 1
ALL_WEEK: Final = (1 << SLOTS) - 1
WEEK_BYTES: Final = SLOTS // 8  # 84
YES, NO, UNKNOWN = "yes", "no", "unknown"
OWN: Final = "own"  # of public holidays: they have hours of their own
OPEN, CLOSED = "open", "closed"
ZONE: Final = "America/Lima"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a service is open. `own` None: not known.

    own: quarters that a day opens itself; over: quarters that the day before reaches into. Both 672 bits.
    exceptions: dated days with the 96 quarters that hold then instead of the day's own.
    on_holidays: "yes" as on any day, "no" closed, "own": the 96 quarters of `holiday`, whatever day it is,
    "unknown": an ordinary week promises nothing for a public holiday.
    """

    own: int | None
    over: int = 0
    exceptions: tuple[tuple[date, int], ...] = ()
    on_holidays: str = UNKNOWN
    zone: str = ZONE
    holiday: int = 0

    @property
    def mask(self) -> int | None:
        """The ordinary week in one number; None where it is not known."""
        return None if self.own is None else self.own | self.over

    @property
    def is_always(self) -> bool:
        """24 hours on every day."""
        return self.mask == ALL_WEEK and not self.exceptions and self.on_holidays == YES


NOT_KNOWN: Final = Hours(None)
ALWAYS: Final = Hours(ALL_WEEK, on_holidays=YES)


# ── what is open when ───────────────────────────────────────────────────────────────────────────────────────


class Ahead(NamedTuple):
    """The coming week from the quarter that runs now: bit 0 is now. 672 bits each; what is in neither is closed."""

    open: int
    unknown: int


NEVER_KNOWN: Final = Ahead(0, ALL_WEEK)


def slot_of(local: datetime) -> int:
    """The quarter of the week, 0 to 671, of a wall clock."""
    return local.weekday() * QUARTERS_PER_DAY + (local.hour * 60 + local.minute) // QUARTER


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_time(moment: datetime, zone: str) -> datetime:
    """A moment on the clock of the service."""
    return moment.astimezone(_zone(zone))


def turned(week: int, slot: int) -> int:
    """A week that begins at another quarter."""
    return ((week >> slot) | (week << (SLOTS - slot))) & ALL_WEEK


def ahead(hours: Hours, local: datetime, holidays: Container[date] = ()) -> Ahead:
    """The coming week of a service, from a moment on its own clock."""
    if hours.own is None:
        return NEVER_KNOWN
    if not _is_special(hours, local.date(), holidays):
        return Ahead(turned(hours.own | hours.over, slot_of(local)), 0)
    open_bits = unknown_bits = 0
    for number in range(8):
        opens, unknown = _day(hours, local.date() + timedelta(days=number), holidays)
        open_bits |= opens << number * QUARTERS_PER_DAY
        unknown_bits |= unknown << number * QUARTERS_PER_DAY
    begun = slot_of(local) % QUARTERS_PER_DAY
    return Ahead(open_bits >> begun & ALL_WEEK, unknown_bits >> begun & ALL_WEEK)


def _is_special(hours: Hours, day: date, holidays: Container[date]) -> bool:
    if hours.exceptions:
        return True
    return hours.on_holidays != YES and any(day + timedelta(days=number) in holidays for number in range(-1, 8))


def _day(hours: Hours, day: date, holidays: Container[date]) -> tuple[int, int]:
    """(open, unknown) quarters of one date."""
    own, over = _own(hours, day, holidays), _over(hours, day, holidays)
    opens = (own or 0) | (over or 0)
    maybe = (ALL_DAY if own is None else 0) | (_part(hours.over, day) if over is None else 0)
    return opens, maybe & ~opens


def _own(hours: Hours, day: date, holidays: Container[date]) -> int | None:
    """What this date opens itself; None where nobody knows."""
    for exception, quarters in hours.exceptions:
        if exception == day:
            return quarters
    if day in holidays and hours.on_holidays != YES:
        return {NO: 0, OWN: hours.holiday}.get(hours.on_holidays)
    return _part(hours.own or 0, day)


def _over(hours: Hours, day: date, holidays: Container[date]) -> int | None:
    """What the date before reaches into this one: nothing where either has hours of its own or is off."""
    over = _part(hours.over, day)
    nights = (day - timedelta(days=1), day)
    if not over or any(exception in nights for exception, _ in hours.exceptions):
        return 0
    if hours.on_holidays != YES and any(night in holidays for night in nights):
        return 0 if hours.on_holidays == NO else None
    return over


def _part(week: int, day: date) -> int:
    return week >> day.weekday() * QUARTERS_PER_DAY & ALL_DAY


def state(hours: Hours, moment: datetime, holidays: Container[date] = ()) -> str:
    """OPEN, CLOSED or UNKNOWN at a moment that knows its zone."""
    if hours.own is None:
        return UNKNOWN
    local = local_time(moment, hours.zone)
    opens, unknown = _day(hours, local.date(), holidays)
    quarter = slot_of(local) % QUARTERS_PER_DAY
    if opens >> quarter & 1:
        return OPEN
    return UNKNOWN if unknown >> quarter & 1 else CLOSED


def open_for(week: int) -> int:
    """For how many quarters from now it stays open, in a week that begins now; 672 where it never closes."""
    closed = ~week & ALL_WEEK
    return (closed & -closed).bit_length() - 1 if closed else SLOTS


def opens_in(week: int) -> int | None:
    """In how many quarters it opens, in a week that begins now: 0 is open, None never."""
    return (week & -week).bit_length() - 1 if week else None


def open_until(hours: Hours, moment: datetime, holidays: Container[date] = ()) -> datetime | None:
    """When it closes, on its own clock. None where it is not open, never closes, or nobody knows."""
    if state(hours, moment, holidays) != OPEN:
        return None
    local = local_time(moment, hours.zone)
    quarters = open_for(ahead(hours, local, holidays).open)
    return None if quarters >= SLOTS else _later(local, quarters)


def next_opening(hours: Hours, moment: datetime, holidays: Container[date] = ()) -> datetime | None:
    """When it opens next within a week, on its own clock; the moment itself where it is open now."""
    local = local_time(moment, hours.zone)
    quarters = opens_in(ahead(hours, local, holidays).open)
    if quarters is None:
        return None
    return _later(local, quarters) if quarters else local


def _later(local: datetime, quarters: int) -> datetime:
    begun = local.replace(minute=local.minute // QUARTER * QUARTER, second=0, microsecond=0, tzinfo=None)
    zone = local.tzinfo
    there = (begun + timedelta(minutes=quarters * QUARTER)).replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone)  # an hour that a changed clock leaves out is the one after it


# ── a short form for the table ──────────────────────────────────────────────────────────────────────────────
_HOLIDAYS: Final = (YES, NO, UNKNOWN, OWN)
_ONE_DAY: Final = QUARTERS_PER_DAY // 8  # bytes
_DATED: Final = 3 + _ONE_DAY  # bytes: the day as its number, its quarters


def packed(hours: Hours) -> bytes:
    """No bytes for unknown, else 84 bytes of the week, 1 of the holidays, and what there is of the rest.

    168 where days reach over, 12 where holidays have hours of their own, 15 for each dated day.
    """
    if hours.own is None:
        return b""
    week = (hours.own | hours.over).to_bytes(WEEK_BYTES, "little")
    more = hours.own.to_bytes(WEEK_BYTES, "little") + hours.over.to_bytes(WEEK_BYTES, "little") if hours.over else b""
    kind = _HOLIDAYS.index(hours.on_holidays) | (4 if hours.over else 0)
    more += hours.holiday.to_bytes(_ONE_DAY, "little") if hours.on_holidays == OWN else b""
    dated = b"".join(
        day.toordinal().to_bytes(3, "little") + quarters.to_bytes(_ONE_DAY, "little")
        for day, quarters in hours.exceptions
    )
    return week + bytes([kind]) + more + dated


@lru_cache(maxsize=32_768)
def unpacked(raw: bytes, zone: str = ZONE) -> Hours:
    """The hours in the bytes of `packed`. Equal bytes give the very same object."""
    if not raw:
        return Hours(None, zone=zone)
    kind, rest = raw[WEEK_BYTES], raw[WEEK_BYTES + 1 :]
    own, over = int.from_bytes(raw[:WEEK_BYTES], "little"), 0
    if kind & 4:
        own = int.from_bytes(rest[:WEEK_BYTES], "little")
        over = int.from_bytes(rest[WEEK_BYTES : 2 * WEEK_BYTES], "little")
        rest = rest[2 * WEEK_BYTES :]
    holiday = 0
    if _HOLIDAYS[kind & 3] == OWN:
        holiday, rest = int.from_bytes(rest[:_ONE_DAY], "little"), rest[_ONE_DAY:]
    dated = tuple(
        (
            date.fromordinal(int.from_bytes(rest[at : at + 3], "little")),
            int.from_bytes(rest[at + 3 : at + _DATED], "little"),
        )
        for at in range(0, len(rest), _DATED)
    )
    return Hours(own, over, dated, _HOLIDAYS[kind & 3], zone, holiday)
