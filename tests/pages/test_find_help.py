"""Find help: any place down to its province, words that people use, and what is open at this moment."""

from __future__ import annotations

import random

import pytest
from flask import Flask

from referrals.help.answers import help_with
from referrals.help.texts import need_words
from referrals.help.words import LONGEST, needs_in
from referrals.matching.hours import OPEN, state
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.places import DEPARTMENTS
from tests.people import Place
from tests.phone import Phone
from tests.places_of_peru import shipped_places
from tests.trips import in_her_words, starts_telling
from tests.unit.test_matching import NOON, peru

TWENTY = {  # what somebody types -> the needs it stands for
    "clínica": {"N_STI", "N_MED_CHECK"},
    "abogado": {"N_LEGAL_STATE", "N_LEGAL_INFO"},
    "Abogada": {"N_LEGAL_STATE", "N_LEGAL_INFO"},
    "dónde dormir": {"N_SHELTER"},
    "DONDE DORMIR?": {"N_SHELTER"},
    "refugio": {"N_SHELTER"},
    "albergue": {"N_SHELTER"},
    "condón": {"N_PEP"},
    "pastilla del día siguiente": {"N_EC"},
    "prueba de embarazo": {"N_PREG"},
    "psicóloga": {"N_COUNSEL"},
    "me quiero morir": {"N_CRISIS_MH"},
    "denunciar": {"N_REPORT_ROUTE"},
    "papeles": {"N_DOCS"},
    "compañeras": {"N_PEER"},
    "fotos": {"N_DIGITAL"},
    "plata": {"N_ECON"},
    "desapareció": {"N_MISSING"},
    "heridas": {"N_WOUND"},
    "vacuna": {"N_HEPB"},
    "policía": {"N_LEGAL_STATE"},
    "quiero hablar con alguien": {"N_PFA"},
    "violación": {"N_PEP", "N_EC"},
    "asdf qwer": set(),
    "": set(),
}


@pytest.mark.parametrize("typed", TWENTY)
def test_a_word_that_people_use_stands_for_its_needs(typed: str) -> None:
    assert set(needs_in(typed)) == TWENTY[typed]


def test_every_need_has_words_and_each_of_them_finds_it() -> None:
    for need in NEEDS:
        words = need_words()[need]["words"]
        assert words
        assert not [word for word in words if need not in needs_in(word)], need
        assert not [word for word in words if needs_in(word.upper()) != needs_in(word)], need


def test_no_text_breaks_it_and_nothing_is_ranked() -> None:
    chance = random.Random(7)  # noqa: S311 -- for variety, not for secrecy
    for _ in range(500):
        text = "".join(chr(chance.randint(1, 0x2FFF)) for _ in range(chance.randint(0, 300)))
        found_needs = needs_in(text)
        assert list(found_needs) == [need for need in NEEDS if need in found_needs]
    assert needs_in("clinica " * 500) == needs_in("clinica"[:LONGEST])


def test_every_department_and_every_province_can_be_picked_here_and_in_the_long_form(app: Flask) -> None:
    known = {place.code for place in shipped_places() if place.level in {"department", "province"}}
    assert len(known) > len(DEPARTMENTS) * 5
    phone = Phone(app)
    phone.opens("/es/ayuda")
    assert set(phone.form(holding="needs").offered["region"]) - {""} == known
    her = starts_telling(app)
    while "region" not in her.form("next").kinds:
        her.presses("next")
    her.presses("next", region="OTHER")
    assert set(her.form("next").offered["department"]) - {"", "-"} == known
    her.presses("next", department="PE1501", violence=["RAPE"])
    her.presses("back")
    assert her.form("next").values["department"] == ["PE1501"]


def test_who_names_her_province_sees_what_is_near_and_how_far(app: Flask) -> None:
    phone = Phone(app)
    phone.opens("/es/ayuda")
    phone.sends("needs", region="PE1206", words="pastilla del día siguiente")
    assert phone.status == 203
    assert in_her_words("N_EC") in phone.words
    assert "Satipo" in phone.words


def test_words_that_nobody_understands_are_answered_with_a_sentence(app: Flask) -> None:
    for typed, sentence in (
        ("asdf", "No entendimos esas palabras. Marca abajo lo que necesitas."),
        ("", "Marca al menos una cosa que necesitas, o escríbela."),
        ("x" * 500, "Es demasiado largo."),
    ):
        phone = Phone(app)
        phone.opens("/es/ayuda")
        phone.sends("needs", words=typed)
        assert phone.status == 422, typed
        assert sentence in phone.words


def test_only_what_is_open_now_is_shown_to_who_asks_for_it() -> None:
    for need in ("N_LEGAL_INFO", "N_EC", "N_COUNSEL"):
        for department in DEPARTMENTS:
            shown = help_with(peru(), [need], department, NOON.timestamp(), languages=("es",), open_now=True)
            for offer in shown.needs[0].offers:
                card = peru().service(offer.service_id)
                assert card.coverage_national or state(card.week, NOON) == OPEN, offer.service_id


def test_what_she_typed_is_kept_nowhere(app: Flask, place: Place) -> None:
    phone = Phone(app)
    phone.opens("/es/ayuda")
    phone.sends("needs", words="zarzamora abogado")
    assert phone.status == 203
    assert place.cases() == 0
    files = [path for path in place.settings.instance.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"zarzamora" in path.read_bytes()]
