"""Nothing is put out of sight among others that nobody has read, nor closed by the way while time is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from reporting.cases import actions
from reporting.cases.records import alias
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, at_the_desk, comes_back, only_case
from tests.people import Place
from tests.phone import Phone
from tests.trips import say

QUEUE = "/es/equipo/casos"
CALM = Incident(violence=frozenset({"NONPAYMENT"}), age="A25_34")
STRANGLED = replace(CALM, flags=frozenset({"D_STRANGLED"}))
BLEEDING = replace(CALM, flags=frozenset({"D_BLEEDING"}))
CHILD = replace(CALM, age=min(MINOR_AGES))
WINDOW = replace(RAPE, hours=(20.0, 20.0))
OPEN_THEM = (
    "Nobody has read these, or she waits for an answer, or danger or a window is open. They stay where they were. Open "
    "each one first:"
)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def tells(place: Place, incident: Incident) -> int:
    return place.comes_back(place.receives(incident, "así fue")).case


def at_the_case_of(app: Flask, place: Place, incident: Incident) -> Phone:
    """Rosa, on the page of a case that was just told."""
    case = tells(place, incident)
    rosa = at_the_desk(app, place)
    rosa.opens(f"/es/equipo/caso/{case}")
    return rosa


def lies_open(desk: Phone, case: int) -> bool:
    desk.opens(f"{QUEUE}?folder=open")
    return alias(case) in desk.words


@pytest.mark.parametrize("press", ["junk-ads", "close"])
@pytest.mark.parametrize("incident", [STRANGLED, CHILD, WINDOW])
def test_what_nobody_has_read_and_may_be_urgent_goes_nowhere_in_two_taps(
    app: Flask, place: Place, incident: Incident, press: str
) -> None:
    case = tells(place, incident)
    rosa = at_the_desk(app, place)
    rosa.opens(QUEUE)
    rosa.presses(press, cases=[str(case)], outcome="RECORD_ONLY")
    assert say(OPEN_THEM) in rosa.words
    assert f'<a class="c-alone" href="/es/equipo/caso/{case}">{alias(case)}</a>' in rosa.text
    assert lies_open(rosa, case)


def test_what_nobody_has_read_is_closed_by_nobody_however_quiet_it_is(app: Flask, place: Place) -> None:
    case = tells(place, CALM)
    rosa = at_the_desk(app, place)
    rosa.opens(QUEUE)
    rosa.presses("close", cases=[str(case)], outcome="RECORD_ONLY")
    assert lies_open(rosa, case)
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.opens(QUEUE)
    rosa.presses("close", cases=[str(case)], outcome="RECORD_ONLY")
    assert f"1 ({alias(case)})" in rosa.words, "it says which"
    assert not lies_open(rosa, case)


@pytest.mark.parametrize("press", ["junk-ads", "close"])
def test_a_list_made_before_she_wrote_puts_her_words_out_of_nobodys_sight(app: Flask, place: Place, press: str) -> None:
    receipt = place.receives(CALM, "así fue")
    case = place.comes_back(receipt).case
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.opens(QUEUE)
    comes_back(app, receipt).presses("write", text="me está siguiendo")
    milagros.opens(f"/es/equipo/caso/{case}")  # from now on it is read, and nobody has answered
    rosa.presses(press, cases=[str(case)], outcome="REACHED")
    assert say(OPEN_THEM) in rosa.words
    milagros.opens(f"{QUEUE}?folder=waits")
    assert alias(case) in milagros.words
    milagros.opens(f"/es/equipo/caso/{case}")
    milagros.presses("letter", text="Te leímos.")
    rosa.opens(QUEUE)
    rosa.presses(press, cases=[str(case)], outcome="REACHED")
    assert not lies_open(rosa, case), "once she was answered it may go"


def test_junk_that_may_not_be_urgent_is_folded_away_unread_and_named(app: Flask, place: Place) -> None:
    cases = [tells(place, CALM) for _ in range(2)]
    rosa = at_the_desk(app, place)
    rosa.opens(QUEUE)
    rosa.presses("junk-ads", cases=[str(case) for case in cases])
    assert all(alias(case) in rosa.words for case in cases)
    assert not any(lies_open(rosa, case) for case in cases)


def test_a_case_whose_window_runs_is_closed_only_by_who_says_that_she_knows_it(app: Flask, place: Place) -> None:
    rosa = at_the_case_of(app, place, WINDOW)
    rosa.presses("close", outcome="RECORD_ONLY", reason="lo pidió")
    assert rosa.status == 422
    assert "Quedan horas para una ayuda que después ya no sirve" in rosa.words
    assert "lo pidió" in rosa.text, "what was typed is kept"
    assert "Todavía hay tiempo para: Medicina que puede prevenir el VIH (PEP)" in rosa.words
    rosa.presses("close", outcome="RECORD_ONLY", reason="lo pidió", knows="y")
    assert say("The case is closed.") in rosa.words


@pytest.mark.parametrize(("incident", "outcome"), [(CALM, "RECORD_ONLY"), (WINDOW, "REACHED")])
def test_who_was_attended_and_where_no_window_runs_nothing_more_is_asked(
    app: Flask, place: Place, incident: Incident, outcome: str
) -> None:
    rosa = at_the_case_of(app, place, incident)
    rosa.presses("close", outcome=outcome)
    assert say("The case is closed.") in rosa.words


@pytest.mark.parametrize("outcome", sorted(actions.SAY_ALL))
def test_an_outcome_that_says_all_is_a_button_that_is_asked_about_a_running_window_and_takes_the_words_along(
    app: Flask, place: Place, outcome: str
) -> None:
    rosa = at_the_case_of(app, place, WINDOW)
    rosa.presses(f"close-{outcome}", reason="lo pidió", text="Cuídate.")
    if outcome != actions.REACHED:
        assert rosa.status == 422
        assert ("lo pidió" in rosa.text, "Cuídate." in rosa.text) == (True, True), "what was typed is kept"
        rosa.presses(f"close-{outcome}", knows="y")
    assert say("The case is closed.") in rosa.words
    assert ("lo pidió" in rosa.words, "Cuídate." in rosa.words) == (True, True)
    assert only_case(place, place.signs_in("rosa")).work_record["outcome"] == outcome


@pytest.mark.parametrize("button", ["close-REFUSED", "close-NOT_REACHED", "close-zz", "close-", "close"])
def test_no_other_button_closes_a_case_by_itself_and_enter_presses_one_that_does_not(
    app: Flask, place: Place, button: str
) -> None:
    rosa = at_the_case_of(app, place, CALM)
    form = rosa.form("close")
    assert form.buttons[0] == ("go", "close"), "a browser presses the first one"
    rosa.repeats(form.action, form.values | {"go": [button]})
    assert rosa.status == 422
    assert only_case(place, place.signs_in("rosa")).state != "closed"


def test_danger_of_days_ago_that_nobody_asked_about_is_told_on_the_page_of_the_case(app: Flask, place: Place) -> None:
    case = tells(place, BLEEDING)
    place.clock.on(hours=57)
    rosa = at_the_desk(app, place)
    rosa.opens(f"/es/equipo/caso/{case}")
    assert say("Nobody has asked since how she is.") in rosa.words
    rosa.presses("letter", text="Te leímos. ¿Cómo estás?")
    rosa.opens(f"/es/equipo/caso/{case}")
    assert say("Nobody has asked since how she is.") not in rosa.words
