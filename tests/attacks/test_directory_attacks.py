"""Attacks on the directory: who sends a woman elsewhere, or takes the help away that she would have been shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, select, update

from referrals.casework import second_person, signed_directory
from referrals.directory.believed import Unbelieved
from referrals.directory.importing import run, shipped
from referrals.directory.importing.build import write_table
from referrals.directory.models import CoverageRow, DirectoryRow, ServiceRow, SignatureRow, WaitingRow
from referrals.directory.rows import COLUMNS, cells_of
from referrals.directory.snapshot import IN_MEMORY, DirectorySnapshot, shipped_lines, snapshot_of
from referrals.help.answers import ASKED, help_with, national_lines
from referrals.matching.listings import ServiceCard, is_listed
from referrals.matching.offers import NEVER_REPLACED
from reporting.app import create_app
from reporting.sessions import day_seeds
from reporting.storage.database import reading, writing
from reporting.teams.team_log import CASE_WORKER
from reporting.web.context import Installation
from tests.copies import Copies, with_known_coordinator
from tests.needs_of_tests import a_schema
from tests.pages.test_directory_pages import flags
from tests.pages.test_people_and_keys import enters, proves
from tests.people import Place, a_furnished_place
from tests.phone import Phone

MANY = 200
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


def test_hundreds_of_anonymous_flags_change_nothing_that_is_offered(app: Flask, place: Place) -> None:
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
        unmet = {need.need.code for need in found.needs if not any(offer.tel for offer in need.offers)}
        assert unmet <= NEVER_REPLACED, "a companion is replaced by no line"
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
HERS = "998 877 665"  # the number of whoever wrote to the database


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
    ("linea100", {"phone": "998 111 222"}),
    ("defensoria", {"phone": "998 111 222"}),
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
    changes(team, "linea100", phone="998 111 222")
    assert "Detenido" in decides(team, "linea100", "milagros", "stop").words
    assert directory(team).cards.by_id["linea100"] == before


def test_a_change_that_nobody_of_the_team_asked_for_is_named_and_cannot_be_agreed_to(team: Place) -> None:
    changes(team, "linea100", phone="998 111 222")
    with writing(team.engine) as db:
        row = db.get_one(WaitingRow, "linea100")
        row.changes = row.changes.replace("998 111 222", "998 111 223")
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


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


def brings_in(place: Place, *rows: dict[str, str], by: str = "") -> None:
    """A file of ours comes in: at the terminal, or on the page by somebody."""
    raw = write_table([dict.fromkeys(COLUMNS, "") | row for row in rows], COLUMNS).encode()
    with begun(place).writing() as db:
        signs = place.workers[by].signer if by else None
        assert run.import_file(db, raw, by or "terminal", date(2026, 11, 24), signs=signs).listed == 0


def line_of(place: Place, service: str, **cells: str) -> dict[str, str]:
    with reading(place.engine) as db:
        return cells_of(db.get_one(ServiceRow, service)) | cells


NEW_LINE = OWN | {"id": "linea-ayuda", "service_type": "CRISIS_LINE", "coverage": "national", "phone": "999 000 111"}


def test_a_file_on_the_page_changes_and_adds_no_line_alone(team: Place) -> None:
    brings_in(
        team, line_of(team, "linea100", phone="998 111 222"), NEW_LINE, OWN | {"phone": "061 222-333"}, by="carmen"
    )
    shown_now = offered(team)
    assert (shown_now["linea100"], shown_now["casa-luz"]) == ("100", "061 222-333")
    held = directory(team)
    assert not is_listed(held.cards.by_id["linea-ayuda"])
    assert warned(team, "linea100")
    assert named(team) == {}
    decides(team, "linea-ayuda", "rosa")
    assert is_listed(directory(team).cards.by_id["linea-ayuda"])


def test_a_file_at_the_terminal_waits_for_a_signature_and_its_lines_for_two(team: Place) -> None:
    brings_in(team, line_of(team, "linea100", phone="998 111 222"), OWN | {"phone": "061 222-333"})
    assert "casa-luz" not in offered(team)
    assert named(team).keys() == {"casa-luz"}
    desk = at_the_desk(team, "rosa")
    desk.opens("/es/equipo/directorio/vigilancia")
    desk.presses("sign", **proves(team, "rosa"))
    assert offered(team)["casa-luz"] == "061 222-333"
    assert "Anotado" in decides(team, "linea100", "carmen").words
    assert offered(team)["linea100"] == "100", "one alone is not two, even with a file at the terminal"
    assert "carmen, rosa" in decides(team, "linea100", "rosa").words
    assert offered(team)["linea100"] == "998 111 222"


def test_an_upgrade_empties_nothing_and_leaves_what_was_signed_as_it_is(team: Place) -> None:
    changes(team, "cem-regular-pucallpa-25", proved=False, phone="061 222-333")
    before = offered(team)
    assert before["cem-regular-pucallpa-25"] == "061 222-333"
    with begun(team).writing() as db:
        shipped.bring_up_to_date(db)
    assert offered(team) == before
    assert named(team) == {}


def test_what_is_signed_cannot_be_made_unsigned_again(team: Place) -> None:
    by_hand(team, delete(SignatureRow))
    by_hand(team, update(ServiceRow).where(ServiceRow.id == "casa-luz").values(phone=HERS))
    assert "casa-luz" not in offered(team)
    assert "casa-luz" in named(team)


def test_nobody_signs_by_opening_what_nobody_looked_at(team: Place) -> None:
    by_hand(team, update(ServiceRow).where(ServiceRow.id == "casa-luz").values(phone="061 999-998"))
    desk = at_the_desk(team, "rosa")
    desk.opens("/es/equipo/directorio/vigilancia")
    by_hand(team, update(ServiceRow).where(ServiceRow.id == "casa-luz").values(phone=HERS))
    desk.presses("sign", **proves(team, "rosa"))
    assert desk.status == 409
    assert "casa-luz" not in offered(team)


# ── who can do what to the directory ────────────────────────────────────────────────────────────────────────

NOTHING, WAITS, AT_ONCE, NOT_OFFERED = "nothing", "it waits: call first", "it holds at once", "it is not offered"
Who = Callable[[Place, str, dict[str, str]], object]


def with_a_stolen_session(place: Place, service: str, cells: dict[str, str]) -> None:
    """Carmen's browser, without her password and her phone; and rosa's."""
    changes(place, service, proved=False, **cells)
    rosa = at_the_desk(place, "rosa")
    rosa.opens(PAGE + service)
    if any(button == ("go", "agree") for form in rosa.forms for button in form.buttons):
        rosa.presses("agree")


def as_coordinator(place: Place, service: str, cells: dict[str, str]) -> None:
    changes(place, service, **cells)


def as_two_members(place: Place, service: str, cells: dict[str, str]) -> None:
    changes(place, service, **cells)
    if service in waiting_now(place):
        decides(place, service, "rosa")


def waiting_now(place: Place) -> set[str]:
    with reading(place.engine) as db:
        return set(db.scalars(select(WaitingRow.service)))


def with_both_sheets(place: Place, service: str, _cells: dict[str, str]) -> None:
    """Nothing in the directory asks for them."""
    for address in (PAGE + service, "/es/equipo/directorio/vigilancia"):
        desk = at_the_desk(place, "carmen")
        desk.opens(address)
        assert not [form for form in desk.forms if {"first", "second"} & form.kinds.keys()]


def in_the_database(place: Place, service: str, cells: dict[str, str]) -> None:
    by_hand(place, update(ServiceRow).where(ServiceRow.id == service).values(**cells))


LINE, LOCAL = ("linea100", {"phone": HERS}), ("casa-luz", {"phone": HERS})
POLICE = ("casa-luz", {"police_inside_or_run": "unknown"})
CAN: dict[tuple[str, Who], tuple[str, str, str]] = {  # of a national line, of a local number, of "police inside"
    ("a stolen session", with_a_stolen_session): (NOTHING, AT_ONCE, NOTHING),
    ("a coordinator", as_coordinator): (WAITS, AT_ONCE, WAITS),
    ("both sheets", with_both_sheets): (NOTHING, NOTHING, NOTHING),
    ("two members", as_two_members): (AT_ONCE, AT_ONCE, AT_ONCE),
    ("a database writer", in_the_database): (NOTHING, NOT_OFFERED, NOT_OFFERED),
}


def came_of(place: Place, service: str, before: ServiceCard) -> str:
    card = directory(place).cards.by_id.get(service)
    if card is None:
        return NOT_OFFERED
    return WAITS if card.waits else NOTHING if card == before else AT_ONCE


@pytest.mark.parametrize("who", CAN, ids=[name for name, _ in CAN])
def test_who_can_do_what_to_the_directory(copies: Copies, tmp_path: Path, who: tuple[str, Who]) -> None:
    found = []
    for number, (service, cells) in enumerate((LINE, LOCAL, POLICE)):
        place = signed_place(copies.copy(tmp_path / f"{number}", with_a_team))
        before = directory(place).cards.by_id[service]
        who[1](place, service, cells)
        found.append(came_of(place, service, before))
    assert tuple(found) == CAN[who]


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────


def test_on_postgresql_a_number_changed_by_hand_is_named_and_waiting_changes_wait(tmp_path: Path) -> None:
    with a_schema() as address:
        place = a_furnished_place(tmp_path / "instance", DATABASE_URL=address)
        with_known_coordinator(place)
        before = offered(signed_place(place))
        by_hand(place, update(ServiceRow).where(ServiceRow.id.in_(["linea100", "casa-luz"])).values(phone=HERS))
        after = offered(place)
        assert after == {service: number for service, number in before.items() if service != "casa-luz"}
        assert named(place).keys() == {"linea100", "casa-luz"}
        changes(place, "linea113", phone="998 111 222")
        assert warned(place, "linea113")
        place.clock.on(days=8)
        with writing(place.engine) as db:
            day_seeds.open_day(db, place.clock())
        decides(place, "linea113", "rosa")
        assert offered(place)["linea113"] == "998 111 222"
        place.engine.dispose()
