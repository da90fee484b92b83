"""Languages: one table of them, catalogues compiled in memory at start, plain gettext and Babel.

The language stands in the address (/es/...), never in a cookie. Message ids are English; a missing translation
falls back along the table. Knows what a language is, not what is said in it.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, get_day_names, get_month_names
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from reporting.config import shipped
from reporting.i18n import without_accents
from reporting.vocabulary import places
from reporting.vocabulary.places import FIRST_HOME

CATALOGUES = shipped("translations")


@dataclass(frozen=True, slots=True)
class Language:
    """A language as a page needs it. `formats` is the Babel locale for dates; `signed` is who vouches for the text."""

    code: str
    autonym: str
    direction: str
    formats: str
    fallback: str
    signed: bool


# Babel does not know shp or cni, so the table is ours. Unsigned languages have the plumbing and stay off.
LANGUAGES = {
    "es": Language("es", "Español", "ltr", "es_PE", "", signed=True),
    "en": Language("en", "English", "ltr", "en_GB", "", signed=True),
    "qu": Language("qu", "Runasimi", "ltr", "es_PE", "es", signed=False),
    "ay": Language("ay", "Aymar aru", "ltr", "es_PE", "es", signed=False),
    "shp": Language("shp", "Shipibo-Konibo", "ltr", "es_PE", "es", signed=False),
    "cni": Language("cni", "Asháninka", "ltr", "es_PE", "es", signed=False),
}
PAGES, TERMINAL = "messages", "terminal"  # domains: what the terminal says does not weigh on a process with pages
Catalogue = gettext.NullTranslations


def load(
    codes: tuple[str, ...], folder: Path = CATALOGUES, country: str = FIRST_HOME, domain: str = PAGES
) -> dict[str, Catalogue]:
    """The catalogues of the languages offered, each falling back along the table. English is the message ids."""
    offered = (code for code in codes if code in LANGUAGES and LANGUAGES[code].signed)
    return {code: _for_country(_with_fallback(code, folder, domain), country) for code in offered}


class _Elsewhere(gettext.NullTranslations):
    """A catalogue in which what only holds in one country is said as another one needs it."""

    def __init__(self, catalogue: Catalogue, instead: Mapping[str, str]) -> None:
        super().__init__()
        self.add_fallback(catalogue)
        self._instead = instead

    def gettext(self, message: str) -> str:
        return super().gettext(self._instead.get(message, message))


def _for_country(catalogue: Catalogue, country: str) -> Catalogue:
    instead = places.words_of(country)
    return _Elsewhere(catalogue, instead) if instead else catalogue


def _with_fallback(code: str, folder: Path, domain: str) -> Catalogue:
    catalogue = _compiled(code, folder, domain)
    if LANGUAGES[code].fallback:
        catalogue.add_fallback(_with_fallback(LANGUAGES[code].fallback, folder, domain))
    return catalogue


def _compiled(code: str, folder: Path, domain: str) -> Catalogue:
    path = folder / code / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code if code in {"es", "en", "qu"} else None))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def say(catalogue: Catalogue, message: str, **parts: object) -> str:
    """A message in a language, with its parts filled in."""
    text = catalogue.gettext(message) if message else ""
    return text % parts if parts else text


def day(code: str, when: date) -> str:
    """A day as people say it: 24 de noviembre de 2026."""
    return format_date(when, "long", locale=LANGUAGES[code].formats)


def short_day(code: str, when: date) -> str:
    """A day of these months, where there is little room: 24 nov."""
    return format_skeleton(
        "MMMd", datetime(when.year, when.month, when.day, tzinfo=UTC), locale=LANGUAGES[code].formats
    )


# how far from today a day lies that has a word of its own, in every language offered
NEAR_DAYS: Final[Mapping[str, int]] = {
    "hoy": 0,
    "today": 0,
    "manana": 1,
    "tomorrow": 1,
    "pasado manana": 2,
    "day after tomorrow": 2,
    "ayer": -1,
    "yesterday": -1,
}
_OF_MACHINES: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_IN_NUMBERS: Final = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})(?:[/.\- ](\d{4}|\d{2}))?")
_WITH_MONTH: Final = re.compile(r"(?:(\d{1,2})\w{0,2} )?([a-z]{3,})(?: (\d{1,2})(?:st|nd|rd|th)?)?(?: (\d{4}|\d{2}))?")
_LINKS: Final = re.compile(r"\b(?:el|la|the|on|of|de|del|dia|next|this|last|proximo|proxima|este|esta)\b")
_ENDS: Final = re.compile(r"\b(?:que viene|que paso|pasado|proximo)$")


def day_read(text: str, today: date, *, past: bool = False) -> date | None:
    """A day as people write it: 28/07, 28/07/2027, 28 de julio, 28 jul, July 28, mañana, el lunes. None: none of them.

    In every language offered. Without a year it is the next each from today on; with `past` the last each until today.
    """
    words = " ".join(re.sub("[,;]|\\.(?!\\d)", " ", without_accents(text.casefold())).split())
    if words in NEAR_DAYS:
        return today + timedelta(days=NEAR_DAYS[words])
    words = " ".join(_LINKS.sub(" ", _ENDS.sub("", words)).split())
    if (weekday := _named(words, _NAMED_DAYS)) is not None:
        ahead = (weekday - today.weekday()) % 7
        return today + timedelta(days=ahead - 7 if past else ahead or 7)
    begins, _, rest = words.partition(" ")
    when, weekday = _of_parts(rest, today, past=past), _named(begins, _NAMED_DAYS)
    if when is None or weekday is None:
        return _of_parts(words, today, past=past)
    return when if when.weekday() == weekday else None  # "Monday the 5th", and the 5th is no Monday: which is meant?


def _of_parts(words: str, today: date, *, past: bool) -> date | None:
    """A day of a number and a month, with or without a year."""
    if _OF_MACHINES.fullmatch(words):
        with suppress(ValueError):
            return date.fromisoformat(words)
        return None
    if numbers := _IN_NUMBERS.fullmatch(words):
        return _nearest(int(numbers[1]), int(numbers[2]), numbers[3], today, past=past)
    named = _WITH_MONTH.fullmatch(words)
    month = _named(named[2], _NAMED_MONTHS) if named else None
    if named is None or month is None or bool(named[1]) == bool(named[3]):
        return None
    return _nearest(int(named[1] or named[3]), month, named[4], today, past=past)


def _nearest(number: int, month: int, year: str | None, today: date, *, past: bool) -> date | None:
    """The day in that year; without each the next from today on, or the last until today. None where there is none."""
    century = today.year // 100 * 100
    years = [int(year) + (century if len(year) == len("27") else 0)] if year else _years_around(today, past=past)
    for each in years:
        with suppress(ValueError):
            when = date(each, month, number)
            if year or (when <= today if past else when >= today):
                return when
    return None


def _years_around(today: date, *, past: bool) -> range:
    """The years in which to look for a day without a year: the 29th of February comes every eighth at the latest."""
    return range(today.year, today.year - 9, -1) if past else range(today.year, today.year + 9)


def _named(word: str, names: Mapping[str, int]) -> int | None:
    """The number of a month or a weekday: its whole name, or its first three letters or more. None for no name."""
    when = {number for name, number in names.items() if len(word) >= len("nov") and name.startswith(word)}
    return when.pop() if len(when) == 1 else None


def _names(of: Callable[..., Mapping[int, str]], **more: str) -> dict[str, int]:
    """Names in every language offered, in plain small letters -> number."""
    named = ((name, number) for code in sorted(_FORMATS) for number, name in of("wide", locale=code).items())
    plain = {"".join(filter(str.isalpha, without_accents(name.casefold()))): number for name, number in named}
    return plain | {name: plain[like] for name, like in more.items()}


_FORMATS: Final = {language.formats for language in LANGUAGES.values()}
_NAMED_DAYS: Final = _names(get_day_names)
_NAMED_MONTHS: Final = _names(get_month_names, septiembre="setiembre")


def day_as_written(lang: str, written: str) -> str:
    """A day that is written as 2027-07-28 in words; whatever else it is, as it is written."""
    try:
        return day(lang, date.fromisoformat(written))
    except ValueError:
        return written


def hour(code: str, when: datetime) -> str:
    """A day and its full hour in words, without minutes."""
    return f"{format_skeleton('MMMMd', when, locale=LANGUAGES[code].formats)}, {when:%H}:00"


def dated_hour(code: str, when: datetime) -> str:
    """A day with its year and its full hour in words, for what is kept on paper."""
    return f"{day(code, when.date())}, {when:%H}:00"


def weekdays(code: str, numbers: Iterable[int]) -> str:
    """Days of the week as people list them (0: Monday): lunes, miércoles y viernes."""
    locale = LANGUAGES[code].formats
    names = get_day_names("wide", locale=locale)
    return format_list([names[number] for number in numbers], locale=locale)


def local(seconds: float, zone: str) -> datetime:
    """A moment (seconds since 1970) on the clock of the place."""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone))


def autonyms(codes: Mapping[str, Catalogue]) -> tuple[tuple[str, str], ...]:
    """(code, own name) of each language offered, for the switch."""
    return tuple((code, LANGUAGES[code].autonym) for code in codes)
