"""A keeper adds and changes a service by six questions, on a page of words and buttons."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask

from referrals.directory import reviewed_data, rows, snapshot
from referrals.directory.keeping import adding
from referrals.directory.models import ServiceRow
from referrals.matching import listings
from referrals.pages.directory import words
from reporting.storage.database import reading, writing
from tests.copies import Filling, with_known_coordinator
from tests.people import Place
from tests.phone import Phone
from tests.trips import say, signs_in

NEW = "/es/equipo/directorio/nuevo"
CASA = {"service_type": "PEER_SW", "where": "PE2501", "name": "Casa de Compañeras", "hours": "lunes a viernes 8 a 16"}


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_known_coordinator


@pytest.fixture
def carmen(app: Flask, place: Place) -> Phone:
    return signs_in(app, place, place.workers["carmen"])


def test_six_questions_add_a_service_that_says_how_it_was_understood_and_is_offered_from_then_on(
    carmen: Phone, place: Place
) -> None:
    carmen.opens(NEW)
    carmen.presses("called", **CASA, phone="575555", minors="unknown", police_inside_or_run="no")
    words = " ".join(carmen.words.split())
    assert say("It is in the directory. Look how it was understood.") in words
    assert "Se marca: +5161575555." in words
    assert "Lunes 08:00-16:00" in words, "the week stands there as a table"
    assert "Sábado cerrado" in words
    assert "Organización de trabajadoras sexuales · Coronel Portillo, Ucayali" in words
    assert say("Companions and their organisations") in words
    card = snapshot.snapshot_of(partial(reading, place.engine)).service("own-casa-de-companeras-25")
    assert (card.police, card.minors, card.reached, card.site) == ("no", "unknown", listings.OWN, "PE2501")
    assert card.verified_on


def test_what_is_wrong_comes_back_in_words_with_every_answer(carmen: Phone) -> None:
    carmen.opens(NEW)
    carmen.presses("told", service_type="PEER_TRANS", phone="", trans_friendly="yes")
    assert carmen.status == 422
    for sentence in (adding.NO_WHERE, adding.NOT_REACHED, rows.FAULTS["name"]):
        assert say(sentence) in carmen.words
    assert carmen.form("told").values["service_type"] == ["PEER_TRANS"]
    assert carmen.form("told").values["trans_friendly"] == ["yes"]
    carmen.presses("told", **CASA, phone="961000000")
    assert say("Never verified") in carmen.words
    carmen.opens(NEW)
    carmen.presses("told", **(CASA | {"name": "casa de COMPANERAS"}), phone="961000000")
    assert carmen.status == 409
    assert "/servicio/own-casa-de-companeras-25" in carmen.text


def test_what_is_for_the_whole_country_needs_a_proof_and_a_second_person(carmen: Phone, place: Place) -> None:
    carmen.opens(NEW)
    carmen.presses("called", **(CASA | {"where": "PE"}), phone="961000000")
    assert carmen.status == 422
    assert say("It waits until a second person agrees.") in carmen.words
    assert "own-casa-de-companeras-pe" not in snapshot.snapshot_of(partial(reading, place.engine)).cards.by_id


def test_of_a_shelter_no_address_is_taken_on_the_page_of_six_questions(carmen: Phone, place: Place) -> None:
    carmen.opens(NEW)
    carmen.presses("called", **(CASA | {"service_type": "SHELTER"}), address="Jirón Secreto 1")
    assert say("A shelter's address is never stored: leave it out.") in carmen.words
    assert b"Secreto" not in (place.settings.instance / "amparo.db").read_bytes()


def test_answers_are_pressed_and_one_that_is_pressed_again_keeps_its_note(carmen: Phone, place: Place) -> None:
    service, note = "cem-regular-pucallpa-25", "yes (según la nota)"
    with writing(place.engine) as db:
        db.get_one(ServiceRow, service).trans_friendly = note
    carmen.opens(f"/es/equipo/directorio/servicio/{service}")
    assert {carmen.form("edit").kinds[name] for name in rows.ANSWERS} == {"radio"}
    carmen.presses("edit", why="x", hours="24 horas")
    assert (stored(place, service)["trans_friendly"], stored(place, service)["hours"]) == (note, "24 horas")
    for answer in ("unknown", "no"):
        carmen.presses("edit", why="x", trans_friendly=answer)
        assert stored(place, service)["trans_friendly"] == answer
    carmen.presses("edit", why="x", trans_friendly="no se sabe")
    assert carmen.status == 422, "nobody types it"


def test_every_kind_of_service_has_a_name_that_somebody_knows() -> None:
    assert words.TYPE_NAMES.keys() == reviewed_data.service_types().keys()
    assert all(say(name) for name in words.TYPE_NAMES.values())


def test_the_list_says_kind_place_and_what_has_no_number(carmen: Phone) -> None:
    for service, is_said in (("hrt-", True), ("linea100", False)):
        carmen.opens("/es/equipo/directorio")
        carmen.sends("q", q=service)
        assert (say("no number") in carmen.words) == is_said
    assert f"{say('Crisis line')} · Perú" in carmen.words


def stored(place: Place, service: str) -> dict[str, str]:
    with reading(place.engine) as db:
        return rows.cells_of(db.get_one(ServiceRow, service))
