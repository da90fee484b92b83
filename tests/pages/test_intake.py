"""The intake by telephone: consents first, danger next, short enough to be read aloud, and a receipt that is spelt."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from referrals.casework.follow_up import spelling
from referrals.pages.assisted_report import OVER
from reporting.cases import desk as cases_desk
from reporting.crypto import receipts
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.vocabulary import answers, intake
from reporting.vocabulary.answers import incident_of
from reporting.vocabulary.intake import CONSENTS, SPOKEN
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.questions import PAGES
from tests.house import read_aloud
from tests.people import Place
from tests.phone import Phone
from tests.trips import on_the_check_page, say, signs_in


def begins(app: Flask, place: Place) -> Phone:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    return desk


def tells(desk: Phone, **told: Any) -> None:
    """Go on to the check page; what is asked there is answered as it stands here."""
    while not on_the_check_page(desk):
        kinds = desk.form("next").kinds
        desk.presses("next", **{name: value for name, value in told.items() if name in kinds})


def sends(desk: Phone, place: Place) -> Any:
    """The case as the desk opens it."""
    desk.presses("send")
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        return cases_desk.open_case(db, keys, db.scalars(select(CaseRow.id)).first() or 0, place.clock())


# ── the order ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_question_of_hers_is_in_the_intake_once_and_no_other() -> None:
    names = [spoken.question.name for page in SPOKEN for spoken in page.spoken]
    hers = {question.name for page in PAGES for question in page.questions}
    assert sorted(names) == sorted((hers - {"consents"}) | CONSENTS.keys())


def test_consents_come_first_and_danger_next() -> None:
    first, second = ([spoken.question.name for spoken in page.spoken] for page in SPOKEN[:2])
    assert first == [*CONSENTS, "about"]
    assert {"danger", "safety"} <= set(second)
    assert intake.IN_DANGER == 1


def test_what_is_only_counted_is_asked_only_of_who_agreed_to_be_counted() -> None:
    counted = {spoken.question.name for page in SPOKEN for spoken in page.spoken if spoken.counted}
    assert counted == {"venue", "reported", "reason"}
    for allowed in ("yes", "no", None):
        told = {"allows_figures": allowed} if allowed else {}
        names = {spoken.question.name for page in intake.route(told) for spoken in intake.spoken_on(page, told)}
        assert (counted <= names) is (allowed == "yes")
        assert counted.isdisjoint(names) or allowed == "yes"


def test_what_changes_a_must_not_or_a_need_is_never_behind_the_fold() -> None:
    folded = {spoken.question.name for page in SPOKEN for spoken in page.spoken if spoken.folded}
    assert folded == {"lang", "narrative", "venue", "reported", "reason"}


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_is_read_aloud_in_two_minutes_and_asks_no_more_than_her_own_pages(language: str) -> None:
    short, long = read_aloud.the_intake(language), read_aloud.her_own_pages(language)
    assert short.minutes < 2
    assert short.questions < long.questions
    assert short.words * 4 < long.words


def test_help_is_read_as_on_her_pages_before_a_question_was_asked() -> None:
    told = {"violence": ["SEXUAL_EXTORTION", "KILLING_DISAPPEARANCE"]}
    when = intake.page_of("victim_state", told)
    assert (intake.so_far(told, when).victim_state, intake.so_far(told, when).extortion_act) == ("killed", "no")
    assert intake.so_far(told, when + 1).victim_state is None


# ── consents ────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_consent_is_chosen_beforehand_and_none_that_is_not_answered_is_given(app: Flask, place: Place) -> None:
    desk = begins(app, place)
    form = desk.form("next")
    assert not form.values.keys() & CONSENTS.keys()
    assert all(form.offered[name] == ["yes", "no"] for name in CONSENTS)
    tells(desk, about="SELF", violence=["ROBBERY"])
    case = sends(desk, place)
    assert case.consents == frozenset()
    assert "W_CONTACT_BACK" not in case.incident.wants


def test_each_yes_is_kept_as_the_consent_it_is(app: Flask, place: Place) -> None:
    desk = begins(app, place)
    desk.presses("next", allows_letters="yes", allows_contact="yes", allows_figures="no")
    while "number_to_call" not in desk.form("next").kinds:
        desk.presses("next")
    desk.presses("next", wants=["W_HEALTH"], number_to_call="999")
    assert say("Letters") in desk.words
    case = sends(desk, place)
    assert case.consents == {"C_LETTERS", "C_CONTACT"}
    assert case.incident.wants == {"W_HEALTH", "W_CONTACT_BACK"}


def test_a_yes_that_is_taken_back_is_none(app: Flask, place: Place) -> None:
    desk = begins(app, place)
    desk.presses("check", allows_letters="yes", allows_contact="yes")
    desk.presses("to-0")
    desk.presses("check", allows_letters="no", allows_contact="no")
    case = sends(desk, place)
    assert case.consents == frozenset()
    assert "W_CONTACT_BACK" not in case.incident.wants


def test_who_is_in_danger_is_helped_before_any_permission_is_read(app: Flask, place: Place) -> None:
    desk = begins(app, place)
    desk.presses("to-1")
    desk.presses("next", danger=["D_BLEEDING"], region="UCAYALI")
    assert say("First, help") in desk.words
    assert say(NEEDS["N_EMERG_MED"]) in desk.words
    desk.presses("check")
    assert say("A permission that stands under «not answered» is a no.") in desk.words
    desk.presses("to-0")
    desk.presses("check", allows_letters="yes")
    assert sends(desk, place).consents == {"C_LETTERS"}


def test_of_another_person_nothing_is_asked_as_if_it_were_the_caller(app: Flask, place: Place) -> None:
    of_callers = {"about", "narrative", "reach", "since", "victim_state", "hurt_too", *CONSENTS}
    for page in SPOKEN:
        for spoken in page.spoken:
            if spoken.question.name not in of_callers and re.search(r"\b(you|your)\b", spoken.says, re.IGNORECASE):
                assert not re.search(r"\b(you|your)\b", spoken.aloud("OTHER").replace("as you know", "")), spoken.says
    desk = begins(app, place)
    desk.presses("next", about="OTHER")
    assert say("Which region are you in?") not in desk.words
    assert say("Which region is this person in?") in desk.words


@pytest.mark.parametrize("violence", [["RAPE"], ["KILLING_DISAPPEARANCE"], ["RAPE", "KILLING_DISAPPEARANCE"], []])
def test_nothing_is_asked_twice_on_a_page(app: Flask, place: Place, violence: list[str]) -> None:
    desk = begins(app, place)
    while not on_the_check_page(desk):
        asked = re.findall(r'<fieldset class="c-question" id="q-(\w+)"', desk.text)
        fields = re.findall(r'id="f-(\w+)"', desk.text)
        assert len(set(fields)) == len(fields), (asked, fields)
        desk.presses("next", **({"violence": violence} if "violence" in desk.form("next").kinds else {}))


def test_the_answers_mean_what_they_mean_on_her_own_pages() -> None:
    told = {"violence": ["RAPE"], "condom": "no", "when": "H24", "wants": ["W_HEALTH"], "allows_figures": "yes"}
    hers = {"violence": ["RAPE"], "condom": "no", "when": "H24", "wants": ["W_HEALTH"], "consents": ["C_STATS"]}
    assert incident_of(intake.plain(told)) == incident_of(hers)
    assert intake.plain(told)["consents"] == hers["consents"]
    assert answers.contact_of(intake.plain(told | {"number_to_call": "999"})) == {}


def test_help_stands_open_when_it_is_new_and_folded_on_the_pages_after(app: Flask, place: Place) -> None:
    desk = begins(app, place)
    desk.presses("to-1")
    unfolded = f"<details open><summary>{say('First, help')}"
    for told, is_new in (({"danger": ["D_BLEEDING"]}, True), ({}, False), ({"when": "H2"}, False)):
        desk.presses("next", **told)
        assert say("First, help") in desk.words
        assert (unfolded in desk.text) is is_new, told


# ── the receipt ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_word_of_a_receipt_can_be_spelt_and_four_letters_are_enough(language: str) -> None:
    beginnings = set()
    for word in receipts.words_of(language):
        letters = spelling.spelt(word, language)
        assert all((like and like[0] == letter) or like[:1] in "áéíóúñ" for letter, like in letters), word
        beginnings.add("".join(letter for letter, _ in letters))
    assert len(beginnings) == len(receipts.words_of(language))


def test_the_receipt_is_spelt_on_the_page_that_is_read_aloud(app: Flask, place: Place) -> None:
    desk = begins(app, place)
    tells(desk)
    desk.presses("send")
    words, digits = desk.receipt()
    assert (len(words), len(digits)) == (7, 7)
    for letter, like in spelling.spelt(words[0], "es"):
        assert f"{letter.upper()} ({like})" in desk.words
    assert say("Read it back to me, please.") in desk.words
    with reading(place.engine) as db:
        assert db.scalars(select(CaseRow.id)).first()


def test_where_what_was_told_is_gone_one_touch_begins_anew(app: Flask, place: Place) -> None:
    """Somebody is still on the telephone: the page was put down too long ago, or its form is of no use any more."""
    desk = begins(app, place)
    address, form = desk.path, desk.form("next")
    desk.opens(f"{address.rsplit('/', 2)[0]}/nobody-knows-this/0")
    assert_gone(desk)
    desk.opens(address)
    desk.repeats(form.action, form.values | {"t": ["torn"]})
    assert_gone(desk)
    desk.walks("/es/equipo/voz")
    assert desk.form("next")


def assert_gone(desk: Phone) -> None:
    """A page that says so, with the way to the first question."""
    assert desk.status == 410
    assert say(OVER) in desk.words
    assert 'href="/es/equipo/voz"' in desk.text
