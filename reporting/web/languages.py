"""Languages: one table of them, catalogues compiled in memory at start, plain gettext and Babel.

The language stands in the address (/es/...), never in a cookie. Message ids are English; a missing translation
falls back along the table. Knows what a language is, not what is said in it.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, get_day_names
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from reporting.config import shipped
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
