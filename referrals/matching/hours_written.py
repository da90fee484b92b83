"""Opening hours out again: OpenStreetMap text, days with equal times, and a plain table of what was understood.

Pure. Reads no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from referrals.matching.hours import (
    ALL_DAY,
    ALL_WEEK,
    NO,
    OWN,
    QUARTER,
    QUARTERS_PER_DAY,
    UNKNOWN,
    YES,
    Hours,
    open_for,
    opens_in,
)
from referrals.matching.hours_times import MIDNIGHT
from referrals.matching.hours_words import CODES, MONTHS


def spans(hours: Hours, day: int) -> tuple[tuple[int, int], ...]:
    """From when to when a day of the week (0 is Monday) opens itself, in minutes; above 1440 is the next morning."""
    own, over = (
        (hours.own or 0) >> day * QUARTERS_PER_DAY & ALL_DAY,
        hours.over >> (day + 1) % 7 * QUARTERS_PER_DAY & ALL_DAY,
    )
    runs = list(_runs(own))
    if over and runs:
        begins, _ = runs.pop()
        runs.append((begins, MIDNIGHT + _runs_end(over)))
    return tuple(runs)


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    at = 0
    while bits >> at:
        begins = at + (opens_in(bits >> at) or 0)
        ends = begins + open_for(bits >> begins)
        yield begins * QUARTER, ends * QUARTER
        at = ends


def _runs_end(bits: int) -> int:
    return open_for(bits) * QUARTER


def quarters_as_times(quarters: int) -> tuple[tuple[int, int], ...]:
    """From when to when a date opens that has 96 quarters of its own, in minutes."""
    return tuple(_runs(quarters))


def groups(hours: Hours) -> tuple[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], ...]:
    """Days that follow each other with the same times, closed ones left out: ((0, 1, 2, 3, 4), ((480, 960),))."""
    grouped: list[tuple[list[int], tuple[tuple[int, int], ...]]] = []
    for day in range(7):
        times = spans(hours, day)
        if grouped and grouped[-1][1] == times and grouped[-1][0][-1] == day - 1:
            grouped[-1][0].append(day)
        elif times:
            grouped.append(([day], times))
    return tuple((tuple(days), times) for days, times in grouped)


def written(hours: Hours) -> str:
    """Hours as OpenStreetMap text, which `read` reads as equal hours. Empty where nothing is known."""
    if hours.own is None:
        return ""
    if hours.own == ALL_WEEK and not hours.over:
        parts = ["24/7"]
    else:
        parts = [f"{_days_written(days)} {_times_written(times)}" for days, times in groups(hours)]
        parts += ["todo el año"] if hours.on_holidays == YES else []
    parts += ["PH off"] if hours.on_holidays == NO else []
    parts += [f"PH {_times_written(_runs(hours.holiday))}"] if hours.on_holidays == OWN else []
    parts += [
        f"{day:%Y} {MONTHS[day.month - 1]} {day:%d} {_times_written(tuple(_runs(quarters))) if quarters else 'off'}"
        for day, quarters in hours.exceptions
    ]
    return "; ".join(parts)


def _days_written(days: tuple[int, ...]) -> str:
    return CODES[days[0]] if len(days) == 1 else f"{CODES[days[0]]}-{CODES[days[-1]]}"


def _times_written(times: Iterable[tuple[int, int]]) -> str:
    return ",".join(f"{clock(begins)}-{clock(ends)}" for begins, ends in times)


def clock(minutes: int) -> str:
    """480 is 08:00; 1440 is 24:00; 1500 is 01:00 on the next day."""
    past = minutes - MIDNIGHT if minutes > MIDNIGHT else minutes
    return f"{past // 60:02d}:{past % 60:02d}"


# ── read back ───────────────────────────────────────────────────────────────────────────────────────────────
DAY_KEYS: Final = tuple(code.lower() for code in CODES[:7])


def as_table(hours: Hours) -> dict[str, Any]:
    """What is known: `known`, `week` with [opens, closes] pairs by day (a closed day has none), and `holidays`.

    holidays: such pairs, none where it is closed, or "unknown". Where a holiday is as any other day and days
    differ, no one list says it: "unknown".
    """
    if hours.own is None:
        return {"known": False, "week": {}, "holidays": UNKNOWN}
    week = {key: _pairs(spans(hours, day)) for day, key in enumerate(DAY_KEYS)}
    alike = {spans(hours, day) for day in range(7)} - {()}
    holidays: Any = UNKNOWN
    if hours.on_holidays == NO:
        holidays = []
    elif hours.on_holidays == OWN:
        holidays = _pairs(_runs(hours.holiday))
    elif hours.on_holidays == YES and len(alike) == 1:
        holidays = _pairs(alike.pop())
    return {"known": True, "week": week, "holidays": holidays}


def _pairs(times: Iterable[tuple[int, int]]) -> list[list[str]]:
    return [[clock(begins), clock(ends)] for begins, ends in times]
