"""«Next case»: from one case to the first of today's that she has not looked at; never round in a circle."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from reporting.cases import desk, store
from reporting.cases.records import alias
from reporting.storage.database import writing
from reporting.vocabulary.incident import Incident
from reporting.web.languages import local
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, at_the_desk
from tests.people import Place
from tests.phone import Phone
from tests.trips import say

CALM = Incident(violence=frozenset({"NONPAYMENT"}), age="A25_34")
SOON, LATER = replace(RAPE, hours=(60.0, 60.0)), replace(RAPE, hours=(20.0, 20.0))
QUEUE = "/es/equipo/casos"


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def address(case: int) -> str:
    return f"/es/equipo/caso/{case}"


def goes_on(desk: Phone) -> str:
    desk.opens(f"{desk.path}/siguiente")
    return desk.path


def test_it_leads_through_today_from_the_most_urgent_and_then_to_the_list(app: Flask, place: Place) -> None:
    later, soon = (place.comes_back(place.receives(one)).case for one in (LATER, SOON))
    rosa = at_the_desk(app, place)
    rosa.opens(address(later))
    assert goes_on(rosa) == address(soon)
    assert goes_on(rosa) == QUEUE, "both were looked at today"
    milagros = at_the_desk(app, place, "milagros")
    milagros.opens(address(later))
    assert goes_on(milagros) == address(soon), "what a colleague looked at waits for her"


def test_what_she_wrote_since_a_look_and_what_came_is_not_passed_over(app: Flask, place: Place) -> None:
    receipt = place.receives(SOON)
    soon, later = place.comes_back(receipt).case, place.comes_back(place.receives(LATER)).case
    rosa = at_the_desk(app, place)
    rosa.opens(address(soon))
    rosa.presses("answer", text="Te leímos.")
    rosa.opens(address(later))
    with writing(place.engine) as db:
        store.write_as_reporter(db, place.comes_back(receipt), "¿siguen ahí?", place.clock())
    assert goes_on(rosa) == address(soon)


def test_tomorrow_all_of_today_is_looked_at_again(app: Flask, place: Place) -> None:
    soon, later = (place.comes_back(place.receives(one)).case for one in (SOON, LATER))
    rosa = at_the_desk(app, place)
    rosa.opens(address(soon))
    rosa.opens(address(later))
    place.clock.on(hours=24)
    rosa = at_the_desk(app, place)
    rosa.opens(address(later))
    assert goes_on(rosa) == address(soon)


def test_what_is_closed_or_folded_away_is_not_led_to(app: Flask, place: Place) -> None:
    first, second = (place.comes_back(place.receives(SOON)).case for _ in range(2))
    rosa = at_the_desk(app, place)
    rosa.opens(address(first))
    rosa.opens(QUEUE)
    rosa.presses("junk-ads", cases=[str(first)])
    rosa.opens(address(second))
    assert goes_on(rosa) == QUEUE


def test_what_is_a_colleagues_and_unread_is_led_to_once_and_not_round_in_a_circle(app: Flask, place: Place) -> None:
    receipts = [place.receives(CALM) for _ in range(2)]
    milagros, rosa = at_the_desk(app, place, "milagros"), at_the_desk(app, place)
    hers = [place.comes_back(receipt).case for receipt in receipts]
    for case, receipt in zip(hers, receipts, strict=True):
        milagros.opens(address(case))
        milagros.presses("answer", text="Te leímos.")
        with writing(place.engine) as db:
            store.write_as_reporter(db, place.comes_back(receipt), "¿siguen ahí?", place.clock())
    place.clock.on(hours=1)
    behind = place.comes_back(place.receives(CALM)).case
    rosa = at_the_desk(app, place)
    rosa.opens(address(place.comes_back(place.receives(CALM)).case))
    assert {goes_on(rosa), goes_on(rosa)} == {address(case) for case in hers}
    assert goes_on(rosa) == address(behind)
    assert goes_on(rosa) == QUEUE


def test_danger_and_a_window_that_nobody_answered_are_led_to_again_after_an_hour(app: Flask, place: Place) -> None:
    window, calm = (place.comes_back(place.receives(one)).case for one in (SOON, CALM))
    rosa = at_the_desk(app, place)
    rosa.opens(address(window))
    rosa.opens(address(calm))
    assert goes_on(rosa) == QUEUE
    place.clock.on(hours=2)
    rosa = at_the_desk(app, place)
    rosa.opens(address(calm))
    assert goes_on(rosa) == address(window), "a look is no answer"


def test_a_day_ends_at_midnight_where_the_team_works(app: Flask, place: Place) -> None:
    one, other = (place.comes_back(place.receives(CALM)).case for _ in range(2))
    place.clock.on(hours=(20 - local(place.clock(), place.settings.time_zone).hour) % 24)
    for hours, goes_to in ((3, QUEUE), (2, address(one))):
        rosa = at_the_desk(app, place)
        rosa.opens(address(one))
        rosa.opens(address(other))
        place.clock.on(hours=hours)
        rosa = at_the_desk(app, place)
        rosa.opens(address(other))
        assert goes_on(rosa) == goes_to


def test_a_letter_can_be_sent_and_the_next_case_opened_with_one_touch(app: Flask, place: Place) -> None:
    later, soon = (place.comes_back(place.receives(one)).case for one in (LATER, SOON))
    rosa = at_the_desk(app, place)
    rosa.opens(address(soon))
    rosa.presses("answer-next", text="Te leímos.")
    assert say("Your letter was sent. This is the next case.") in rosa.words
    assert alias(later) in rosa.words
    assert alias(soon) not in rosa.words
    rosa.presses("answer-next", text="Te leímos también.")
    assert say("Your letter was sent. No other case of today is left that you have not looked at.") in rosa.words
    assert say("All of them") in rosa.words
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        opened = [desk.open_case(db, keys, case, place.clock()) for case in (soon, later)]
    assert [[letter.text for letter in case.letters] for case in opened] == [["Te leímos."], ["Te leímos también."]]
    assert {case.owner for case in opened} == {place.workers["rosa"].id}


def test_a_letter_that_does_not_go_through_stays_where_it_was_written(app: Flask, place: Place) -> None:
    soon = place.comes_back(place.receives(SOON)).case
    place.receives(LATER)
    rosa = at_the_desk(app, place)
    rosa.opens(address(soon))
    rosa.presses("answer-next", text="Anda a ____ mañana.")
    assert rosa.status == 422
    assert alias(soon) in rosa.words
    assert "Anda a ____ mañana." in rosa.text
