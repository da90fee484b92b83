"""Promises about power over a team: what each person who can do something to it can do alone, and what nobody can."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from reporting.storage.database import reading, writing
from reporting.storage.models import MemberRow
from reporting.teams import accounts, members
from reporting.teams.members import CodeUsed
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.vocabulary.incident import Incident
from reporting.web.errors import NOBODY
from tests.copies import Filling, with_coordinator
from tests.pages.test_casework import comes_back
from tests.pages.test_people_and_keys import enters
from tests.people import Place
from tests.phone import Phone
from tests.trips import say, starts_telling


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


# ── how many read ───────────────────────────────────────────────────────────────────────────────────────────


def nobody_reads(place: Place) -> None:
    """Every password is forgotten, and nobody typed the sheets yet."""
    with writing(place.engine) as db:
        db.execute(update(MemberRow).values(private=b""))


def problems(place: Place) -> str:
    with reading(place.engine) as db:
        return "\n".join(accounts.problems(db, place.pin))


def test_where_nobody_reads_telling_is_closed_and_everything_else_is_open(app: Flask, place: Place) -> None:
    receipt = place.receives(Incident(), "una")
    nobody_reads(place)
    phone = Phone(app)
    phone.opens("/es/")
    assert say(NOBODY) in phone.words
    assert say("Tell what happened") not in phone.words
    assert phone.form(holding="code")
    phone.opens("/es/contar")
    assert phone.status == 503
    assert say(NOBODY) in phone.words
    phone.opens("/es/ayuda")
    phone.sends("needs", needs=["N_PEP"])
    assert "113" in phone.words
    her = comes_back(app, receipt)
    her.presses("write", text="sigo aquí")
    assert "sigo aquí" in her.words
    her.presses("ask-erase")
    her.presses("erase")
    assert place.cases() == 0


def test_a_report_begun_before_the_last_reader_went_is_not_sent_to_nobody(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A25_34")
    phone.presses("check")
    nobody_reads(place)
    phone.presses("send")
    assert phone.status == 503
    assert say(NOBODY) in phone.words
    assert place.cases() == 0


def test_with_one_reader_check_and_desk_and_arriving_say_so(app: Flask, place: Place) -> None:
    assert "Only rosa can read the reports of Equipo" in problems(place)
    text = say(
        "Only %(name)s can read the reports of «%(team)s». Let in a second person, so that a bad day of one closes no "
        "door.",
        name="rosa",
        team="Equipo",
    )
    for name in ("rosa", "carmen"):
        desk = enters(app, place, name)
        assert text in desk.words, "where she arrives"
    place.hires("milagros", CASE_WORKER)
    place.signs_in("milagros")
    place.lets_in(place.signs_in("rosa"), "milagros")
    assert "can read the reports" not in problems(place)
    assert text not in enters(app, place, "rosa").words


def test_with_no_reader_check_and_arriving_say_so(app: Flask, place: Place) -> None:
    with writing(place.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.name == "rosa").values(private=b""))
    assert "Nobody can read the reports of Equipo" in problems(place)
    text = say(
        "Nobody can read the reports of «%(team)s». Nobody can send it one until somebody is let in, by a member or "
        "with both recovery sheets.",
        team="Equipo",
    )
    assert text in enters(app, place, "carmen").words


# ── six digits twice ────────────────────────────────────────────────────────────────────────────────────────


def test_two_codes_in_one_half_minute_say_wait_for_the_next(app: Flask, place: Place) -> None:
    enters(app, place, "rosa")
    worker, desk = place.workers["rosa"], Phone(app, cookies=True)
    used = members.totp_code(worker.totp, place.clock())
    wait = say("These six digits were used already. Wait for the next ones, half a minute at most.")
    for _ in range(accounts.FREE_TRIES + 3):
        desk.opens("/es/equipo")
        desk.sends("password", name="rosa", password=worker.password, code=used)
        assert desk.status == 422, "nobody who has both is slowed for being quick"
        assert wait in desk.words
    desk.sends("password", name="rosa", password="wrong", code=used)
    assert wait not in desk.words, "who does not know the password is told nothing"
    with pytest.raises(CannotOpen) as refused:
        place.signs_in("rosa", code="000000")
    assert not isinstance(refused.value, CodeUsed)
