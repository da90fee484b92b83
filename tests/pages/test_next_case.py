"""«Next case»: from one case to the first of today's that she has not looked at; never round in a circle."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from reporting.cases import store
from reporting.storage.database import writing
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, at_the_desk
from tests.people import Place
from tests.phone import Phone

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
    rosa.opens(QUEUE)
    rosa.presses("junk-ads", cases=[str(first)])
    rosa.opens(address(second))
    assert goes_on(rosa) == QUEUE
