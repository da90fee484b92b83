"""Set-up of the web part: what each request passes, in order, and what every template can say.

Only puts together; knows neither reports nor cases.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, g, request
from flask_limiter import Limiter
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from reporting.teams.team_log import BrokenChain, KeysNotMade
from reporting.web import languages, limits, rate_counter, templating
from reporting.web.access import traits
from reporting.web.access.auth import OWN_ACCOUNT, ROLES, few_readers, home_for
from reporting.web.access.large_files import make_room
from reporting.web.access.tickets import flag_field
from reporting.web.access.traits import SIGN_IN, START
from reporting.web.assets import version_of
from reporting.web.context import (
    Installation,
    first_time,
    forget_places,
    installation,
    local_hour,
    name_places,
    reading_hours,
    say,
    when_to_come_back,
    who_reads,
)
from reporting.web.errors import any_error, closed, http_error, no_sender, unpack
from reporting.web.forms import choices_in_rows
from reporting.web.limits import LARGEST_BODY, TURNING, a_minute, count_of, sender, turns_no_page
from reporting.web.logging import discreet
from reporting.web.requests import (
    InMemory,
    NoSender,
    choose_language,
    count_fields,
    is_relayed,
    keep_hosts_apart,
    open_day,
    put_headers,
    read_address,
    refuse_strangers,
    refuse_the_unnamed,
    shrink,
)

LANDMARKS = (START, SIGN_IN, OWN_ACCOUNT, *map(home_for, ROLES))  # where something below the pages leads to


def init_app(app: Flask, site: Installation) -> Limiter:
    """Put in place what each request passes, in order. Returns the limiter."""
    app.extensions["amparo"] = site
    traits.prepare(app)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=200)
    app.request_class = InMemory
    app.url_map.merge_slashes = False  # two slashes are another address, not a redirect that repeats what was sent
    autonyms = languages.autonyms(site.catalogues)
    site.tongues = templating.environments(
        app,
        site.catalogues,
        say=say,
        first_time=first_time,
        tongues=lambda: autonyms,
        choices_in_rows=choices_in_rows,
    )
    app.before_request(choose_language)
    app.before_request(read_address)
    app.before_request(refuse_the_unnamed)
    app.before_request(refuse_strangers)
    app.before_request(count_fields)
    app.before_request(open_day)
    app.before_request(make_room)
    app.before_request(unpack)
    app.before_request(name_places)
    app.teardown_request(forget_places)
    app.after_request(put_headers)
    app.after_request(shrink)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(KeysNotMade, closed)
    app.register_error_handler(BrokenChain, closed)
    app.register_error_handler(NoSender, no_sender)
    app.register_error_handler(Exception, any_error)
    app.context_processor(_for_every_page)
    app.logger.addFilter(discreet)
    logging.getLogger("werkzeug").addFilter(discreet)  # `flask run` would print addresses and paths
    limiter = Limiter(
        key_func=sender,
        app=app,
        default_limits=[a_minute(count_of(TURNING), site.settings)],
        default_limits_exempt_when=turns_no_page,
        storage_uri=rate_counter.place_of(site.settings.limits_url),
        storage_options=rate_counter.patience(site.settings.limits_url),
        headers_enabled=False,
        in_memory_fallback_enabled=True,  # when Redis is away each process counts for itself, and pages go on
    )
    app.before_request(keep_hosts_apart)
    return limiter


def read_routes(app: Flask, limiter: Limiter) -> None:
    """Once every page is there: read what the routes say of themselves, and count as they say.

    Raises `BadRoute` when a route leaves something out.
    """
    limits.count_apart(app, limiter, traits.read_routes(app, LANDMARKS))


def _for_every_page() -> dict[str, Any]:
    site = installation()
    return {
        "lang": g.lang,
        "direction": languages.LANGUAGES[g.lang].direction,
        "site_name": site.settings.site_name,
        "practice": site.settings.practice,
        "figures_apart": bool(site.settings.figures_host),
        "trip": g.get("trip"),
        "day": lambda when: languages.day(g.lang, when),
        "short_day": lambda when: languages.short_day(g.lang, when),
        "short_day_of": lambda hour: languages.short_day(g.lang, local_hour(hour).date()),
        "day_of": lambda hour: languages.day(g.lang, local_hour(hour).date()),
        "here": request.endpoint,
        "version": version_of,
        "keys": g.get("keys"),
        "notice": g.get("notice"),
        "emergency": _lines,
        "reading_hours": reading_hours,
        "who_reads": who_reads,
        "is_relayed": is_relayed,
        "when_to_come_back": when_to_come_back,
        "few_readers": few_readers,
        "disk_warning": site.disk_warning,
        "flag_field": flag_field,
    }


def _lines() -> tuple[Any, ...]:
    """The lines that answer now; those that are shipped where even the directory cannot be read."""
    site = installation()
    try:
        return site.lines()
    except SQLAlchemyError:
        return tuple(site.shipped_lines())
