"""Attacks on the directory: who sends a woman elsewhere, or takes the help away that she would have been shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, update

from referrals.casework import second_person, signed_directory
from referrals.directory.believed import Unbelieved
from referrals.directory.importing import run
from referrals.directory.importing.build import write_table
from referrals.directory.models import CoverageRow, DirectoryRow, ServiceRow, WaitingRow
from referrals.directory.rows import COLUMNS
from referrals.directory.snapshot import IN_MEMORY, DirectorySnapshot, shipped_lines, snapshot_of
from referrals.help import ASKED, help_with, national_lines
from reporting.app import create_app
from reporting.sessions import day_seeds
from reporting.storage.database import reading, writing
from reporting.teams.team_log import CASE_WORKER
from reporting.web.context import Installation
from tests.copies import Copies, with_known_coordinator
from tests.pages.test_directory_pages import flags
from tests.pages.test_people_and_keys import enters, proves
from tests.people import Place
from tests.phone import Phone

MANY = 1_000
SEEN = tuple[tuple[object, ...], ...]


def begun(place: Place) -> Installation:
    """The installation as a process holds it that has just begun."""
    site: Installation = create_app(place.settings, place.clock).extensions["amparo"]
    return site


def directory(place: Place) -> DirectorySnapshot:
    """What pages are shown, as a process sees it that has just begun."""
    return snapshot_of(begun(place).reading)


def shown(held: DirectorySnapshot, now: float) -> SEEN:
    """Everything offered for every need in every region, with each number and sentence, and the box of lines."""
    regions = [None, *(code for code in held.parents if len(code) == len("PE25"))]
    helps = [help_with(held, ASKED, region, now, languages=("es",)) for region in regions]
    return (*(need.offers for each in helps for need in each.needs), national_lines(held, now))


def test_a_thousand_anonymous_flags_change_nothing_that_is_offered(app: Flask, place: Place) -> None:
    before = directory(place)
    seen = shown(before, place.clock())
    named = sorted({offer.service_id for offers in seen for offer in offers})
    for number in range(MANY):
        kind = ("dead", "unsafe")[number % 2]
        assert flags(Phone(app), f"{kind}.{named[number % len(named)]}") == 204
    after = directory(place)
    assert after.version == before.version, "not even a reading anew can be caused by it"
    assert shown(after, place.clock()) == seen


# ── the national lines ──────────────────────────────────────────────────────────────────────────────────────


def by_hand(place: Place, statement: Executable) -> None:
    """Somebody who can write the database does, and every process reads it anew."""
    with writing(place.engine) as db:
        db.execute(statement)
        db.execute(update(DirectoryRow).values(number=DirectoryRow.number + 1))


LINES = ("samu106", "linea100", "linea113", "bomberos116", "defensoria", "linea1810")
GONE: tuple[tuple[str, Executable], ...] = (
    ("deleted", delete(ServiceRow).where(ServiceRow.id.in_(LINES))),
    ("all deleted", delete(ServiceRow)),
    ("without a number", update(ServiceRow).values(phone="")),
    ("seen by nobody", update(ServiceRow).values(source="")),
    ("of no place", delete(CoverageRow)),
    ("of another country", update(CoverageRow).where(CoverageRow.service.in_(LINES)).values(place="PE25")),
)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("done", [done for _, done in GONE], ids=[name for name, _ in GONE])
def test_pages_never_show_less_than_the_national_lines(place: Place, done: Executable, in_memory: bool) -> None:
    by_hand(place, done)
    held = snapshot_of(begun(place).reading, IN_MEMORY if in_memory else -1)
    assert {line: held.cards.by_id[line].tel for line in LINES} == {
        line: shipped_lines("PE")[line].tel for line in LINES
    }
    assert [offer.service_id for offer in national_lines(held, place.clock())] == ["samu106", "linea100", "linea113"]
    for region in ("PE25", None):
        found = help_with(held, ASKED, region, place.clock(), languages=("es",))
        assert [need.need.code for need in found.needs if not any(offer.tel for offer in need.offers)] == []
    emergency = help_with(held, ["N_EMERG_MED"], "PE25", place.clock(), languages=("es",)).needs[0]
    assert "samu106" in {offer.service_id for offer in emergency.offers}


# ── rows that were changed behind the team's back ───────────────────────────────────────────────────────────

OWN = {  # a service of the team's own
    "id": "casa-luz",
    "name": "Casa Luz",
    "service_type": "PEER_SW",
    "sector": "peer_led",
    "coverage": "region",
    "regions_inei": "25",
    "phone": "061 575-555",
    "police_inside_or_run": "no",
    "status": "seen",
    "source": "Llamada de nuestro equipo",
    "source_date": "2026-11-20",
    "verified_on": "2026-11-20",
}
HERS = "061 999-999"  # the number of whoever wrote to the database


def signed_place(place: Place) -> Place:
    """Rosa has signed in since rows came to be signed, and there is a service of the team's own."""
    with writing(place.engine) as db:
        raw = write_table([dict.fromkeys(COLUMNS, "") | OWN], COLUMNS).encode()
        assert run.import_file(db, raw, "rosa", date(2026, 11, 20)).stored == 1
    enters(create_app(place.settings, place.clock), place, "rosa")
    return place


def named(place: Place) -> dict[str, Unbelieved]:
    with begun(place).reading() as db:
        listed = {item.service: item for item in signed_directory.unbelieved(db)}
        words = "\n".join(signed_directory.problems(db))
    said = [service for service in listed if f"The service {service} is" in words]
    assert len(said) == min(len(listed), signed_directory.NAMED), words
    assert {item.service for item in listed.values() if not item.shipped} <= set(said), (
        "what is offered to nobody first"
    )
    return listed


def offered(place: Place, region: str = "PE25") -> dict[str, str]:
    """Service -> number, of everything that a page may show there."""
    held = directory(place)
    return {
        card.service_id: card.phone
        for card in held.cards.by_id.values()
        if region in card.coverage or card.coverage_national
    }


def test_the_first_who_signs_in_after_an_upgrade_signs_what_is_there_and_is_told(place: Place) -> None:
    with writing(place.engine) as db:
        run.import_file(db, write_table([dict.fromkeys(COLUMNS, "") | OWN], COLUMNS).encode(), "x", date(2026, 11, 20))
    before = offered(place)
    assert before["casa-luz"], "an upgrade takes nothing away before somebody signs in"
    phone = enters(create_app(place.settings, place.clock), place, "rosa")
    assert "Respondes por 1 servicio" in phone.words
    assert offered(place) == before
    assert named(place) == {}
    again = enters(create_app(place.settings, place.clock), place, "rosa")
    assert "Desde ahora el directorio" not in again.words


TAMPERED: tuple[tuple[str, Executable, dict[str, str | None]], ...] = (
    ("a line", update(ServiceRow).where(ServiceRow.id == "linea100").values(phone=HERS), {"linea100": "100"}),
    ("own", update(ServiceRow).where(ServiceRow.id == "casa-luz").values(phone=HERS), {"casa-luz": None}),
    (
        "police",
        update(ServiceRow).where(ServiceRow.id == "casa-luz").values(police_inside_or_run="yes"),
        {"casa-luz": None},
    ),
    ("everything", update(ServiceRow).values(phone=HERS), {"linea100": "100", "casa-luz": None}),
    ("gone", delete(ServiceRow).where(ServiceRow.id == "linea113"), {"linea113": "113"}),
)


@pytest.mark.parametrize(("done", "then"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED])
def test_a_row_changed_by_hand_is_named_and_the_shipped_one_or_none_is_offered(
    place: Place, done: Executable, then: dict[str, str | None]
) -> None:
    before = offered(signed_place(place))
    by_hand(place, done)
    after = offered(place)
    assert {service: after.get(service) for service in then} == then
    assert HERS not in after.values()
    assert after.keys() == before.keys() - {service for service, number in then.items() if number is None}
    assert then.keys() <= named(place).keys()
    desk = enters(create_app(place.settings, place.clock), place, "rosa")
    desk.opens("/es/equipo/directorio")
    assert "Nadie del equipo responde por" in desk.words
    desk.opens("/es/equipo/directorio/vigilancia")
    assert HERS in desk.words or "linea113" in then or "casa-luz" in then


# ── what waits for a second person ──────────────────────────────────────────────────────────────────────────
# Carmen coordinates, rosa and milagros are case workers; rosa has typed the six words of both, more than a week ago.


def with_a_team(place: Place) -> None:
    with_known_coordinator(place)
    place.hires("milagros", CASE_WORKER)
    place.signs_in("milagros")
    place.lets_in(place.signs_in("rosa"), "milagros")
    place.clock.on(days=8)
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())


@pytest.fixture
def team(copies: Copies, tmp_path: Path) -> Place:
    return signed_place(copies.copy(tmp_path / "team", with_a_team))


PAGE = "/es/equipo/directorio/servicio/"


def at_the_desk(place: Place, name: str) -> Phone:
    return enters(create_app(place.settings, place.clock), place, name)


def changes(place: Place, service: str, name: str = "carmen", *, proved: bool = True, **cells: str) -> Phone:
    """Somebody types other cells on the page of a service."""
    phone = at_the_desk(place, name)
    phone.opens(PAGE + service)
    with reading(place.engine) as db:
        typed = {"service_type": db.get_one(ServiceRow, service).service_type, "why": "me avisaron"} | cells
    phone.presses("edit", **typed, **(proves(place, name) if proved else {}))
    return phone


def decides(place: Place, service: str, name: str, button: str = "agree") -> Phone:
    phone = at_the_desk(place, name)
    phone.opens(PAGE + service)
    phone.presses(button, **proves(place, name))
    return phone


MAY_CHANGE = "Aquí puede haber cambiado algo y el equipo todavía no lo confirmó: llama antes."


def warned(place: Place, service: str) -> bool:
    return directory(place).cards.by_id[service].waits


GUARDED: tuple[tuple[str, dict[str, str]], ...] = (
    ("linea100", {"phone": "999"}),
    ("defensoria", {"phone": "999"}),
    ("miluska", {"phone": "061 999-999"}),
    ("casa_refugio_huancayo", {"phone": "061 999-999"}),
    ("casa-luz", {"service_type": "LEGAL_NGO"}),
    ("casa-luz", {"police_inside_or_run": "yes"}),
    ("casa-luz", {"coverage": "national"}),
)


@pytest.mark.parametrize(("service", "cells"), GUARDED)
def test_a_coordinator_alone_changes_no_line_shelter_type_or_police(
    team: Place, service: str, cells: dict[str, str]
) -> None:
    before = directory(team).cards.by_id[service]
    assert changes(team, service, proved=False, **cells).status == 422, "not without password and digits"
    assert not warned(team, service)
    phone = changes(team, service, **cells)
    assert "espera a que una segunda persona esté de acuerdo" in phone.words
    assert replace(directory(team).cards.by_id[service], waits=False) == before
    assert warned(team, service)
    assert changes(team, service, **cells).status == 409, "nor does it help to ask twice"
    alone = at_the_desk(team, "carmen")
    alone.opens(PAGE + service)
    assert ("go", "agree") not in [button for form in alone.forms for button in form.buttons]
    form = alone.form("stop")
    token, stamp = form.values["f"], form.values["stamp"]
    typed = {name: [value] for name, value in proves(team, "carmen").items()}
    alone.repeats(form.action, {"f": token, "stamp": stamp, "go": ["agree"]} | typed)
    assert alone.status == 409
    assert replace(directory(team).cards.by_id[service], waits=False) == before


def test_her_page_says_call_first_until_a_second_person_agrees_and_then_the_new_number(team: Place) -> None:
    changes(team, "linea113", phone="998 877 665")
    phone = Phone(create_app(team.settings, team.clock))
    for need in ("", "N_CRISIS_MH"):
        phone.opens("/es/ayuda" if need else "/es/ahora")
        if need:
            phone.sends("needs", needs=[need])
        assert MAY_CHANGE in phone.words
        assert "998 877 665" not in phone.words
    assert "1 cambio espera a una segunda persona" in at_the_desk(team, "rosa").opens("/es/equipo/directorio")
    agreed = decides(team, "linea113", "rosa")
    assert "carmen, rosa" in agreed.words, "both names stand in the history"
    assert offered(team)["linea113"] == "998 877 665"
    assert not warned(team, "linea113")
    assert named(team) == {}


def test_what_waits_can_be_stopped_by_anybody_of_the_team(team: Place) -> None:
    before = directory(team).cards.by_id["linea100"]
    changes(team, "linea100", phone="999")
    assert "Detenido" in decides(team, "linea100", "milagros", "stop").words
    assert directory(team).cards.by_id["linea100"] == before


def test_a_change_that_nobody_of_the_team_asked_for_is_named_and_cannot_be_agreed_to(team: Place) -> None:
    changes(team, "linea100", phone="999")
    with writing(team.engine) as db:
        row = db.get_one(WaitingRow, "linea100")
        row.changes = row.changes.replace("999", "998")
    phone = at_the_desk(team, "rosa")
    phone.opens(PAGE + "linea100")
    assert ("go", "agree") not in [button for form in phone.forms for button in form.buttons]
    site = begun(team)
    with site.reading() as db:
        assert "linea100 waits in the name of carmen" in "\n".join(second_person.problems(db, site.pin))
    assert offered(team)["linea100"] == "100"


def test_another_number_holds_at_once_and_stands_on_the_desk_for_a_week(team: Place) -> None:
    changes(team, "casa-luz", proved=False, phone="061 222-333")
    assert offered(team)["casa-luz"] == "061 222-333"
    desk = at_the_desk(team, "rosa")
    desk.opens("/es/equipo/directorio/vigilancia")
    assert "061 575-555 → 061 222-333" in " ".join(desk.words.split())
    team.clock.on(days=8)
    desk = at_the_desk(team, "rosa")
    desk.opens("/es/equipo/directorio/vigilancia")
    assert "061 222-333" not in desk.words
