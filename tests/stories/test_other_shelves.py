"""The same trips on PostgreSQL, with requests counted in Redis: for those who run several hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from reporting.app import create_app
from reporting.operations import backups, restoring, retention
from reporting.storage.database import destroy, open_database, reading, upgrade_tables, writing
from reporting.storage.models import RecordRow
from reporting.teams import accounts
from reporting.teams.accounts import Invitation
from tests.needs_of_tests import a_schema, requires
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import at_random, opens_newest_case, passing_over_everything, sends, signs_in, starts_telling, tells


@pytest.fixture
def database() -> Iterator[str]:
    """A schema of its own on the server, gone afterwards."""
    with a_schema() as address:
        yield address


@pytest.fixture
def place(database: str, tmp_path: Path) -> Iterator[Place]:
    made = a_furnished_place(tmp_path, DATABASE_URL=database)
    yield made
    made.engine.dispose()


def test_a_whole_trip_is_the_same_on_postgresql(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    tells(phone, lambda form: at_random(7)(form) | ({"consents": ["C_LETTERS"]} if "consents" in form.kinds else {}))
    code = sends(phone)
    last = phone.last
    assert last is not None
    assert sends_again(phone, last) == code
    assert place.cases() == 1
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    desk.presses("letter", text="Te leímos.")
    back = Phone(app)
    back.opens("/es/")
    back.sends("code", code=code)
    assert "Te leímos." in back.words
    back.presses("write", text="Gracias.")
    opens_newest_case(desk)
    assert "Gracias." in desk.words
    back.presses("ask-erase")
    back.presses("erase")
    assert place.cases() == 0
    with reading(place.engine) as db:
        assert not db.scalars(select(RecordRow)).all()


def sends_again(phone: Phone, last: tuple[str, dict[str, list[str]]]) -> str:
    phone.repeats(*last)
    return " ".join(phone.receipt()[0])


def test_after_the_exit_nothing_can_be_had_again_on_postgresql(app: Flask) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    last = phone.last
    assert last is not None
    phone.repeats("/salir", phone.form(holding="trip").values)
    phone.repeats(*last)
    assert "draft" not in phone.text
    assert not [form for form in phone.forms if any(value == "send" for _, value in form.buttons)]


def test_the_weekly_rewrite_leaves_no_order_of_arrival_on_postgresql(place: Place) -> None:
    codes = [place.receives() for _ in range(6)]
    with writing(place.engine) as db:
        before = set(db.scalars(text("SELECT xmin::text FROM record")))
    retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), lambda _: None)
    with reading(place.engine) as db:
        rows = db.execute(text("SELECT id, xmin::text FROM record ORDER BY ctid")).all()
    assert len(before) == len(codes)
    assert len({xmin for _, xmin in rows}) == 1
    assert [number for number, _ in rows] == sorted(number for number, _ in rows)
    for code in codes:
        place.comes_back(code)


def test_a_backup_of_postgresql_comes_back_on_sqlite_and_on_postgresql(place: Place, tmp_path: Path) -> None:
    code, target, folder = place.receives(), tmp_path / "backup", place.settings.instance
    backups.back_up(place.engine, folder, target, place.clock(), lambda _: None)
    elsewhere = open_database(f"sqlite:///{tmp_path}/elsewhere.db")
    for engine in (elsewhere, place.engine):
        if engine is place.engine:
            destroy(engine)
        upgrade_tables(engine)
        restoring.restore(engine, place.pin, folder, target, place.settings.pepper, place.clock(), lambda _: None)
        place.engine = engine
        place.comes_back(code)
        with writing(engine) as db:
            accounts.invite(
                db, place.actor(db, "rosa"), Invitation("nueva", ("advocate",)), place.settings.pepper, place.clock()
            )
        place.signs_in("rosa")


def test_requests_are_counted_in_redis_without_an_address(place: Place) -> None:
    import redis

    address = requires("redis")
    store = redis.Redis.from_url(address)
    store.flushdb()
    phone = Phone(create_app(place.settings.with_changes(limits_url=address), place.clock))
    phone.opens("/es/volver")
    phone.sends("code", code="12")
    kept = [*store.keys("*")]
    assert kept
    assert not [key for key in kept if b"127.0.0" in key]
    store.flushdb()
