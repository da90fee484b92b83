"""The application: settings, database, what every request passes, pages.

Only puts together; holds no rule and no page.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import time
from collections.abc import Callable, Iterable
from functools import partial

from flask import Blueprint, Flask
from sqlalchemy import Engine

import referrals.pages
import reporting.web
from referrals.casework.signed_directory import who_signs
from referrals.directory import snapshot
from referrals.help.answers import lines_as_shipped, national_lines, other_departments
from reporting.config import HERE, Settings, read_settings, shipped
from reporting.figures import work_apart
from reporting.pages import directory_lookups
from reporting.sessions.page_rows import open_rows
from reporting.storage import disk, findings
from reporting.storage.database import checkpoint_soon, looking, open_database, reading, writing, writing_relaxed
from reporting.storage.locks import lock_holder
from reporting.teams.team_log import Pin
from reporting.web import desk_pages, errors, languages, post_redirect_get, setup
from reporting.web.context import Installation


def create_app(
    settings: Settings | None = None, clock: Callable[[], float] = time.time, besides: Iterable[Blueprint] = ()
) -> Flask:
    """The application for one installation. `besides`: pages that only practice has."""
    settings = settings or read_settings()
    logging.getLogger("amparo").setLevel(logging.INFO)
    engine = open_database(settings.database_url, settings.time_zone)
    settle_country(engine, settings)
    # the files we serve have routes of their own
    app = Flask("reporting", root_path=str(HERE), template_folder=str(shipped("templates")), static_folder=None)
    site = Installation(
        settings=settings,
        reading=partial(reading, engine),
        looking=partial(looking, engine),
        writing=partial(writing, engine),
        filing=partial(disk.filing, engine, settings.instance),
        disk_warning=partial(disk.warning, settings.instance),
        own_check=partial(findings.last, settings.instance, findings.HERE),
        front_check=partial(findings.last, settings.instance, findings.FRONT),
        writing_relaxed=partial(writing_relaxed, engine),
        busy_with=partial(lock_holder, engine, settings.instance),
        apart=work_apart.start,
        checkpoint=partial(checkpoint_soon, engine),
        clock=clock,
        catalogues=languages.load(settings.languages, country=settings.country),
        pin=Pin(settings.pin_file),
        rows=open_rows(settings, engine),
        on_the_way=post_redirect_get.trouble_on_the_way,
    )
    engine.dispose()  # whoever is forked from here on must not go on with a line that this process opened
    limiter = setup.init_app(app, site)
    app.register_error_handler(disk.NoRoom, errors.no_room)
    desk_pages.init_app(app)
    for blueprint in (*_blueprints(), *besides):
        app.register_blueprint(blueprint)
    setup.read_routes(app, limiter)
    register_lines(site)
    return app


def register_lines(site: Installation) -> None:
    """Bring what `reporting.web` shows on practice and error pages: the lines that answer in the whole country."""
    site.emergency_lines = lambda: national_lines(directory_lookups.snapshot(), site.clock())
    site.shipped_lines = lambda: lines_as_shipped(site.settings.country, site.clock())
    site.departments = lambda: other_departments(directory_lookups.snapshot())


def settle_country(engine: Engine, settings: Settings) -> None:
    """Tell a database in which country its directory lives, and whose signatures of its rows count."""
    snapshot.settle(engine, settings.country, settings.clock_of_services, who_signs(Pin(settings.pin_file)))


def _blueprints() -> Iterable[Blueprint]:
    """Every blueprint of these packages and of what lies in them: a new module of pages needs no entry anywhere."""
    packages = (referrals.pages, reporting.pages, reporting.web)
    names = [
        module.name
        for package in packages
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    modules = [importlib.import_module(name) for name in names]
    blueprints: dict[str, Blueprint] = {
        module.blueprint.name: module.blueprint for module in modules if hasattr(module, "blueprint")
    }
    return blueprints.values()
