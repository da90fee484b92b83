"""From when to when: two written times as minutes of a day, in the right half of it or not at all.

Pure. A bare hour may be one of the afternoon: where both halves are possible, nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from referrals.matching.hours_words import NotUnderstoodError

HOUR: Final = 60  # minutes
NOON: Final = 12 * HOUR
MIDNIGHT: Final = 24 * HOUR
HALVES: Final = ("am", "pm")
EARLIEST: Final = 6 * HOUR  # a bare hour before it may be one of the afternoon
LATEST_MORNING: Final = 9 * HOUR  # when a night ends at the latest, where no 24-hour clock is written throughout
LONGEST_NIGHT: Final = 15 * HOUR
EVENING: Final = 22 * HOUR  # an afternoon is over by then
Span = tuple[int, int]  # minutes; above 1440 is the next morning


def spans_of(pairs: Sequence[tuple[str, str]], *, osm: bool) -> list[Span]:
    """Each pair of written times in minutes, in the order of the day. Raises NotUnderstoodError."""
    if osm and all(re.fullmatch(r"\d\d:\d\d", time) for pair in pairs for time in pair):
        return [_exact(*pair) for pair in pairs]
    spans: list[Span] = []
    for number, (begins, ends) in enumerate(pairs):
        after = pairs[number + 1][0] if number + 1 < len(pairs) else ""
        spans.append(_span(begins, ends, spans[-1][1] if spans else None, after))
    if any(second[0] < first[1] for first, second in pairwise(spans)):
        raise NotUnderstoodError
    return spans


def minutes(time: str) -> int:
    """Minutes after midnight, 0 to 1440. "12 a.m." is midnight to some and noon to others: NotUnderstoodError."""
    parts = re.fullmatch(r"(\d{1,2})(?::([0-5]\d))?(am|pm)?", time)
    if parts is None:
        raise NotUnderstoodError
    hour, minute, half = int(parts[1]), int(parts[2] or 0), parts[3]
    if half and hour in range(1, 13):
        if half == "am" and hour == 12:  # noqa: PLR2004
            raise NotUnderstoodError
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif half == "am" or (half and hour not in range(13, 24)):  # "15:00 p.m." is clear enough
        raise NotUnderstoodError
    past = hour * HOUR + minute
    if past > MIDNIGHT:
        raise NotUnderstoodError
    return MIDNIGHT if past == MIDNIGHT - 1 else past  # 23:59 is how some write midnight


def _exact(begins: str, ends: str) -> Span:
    """On a clock of 24 hours, over midnight if it must be."""
    first, last = minutes(begins), minutes(ends)
    if first >= MIDNIGHT:
        raise NotUnderstoodError
    if begins == ends:
        return first, first + MIDNIGHT  # closes when it opens: the whole day
    return first, last if last > first else last + MIDNIGHT


def _span(begins: str, ends: str, before: int | None, after: str) -> Span:
    """One span; `before`: when the one before it ended, `after`: when the next begins, as written."""
    first, last = minutes(begins), minutes(ends)
    if first >= MIDNIGHT:
        raise NotUnderstoodError
    halves = begins.endswith(HALVES), ends.endswith(HALVES)
    if halves == (False, True):
        first = _with_the_half_of_the_end(first, last, ends)
    elif halves == (True, False) and last < NOON:
        raise NotUnderstoodError  # "2 pm to 6": the same afternoon, or the next morning?
    elif halves == (False, False):
        first, last = _bare((first, begins), (last, ends), before, after)
    return (first, last) if last > first else _over_night(first, last)


def _with_the_half_of_the_end(first: int, last: int, ends: str) -> int:
    """When it begins: "9 to 1 pm" in the morning, "3 to 6 pm" in the afternoon; "7 to 9 pm" is not known."""
    if first >= NOON or ends.endswith("am"):
        return first
    in_the_afternoon = first + NOON < last
    if in_the_afternoon == (first >= EARLIEST):
        raise NotUnderstoodError
    return first + NOON if in_the_afternoon else first


def _bare(begins: tuple[int, str], ends: tuple[int, str], before: int | None, after: str) -> Span:
    """Two times without a half of the day."""
    (first, _), (last, _) = begins, ends
    written = any(_is_padded(text) for _, text in (begins, ends))  # on a clock of 24 hours
    if last > first:
        if first in range(HOUR, EARLIEST):
            return _afternoon(first, last, before, written=written)
        if first in range(EARLIEST, 8 * HOUR) and last < NOON and not written:
            raise NotUnderstoodError  # "7 to 9": of an evening?
        return first, last
    short_day = first in range(7 * HOUR, NOON) and last in range(HOUR, 3 * HOUR) and not written
    if short_day and after and not after.endswith(HALVES) and last <= minutes(after) < EARLIEST:
        return first, last + NOON  # "9 to 1 and 3 to 6"
    if first < NOON or (last + NOON > first and not _is_padded(ends[1])):
        raise NotUnderstoodError  # "8 to 5" is more likely a day than a night
    return first, last


def _afternoon(first: int, last: int, before: int | None, *, written: bool) -> Span:
    """After a morning "3 to 6" is an afternoon; alone it is not known."""
    is_after_a_morning = before is not None and 11 * HOUR <= before <= first + NOON
    if not is_after_a_morning or written or last >= NOON or last + NOON > EVENING:
        raise NotUnderstoodError
    return first + NOON, last + NOON


def _over_night(first: int, last: int) -> Span:
    """A night that somebody would keep a door open for: from noon on, until the morning."""
    night = last + MIDNIGHT
    if first < NOON or (last and (last > LATEST_MORNING or night - first > LONGEST_NIGHT)):
        raise NotUnderstoodError
    return first, night


def _is_padded(time: str) -> bool:
    """Whether an hour is written with two digits below ten, or above twelve: on a clock of 24 hours."""
    hour = re.match(r"\d+", time)
    return hour is not None and (time.startswith("0") or int(hour.group()) > 12)  # noqa: PLR2004
