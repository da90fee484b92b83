"""The web door: settings, shelves, front door, pages, done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from flask import Flask

from referrals import directory_views, her_views, voice_views
from referrals import views as referral_views
from reporting import (
    advocate_views,
    desk_pages,
    door_views,
    frontdoor,
    languages,
    reporter_views,
    staff_views,
    walking,
)
from reporting.config import ROOT, Settings, read_settings
from reporting.database import checkpoint, jotting, looking, open_database, reading, writing
from reporting.frontdoor import House
from reporting.page_rows import open_rows
from reporting.teamlog import Pin


def create_app(settings: Settings | None = None, clock: Callable[[], float] = time.time) -> Flask:
    """The application for one installation."""
    told = settings or read_settings()
    logging.getLogger("amparo").setLevel(logging.INFO)
    engine = open_database(told.database_url)
    referral_views.settle_in(engine, told)
    # the files we serve have routes of their own
    app = Flask(
        "reporting", root_path=str(ROOT / "reporting"), template_folder=str(ROOT / "templates"), static_folder=None
    )
    house = House(
        settings=told,
        reading=partial(reading, engine),
        looking=partial(looking, engine),
        writing=partial(writing, engine),
        jotting=partial(jotting, engine),
        emptied=partial(checkpoint, engine),
        clock=clock,
        catalogues=languages.load(told.languages, country=told.country),
        pin=Pin(told.pin_file),
        rows=open_rows(told, engine),
        on_the_way=walking.trouble_on_the_way,
    )
    limiter = frontdoor.hang(app, house)
    desk_pages.hang(app)
    rooms = (reporter_views, her_views, door_views, staff_views, advocate_views, referral_views, voice_views,
             directory_views, desk_pages, walking, frontdoor)  # fmt: skip
    for room in rooms:
        app.register_blueprint(room.pages)
    frontdoor.limit_narrow_doors(app, limiter)
    referral_views.settle(house)
    return app
