"""What a page is handed: the installation, the clock, transactions, templates, words in the language asked.

Knows neither forms nor cases, and not who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from flask import Flask, current_app, g, template_rendered
from flask.typing import ResponseReturnValue
from jinja2 import Template
from sqlalchemy.orm import Session

from reporting.config import Settings
from reporting.figures.work_apart import Order
from reporting.i18n import N_, Sentence
from reporting.sessions.day_seeds import Line
from reporting.sessions.hour_key import HourKey
from reporting.sessions.page_rows import PageRows
from reporting.teams import readers, team_log
from reporting.teams.reading_hours import WEEK, Duty, read
from reporting.teams.team_log import BrokenChain, KeysNotMade, Pin, Team
from reporting.vocabulary.places import FIRST_HOME
from reporting.vocabulary.questions import HAS_DEPARTMENTS
from reporting.web import languages, templating

SEEN = 203  # the status of a page that is typed into or shows something of hers: no browser keeps it for Back


@dataclass
class Installation:
    """What pages are handed: the settings, transactions, the clock, the words. Made once by the app."""

    settings: Settings
    reading: Callable[[], AbstractContextManager[Session]]
    looking: Callable[[], AbstractContextManager[Line]]  # the same without a session, for what every page asks
    writing: Callable[..., AbstractContextManager[Session]]
    filing: Callable[..., Any]  # (act, is_short): what she sends, also where the disk is full
    disk_warning: Callable[[], str]  # what the team reads where the disk fills up, as a message id
    own_check: Callable[[], Any]  # what `check` found last; None where nobody has looked
    front_check: Callable[[], Any]  # and what `check --through` found
    writing_relaxed: Callable[[], AbstractContextManager[Line]]  # for notes that a power cut may take
    busy_with: Callable[[], str]  # which task goes over all cases just now, while nothing else may; empty for none
    apart: Callable[[Order], object]  # begins work on a release in a process of its own
    checkpoint: Callable[[], None]  # after an erasure: leave no erased byte in the write-ahead log
    clock: Callable[[], float]
    catalogues: dict[str, languages.Catalogue]
    pin: Pin
    rows: PageRows  # what the pages of a name show
    on_the_way: Callable[[int, str], ResponseReturnValue | None]  # the page of an error, as a step of her trip
    hour_key: HourKey = field(default_factory=HourKey)  # by which a sender is known again within an hour
    tongues: dict[str, templating.LanguageEnvironment] = field(default_factory=dict)  # the templates of each language
    refused: dict[tuple[str, str, bool], tuple[int, str]] = field(default_factory=dict)  # pages for too many requests
    emergency_lines: Callable[[], Iterable[Any]] = tuple  # that answer in the whole country, as offers
    shipped_lines: Callable[[], Iterable[Any]] = tuple  # the same as shipped, where the directory cannot be read
    departments: Callable[[], Mapping[str, str]] = dict  # code -> name, in another country than the first home
    opened_day: int = -1

    def lines(self) -> tuple[Any, ...]:
        """The lines that answer in the whole country, as offers. None where nobody has told one of this country."""
        return tuple(self.emergency_lines())

    def teams(self, db: Session) -> tuple[Team, ...]:
        """Every team, verified."""
        return team_log.teams(db, self.pin)


def installation() -> Installation:
    """The installation that answers this request."""
    site: Installation = current_app.extensions["amparo"]
    return site


def name_places() -> None:
    """In another country than the first home the regions of the vocabulary are not asked."""
    site = installation()
    is_home = site.settings.country == FIRST_HOME
    HAS_DEPARTMENTS.set(None if is_home else lambda: bool(site.departments()))


def forget_places(_error: BaseException | None) -> None:
    """After a request no other country is asked about."""
    HAS_DEPARTMENTS.set(None)


def render_template(name: str, /, **context: Any) -> str:
    """A page in the language of this request; whoever listens is told, as of every page of Flask's."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- as Flask does it
    app.update_template_context(context)
    shown = template(name)
    page = shown.render(context)
    template_rendered.send(app, template=shown, context=context)
    return page


def template(name: str) -> Template:
    """A template in the language of this request."""
    return installation().tongues[g.lang].get_template(name)


def local_hour(hour: int) -> datetime:
    """Hours since 1970 on the clock of the place."""
    return languages.local(hour * 3600, installation().settings.time_zone)


def say(message: str, **parts: object) -> str:
    """A message in the language of this request."""
    return languages.say(g.catalogue, message, **parts)


def sentence(text: str) -> str:
    """A sentence that remembers what went into it, or a message id, in the language of this request."""
    return text.said_by(say) if isinstance(text, Sentence) else say(text)


def today() -> datetime:
    """Now, on the clock of the place."""
    return languages.local(installation().clock(), installation().settings.time_zone)


def days_since(hour: int) -> int:
    """How many days ago it was, as the calendar of the place counts them: 0 for today, 1 for yesterday."""
    return (today().date() - local_hour(hour).date()).days


def reading_hours() -> str:
    """When somebody reads, in one sentence; or that nobody can say."""
    with installation().reading() as db:
        known = read(db)
    following = known.next_reading(today())
    if following is None:
        return say(N_("A person reads it. We cannot say on which day."))
    days = "; ".join(_hours_of(known))
    if following <= today():
        return say(N_("Somebody reads on these days: %(days)s. Also now."), days=days)
    next_time = languages.hour(g.lang, following)
    return say(N_("Somebody reads on these days: %(days)s. The next time: %(when)s."), days=days, when=next_time)


def _hours_of(known: Duty) -> Iterator[str]:
    """The days of a week with their hours in words; days of the same hours stand together."""
    spans: dict[tuple[int, int], list[int]] = {}
    for weekday, span in sorted(known.hours.items()):
        spans.setdefault(span, []).append(weekday)
    for (begins, ends), weekdays in spans.items():
        days = languages.weekdays(g.lang, weekdays)
        yield say(N_("%(days)s from %(begins)s to %(ends)s h"), days=days, begins=begins, ends=ends)


def who_reads() -> tuple[str, ...]:
    """The names of the teams that read reports; none where nobody does, or their log does not verify."""
    with installation().reading() as db:
        try:
            return tuple(team.name for team in readers.offered(db, installation().teams(db)))
        except (BrokenChain, KeysNotMade):
            return ()


# from this hour on -> the words, today, tomorrow and on a day of the week
PARTS_OF_DAY: Final = (
    (18, N_("today, in the evening"), N_("tomorrow, in the evening"), N_("on %(day)s, in the evening")),
    (12, N_("today, in the afternoon"), N_("tomorrow, in the afternoon"), N_("on %(day)s, in the afternoon")),
    (0, N_("today, in the morning"), N_("tomorrow, in the morning"), N_("on %(day)s, in the morning")),
)


def when_to_come_back() -> str:
    """When somebody will have read what comes now, as people say it: tomorrow, in the afternoon; empty if not known."""
    now = today()
    with installation().reading() as db:
        by = read(db).read_by(now)
    if by is None:
        return ""
    ahead = (by.date() - now.date()).days
    day = languages.weekdays(g.lang, [by.weekday()]) if ahead < WEEK else languages.day(g.lang, by.date())
    return next(say(words[min(ahead, 2)], day=day) for since, *words in PARTS_OF_DAY if by.hour >= since)


T = TypeVar("T")


def once(name: str, work_out: Callable[[], T]) -> T:
    """What stays the same during a request is worked out once in it."""
    if name not in g:
        setattr(g, name, work_out())
    value: T = getattr(g, name)
    return value


def first_time(name: str) -> bool:
    """Whether a page says this for the first time: what holds for all of it is said once."""
    said: set[str] = once("said_once", set)
    is_new = name not in said
    said.add(name)
    return is_new


def installation_of(app: Flask) -> Installation:
    """The installation behind an app, outside any request."""
    site: Installation = app.extensions["amparo"]
    return site
