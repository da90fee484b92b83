"""Opening hours as people write them: OpenStreetMap text and Peruvian Spanish, read into a week.

Pure. What is not understood whole is unknown: half a reading would send somebody to a closed door.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from referrals.matching.hours import (
    ALL_WEEK,
    NO,
    OWN,
    QUARTER,
    QUARTERS_PER_DAY,
    UNKNOWN,
    YES,
    ZONE,
    Hours,
)
from referrals.matching.hours_times import MIDNIGHT, Span, spans_of
from referrals.matching.hours_words import (
    ALL_DAY_LONG,
    ALSO,
    ALWAYS_OPEN,
    DAILY,
    DAY_WORDS,
    EXCEPT,
    HOLIDAY,
    HOLIDAY_NUMBER,
    MONTHS,
    OFF,
    YEAR_ROUND,
    NotUnderstoodError,
    is_osm,
    march_or_tuesday,
    plain,
    words_of,
)

LONGEST: Final = 300  # characters; what is longer is a story
EVERY_DAY: Final = tuple(range(7))
WHOLE_DAY: Final = (0, MIDNIGHT)
AT_WEEKENDS: Final = frozenset({5, 6, HOLIDAY_NUMBER})


@dataclass(frozen=True, slots=True)
class _Rule:
    """Days (7: public holidays) or a date, and from when to when; no times: closed.

    part: the number of the part between semicolons; exception: it takes days from what was said before.
    """

    days: tuple[int, ...]
    dated: date | None
    times: tuple[Span, ...]
    part: int
    exception: bool = False


@lru_cache(maxsize=32_768)
def read(text: str, is_24h: str = UNKNOWN, zone: str = ZONE) -> Hours:
    """What somebody wrote as hours. Never fails: what is not understood whole, or contradicts itself, is unknown.

    `is_24h` is the service's own answer to "24 hours?" (yes, no, unknown); beside it a text must not say otherwise.
    """
    if len(text) > LONGEST:
        return Hours(None, zone=zone)
    if is_24h == YES and not text.strip():
        return Hours(ALL_WEEK, on_holidays=YES, zone=zone)
    try:
        hours = _read(text, zone)
    except NotUnderstoodError:
        says_so = is_24h == YES and re.match(rf"\s*(?:{ALL_DAY_LONG}|{ALWAYS_OPEN})", plain(text))
        return Hours(ALL_WEEK if says_so else None, on_holidays=YES if says_so else UNKNOWN, zone=zone)
    contradicts = (is_24h == YES and not hours.is_always) or (is_24h == NO and hours.is_always)
    return Hours(None, zone=zone) if contradicts else hours


def _read(text: str, zone: str) -> Hours:
    osm, rules, always_open = is_osm(text), list[_Rule](), False
    parts = [words_of(part) for part in re.split(r"[;\n]", plain(text))]
    if march_or_tuesday([word for words in parts for word in words], osm=osm):
        raise NotUnderstoodError
    for number, words in enumerate(parts):
        part = _Part(words, number, osm=osm)
        rules += part.rules()
        always_open = always_open or part.all_year
    by_day = _by_day([rule for rule in rules if rule.dated is None], osm=osm)
    own, over = _week(by_day)
    exceptions = tuple(sorted({rule.dated: _quarters(rule.times) for rule in rules if rule.dated is not None}.items()))
    on_holidays, holiday = _holidays(by_day, always_open=always_open)
    return Hours(own, over, exceptions, on_holidays, zone, holiday)


# ── one part ────────────────────────────────────────────────────────────────────────────────────────────────


class _Part:
    """The words of one part, read from left to right."""

    def __init__(self, words: Sequence[str], number: int, *, osm: bool) -> None:
        self.all_year = YEAR_ROUND in words or ALWAYS_OPEN in words
        kept = [ALL_DAY_LONG if word == ALWAYS_OPEN else word for word in words if word != YEAR_ROUND]
        kept = self._also_on_holidays(self._all_day_also(kept))
        self._words = _without_double_commas("," if word == ALSO else word for word in kept)
        self._number, self._osm, self._at, self._not_on_holidays = number, osm, 0, False

    def _all_day_also(self, words: list[str]) -> list[str]:
        """Without what is said beside every day: "24 hours, also on Sundays and holidays"."""
        also = words.index(ALSO) if ALSO in words else 0
        days = words[also + 1 :]
        if (
            also
            and words[0] == ALL_DAY_LONG
            and {*words[1:also]} <= {",", DAILY}
            and {*days} <= {",", ALSO, *DAY_WORDS}
        ):
            self.all_year = self.all_year or HOLIDAY in days
            return words[:also]
        return words

    def _also_on_holidays(self, words: list[str]) -> list[str]:
        """Without the holidays that are as any day: "8 to 16 and holidays"."""
        before = next((word for word in reversed(words[:-2]) if word != ","), "")
        days_are_named = before[:1].isdigit() and bool({*words[:-1]} & {*DAY_WORDS, DAILY})
        if words[-2:] != [ALSO, HOLIDAY] or not (days_are_named or before == ALL_DAY_LONG):
            return words
        self.all_year = True
        return words[:-2]

    def rules(self) -> list[_Rule]:
        """What it says; nothing where it is empty. Raises NotUnderstoodError."""
        rules: list[_Rule] = []
        if self._words and self._times_are_next():
            rules.append(self._times_before_days())
        while self._at < len(self._words):
            if rules:
                self._past(",")
            rules.append(self._rule(is_first=not rules))
        if self._not_on_holidays:
            rules.append(_Rule((HOLIDAY_NUMBER,), None, (), self._number))
        return rules

    def _rule(self, *, is_first: bool) -> _Rule:
        if re.fullmatch(r"@\d{4}\w+", self._next()):
            self._at += 1
            return _Rule((), _date(self._words[self._at - 1]), self._times(), self._number)
        exception = self._past(EXCEPT)
        days = self._days()
        self._past(",")
        if exception and self._at == len(self._words) and not is_first:
            return _Rule(days, None, (), self._number, exception=True)
        return _Rule(days, None, self._times(), self._number, exception)

    def _times_before_days(self) -> _Rule:
        """Times, then all their days: "24 hours, Monday to Friday"; "24 hours" alone is every day."""
        times = self._times()
        self._past(",")
        if self._at < len(self._words) and self._next() != EXCEPT:
            days = self._days()
            if self._next() not in {"", ",", EXCEPT} or (times == (WHOLE_DAY,) and {*days} <= AT_WEEKENDS):
                raise NotUnderstoodError  # "24 hours, Sundays and holidays": then too, or then only?
            return _Rule(days, None, times, self._number)
        if times != (WHOLE_DAY,) and not self.all_year:
            raise NotUnderstoodError
        return _Rule(EVERY_DAY, None, times, self._number)

    def _days(self) -> tuple[int, ...]:
        """The days that are named, without those that are excepted."""
        days: list[int] = []
        while self._at < len(self._words):
            if self._past(DAILY):
                days += EVERY_DAY
            elif self._next() in DAY_WORDS:
                days += self._from_day_to_day()
            elif self._next() == EXCEPT and days and self._times_follow_the_exception():
                self._at += 1
                excepted = self._days()
                self._not_on_holidays = HOLIDAY_NUMBER in excepted
                return tuple(day for day in days if day not in excepted)
            else:
                break
            if self._next() == "," and self._after(1) in {*DAY_WORDS, DAILY, EXCEPT}:
                self._at += 1
        if not days or len(set(days)) != len(days):
            raise NotUnderstoodError
        return tuple(days)

    def _times_follow_the_exception(self) -> bool:
        rest = [word for word in self._words[self._at + 1 :] if word not in DAY_WORDS and word not in {",", "-"}]
        return bool(rest) and (rest[0][0].isdigit() or rest[0] == ALL_DAY_LONG)

    def _from_day_to_day(self) -> list[int]:
        first = last = DAY_WORDS[self._next()]
        self._at += 1
        if self._next() == "-" and self._after(1) in DAY_WORDS:
            last = DAY_WORDS[self._after(1)]
            self._at += 2
            if HOLIDAY_NUMBER in {first, last}:
                raise NotUnderstoodError
        elif first == HOLIDAY_NUMBER:
            return [first]
        return [(first + step) % 7 for step in range((last - first) % 7 + 1)]

    def _times(self) -> tuple[Span, ...]:
        """From when to when, once or several times; nothing for closed. Raises where no time is said."""
        if self._past(OFF):
            return ()
        if self._past(ALL_DAY_LONG):
            return (WHOLE_DAY,)
        pairs: list[tuple[str, str]] = []
        while self._next()[:1].isdigit() and self._after(1) == "-" and self._after(2)[:1].isdigit():
            pairs.append((self._next(), self._after(2)))
            self._at += 3
            if self._next() == "," and self._after(1)[:1].isdigit():
                self._at += 1
        if not pairs:
            raise NotUnderstoodError
        return tuple(spans_of(pairs, osm=self._osm))

    def _times_are_next(self) -> bool:
        return self._next() == ALL_DAY_LONG or self._next()[:1].isdigit()

    def _next(self) -> str:
        return self._after(0)

    def _after(self, steps: int) -> str:
        return self._words[self._at + steps] if self._at + steps < len(self._words) else ""

    def _past(self, word: str) -> bool:
        """Step over a word if it comes next."""
        is_next = self._next() == word
        self._at += is_next
        return is_next


def _without_double_commas(words: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for word in words:
        if word != "," or (kept and kept[-1] != ","):
            kept.append(word)
    return kept[:-1] if kept[-1:] == [","] else kept


def _date(word: str) -> date:
    try:
        if "_" in word:
            return date(int(word[1:5]), [month.lower() for month in MONTHS].index(word[5:8]) + 1, int(word[9:]))
        return date(int(word[1:5]), int(word[5:7]), int(word[7:9]))
    except ValueError:
        raise NotUnderstoodError from None


# ── all parts ───────────────────────────────────────────────────────────────────────────────────────────────


def _by_day(rules: Sequence[_Rule], *, osm: bool) -> dict[int, tuple[Span, ...]]:
    """Day (7: holidays) -> its times. What is said twice holds only where it is clear what takes the place of what."""
    by_day: dict[int, tuple[Span, ...]] = {}
    holding: dict[int, set[int]] = {}  # day -> numbers of the rules that hold on it
    for number, rule in enumerate(rules):
        for day in rule.days:
            before = [rules[other] for other in holding.get(day, ())]
            adds = osm and any(other.part == rule.part for other in before)
            if before and not (osm or rule.exception or not rule.times):
                raise NotUnderstoodError  # two parts for the same day: nobody knows which holds
            if adds and not rule.exception:
                if not rule.times or not by_day[day]:
                    raise NotUnderstoodError
                by_day[day], holding[day] = (*by_day[day], *rule.times), holding[day] | {number}
            else:
                by_day[day], holding[day] = rule.times, {number}
    if set().union(*holding.values()) != set(range(len(rules))):
        raise NotUnderstoodError  # one of them would hold nowhere: that was not meant
    return by_day


def _week(by_day: dict[int, tuple[Span, ...]]) -> tuple[int, int]:
    """(own, over) of the days of the week."""
    own = over = 0
    for day, times in by_day.items():
        for begins, ends in times if day < HOLIDAY_NUMBER else ():
            own |= _bits(begins, min(ends, MIDNIGHT)) << day * QUARTERS_PER_DAY
            over |= _bits(0, max(0, ends - MIDNIGHT)) << (day + 1) % 7 * QUARTERS_PER_DAY
    if not own:
        raise NotUnderstoodError
    return own, over


def _holidays(by_day: dict[int, tuple[Span, ...]], *, always_open: bool) -> tuple[str, int]:
    """(what holds on public holidays, their own quarters)."""
    own_times = by_day.get(HOLIDAY_NUMBER)
    week = [by_day.get(day) for day in EVERY_DAY]
    if own_times is None:
        return (YES if always_open or week == [(WHOLE_DAY,)] * 7 else UNKNOWN), 0
    if always_open and not own_times:
        raise NotUnderstoodError
    if not own_times:
        return NO, 0
    if week == [own_times] * 7:
        return YES, 0
    return OWN, _quarters(own_times)


def _bits(begins: int, ends: int) -> int:
    """The quarters that are open all through."""
    first, last = -(-begins // QUARTER), ends // QUARTER
    return (1 << last) - (1 << first) if last > first else 0


def _quarters(times: Iterable[Span]) -> int:
    """The 96 quarters of one date. A night of it would need the day after: not read."""
    quarters = 0
    for begins, ends in times:
        if ends > MIDNIGHT:
            raise NotUnderstoodError
        quarters |= _bits(begins, ends)
    return quarters
