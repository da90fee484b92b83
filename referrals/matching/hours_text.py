"""Opening hours as people write them: OpenStreetMap text and Peruvian Spanish in, OpenStreetMap text out.

Pure. What is not understood whole is unknown: half a reading would send somebody to a closed door.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from referrals.matching.hours import (
    ALL_DAY,
    ALL_WEEK,
    NO,
    QUARTER,
    QUARTERS_PER_DAY,
    UNKNOWN,
    YES,
    ZONE,
    Hours,
    open_for,
    opens_in,
)
from reporting.errors import AmparoError

NOON: Final = 720  # minutes
MIDNIGHT: Final = 1440
EARLIEST: Final = 360  # before six, a bare hour may be one of the afternoon
HALVES: Final = ("am", "pm")
LONGEST: Final = 300  # characters; what is longer is a story


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────
# words of a day, from Monday on: OpenStreetMap's, then as people write in Peru. "m" alone could be two days: not read
_DAYS: Final = (
    "mo mon monday l lu lun lunes",
    "tu tue tuesday ma mar martes",
    "we wed wednesday mi mie miercoles x",
    "th thu thursday j ju jue jueves",
    "fr fri friday v vi vie viernes",
    "sa sat saturday s sab sabado sabados",
    "su sun sunday d do dom domingo domingos",
)
DAY_WORDS: Final[Mapping[str, int]] = {word: day for day, words in enumerate(_DAYS) for word in words.split()}
CODES: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# what is written -> one word for it. In this order; what is left over is not understood.
_PLAIN: Final = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\ba\.\s?m\.?|\ba\s?m\b", "am"),
        (r"\bp\.\s?m\.?|\bp\s?m\b", "pm"),
        (r"(?<=\d)\s*(am|pm)\b", r"\1"),
        (r"(\d)(am|pm)", r"\1\2 "),
        (r"\b24\s*/\s*7\b", " @always "),
        (r"\b(?:las\s+)?24\s*(?:horas|hrs?|hs?)\b\.?", " @allday "),
        (r"\b365 dias(?: del ano)?\b|\btodo el ano\b", " @yearround "),
        (r"\b7 dias(?: (?:de|a) la semana)?\b|\btodos los dias\b|\bdiari(?:o|amente)s?\b|\bdaily\b", " @daily "),
        (r"\b(?:tambien|incluye|incluid[oa]s|inclusive|incluso|y) (?:los )?(?:dias )?feriados\b", " @phopen "),
        (r"\b(?:excepto|salvo|menos|no) (?:los )?(?:dias )?(?:feriados|festivos)\b", " @phoff "),
        (r"(?<!@)\b(?:ph|feriados?|festivos?)[\s:]+(?:off|closed|cerrado|no)\b", " @phoff "),
        (r"\b(\d{4})-(\d\d)-(\d\d)\b", r" @\1\2\3 "),
        (r"\b(\d{4}) (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) (\d\d?)\b", r" @\1\2_\3 "),
        (r"\b(?:off|closed|cerrado|no atienden?)\b", " @off "),
        (r"\bmediodia\b|\b12\s*m\b", " 12:00 "),
        (r"\bmedianoche\b", " 24:00 "),
        (r"(?<=\d)\s*(?:horas|hrs?|hs?)\b\.?", " "),
        (r"(?<=\d)\.(?=\d\d\b)", ":"),
        (r"\b(?:a las|hasta las|hasta|al|a)\b", "-"),
        (r"[\u2010-\u2015]", "-"),
        (r"\by\b|&|\be\b", ","),
        (r"\b(?:horario|atencion|atienden?|de|desde|del|los|las|el|la|en|horas?)\b:?", " "),
        (r"(?<=[a-z]):(?=\s)", " "),
    )
)
_TOKEN: Final = re.compile(r"\s*(@?[a-z][a-z_0-9]*|@\d{4}\w+|\d{1,2}(?::\d\d)?(?:am|pm)?|[-,])")
_OFF, _ALL_DAY = "@off", "@allday"


class _Strange(AmparoError, ValueError):
    """Something in it is not understood."""


@dataclass(slots=True)
class _Rule:
    """One part between semicolons: days or a date, and from when to when in minutes; no times: closed."""

    days: tuple[int, ...]
    dated: date | None
    times: list[tuple[int, int]]


@lru_cache(maxsize=32_768)
def read(text: str, is_24h: str = UNKNOWN, zone: str = ZONE) -> Hours:
    """What somebody wrote as hours. Never fails: what is not understood whole, or contradicts itself, is unknown.

    `is_24h` is the service's own answer to "24 hours?" (yes, no, unknown); beside it a text must not say otherwise.
    """
    if len(text) > LONGEST:
        return Hours(None, zone=zone)
    if is_24h == YES and (not text.strip() or _begins_all_day(text)):
        return Hours(ALL_WEEK, on_holidays=YES, zone=zone)
    try:
        hours = _read(text, zone)
    except _Strange:
        return Hours(None, zone=zone)
    contradicts = (is_24h == YES and not hours.is_always) or (is_24h == NO and hours.is_always)
    return Hours(None, zone=zone) if contradicts else hours


def _begins_all_day(text: str) -> bool:
    return bool(re.match(r"\s*(?:@allday|@always)", _plain(text)))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    for pattern, word in _PLAIN:
        plain = pattern.sub(word, plain)
    return plain


def _read(text: str, zone: str) -> Hours:
    on_holidays, rules = UNKNOWN, list[_Rule]()
    for part in re.split(r"[;\n]", _plain(text)):
        words = _words(part)
        if "@always" in words or "@yearround" in words or "@phopen" in words:
            on_holidays = YES
        if "@phoff" in words:
            on_holidays = NO
        rules += _rules(["@daily" if word == "@always" else word for word in _spelt(_about_the_week(words))])
    week = _week(rules, said_twice=_is_osm(text))
    every_day = week == (ALL_WEEK, 0)
    exceptions = tuple(sorted({rule.dated: _dated(rule) for rule in rules if rule.dated is not None}.items()))
    return Hours(*week, exceptions, YES if every_day and on_holidays == UNKNOWN else on_holidays, zone)


def _about_the_week(words: Iterable[str]) -> Iterable[str]:
    """Without what was said of holidays, and without the commas that stood around it."""
    left = [word for word in words if word not in {"@yearround", "@phopen", "@phoff"}]
    doubled = (at and left[at - 1] == "," == left[at] for at in range(len(left)))
    once = [word for word, twice in zip(left, doubled, strict=True) if not twice]
    return once[(once[:1] == [","]) : len(once) - (once[-1:] == [","])]


def _words(part: str) -> list[str]:
    words, at = [], 0
    text = part.rstrip(" \t.,")
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _Strange
        words.append(token.group(1))
        at = token.end()
    return words


def _spelt(words: Iterable[str]) -> Iterator[str]:
    """24/7 is every day, all day."""
    for word in words:
        yield word
        if word == "@always":
            yield _ALL_DAY


def _is_osm(text: str) -> bool:
    """Whether its days are OpenStreetMap's: there a later part takes the place of an earlier one."""
    words = re.findall(r"[A-Za-zÀ-ÿ]+", text)
    return all(word in CODES or word in {"PH", "off", "closed", *MONTHS} for word in words)


def _rules(words: list[str]) -> Iterator[_Rule]:
    """Days with their times, one after the other: `mo-fr 8:00-12:00,14:00-18:00, sa 9:00-13:00`."""
    at = 0
    while at < len(words):
        days, dated, at = _which(words, at)
        times, at = _when(words, at)
        if not times and not (at and words[at - 1] == _OFF):
            raise _Strange
        yield _Rule(days, dated, times)
        if at < len(words):
            at = _past_comma(words, at)


def _past_comma(words: list[str], at: int) -> int:
    if words[at] != "," or at + 1 == len(words):
        if words[at] in DAY_WORDS or words[at] == "@daily":
            return at
        raise _Strange
    return at + 1


def _which(words: list[str], at: int) -> tuple[tuple[int, ...], date | None, int]:
    """The days, or the one date, that a part speaks of."""
    if words[at] == "@daily":
        return tuple(range(7)), None, at + 1 + (words[at + 1 : at + 2] == [","])
    if words[at] == _ALL_DAY:
        after = words[at + 1 : at + 3]  # "24 hours, every day"
        if after[-1:] == ["@daily"]:
            del words[at + 1 : at + 1 + len(after)]
        return tuple(range(7)), None, at
    if re.fullmatch(r"@\d{4}\w+", words[at]):
        return (), _date(words[at]), at + 1
    days: list[int] = []
    while at < len(words) and words[at] in DAY_WORDS:
        first = last = DAY_WORDS[words[at]]
        if words[at + 1 : at + 2] == ["-"] and words[at + 2 : at + 3] and words[at + 2] in DAY_WORDS:
            last, at = DAY_WORDS[words[at + 2]], at + 2
        days += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
        at += 1
        if words[at : at + 1] == [","] and words[at + 1 : at + 2] and words[at + 1] in DAY_WORDS:
            at += 1
    if not days or len(set(days)) != len(days):
        raise _Strange
    if words[at : at + 1] == [","]:
        at += 1
    return tuple(days), None, at


def _date(word: str) -> date:
    try:
        if "_" in word:
            return date(int(word[1:5]), [month.lower() for month in MONTHS].index(word[5:8]) + 1, int(word[9:]))
        return date(int(word[1:5]), int(word[5:7]), int(word[7:9]))
    except ValueError:
        raise _Strange from None


def _when(words: list[str], at: int) -> tuple[list[tuple[int, int]], int]:
    """From when to when, once or several times."""
    if words[at : at + 1] == [_OFF]:
        return [], at + 1
    if words[at : at + 1] == [_ALL_DAY]:
        return [(0, MIDNIGHT)], at + 1
    times: list[tuple[int, int]] = []
    while len(words) >= at + 3 and words[at + 1] == "-" and words[at][0].isdigit() and words[at + 2][0].isdigit():
        times.append(_span(words[at], words[at + 2]))
        at += 3
        if words[at : at + 1] == [","] and words[at + 1 : at + 2] and words[at + 1][0].isdigit():
            at += 1
    return times, at


def _span(begins: str, ends: str) -> tuple[int, int]:
    """Two times as minutes; the second is after the first, over midnight if it must be."""
    half_said = ends.endswith(HALVES)
    first, last = _minutes(begins), _minutes(ends)
    if half_said and not begins.endswith(HALVES) and first < NOON:  # "9 to 1 pm": whichever half comes before
        same = _minutes(begins + ends[-2:])
        first = same if same < last else first
    if begins == ends and re.fullmatch(r"\d\d:\d\d", begins):
        return first, first + MIDNIGHT  # closes when it opens: the whole day
    if last <= first:
        to_the_minute = ":" in begins and ":" in ends
        if not half_said and not (to_the_minute and first >= NOON):
            raise _Strange  # "8 to 5" is more likely a day than a night
        last += MIDNIGHT
    if ":" not in begins + ends and not half_said and first < EARLIEST:
        raise _Strange  # "2 to 6": in the afternoon?
    if first >= MIDNIGHT:
        raise _Strange
    return first, last


def _minutes(time: str) -> int:
    parts = re.fullmatch(r"(\d{1,2})(?::([0-5]\d))?(am|pm)?", time)
    if parts is None:
        raise _Strange
    hour, minute, half = int(parts[1]), int(parts[2] or 0), parts[3]
    if half and hour in range(1, 13):
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif half == "am" or (half and hour not in range(13, 24)):  # "15:00 p.m." is clear enough
        raise _Strange
    if hour * 60 + minute > MIDNIGHT:
        raise _Strange
    return hour * 60 + minute


def _week(rules: Iterable[_Rule], *, said_twice: bool) -> tuple[int, int]:
    """(own, over) of the days of the week."""
    by_day: dict[int, list[tuple[int, int]]] = {}
    weekly = [rule for rule in rules if rule.dated is None]
    if not weekly:
        raise _Strange
    for rule in weekly:
        for day in rule.days:
            if day in by_day and rule.times and not said_twice:
                raise _Strange  # two parts for the same day: nobody knows which holds
            by_day[day] = rule.times
    own = over = 0
    for day, times in by_day.items():
        for begins, ends in times:
            own, over = own | _bits(begins, min(ends, MIDNIGHT)) << day * QUARTERS_PER_DAY, over | _over_bits(ends, day)
    if not own:
        raise _Strange
    return own, over


def _bits(begins: int, ends: int) -> int:
    """The quarters that are open all through."""
    first, last = -(-begins // QUARTER), ends // QUARTER
    return (1 << last) - (1 << first) if last > first else 0


def _over_bits(ends: int, day: int) -> int:
    return _bits(0, ends - MIDNIGHT) << (day + 1) % 7 * QUARTERS_PER_DAY if ends > MIDNIGHT else 0


def _dated(rule: _Rule) -> int:
    quarters = 0
    for begins, ends in rule.times:
        if ends > MIDNIGHT:
            raise _Strange
        quarters |= _bits(begins, ends)
    return quarters


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


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
